"""Read the values that a CMakeLists.txt sets, without CMake."""

from __future__ import annotations

import re
from pathlib import Path

_SET = re.compile(r"^set\(\s*(\w+)\s*(.*?)\s*\)$", re.DOTALL | re.MULTILINE)
_WORD = re.compile(r'"([^"]*)"|(\S+)')
_COMMENT = re.compile(r'^((?:[^"#\n]|"[^"\n]*")*)#.*$', re.MULTILINE)


def variables(path: Path) -> dict[str, list[str]]:
    """Each variable's words after the last `set` of it; `${name}` of a variable set before is replaced."""
    known: dict[str, list[str]] = {"CMAKE_CURRENT_SOURCE_DIR": [path.parent.as_posix()]}
    text = _COMMENT.sub(r"\1", path.read_text(encoding="utf-8"))
    text = "\n".join(line.rstrip() for line in text.splitlines())
    for name, words in _SET.findall(text):
        known[name] = [_expanded(quoted or bare, known) for quoted, bare in _WORD.findall(words)]
    return known


def _expanded(word: str, known: dict[str, list[str]]) -> str:
    return re.sub(r"\$\{(\w+)\}", lambda match: " ".join(known.get(match[1], [match[0]])), word)
