"""Real child processes of the panel: the window lives while they run, and they end with the scene and the module."""

from __future__ import annotations

import os
import signal

import pytest
import qt
import slicer
from panel_helpers import SMALL, cancel, choose_folder, node_names, open_panel, settle, small_folder


@pytest.fixture
def training(rig, tmp_path):
    """The panel, and the process id of its running child."""
    widget = open_panel(rig, size=SMALL)
    choose_folder(rig, widget, small_folder(tmp_path / "pairs", 2))
    widget.ui.adaptedNameLineEdit.text = "stopped"
    widget.ui.epochsSpinBox.value = 2000
    widget.ui.fineTuneButton.click()
    job = widget.panel.adapt._job
    rig.wait_until(lambda: job._pid is not None, "for the child")
    return widget, job._pid


def is_running(pid: int) -> bool:
    """Whether there is a process of this number."""
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True


def reload_module(rig) -> None:
    slicer.util.reloadScriptedModule("MetaRegistration")


@pytest.mark.skipif(os.name == "nt", reason="os.kill(pid, 0) would end the process there")
@pytest.mark.parametrize(
    "leave",
    [
        lambda rig: slicer.mrmlScene.Clear(0),
        reload_module,
        lambda rig: rig.close_module("MetaRegistration"),
    ],
    ids=["closing the scene", "reloading the module", "quitting"],
)
def test_child_is_stopped_by(rig, training, leave):
    _widget, pid = training
    assert is_running(pid)
    leave(rig)
    rig.wait_until(lambda: not is_running(pid), "for the child to end")


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="Windows cannot stop a process for a while")
def test_window_is_responsive_while_a_child_does_not_answer(rig, training, monkeypatch):
    """The window never waits for the child: timers go on while the child is stopped."""
    widget, pid = training
    waits, ticks = [], []
    for name in ("waitForFinished", "waitForReadyRead", "waitForBytesWritten", "waitForStarted"):
        monkeypatch.setattr(qt.QProcess, name, lambda *_, name=name: waits.append(name))
    timer = qt.QTimer()
    timer.connect("timeout()", lambda: ticks.append(1))
    os.kill(pid, signal.SIGSTOP)
    try:
        timer.start(1)
        rig.wait_until(lambda: len(ticks) > 100, "for the timer")
        assert widget.panel.adapt.running and waits == []
    finally:
        timer.stop()
        os.kill(pid, signal.SIGCONT)


def test_cancel_works_before_the_first_step(rig, training):
    widget, _pid = training
    cancel(rig, widget.panel.adapt, widget.ui.fineTuneButton)
    assert widget.ui.adaptStatusLabel.text.startswith("Cancelled")


def test_cancel_of_the_folder_registration(rig, tmp_path):
    widget = open_panel(rig, size=SMALL)
    choose_folder(rig, widget, small_folder(tmp_path / "pairs", 3))
    widget.ui.outputPathLineEdit.currentPath = str(tmp_path / "results")
    widget.ui.registerFolderButton.click()
    job = widget.panel.folder._job
    rig.wait_until(lambda: job._pid is not None, "for the child")
    cancel(rig, widget.panel.folder, widget.ui.registerFolderButton)
    assert widget.ui.registerFolderButton.text == "Register the whole folder"


def nodes_and_pictures(names):
    """The nodes, and the number of those of the comparison, which is drawn again."""
    drawn = {name for name in names if name.startswith("vtkMRMLVectorVolume")}
    return set(names) - drawn, len(drawn)


def test_reloaded_module_shows_what_it_showed(rig, tmp_path):
    first = open_panel(rig, size=SMALL)
    choose_folder(rig, first, small_folder(tmp_path / "pairs", 2))
    first.panel.pairs.load(0)
    first.ui.epochsSpinBox.value = 33
    settle(rig)
    before = node_names()
    slicer.util.reloadScriptedModule("MetaRegistration")
    second = slicer.modules.MetaRegistrationWidget
    rig.wait_until(lambda: second.panel.state.folder is not None, "for the folder")
    settle(rig)
    assert second is not first and nodes_and_pictures(node_names()) == nodes_and_pictures(before)
    assert second.ui.epochsSpinBox.value == 33 and second.ui.pairsTable.rowCount == 2
    assert second.ui.movingVolumeSelector.currentNode().GetName() == "phantom_001 moving"
    watchers = []
    first.panel.state.watch(lambda: watchers.append("called"))
    second.ui.epochsSpinBox.value = 44
    settle(rig)
    assert watchers == [], "the panel before still listens to the scene"
    slicer.mrmlScene.Clear(0)
    settle(rig)
    assert watchers == [] and second.ui.movingVolumeSelector.currentNode() is None


def test_folder_of_checkpoints_that_cannot_be_written_to(rig, tmp_path):
    widget = open_panel(rig, size=SMALL)
    choose_folder(rig, widget, small_folder(tmp_path / "pairs", 2))
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    widget.logic.adapt.store.folder = tmp_path / "file" / "Checkpoints"
    before = node_names()
    widget.ui.adaptedNameLineEdit.text = "mine"
    widget.ui.fineTuneButton.click()
    said = widget.ui.adaptStatusLabel.text
    assert "Checkpoints" in said and "\n" not in said and said.endswith("Choose another Name.")
    assert widget.ui.fineTuneButton.text == "Fine-tune" and node_names() == before
