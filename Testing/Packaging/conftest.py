"""Fixtures of the packaging tests: the repository, what git tracks in it, its CMake values."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from cmake_files import variables

_ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return _ROOT


@pytest.fixture(scope="session")
def tracked_files(root: Path) -> list[Path]:
    """Files that git tracks, or would with `git add .`, and that exist."""
    command = ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listing = subprocess.run(command, capture_output=True, check=True).stdout
    except (FileNotFoundError, subprocess.CalledProcessError):
        pytest.skip("this is not a git checkout, or git is not installed")
    paths = {root / name for name in listing.decode().split("\0") if name}
    return sorted(path for path in paths if path.is_file())


@pytest.fixture(scope="session")
def extension(root: Path) -> dict[str, str]:
    """The EXTENSION_... values of the root CMakeLists.txt, without that prefix."""
    known = variables(root / "CMakeLists.txt")
    prefix = "EXTENSION_"
    return {name.removeprefix(prefix): " ".join(words) for name, words in known.items() if name.startswith(prefix)}


@pytest.fixture(scope="session")
def catalog_entry(root: Path) -> dict:
    """The extension's entry for the Extensions Index."""
    return json.loads((root / "MetaRegistration.json").read_text(encoding="utf-8"))
