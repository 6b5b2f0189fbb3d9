"""Starts the rig once, gives each test a clean Slicer, and turns errors that Qt or VTK would only print into failures."""

from __future__ import annotations

import importlib.util
import os
import sys
import traceback
from pathlib import Path

import pytest

_FOLDER = Path(__file__).resolve().parent
_MISSING = [name for name in ("slicer_core", "PySide6") if importlib.util.find_spec(name) is None]

os.environ.setdefault("META_REGISTRATION_JOBS", "1")  # of folder runs in child processes, which begin sooner then

for _path in (_FOLDER, _FOLDER.parents[1]):
    if str(_path) not in sys.path:
        sys.path.insert(0, str(_path))


def pytest_ignore_collect(collection_path):
    """The tests of this folder import slicer and qt at their top: without these packages they are not even read."""
    return True if _MISSING and collection_path.match("test_*.py") else None


def pytest_terminal_summary(terminalreporter):
    """Say why the folder was skipped."""
    if _MISSING:
        reason = f"{' and '.join(_MISSING)} not installed; pip install -e .[test]"
        terminalreporter.write_line(f"SKIPPED Testing/Module: {reason}")


if not _MISSING:
    from rig import start

    start()  # before the tests are read, so that they can import slicer, qt and ctk at their top


@pytest.fixture(scope="session", autouse=True)
def _registered_once(request):
    """The tests of the panel register a few sample pairs again and again. The tests of the rig alone need no torch."""
    if not any(item.path.parent == _FOLDER for item in request.session.items):
        yield
        return
    from registered_once import registered_once

    with registered_once():
        yield


@pytest.fixture
def rig():
    """The rig, clean: no module, no nodes, no dialogs, no settings. Errors in slots, observers and log fail the test."""
    running = start()
    if not running.is_fresh:  # a test before this one ended with a reset
        running.reset()
    errors: list[str] = []
    previous = sys.excepthook
    sys.excepthook = lambda *error: errors.append("".join(traceback.format_exception(*error)))
    try:
        yield running
        running.process_events()
        errors += running.log_errors
        running.reset()
    finally:
        sys.excepthook = previous
    assert not errors, "errors in slots, observers or the log:\n" + "\n".join(errors)


@pytest.fixture
def dialogs(rig):
    """What the module showed in dialogs (``.texts``, ``.shown``); ``.answer(...)`` prepares what the user answers."""
    return rig.dialogs
