"""The site of the documentation is built without a warning: no broken link or anchor, no page without a place."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import command_reference
import pytest
from pages import ROOT, part

import MetaRegistrationLib

_RELEASE = re.compile(r"^\*Measured on release \d+\.\d+\.\d+\b", re.MULTILINE)
_HEADING = re.compile(r"^(#{1,6}) +(.+)$", re.MULTILINE)


def build(folder: Path, *options: str) -> subprocess.CompletedProcess:
    pytest.importorskip("mkdocs", reason="the extra docs is not installed")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder), *options]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_the_site_is_built_without_a_warning(tmp_path: Path):
    done = build(tmp_path)
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    assert (tmp_path / "index.html").is_file()
    written = (tmp_path / "Documentation" / "Reference" / "Extend.html").read_text(encoding="utf-8")
    assert "A kind of initial alignment." in written, "the docstrings are put in"


def test_the_command_line_reference_is_what_the_parsers_say():
    written = command_reference.PAGE.read_text(encoding="utf-8")
    assert written == command_reference.page(), "run: python Testing/Packaging/command_reference.py --write"


def test_the_command_line_reference_has_every_command_and_option():
    written = command_reference.PAGE.read_text(encoding="utf-8")
    for name, parser in command_reference.commands().items():
        assert f"\n## {name}\n" in written
        for action in parser._actions:
            shown = action.help != "==SUPPRESS==" and action.dest not in ("help", "json")
            assert not shown or all(f"`{option}" in written for option in action.option_strings)


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 120


def sections(text: str) -> list[tuple[int, str, str]]:
    """Level, title and own text of each section of a page."""
    heads = list(_HEADING.finditer(re.sub(r"```.*?```", lambda code: "\n" * code[0].count("\n"), text, flags=re.S)))
    lines = text.splitlines()
    starts = [text[: head.start()].count("\n") for head in heads]
    ends = [*starts[1:], len(lines)]
    return [
        (len(head[1]), head[2], "\n".join(lines[start + 1 : end]))
        for head, start, end in zip(heads, starts, ends, strict=True)
    ]


def undated(text: str) -> list[str]:
    """Sections with measured numbers, and no release of their own or of a section around them."""
    found, around = [], {}
    for level, title, body in sections(text):
        around = {key: value for key, value in around.items() if key < level}
        around[level] = bool(_RELEASE.search(body))
        if not any(around.values()) and re.search(r"\d (px|s|ms|%)\b|^\|.*\d\.\d", body, re.MULTILINE):
            found.append(title)
    return found


@pytest.mark.parametrize("page", part("Notebook"), ids=lambda page: page.name)
def test_each_number_of_the_notebook_names_its_release(page: Path):
    text = page.read_text(encoding="utf-8")
    assert page.stem in ("index", "Experiments", "Failed") or _RELEASE.search(text)
    if page.stem != "Experiments":  # it tells how to run them, and its seconds are estimates
        assert undated(text) == []


@pytest.mark.parametrize("page", part("Notebook"), ids=lambda page: page.name)
def test_releases_of_the_notebook_are_in_the_changelog(page: Path):
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    known = re.findall(r"^## (\d+\.\d+\.\d+)", changes, re.MULTILINE)
    assert known[0] == MetaRegistrationLib.__version__
    found = re.findall(r"release (\d+\.\d+\.\d+)", page.read_text(encoding="utf-8"))
    assert set(found) <= set(known)


def test_a_number_without_a_release_is_found():
    text = "# A\n\n## B\n\n*Measured on release 0.1.0 (2026-11-29).*\n\n1 px\n\n### C\n\n2 px\n\n## D\n\n3 px\n"
    assert undated(text) == ["D"]
