"""Divides the test files among processes: each reads its own alone, which a fresh clone has to compile first."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_OF_THIS_PROCESS = pytest.StashKey[set[Path]]()


def pytest_configure(config):
    """If the variable META_REGISTRATION_TEST_PART is "K/N", the Kth of N parts of what was asked for is read."""
    part = os.environ.get("META_REGISTRATION_TEST_PART")
    if part:
        which, parts = map(int, part.split("/"))
        config.stash[_OF_THIS_PROCESS] = _files_of([Path(each).resolve() for each in config.args], which, parts)


def pytest_ignore_collect(collection_path, config):
    """Leave out the files of other processes."""
    mine = config.stash.get(_OF_THIS_PROCESS, None)
    return True if mine is not None and collection_path.match("test_*.py") and collection_path not in mine else None


def _files_of(folders: list[Path], which: int, parts: int) -> set[Path]:
    """The largest file is in the first part, the next in the second, and so on; then back from the last part to the first."""
    files = {path for folder in folders for path in folder.rglob("test_*.py")}
    turns = [*range(parts), *reversed(range(parts))]
    by_size = sorted(files, key=lambda path: (-path.stat().st_size, path))
    return {path for number, path in enumerate(by_size) if turns[number % len(turns)] == which - 1}
