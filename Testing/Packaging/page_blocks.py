"""The blocks of a page that a reader can run: commands, Python, and the output that the page shows.

A block of commands is marked ``bash``, one of Python ``python``; a block ``text`` behind it is what it prints. A comment on the
line before a block is a mark: ``<!-- long -->`` for blocks that `make docs-test` runs, ``<!-- not run: REASON -->`` for those that need
something that no test has.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

_BLOCK = re.compile(r"(?:^ *<!-- (?P<mark>[^>]*) -->\n+)?^(?P<indent> *)```(?P<kind>\w*)\n(?P<code>.*?)^ *```$", re.M | re.S)


@dataclass(frozen=True)
class Block:
    """A block: the first line of its content, its kind (bash or python), content, mark and the output that the page shows."""

    line: int
    kind: str
    code: str
    mark: str = ""
    output: str = ""

    @property
    def is_long(self) -> bool:
        """Whether only `make docs-test` runs it."""
        return self.mark == "long"

    @property
    def reason(self) -> str:
        """Why no test runs it; empty if one does."""
        return self.mark.partition("not run:")[2].strip()


def blocks(text: str) -> list[Block]:
    """The blocks of a page in their order."""
    found: list[Block] = []
    for match in _BLOCK.finditer(text):
        code = re.sub(rf"^{match['indent']}", "", match["code"], flags=re.M)
        line = text[: match.start("code")].count("\n") + 1
        if match["kind"] in ("bash", "python"):
            found.append(Block(line, match["kind"], code, (match["mark"] or "").strip()))
        elif match["kind"] == "text" and _follows(text, match.start(), found):
            found[-1] = replace(found[-1], output=code)
    return found


def _follows(text: str, start: int, found: list[Block]) -> bool:
    """Whether nothing but its fence stands between the block before and this one."""
    if not found or found[-1].output:
        return False
    last = found[-1]
    between = text[:start].splitlines()[last.line - 1 + last.code.count("\n") :]
    return [line.strip() for line in between if line.strip()] == ["```"]


def commands(block: Block) -> Iterator[list[str]]:
    """The words of each command of a block; comments are left out, and a line that ends in a backslash goes on."""
    for line in block.code.replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        if words:
            yield words


def page_blocks(page: Path) -> list[Block]:
    """The blocks of a file."""
    return blocks(page.read_text(encoding="utf-8"))
