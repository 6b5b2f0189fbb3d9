"""A scripted module from opening to closing: its panel is used, reloaded, closed, and tests itself."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
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


def test_sample_data_is_offered_under_the_title_of_its_category(rig, tmp_path):
    import SampleData

    logic, loaded = SampleData.SampleDataLogic, []
    file = tmp_path / "image.png"
    file.write_bytes(b"pixels")
    logic.registerCustomSampleDataCategory("Example", "An example")
    for _ in range(2):  # twice is once
        logic.registerCustomSampleDataSource(
            category="Example",
            sampleName="pair",
            uris=[file.as_uri()],
            fileNames=["cached.png"],
            nodeNames=["pair"],
            customDownloader=loaded.append,
        )
    widget = rig.open_module(EXAMPLE)
    panel = rig.open_sample_data()
    assert not widget.parent.isEntered
    assert panel.findChild(qt.QGroupBox, "ExampleCollapsibleGroupBox").title == "An example"
    panel.findChild(qt.QToolButton, "pairPushButton").click()
    (source,) = loaded
    cached = logic().downloadFileIntoCache(source.uris[0], source.fileNames[0], source.checksums[0])
    assert Path(cached).read_bytes() == b"pixels"
    assert rig.return_to_module("RigExample") is widget and widget.parent.isEntered


def test_what_cannot_be_downloaded_is_an_error(rig):
    import SampleData

    with pytest.raises(ValueError, match="Failed to download"):
        SampleData.SampleDataLogic().downloadFileIntoCache("https://example.org/x.png", "x.png")


def test_an_observer_that_connecting_widgets_left_behind_is_an_error(rig, monkeypatch):
    seen = []
    widget = rig.open_module(EXAMPLE)
    parameters, observers = widget._parameterNode, widget._parameterNodeObservers
    widget._parameterNodeObservers = []  # as in the template of Slicer's modules, which notes none
    widget.setParameterNode(None)
    with monkeypatch.context() as patch:
        patch.setattr(sys, "excepthook", lambda kind, error, trace: seen.append(str(error)))
        parameters.epochs = 7
    for tag in observers:
        parameters.RemoveObserver(tag)
    assert len(seen) == 1 and "connectGui" in seen[0]
