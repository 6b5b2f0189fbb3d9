"""Panels from ``.ui`` files: what the file sets is shown, and what Slicer would not understand fails."""

from __future__ import annotations

import ctk
import pytest
import slicer
from rig_example import EXAMPLE, copy_example, make_volume


def test_panel_opens_and_shows_the_parameters(rig):
    widget = rig.open_module(EXAMPLE)
    ui = widget.ui
    assert (ui.epochsBox.value, ui.blendSlider.value, ui.spacingBox.value) == (10, 0.5, 7.5)
    assert (ui.presetBox.currentText, ui.deviceBox.currentText, ui.labelEdit.text) == ("THOROUGH", "CPU", "adapted")
    assert ui.folderEdit.filters == ctk.ctkPathLineEdit.Dirs | ctk.ctkPathLineEdit.Readable
    assert ui.inputsButton.visible and not ui.searchBox.visible
    ui.moreButton.collapsed = False
    rig.process_events()
    assert ui.searchBox.visible
    assert slicer.modules.rigexample.title == "Rig example"
    assert not slicer.modules.RigExampleInstance.started
    rig.emit_startup_completed()
    assert slicer.modules.RigExampleInstance.started


def test_forgotten_scene_connection_leaves_the_selector_empty(rig, tmp_path):
    def forget(text):
        start = text.rindex("<connection>", 0, text.index("<receiver>movingSelector"))
        return text[:start] + text[text.index("</connection>", start) + len("</connection>") :]

    volume = make_volume()
    ui = rig.open_module(copy_example(tmp_path, forget)).ui
    ui.movingSelector.setCurrentNode(volume)
    ui.fixedSelector.setCurrentNode(volume)
    assert ui.movingSelector.currentNode() is None
    assert ui.fixedSelector.currentNode() is volume
    assert not ui.applyButton.enabled


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('class="ctkSearchBox" name', 'class="ctkNoSuchBox" name', "ctkNoSuchBox"),
        ('name="noneEnabled"', 'name="noneAllowed"', "noneAllowed"),
        ("setMRMLScene(vtkMRMLScene*)</slot>", "setScene(vtkMRMLScene*)</slot>", "setScene"),
        ("<signal>contentsCollapsed(bool)", "<signal>contentsHidden(bool)", "contentsHidden"),
        ("<receiver>plotView<", "<receiver>plotsView<", "plotsView"),
    ],
)
def test_wrong_ui_file_fails_loudly(rig, tmp_path, old, new, message):
    path = copy_example(tmp_path, lambda text: text.replace(old, new))
    with pytest.raises(AssertionError, match=message):
        rig.open_module(path)
