"""The script by which the Extensions Index checks a submission passes this repository."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from cmake_project import STANDIN

VARIABLE = "EXTENSIONS_INDEX_DIR"
SCHEMA = STANDIN / "slicer-extension-catalog-entry-schema-v1.0.2.json"
RUNNER = Path(__file__).with_name("extensions_index.py")


@pytest.fixture(scope="module")
def index() -> Path:
    """A checkout of Slicer/ExtensionsIndex."""
    folder = os.environ.get(VARIABLE)
    if not folder:
        pytest.skip(f"set {VARIABLE} to a checkout of https://github.com/Slicer/ExtensionsIndex")
    if importlib.util.find_spec("jsonschema") is None:
        pytest.skip("the script of the index needs jsonschema; `pip install jsonschema` brings it")
    return Path(folder).resolve()


@pytest.fixture
def published(root: Path, tracked_files: list[Path], tmp_path: Path) -> Path:
    """The working tree as a repository with one commit on main."""
    folder = tmp_path / "published"
    for path in tracked_files:
        copy = folder / path.relative_to(root)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
    for command in (
        ["init", "--quiet", "--initial-branch", "main"],
        ["add", "--all"],
        ["commit", "--quiet", "-m", "All"],
    ):
        names = ["-c", "user.name=Test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", "-C", str(folder), *names, *command], check=True, capture_output=True)
    return folder


def check(published: Path, index: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the script where the descriptions of all extensions are."""
    folder.mkdir()
    for path in index.glob("*.json"):
        shutil.copyfile(path, folder / path.name)
    shutil.copyfile(published / "MetaRegistration.json", folder / "MetaRegistration.json")
    script = index / "scripts" / "check_description_files.py"
    return subprocess.run(
        [sys.executable, str(RUNNER), str(published), str(SCHEMA), str(script), "MetaRegistration.json"],
        capture_output=True,
        text=True,
        encoding="utf-8",
        cwd=folder,
        env=os.environ | {"TMPDIR": str(folder), "PYTHONUTF8": "1"},
    )


def test_the_script_of_the_index_passes(published: Path, index: Path, tmp_path: Path):
    done = check(published, index, tmp_path / "index")
    assert done.returncode == 0, done.stdout + done.stderr
    assert ":x:" not in done.stdout
    assert done.stdout.count(":white_check_mark: Extension screenshot URL:") >= 1


def test_the_script_sees_a_picture_that_is_missing(published: Path, index: Path, tmp_path: Path):
    (published / "Resources" / "MetaRegistration.png").unlink()
    done = check(published, index, tmp_path / "index")
    assert done.returncode == 1
    assert "Failed to download extension_iconurl" in done.stdout
