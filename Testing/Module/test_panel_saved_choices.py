"""Choices that are no nodes are saved with the scene: reference and side of the visits, checkpoint, results folder."""

from __future__ import annotations

import shutil

import pytest
import slicer
from panel_helpers import SMALL, open_panel, settle
from test_panel_visits import choose
from test_panel_visits_choice import TWO, pick, read
from visit_files import visit_folder

from MetaRegistrationLib.resources import default_checkpoint


@pytest.fixture
def saved(rig, dialogs, tmp_path):
    """The panel with other choices than those of the scene that was saved."""
    widget, file = open_panel(rig, size=SMALL), tmp_path / "mine.pt"
    ui = widget.ui
    dialogs.answer(shutil.copyfile(default_checkpoint(), file))
    ui.checkpointFileButton.click()
    ui.outputPathLineEdit.currentPath = str(tmp_path / "pairs out")
    choose(rig, widget, visit_folder(tmp_path / "eye", TWO), tmp_path / "out")
    ui.visitsReferenceComboBox.setCurrentIndex(2)
    pick(rig, ui.changeSideComboBox, 2)
    assert slicer.util.saveScene(str(tmp_path / "scene.mrb"))
    slicer.mrmlScene.Clear(0)
    settle(rig)
    ui.checkpointComboBox.setCurrentIndex(0)
    ui.outputPathLineEdit.currentPath = str(tmp_path / "elsewhere")
    choose(rig, widget, visit_folder(tmp_path / "another", TWO))
    assert ui.visitsReferenceComboBox.currentIndex == 0 and ui.changeSideComboBox.currentIndex == 0
    return widget


def test_a_scene_brings_its_choices_back(rig, saved, tmp_path):
    ui = saved.ui
    slicer.util.loadScene(str(tmp_path / "scene.mrb"))
    read(rig, saved)
    settle(rig)
    assert ui.visitsReferenceComboBox.currentText == "2022" and ui.changeSideComboBox.currentText == "left eye"
    assert ui.outputPathLineEdit.currentPath == str(tmp_path / "pairs out")
    assert saved.panel.state.checkpoint == tmp_path / "mine.pt" and ui.checkpointComboBox.currentText == "mine.pt"
    assert ui.registerStatusLabel.text == ""


def test_a_checkpoint_that_is_gone_is_named(rig, saved, tmp_path):
    (tmp_path / "mine.pt").unlink()
    slicer.util.loadScene(str(tmp_path / "scene.mrb"))
    settle(rig)
    said = "The checkpoint of this scene is not there, and another one is chosen:"
    assert saved.ui.registerStatusLabel.text == f"{said} {tmp_path / 'mine.pt'}."
    assert saved.panel.state.checkpoint == default_checkpoint()


def test_a_checkpoint_that_ships_is_kept_by_its_name_alone(rig):
    widget = open_panel(rig, size=SMALL)
    assert widget.panel.state.parameters.checkpoint == default_checkpoint().name
