"""What the real widgets of Slicer do and a simple stand-in would not: each test here failed on the panel as it was."""

from __future__ import annotations

import os
import signal
from types import SimpleNamespace

import pytest
import qt
import slicer
from fake_logic import FakeLogic
from panel_helpers import SMALL, choose_folder, click_row, open_panel, settle, small_folder, tooltip

from MetaRegistrationLib.panel.logic import add_parts
from MetaRegistrationLib.panel.widgets import confirm
from MetaRegistrationLib.resources import default_checkpoint


@pytest.fixture
def widget(rig):
    return open_panel(rig, size=SMALL)


def test_the_overlay_leaves_room_for_both_images(rig, widget, tmp_path):
    choose_folder(rig, widget, small_folder(tmp_path / "pairs", 1))
    click_row(rig, widget, 0)
    parameters, manager = widget.panel.state.parameters, slicer.app.layoutManager()
    from MetaRegistrationLib.mrml.overlay import show_pair_and_overlay

    show_pair_and_overlay(parameters.movingVolume, parameters.fixedVolume)
    settle(rig)
    heights = {name: manager.sliceWidget(name).height for name in ("Red", "Yellow", "Green")}
    assert heights["Red"] == heights["Yellow"]
    assert 0.8 < heights["Red"] / heights["Green"] < 1.25, heights


def test_a_hidden_view_is_no_place_to_click(rig, widget, tmp_path):
    choose_folder(rig, widget, small_folder(tmp_path / "pairs", 1))
    click_row(rig, widget, 0)
    parameters = widget.panel.state.parameters
    from MetaRegistrationLib.mrml.views import show_one, show_pair, views_of

    show_pair(parameters.movingVolume, parameters.fixedVolume)
    assert views_of(parameters.fixedVolume) == ["Yellow"]
    show_one(parameters.movingVolume)
    assert views_of(parameters.movingVolume) == ["Red"]
    assert views_of(parameters.fixedVolume) == []


def test_an_emptied_line_is_no_folder(rig, widget, tmp_path):
    ui = widget.ui
    choose_folder(rig, widget, small_folder(tmp_path / "pairs", 2))
    ui.outputPathLineEdit.currentPath = str(tmp_path)
    settle(rig)
    assert ui.registerFolderButton.enabled
    ui.outputPathLineEdit.currentPath = ""
    settle(rig)
    assert not ui.registerFolderButton.enabled and "results" in ui.registerFolderButton.toolTip
    ui.outputPathLineEdit.currentPath = str(tmp_path)
    ui.folderPathLineEdit.currentPath = ""
    settle(rig)
    assert widget.panel.state.folder is None and not ui.registerFolderButton.enabled


def test_folders_that_were_read_are_in_the_history(rig, widget, tmp_path):
    folders = [small_folder(tmp_path / name, 1) for name in ("first", "second")]
    for folder in folders:
        choose_folder(rig, widget, folder)
    history = widget.ui.folderPathLineEdit.comboBox()
    assert {history.itemText(index) for index in range(history.count)} >= {str(folder) for folder in folders}


def test_the_driver_may_answer_when_the_panel_is_gone(rig, monkeypatch, tmp_path):
    logic, asked = FakeLogic(tmp_path), []
    monkeypatch.setattr(logic.adapt, "find_gpus", asked.append)
    widget = open_panel(rig, monkeypatch, logic)
    box = widget.ui.deviceComboBox
    before = box.count
    widget.cleanup()
    asked[0](logic.adapt.gpus)
    assert box.count == before


def test_no_observer_is_left_at_the_parameters(rig, widget):
    """Slicer up to 5.10 leaves one behind at every `disconnectGui`; its next call ends the application."""
    node = widget.panel.state.parameters.parameterNode
    assert node.HasObserver("ModifiedEvent")
    widget.cleanup()
    assert not node.HasObserver("ModifiedEvent")
    node.Modified()


def test_scenes_that_come_and_go_leave_no_observer_either(rig, widget):
    nodes = []
    for _ in range(3):
        nodes.append(widget.panel.state.parameters.parameterNode)
        slicer.mrmlScene.Clear(0)
        settle(rig)
    widget.cleanup()
    assert not any(node.HasObserver("ModifiedEvent") for node in nodes)


def test_the_tooltip_of_the_checkpoints_shows_no_tags(rig, widget):
    """Slicer turns each tooltip into HTML: one that is read back and joined to another text would show its tags."""
    box = widget.ui.checkpointComboBox
    for index in (1, 0):
        box.setCurrentIndex(index)
        text = tooltip(box)
        assert "<" not in text and text.count("The network to fine-tune") == 1, text
        assert text.splitlines()[0] == widget.logic.adapt.purpose(widget.panel.state.checkpoint)


def epoch(number: int, **values) -> dict:
    return {"event": "epoch", "epoch": number, "total_epochs": 3, "values": values}


def step(number: int) -> dict:
    return {
        "event": "step",
        "step": number,
        "total_steps": 30,
        "loss": 1.0 / number,
        "similarity": 0.2,
        "seconds_left": 3,
    }


def test_the_chart_of_a_training_writes_no_error_into_the_log(rig, monkeypatch, tmp_path):
    """From the click on, and with one point a curve; the rig fails the test for an error there."""
    logic = FakeLogic(tmp_path)
    parts = SimpleNamespace()
    add_parts(parts, qt, tmp_path)
    monkeypatch.setattr(logic, "new_chart", parts.new_chart)
    widget = open_panel(rig, monkeypatch, logic)
    logic.pairs.folders[str(tmp_path)] = 2
    choose_folder(rig, widget, tmp_path)
    widget.ui.adaptedNameLineEdit.text = "mine"
    widget.ui.fineTuneButton.click()
    job = logic.adapt.jobs[0]
    events = [step(1), step(2), epoch(1, loss=1.0, ncc=0.2), epoch(2, loss=0.5), epoch(3, loss=0.4, ncc=0.4)]
    manager = slicer.app.layoutManager()
    for event in (None, *events):
        if event is not None:
            job.on_event(event)
        settle(rig, 0.05)
        for number in range(manager.plotViewCount):
            manager.plotWidget(number).plotView().grab()
        assert rig.log_errors == [], event
    charts = slicer.util.getNodesByClass("vtkMRMLPlotChartNode")
    assert sum(chart.GetNumberOfPlotSeriesNodes() for chart in charts) == 2, "lines of two points are drawn"


def test_every_dialog_belongs_to_the_window(rig, widget, dialogs, tmp_path):
    """Without a parent, it may open behind Slicer."""
    ui = widget.ui
    choose_folder(rig, widget, small_folder(tmp_path / "pairs", 1))
    click_row(rig, widget, 0)
    settle(rig)
    dialogs.clear()
    dialogs.answer(*[""] * 5)
    for button in (ui.checkpointFileButton, ui.loadLandmarksButton, ui.saveLandmarksButton):
        button.click()
    widget.panel.landmarks._export()
    widget.panel.change._save()
    widget.logic.adapt.store.keep("to delete", default_checkpoint(), {"pairs": 5})
    widget.panel.adapt.choices.fill_checkpoints()
    ui.checkpointComboBox.setCurrentIndex(ui.checkpointComboBox.findText("to delete"))
    dialogs.answer(qt.QMessageBox.No, qt.QMessageBox.No)
    ui.deleteCheckpointButton.click()
    confirm("Replace results", "Replace the earlier results?", ui.registerFolderButton)
    assert [shown.kind for shown in dialogs.shown] == ["open file", "open files", *["save file"] * 3, *["question"] * 2]
    assert all(shown.details["parent"] is rig.main_window for shown in dialogs.shown)
    widget.logic.adapt.store.delete("to delete")


def test_the_folder_of_last_time_is_read_when_slicer_is_started_again(rig, widget, tmp_path):
    choose_folder(rig, widget, small_folder(tmp_path / "pairs", 2))
    rig.restart()
    again = open_panel(rig)
    rig.wait_until(lambda: again.panel.state.folder is not None, "for the folder")
    assert again.ui.pairsTable.rowCount == 2
    assert again.panel.state.parameters.folder == again.ui.folderPathLineEdit.currentPath


@pytest.mark.skipif(os.name == "nt", reason="there are no signals")
def test_a_child_killed_from_outside_is_told_apart(rig, widget, tmp_path):
    """Slicer's launcher tells the exit code 1 of it."""
    choose_folder(rig, widget, small_folder(tmp_path / "pairs", 2))
    widget.ui.adaptedNameLineEdit.text = "killed"
    widget.ui.epochsSpinBox.value = 2000
    widget.ui.fineTuneButton.click()
    job = widget.panel.adapt._job
    rig.wait_until(lambda: job._pid is not None, "for the child")
    assert job._pid != job._process.processId()
    os.kill(job._pid, signal.SIGKILL)
    rig.wait_until(lambda: not widget.panel.adapt.running, "for the end")
    assert "crashed or was ended from outside" in widget.ui.adaptStatusLabel.text
