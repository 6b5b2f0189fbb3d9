"""What the real widgets of Slicer do and a simple stand-in would not: each test here failed on the panel as it was."""

from __future__ import annotations

import pytest
import slicer
from fake_logic import FakeLogic
from panel_helpers import choose_folder, click_row, open_panel, settle, small_folder


@pytest.fixture
def widget(rig):
    return open_panel(rig)


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
