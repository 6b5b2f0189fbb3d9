"""Small changes of Python source: what a typing error or a wrong idea would have written."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

_COMPARISONS = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "==", "in": "not in", "is": "is not"}
_OPERATORS = {ast.Add: ("+", "-"), ast.Sub: ("-", "+"), ast.Mult: ("*", "/"), ast.Div: ("/", "*")}
_NAMES = {
    "min": "max",
    "max": "min",
    "minimum": "maximum",
    "maximum": "minimum",
    "argmin": "argmax",
    "argmax": "argmin",
    "any": "all",
    "all": "any",
    "floor": "ceil",
    "ceil": "floor",
}


@dataclass(frozen=True)
class Mutant:
    """A change of a file of the library: the characters from `start` to `end` become `text`."""

    file: str
    line: int
    change: str
    start: int
    end: int
    text: str

    def applied(self, source: str) -> str:
        """The changed source."""
        return source[: self.start] + self.text + source[self.end :]


class _Source:
    """Source with the positions of its nodes in characters."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.lines = text.splitlines(keepends=True)
        self.starts = [0]
        for line in self.lines:
            self.starts.append(self.starts[-1] + len(line))
        self.comments = [
            (self.starts[token.start[0] - 1] + token.start[1], self.starts[token.end[0] - 1] + token.end[1])
            for token in tokenize.generate_tokens(io.StringIO(text).readline)
            if token.type == tokenize.COMMENT
        ]

    def at(self, line: int, byte: int) -> int:
        """Position of a byte of a line, as ast counts."""
        return self.starts[line - 1] + len(self.lines[line - 1].encode()[:byte].decode())

    def span(self, node: ast.AST) -> tuple[int, int]:
        """Where a node begins and ends."""
        return self.at(node.lineno, node.col_offset), self.at(node.end_lineno, node.end_col_offset)

    def between(self, left: ast.AST, right: ast.AST, word: str) -> tuple[int, int] | None:
        """Where an operator stands between two nodes."""
        start, end = self.span(left)[1], self.span(right)[0]
        pattern = rf"\b{word}\b" if word[0].isalpha() else re.escape(word)
        for match in re.finditer(pattern, self.text[start:end]):
            place = start + match.start(), start + match.end()
            if not any(first <= place[0] < last for first, last in self.comments):
                return place
        return None


def mutants_of(path: Path, library: Path) -> Iterator[Mutant]:
    """All mutants of a file, in the order of its lines."""
    text = path.read_text(encoding="utf-8")
    source, file = _Source(text), path.relative_to(library).as_posix()
    found = []
    for node in _code(ast.parse(text)):
        for place, new in _changes(node, source):
            old = text[slice(*place)]
            change = f"{old} -> {new}" if len(old) < 40 else f"{old[:37]}... -> {new[:40]}"
            found.append(Mutant(file, text.count("\n", 0, place[0]) + 1, " ".join(change.split()), *place, new))
    yield from sorted(found, key=lambda mutant: (mutant.start, mutant.end, mutant.text))


def _code(tree: ast.AST) -> Iterator[ast.AST]:
    """Nodes that decide something: no annotations, no f-strings, no messages of errors."""
    for name, value in ast.iter_fields(tree):
        if name in ("annotation", "returns", "decorator_list"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if not isinstance(child, ast.AST) or isinstance(child, (ast.JoinedStr, ast.Raise)):
                continue
            if isinstance(child, ast.If) and ast.unparse(child.test).endswith("TYPE_CHECKING"):
                continue
            yield child
            yield from _code(child)


def _changes(node: ast.AST, source: _Source) -> Iterator[tuple[tuple[int, int], str]]:
    if isinstance(node, ast.Compare):
        operands = [node.left, *node.comparators]
        for left, right in pairwise(operands):
            for old, new in _COMPARISONS.items():
                words = source.text[source.span(left)[1] : source.span(right)[0]].strip(" ()\n")
                if words == old and (place := source.between(left, right, old)):
                    yield place, new
    elif isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        old, new = _OPERATORS[type(node.op)]
        if not _is_text(node) and (place := source.between(node.left, node.right, old)):
            yield place, new
    elif isinstance(node, ast.BoolOp):
        old, new = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
        for left, right in pairwise(node.values):
            if place := source.between(left, right, old):
                yield place, new
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.Not, ast.USub)):
        yield source.span(node), source.text[slice(*source.span(node.operand))]
    elif isinstance(node, ast.Constant):
        yield from _other_constants(node, source)
    elif isinstance(node, (ast.If, ast.IfExp)):
        place = source.span(node.test)
        yield place, f"not ({source.text[slice(*place)]})"
    elif isinstance(node, ast.Name) and node.id in _NAMES:
        yield source.span(node), _NAMES[node.id]
    elif isinstance(node, ast.Attribute) and node.attr in _NAMES:
        end = source.span(node)[1]
        yield (end - len(node.attr), end), _NAMES[node.attr]


def _other_constants(node: ast.Constant, source: _Source) -> Iterator[tuple[tuple[int, int], str]]:
    if isinstance(node.value, bool):
        yield source.span(node), str(not node.value)
    elif isinstance(node.value, int):
        yield source.span(node), str(node.value + 1)
    elif isinstance(node.value, float):
        yield source.span(node), repr(node.value * 2 if node.value else 1.0)


def _is_text(node: ast.BinOp) -> bool:
    return any(isinstance(part, ast.JoinedStr) or _is_string(part) for part in ast.walk(node))


def _is_string(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)
