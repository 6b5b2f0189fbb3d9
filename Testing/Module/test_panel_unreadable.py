"""A scene with values that this version cannot read, as of a newer one: they are named, and the panel goes on without them."""

from __future__ import annotations

import re

import pytest
import slicer
from panel_helpers import (
    SMALL,
    choose_folder,
    choose_volumes,
    click_row,
    open_panel,
    register,
    settle,
    small_folder,
    table,
)
from test_panel_stages import choose_stages

from MetaRegistrationLib.mrml.registration_node import RegistrationNode
from MetaRegistrationLib.mrml.saved_results import made_otherwise, saved_results
from MetaRegistrationLib.mrml.visit_nodes import VisitNodes
from MetaRegistrationLib.stages import Stages

PREFIX = "MetaRegistration."
PLACING = {
    "MovingGeometry": ("320 320 1", "a b", "0 9 1 1.0 1.0" + " 0.0" * 12),
    "FixedGeometry": ("zzz", "nan nan 1"),
    "MovingSlice": ("x", "-1"),
    "FixedSlice": ("zzz",),
    "FrameSize": ("0", "x", "-400"),
    "InverseTolerance": ("x", "0"),
}
"""Without these a result tells no position."""
OTHERS = {
    "InitialAlignment": ("homography",),
    "Network": ("maybe",),
    "RefinementSteps": ("many", "-5"),
    "ScaleFound": ("1,02",),
    "MeanDistance": ("a b c",),
    "NCCBefore": ("zzz",),
    "NCCAfter": ("good",),
    "FoldingPercent": ("zzz",),
    "UncertainPercent": ("zzz",),
    "ExpectedErrorPx": ("zzz",),
    "Error95Px": ("zzz",),
}


def scene_text() -> str:
    scene = slicer.mrmlScene
    scene.SetSaveToXMLString(1)
    scene.Commit()
    scene.SetSaveToXMLString(0)
    return scene.GetSceneXMLString()


def open_scene(rig, text: str) -> None:
    scene = slicer.mrmlScene
    scene.Clear(0)
    scene.SetSceneXMLString(text)
    scene.SetLoadFromXMLString(1)
    scene.Import()
    scene.SetLoadFromXMLString(0)
    settle(rig)


def used(state) -> tuple:
    """Stages and side. An assertion would keep the parameters alive, and Slicer's read each value of the next scene."""
    return state.stages, state.parameters.visitsSide


def test_parameters_that_cannot_be_read_are_reset_and_named(rig):
    widget = open_panel(rig, size=SMALL)
    ui, state = widget.ui, widget.panel.state
    names = [node.GetName() for node in choose_volumes(widget)]
    settle(rig)
    written = scene_text()
    for name, value in (
        ("initialAlignment", "homography"),
        ("refinementSteps", "x"),
        ("refinementSteps", "5000"),
        ("useNetwork", "maybe"),
        ("visitsSide", "middle"),
    ):
        text, count = re.subn(rf'"{name} [^"]*"', f'"{name} {value}"', written)
        assert count == 1
        open_scene(rig, text)
        chosen = [selector.currentNode().GetName() for selector in (ui.movingVolumeSelector, ui.fixedVolumeSelector)]
        assert chosen == names, (name, value)
        said = ui.registerStatusLabel.text
        assert f"{name} = {value}" in said and said.count(" = ") == 1
        assert used(state) == (Stages(), ""), (name, value)
    open_scene(rig, written)
    assert ui.registerStatusLabel.text == ""
    choose_volumes(widget)
    settle(rig)
    assert ui.registerButton.enabled


@pytest.fixture
def registered(rig, tmp_path):
    """The panel with a registered pair and its landmarks."""
    widget = open_panel(rig, size=SMALL)
    choose_folder(rig, widget, small_folder(tmp_path / "pairs", 1))
    click_row(rig, widget, 0)
    choose_stages(widget, Stages("affine", False, 0))
    register(rig, widget)
    settle(rig)
    return widget


def test_notes_of_a_result_that_cannot_be_read_are_named(rig, registered):
    ui, parameters = registered.ui, registered.panel.state.parameters
    node, pair = parameters.transform, (parameters.movingVolume, parameters.fixedVolume)
    written = {name: node.GetAttribute(PREFIX + name) for name in (*PLACING, *OTHERS)}
    before = table(ui.distanceTable)
    assert before and ui.alignmentWarningLabel.text == ""
    for name, values in (PLACING | OTHERS).items():
        for value in values:
            node.SetAttribute(PREFIX + name, value)
            registered.panel.state.notify()
            said = ui.alignmentWarningLabel.text
            assert RegistrationNode(node).unreadable == (name,), (name, value)
            assert name in said and ("Register again" in said) == (name in PLACING), (name, value)
            assert bool(ui.measuresLabel.text) == (name in OTHERS), (name, value)
            assert len(saved_results(*pair, (0, 0))) == (name in OTHERS)
        node.SetAttribute(PREFIX + name, written[name])
    registered.panel.state.notify()
    settle(rig)
    assert ui.alignmentWarningLabel.text == "" and table(ui.distanceTable) == before
    node.SetAttribute(PREFIX + "FrameSize", "0")
    registered.panel.state.notify()
    settle(rig)
    assert table(ui.distanceTable)[0][2] == "–", "no distance after a registration that tells no position"
    register(rig, registered)
    settle(rig)
    assert ui.alignmentWarningLabel.text == "" and table(ui.distanceTable) == before


def test_a_result_whose_stages_cannot_be_read_counts_as_another(rig, registered):
    node = registered.panel.state.parameters.transform
    assert not made_otherwise(node, Stages("affine", False, 0), "", (0, 0))
    node.SetAttribute(PREFIX + "InitialAlignment", "homography")
    assert RegistrationNode(node).stages is None
    register(rig, registered)
    settle(rig)
    cells = [row[1] for row in table(registered.ui.resultsTable)]
    assert cells == ["affine alignment", "unknown"]


def test_the_unknown_side_of_an_eye_is_none(rig):
    nodes = VisitNodes(slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTableNode", "visits"))
    for kept, side in (("left", "left"), ("middle", ""), ("", "")):
        nodes.attribute("Eye", kept)
        assert nodes.side == side
