"""The tests that the page on robustness names are there."""

from __future__ import annotations

import re
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
PAGE = _ROOT / "Documentation" / "Notebook" / "Robustness.md"
_TEST = re.compile(r"`(test_\w+)`")


def rows(text: str) -> list[list[str]]:
    """The rows of the table of situations: for each, the names of its tests."""
    lines = text.partition("| situation |")[2].partition("\n\n")[0].splitlines()[2:]
    return [_TEST.findall(line) for line in lines]


def there() -> set[str]:
    """Names of all tests."""
    files = [*_ROOT.glob("Testing/Library/test_*.py"), *_ROOT.glob("Testing/Module/test_*.py")]
    return {name for path in files for name in re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), re.M)}


def test_each_situation_names_tests_that_are_there():
    found, known = rows(PAGE.read_text(encoding="utf-8")), there()
    assert len(found) > 30
    assert all(found), "a situation without a test"
    assert [name for names in found for name in names if name not in known] == []


def test_a_row_without_a_test_is_found():
    text = "| situation | what happens | tests |\n|---|---|---|\n| a | b | `test_one`, `test_two` |\n| c | d | |\n\n"
    assert rows(text) == [["test_one", "test_two"], []]
