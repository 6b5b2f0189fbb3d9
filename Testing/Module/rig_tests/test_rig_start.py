"""The rig in a process of its own: errors fail the test, a wrong setting fails the start, settings of the user stay."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1]  # holds the rig and the fixtures
THREE_TESTS = """
import qt

def test_slot(rig):
    button = qt.QPushButton()
    button.connect("clicked()", lambda: 1 / 0)
    button.click()

def test_observer(rig):
    node = rig.scene.AddNewNodeByClass("vtkMRMLTextNode")
    node.AddObserver("ModifiedEvent", lambda *_: 1 / 0)
    node.Modified()

def test_no_error(rig):
    qt.QPushButton().click()
"""
START = """
import os, rig
try:
    rig.start()
except FileNotFoundError as error:
    print(error)
print(os.environ["MPLBACKEND"], os.environ["QT_QPA_PLATFORM"])
"""


def run(*arguments, **variables):
    """Run Python with the rig on its path and these environment variables; returns the finished process."""
    # Cold: no command of the library is started here.
    own = {"PYTHONPATH": str(FOLDER), "PYTEST_ADDOPTS": "", "META_REGISTRATION_COLD_PYTHON": "1"}
    environment = {**os.environ, **own, **variables}
    command = [sys.executable, *map(str, arguments)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600)


def test_an_error_that_is_only_printed_fails_its_test(tmp_path):
    tests = tmp_path / "test_three.py"
    tests.write_text(THREE_TESTS, encoding="utf-8")
    # No summary: where CI is set, pytest repeats each whole message there.
    done = run("-m", "pytest", "-q", "-rN", "-p", "conftest", "--rootdir", tmp_path, tests)
    assert done.stdout.count("errors in slots, observers or the log:\n") == 2, done.stdout + done.stderr
    for name in ("test_slot", "test_observer"):
        assert f"ERROR at teardown of {name} " in done.stdout
    assert "3 passed, 2 errors" in done.stdout and done.returncode != 0


def test_a_folder_without_sources_of_slicer_is_refused_and_other_settings_stay(tmp_path):
    done = run("-c", START, SLICER_SOURCE_DIR=str(tmp_path), MPLBACKEND="pdf", QT_QPA_PLATFORM="minimal")
    assert done.stdout.splitlines() == [f"SLICER_SOURCE_DIR has no Base/Python/slicer: {tmp_path}", "pdf minimal"]
