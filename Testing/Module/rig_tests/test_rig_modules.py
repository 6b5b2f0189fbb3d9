"""A scripted module from opening to closing: its panel is used, reloaded, closed, and tests itself."""

from __future__ import annotations

import qt
import slicer
from rig_example import EXAMPLE, make_volume


def test_user_story_of_the_example(rig, dialogs):
    widget = rig.open_module(EXAMPLE)
    ui, moving, fixed = widget.ui, make_volume("moving"), make_volume("fixed")
    assert not ui.applyButton.enabled and "Choose two volumes" in ui.applyButton.toolTip
    ui.movingSelector.setCurrentNode(moving)
    ui.fixedSelector.setCurrentNode(fixed)
    ui.epochsBox.value = 600
    assert ui.applyButton.enabled
    dialogs.answer(qt.QMessageBox.No)
    ui.applyButton.click()
    assert ui.statusLabel.text == "moving to fixed, 600 epochs"
    assert dialogs.texts == ["Continue?", "Cancelled."]


def test_reload_and_close(rig):
    first = rig.open_module(EXAMPLE)
    first._parameterNode.epochs = 55
    slicer.util.reloadScriptedModule("RigExample")
    second = slicer.modules.RigExampleWidget
    assert second is not first and second.ui.epochsBox.value == 55
    rig.close_module("RigExample")
    assert not hasattr(slicer.modules, "RigExampleWidget")
    assert second._parameterNode is None


def test_self_test_of_a_module_runs(rig, dialogs):
    rig.open_module(EXAMPLE)
    slicer.selfTests["RigExample"](msec=0)
