"""Divides the test files among processes, by how long they take: each reads its own alone, which a fresh clone compiles first."""

from __future__ import annotations

import gc
import json
import os
import time
from collections import Counter
from pathlib import Path

import pytest

_FOLDER = Path(__file__).resolve().parent
_SECONDS = _FOLDER / "seconds.json"
_NOT_MEASURED_S = 0.3  # as most files that are not listed
_LEAST_S = 1.0
_OF_THIS_PROCESS = pytest.StashKey[set[Path]]()
_TAKEN = pytest.StashKey[Counter[str]]()


def pytest_configure(config):
    """If the variable META_REGISTRATION_TEST_PART is "K/N", the Kth of N parts of what was asked for is read."""
    part = os.environ.get("META_REGISTRATION_TEST_PART")
    if part:
        which, parts = map(int, part.split("/"))
        config.stash[_OF_THIS_PROCESS] = _files_of([Path(each).resolve() for each in config.args], which, parts)
    if os.environ.get("META_REGISTRATION_TEST_SECONDS"):
        config.stash[_TAKEN] = Counter()


def pytest_ignore_collect(collection_path, config):
    """Leave out the files of other processes."""
    mine = config.stash.get(_OF_THIS_PROCESS, None)
    return True if mine is not None and collection_path.match("test_*.py") and collection_path not in mine else None


def pytest_collection_finish():
    """What has been imported stays: without this, collecting garbage looks through all of it, 3 % of the time of all tests."""
    gc.freeze()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol(item):
    """Measure each file, if that was asked for."""
    began = time.perf_counter()
    yield
    if _TAKEN in item.config.stash:
        item.config.stash[_TAKEN][_name(item.path)] += time.perf_counter() - began


def pytest_sessionfinish(session):
    """With the variable META_REGISTRATION_TEST_SECONDS the seconds of the files that ran are written beside this one."""
    taken = session.config.stash.get(_TAKEN, None)
    if taken:
        seconds = {**_seconds(), **{name: round(value, 1) for name, value in taken.items()}}
        lasting = {name: value for name, value in sorted(seconds.items()) if value >= _LEAST_S}
        _SECONDS.write_text(json.dumps(lasting, indent=0) + "\n", encoding="utf-8")


def _files_of(folders: list[Path], which: int, parts: int) -> set[Path]:
    """The file that takes longest comes first, and each goes to the part that has least to do so far."""
    seconds = _seconds()
    files = {path: seconds.get(_name(path), _NOT_MEASURED_S) for each in folders for path in each.rglob("test_*.py")}
    mine, loads = set(), [0.0] * parts
    for path in sorted(files, key=lambda path: (-files[path], path)):
        part = loads.index(min(loads))
        loads[part] += files[path]
        if part == which - 1:
            mine.add(path)
    return mine


def _seconds() -> dict[str, float]:
    return json.loads(_SECONDS.read_text(encoding="utf-8")) if _SECONDS.is_file() else {}


def _name(path: Path) -> str:
    return path.relative_to(_FOLDER).as_posix()
