"""What the forge runs and what contributors read names files, targets, extras and versions of Python that there are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

WORKFLOWS = sorted((Path(__file__).resolve().parents[2] / ".github" / "workflows").glob("*.yml"))
READ = ["CONTRIBUTING.md", ".github/PULL_REQUEST_TEMPLATE.md", ".pre-commit-config.yaml"]
VERSIONS = ["3.10", "3.11", "3.12", "3.13"]


@pytest.fixture(scope="module")
def project(root: Path) -> str:
    """The text of pyproject.toml."""
    return (root / "pyproject.toml").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def texts(root: Path) -> dict[str, str]:
    """Workflows and pages for contributors."""
    paths = [*WORKFLOWS, *(root / name for name in READ)]
    return {path.name: path.read_text(encoding="utf-8") for path in paths}


def test_versions_of_python_are_the_same_everywhere(project: str, texts: dict[str, str]):
    assert re.findall(r"Python :: (3\.\d+)", project) == VERSIONS
    assert re.search(r'requires-python = ">=(.+)"', project)[1] == VERSIONS[0]
    assert re.search(r'target-version = "py(\d)(\d+)"', project).groups() == tuple(VERSIONS[0].split("."))
    (matrix,) = re.findall(r"python: \[(.*)\]", texts["tests.yml"])
    assert re.findall(r"[\d.]+", matrix) == VERSIONS
    assert f"Python {VERSIONS[0]} to {VERSIONS[-1]}" in texts["CONTRIBUTING.md"]


def test_files_that_are_named_exist(root: Path, texts: dict[str, str]):
    for name, text in texts.items():
        for path in re.findall(r"\b(?:Testing|MetaRegistrationLib|Documentation)/[\w/.]*\w", text):
            assert (root / path).exists(), f"{name}: {path}"


def test_targets_and_extras_that_are_named_exist(root: Path, project: str, texts: dict[str, str]):
    targets = re.findall(r"^(\w[\w-]*):", (root / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    extras = re.findall(r"^([\w-]+) = \[", project.partition("[project.optional-dependencies]")[2], re.MULTILINE)
    for name, text in texts.items():
        for target in re.findall(r"(?:`|run: |^    )make ([\w-]+)", text, re.MULTILINE):
            if target != "docs" or (root / "mkdocs.yml").exists():
                assert target in targets, f"{name}: make {target}"
        for named in re.findall(r"-e \"?\.\[([\w,-]+)\]", text):
            assert set(named.split(",")) <= set(extras), f"{name}: {named}"


def test_a_security_problem_is_reported_in_private(root: Path, catalog_entry: dict):
    address = catalog_entry["scm_url"].removesuffix(".git") + "/security/advisories/new"
    for name in ("SECURITY.md", "CODE_OF_CONDUCT.md", ".github/ISSUE_TEMPLATE/config.yml"):
        assert address in (root / name).read_text(encoding="utf-8"), name
