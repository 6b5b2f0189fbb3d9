"""The pages on the Python interface: the notebook runs and prints what it shows, the reference is what the docstrings say."""

from __future__ import annotations

import contextlib
import io
import re
import sys
from pathlib import Path

import api_reference
import pytest

import MetaRegistrationLib as mr

_BLOCK = re.compile(r"^```(python|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page: Path) -> list[tuple[int, str, str]]:
    """(line, code, expected output) of each block of Python."""
    text = page.read_text(encoding="utf-8")
    found: list[list] = []
    for match in _BLOCK.finditer(text):
        if match.group(1) == "python":
            found.append([text[: match.start()].count("\n") + 2, match.group(2), ""])
        else:
            assert found and not found[-1][2], "an output stands behind its block"
            found[-1][2] = match.group(2)
    return [tuple(block) for block in found]


@pytest.mark.long
def test_the_notebook_prints_what_it_shows(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    page = root / "Documentation" / "Reference" / "Python.md"
    namespace: dict = {"__name__": "notebook"}
    monkeypatch.setitem(sys.modules, "notebook", type(sys)("notebook"))
    found = blocks(page)
    assert len(found) > 10
    for line, code, expected in found:
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            exec(compile("\n" * (line - 1) + code, str(page), "exec"), namespace)
        assert output.getvalue() == expected, f"{page.name}, line {line}"
    assert (tmp_path / "phantom_009" / "warped.nrrd").is_file()
    assert (tmp_path / "adapted.pt").is_file()


def test_the_reference_is_what_the_docstrings_say():
    written = api_reference.PAGE.read_text(encoding="utf-8")
    assert written == api_reference.page(), "run: python Testing/Packaging/api_reference.py --write"


def test_the_reference_has_every_public_name_with_its_parameters():
    written = api_reference.PAGE.read_text(encoding="utf-8")
    for name in mr.__all__:
        assert f"\n## {name}\n" in written
    assert "| `moving`, `fixed` |" in written
    assert "### Registration.carry_back" in written
