"""The application around a module: processes, settings, dialogs, base classes."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import ctk
import pytest
import qt
import slicer
from rig import standin, warm_python

RIG = Path(standin.__file__).resolve().parent


def test_timer_process_and_settings(rig, tmp_path):
    ticks, finished = [], []
    timer = qt.QTimer()
    timer.interval, timer.singleShot = 1, True
    timer.connect("timeout()", lambda: ticks.append(1))
    timer.start()
    process = qt.QProcess()
    process.connect("finished(int,QProcess::ExitStatus)", lambda code, status: finished.append(code))
    process.start(shutil.which("PythonSlicer"), ["-c", "print('hello'); raise SystemExit(3)"])
    rig.wait_until(lambda: ticks and finished)
    assert finished == [3]
    assert bytes(process.readAllStandardOutput().data()).strip() == b"hello"
    qt.QSettings().setValue("MetaRegistration/folder", "somewhere")
    assert qt.QSettings().value("MetaRegistration/folder") == "somewhere"
    assert Path(qt.QSettings().fileName()).is_relative_to(rig.folder)
    assert Path(slicer.app.slicerUserSettingsFilePath).is_relative_to(rig.folder)


def test_python_slicer_runs_this_python():
    answer = subprocess.run(
        [shutil.which("PythonSlicer"), "-c", "import numpy; print(7)"], capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == "7"


@pytest.mark.skipif(os.name == "nt", reason="there are no signals")
def test_python_slicer_is_a_launcher():
    """Another process than the Python that it starts; of a Python that was killed it tells the exit code 1."""
    code = "import os; print(os.getpid(), flush=True); input()"
    with subprocess.Popen(
        [shutil.which("PythonSlicer"), "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        pid = int(process.stdout.readline())
        assert pid != process.pid
        os.kill(pid, signal.SIGKILL)
        assert process.wait(600) == 1 and "exit abnormally" in process.stderr.read()


@pytest.mark.skipif(os.name == "nt", reason="there are no signals")
def test_the_python_goes_on_where_the_launcher_is_killed():
    code = "import os; print(os.getpid(), flush=True); input(); print('on', flush=True)"
    with subprocess.Popen(
        [shutil.which("PythonSlicer"), "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        process.stdout.readline()
        process.kill()
        assert process.wait(600) == -signal.SIGKILL
        process.stdin.write("\n")
        process.stdin.flush()
        assert process.stdout.readline().strip() == "on"


_PROBE = """
import json, os, sys, MetaRegistrationLib
print(MetaRegistrationLib.__file__, file=sys.stderr, flush=True)
seen = dict(pid=os.getpid(), words=sys.argv[1:], folder=os.getcwd(), warm="torch" in sys.modules, path=sys.path[0])
print(json.dumps(seen | dict(variable=os.environ.get("PROBE"), name=__name__, others=len(os.environ))), flush=True)
print("é", file=sys.stderr, flush=True)
sys.exit(int(input()))
"""


@pytest.mark.skipif(not warm_python.AVAILABLE, reason="a process cannot be copied here")
def test_a_copy_whose_launcher_was_killed_before_it_asked_ends():
    program = (
        "import socket, warm_python\nasking, other = socket.socketpair()\nother.close()\nwarm_python._keep(asking)"
    )
    ended = subprocess.run([sys.executable, "-c", program], cwd=RIG, timeout=120, check=False)
    assert ended.returncode == 0


@pytest.mark.skipif(not warm_python.AVAILABLE, reason="a process cannot be copied here")
@pytest.mark.parametrize("end", ["7", "0", "killed"])
def test_commands_of_the_library_run_in_copies_of_a_warm_python(rig, tmp_path, end):
    """Everything but what is loaded is that of a Python of their own."""
    (tmp_path / "MetaRegistrationLib_probe.py").write_text(_PROBE, encoding="utf-8")
    other = tmp_path / "MetaRegistrationLib" / "__init__.py"  # found first by the copy, whatever is loaded
    other.parent.mkdir()
    other.write_text("", encoding="utf-8")
    rig.wait_until((rig.folder / "bin" / "warm").exists, "for the warm Python")
    command = [shutil.which("PythonSlicer"), "-m", "MetaRegistrationLib_probe", "a b", "ü"]
    environment = {"PYTHONPATH": str(tmp_path), "PROBE": "é", "PATH": os.environ["PATH"]}
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    with subprocess.Popen(command, cwd=tmp_path, env=environment, encoding="utf-8", **pipes) as process:
        seen = json.loads(process.stdout.readline())
        expected = {
            "words": ["a b", "ü"],
            "folder": str(tmp_path),
            "variable": "é",
            "name": "__main__",
            "path": str(tmp_path),
        }
        assert seen.items() >= expected.items() and seen["warm"] and seen["others"] < 8
        assert process.stderr.readline() == f"{other}\n"
        assert process.stderr.readline() == "é\n" and seen["pid"] != process.pid
        if end == "killed":
            os.kill(seen["pid"], signal.SIGKILL)
        else:
            process.stdin.write(f"{end}\n")
            process.stdin.flush()
        assert process.wait(600) == (1 if end == "killed" else int(end))


def test_settings_outlive_the_application(rig):
    """The history of a path line is there when Slicer is started again."""
    line = ctk.ctkPathLineEdit()
    line.settingKey = "RigExample/History"
    line.currentPath = "/one"
    line.addCurrentPathToHistory()
    slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTextNode", "gone")
    rig.restart()
    assert slicer.util.getFirstNodeByName("gone") is None
    line = ctk.ctkPathLineEdit()
    line.settingKey = "RigExample/History"
    assert line.currentPath == "/one"


def test_browse_opens_a_dialog_that_the_user_answers(rig, dialogs, monkeypatch, tmp_path):
    """CTK asks Qt itself: a function of Python in the place of Qt's is not called, and the event loop runs meanwhile."""
    monkeypatch.setattr(qt.QFileDialog, "getExistingDirectory", lambda *_: pytest.fail("CTK does not call it"))
    line, seen = ctk.ctkPathLineEdit(), []
    line.filters = line.Dirs | line.Drives | line.Readable
    qt.QTimer.singleShot(0, lambda: seen.append(qt.QApplication.activeModalWidget()))
    dialogs.answer(tmp_path)
    line.browse()
    assert line.currentPath == str(tmp_path) and dialogs.shown[0].kind == "folder"
    assert len(seen) == 1 and seen[0] is not None and qt.QApplication.activeModalWidget() is None
    dialogs.answer("")
    line.browse()
    assert line.currentPath == str(tmp_path), "cancelled"
    with pytest.raises(AssertionError, match="prepare its answer"):
        line.browse()
    assert qt.QApplication.activeModalWidget() is None


def test_browse_for_a_new_file(rig, dialogs, tmp_path):
    line = ctk.ctkPathLineEdit()
    line.filters = line.Files | line.Writable
    dialogs.answer(tmp_path / "new.csv")
    line.browse()
    assert Path(line.currentPath) == tmp_path / "new.csv" and dialogs.shown[0].kind == "save file"


def test_a_dialog_tells_its_parent(rig, dialogs):
    parent = qt.QWidget()
    dialogs.answer("", qt.QMessageBox.No)
    qt.QFileDialog.getOpenFileName(parent, "Open", "", "*")
    qt.QMessageBox.question(None, "Title", "Delete it?")
    assert [shown.details["parent"] for shown in dialogs.shown] == [parent, None]


def test_dialogs_are_recorded_and_answered(rig, dialogs):
    slicer.util.errorDisplay("Wrong folder")
    dialogs.answer(qt.QMessageBox.Yes, "/some/folder")
    assert slicer.util.confirmYesNoDisplay("Delete it?")
    assert qt.QFileDialog.getExistingDirectory(None, "Folder of pairs") == "/some/folder"
    qt.QDesktopServices.openUrl(qt.QUrl.fromLocalFile("/some/folder"))
    assert [shown.kind for shown in dialogs.shown] == ["error", "question", "folder", "open url"]
    assert dialogs.texts[:3] == ["Wrong folder", "Delete it?", "Folder of pairs"]
    with pytest.raises(AssertionError, match="prepare its answer"):
        slicer.util.confirmOkCancelDisplay("Sure?")


def test_base_classes_come_from_where_they_should():
    source = os.environ.get("SLICER_SOURCE_DIR")
    expected = Path(source).resolve() / "Base" / "Python" if source else RIG
    for module in (slicer.parameterNodeWrapper, slicer.ScriptedLoadableModule):
        assert Path(module.__file__).resolve().is_relative_to(expected)
