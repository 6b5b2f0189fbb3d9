"""The blocks of a page that a reader can run: commands, Python, and the output that the page shows.

The kind of a fence is ``bash`` for commands, ``python`` for Python, and ``pycon`` for Python with its prompts. A fence
``text`` behind it is what it prints. A comment on the line before a fence is a mark: ``<!-- long -->`` for blocks that only
`make docs-test` runs, and ``<!-- not run: REASON -->`` for those that need something that no test has. The comment
``<!-- all long -->`` marks every block of a page.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

_ALL_LONG = "<!-- all long -->\n\n"
KINDS = ("bash", "python", "pycon")
_BLOCK = re.compile(
    r"(?:^ *<!-- (?P<mark>[^>]*) -->\n+)?^(?P<indent> *)```(?P<kind>\w*)\n(?P<code>.*?)^ *```$", re.M | re.S
)


@dataclass(frozen=True)
class Block:
    """A fence: the first line of its content, its kind, content, mark and the output that the page shows."""

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
    """The blocks of a page that can be run, in their order."""
    found: list[Block] = []
    for fence, start in _fences(text):
        if fence.kind in KINDS:
            found.append(fence)
        elif fence.kind == "text" and _follows(text, start, found):
            found[-1] = replace(found[-1], output=fence.code)
    return found


def other_fences(text: str) -> list[Block]:
    """The fences of a page that are shown alone."""
    return [fence for fence, _ in _fences(text) if fence.kind not in KINDS]


def _fences(text: str) -> Iterator[tuple[Block, int]]:
    """Each fence with the position where it, or its mark, begins."""
    usual = "long" if _ALL_LONG in text else ""
    for match in _BLOCK.finditer(text):
        code = re.sub(rf"^{match['indent']}", "", match["code"], flags=re.M)
        line = text[: match.start("code")].count("\n") + 1
        yield Block(line, match["kind"], code, (match["mark"] or usual).strip()), match.start()


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
