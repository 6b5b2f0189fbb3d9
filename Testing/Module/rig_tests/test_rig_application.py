"""The application around a module: processes, settings, dialogs, base classes."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
import qt
import slicer
from rig import standin

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
