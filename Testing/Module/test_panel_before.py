"""Distances before the registration: whole image on whole image, and a note where the landmarks are elsewhere in the scene."""

from __future__ import annotations

import numpy as np
import pytest
import slicer
from panel_helpers import SMALL, choose_folder, click_row, open_panel, register, settle, small_folder, table, tooltip
from test_panel_stages import choose_stages

from MetaRegistrationLib.stages import Stages

NOTE = (
    "Before: the whole moving image on the whole fixed one. Where the volumes are in the scene, without the registration, the"
    " landmarks are {apart} µm apart on average."
)


@pytest.fixture
def widget(rig, tmp_path):
    """The panel with a pair with landmarks, of pixels of 20 um."""
    widget = open_panel(rig, size=SMALL)
    widget.ui.spacingSpinBox.value = 20.0
    choose_folder(rig, widget, small_folder(tmp_path / "pairs", 1))
    click_row(rig, widget, 0)
    choose_stages(widget, Stages("translation", False, 0))
    settle(rig)
    return widget


def moved_by_hand(rig, widget, *shift: float):
    """The linear transform by which the moving volume and its points are moved, mm."""
    parameters = widget.panel.state.parameters
    transform, matrix = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "by hand"), np.eye(4)
    matrix[:2, 3] = shift
    transform.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(matrix))
    for node in (parameters.movingVolume, parameters.movingPoints):
        node.SetAndObserveTransformNodeID(transform.GetID())
    settle(rig)
    return transform


def apart(widget, scale: float = 1.0) -> str:
    """Mean distance of the landmarks in the scene, um, times `scale`."""
    parameters = widget.panel.state.parameters
    moving, fixed = (
        slicer.util.arrayFromMarkupsControlPoints(node, world=True)
        for node in (parameters.movingPoints, parameters.fixedPoints)
    )
    return f"{1000 * scale * np.linalg.norm(moving - fixed, axis=1).mean():.1f}"


def outermost(node):
    """The last transform above a node."""
    while node.GetParentTransformNode() is not None:
        node = node.GetParentTransformNode()
    return node


def test_landmarks_that_are_elsewhere_in_the_scene_are_noted(rig, widget):
    ui = widget.ui
    before = table(ui.distanceTable)
    assert before[0][3] == apart(widget) and ui.distanceNoteLabel.text == "" and not ui.distanceNoteLabel.visible
    moved_by_hand(rig, widget, 0.5, -0.3)
    assert table(ui.distanceTable) == before
    noted = NOTE.format(apart=apart(widget))
    assert ui.distanceNoteLabel.text == noted and ui.distanceNoteLabel.visible
    register(rig, widget)
    assert ui.distanceNoteLabel.text == noted and table(ui.distanceTable)[0][3] == before[0][3]
    ui.movingPointsSelector.setCurrentNode(None)
    settle(rig)
    assert ui.distanceNoteLabel.text == ""


@pytest.mark.parametrize("chosen", [True, False])
def test_the_note_states_distances_of_the_scene_under_a_transform_of_all(rig, widget, chosen):
    """All that was registered is moved and enlarged together: the landmarks are twice as far apart in the scene."""
    parameters = widget.panel.state.parameters
    moved_by_hand(rig, widget, 0.5, -0.3)
    expected = NOTE.format(apart=apart(widget, 2))
    register(rig, widget)
    enlarged, matrix = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "all"), np.diag([2.0, 2, 1, 1])
    matrix[:2, 3] = 5, 7
    enlarged.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(matrix))
    for node in (outermost(parameters.movingVolume), parameters.fixedVolume, parameters.fixedPoints):
        node.SetAndObserveTransformNodeID(enlarged.GetID())
    if not chosen:
        widget.ui.transformSelector.setCurrentNode(None)
    settle(rig)
    assert widget.ui.distanceNoteLabel.text == expected


@pytest.mark.parametrize(("grid_px", "noted"), [(0.9, False), (1.1, True)])
def test_landmarks_that_agree_are_noted_from_a_pixel_of_the_network_grid_on(rig, widget, grid_px, noted):
    parameters = widget.panel.state.parameters
    slicer.util.updateMarkupsControlPointsFromArray(
        parameters.movingPoints, slicer.util.arrayFromMarkupsControlPoints(parameters.fixedPoints)
    )
    side = parameters.fixedVolume.GetImageData().GetDimensions()[0]
    moved_by_hand(rig, widget, grid_px * 0.02 * side / 400, 0)
    assert table(widget.ui.distanceTable)[0][1] == "0.00"
    assert bool(widget.ui.distanceNoteLabel.text) == noted


def test_less_than_a_pixel_of_the_network_grid_is_not_noted(rig, widget):
    moved_by_hand(rig, widget, 0.004, 0.004)
    assert table(widget.ui.distanceTable)[0][3] != apart(widget) and widget.ui.distanceNoteLabel.text == ""
    widget.ui.spacingSpinBox.value = 0
    settle(rig)
    click_row(rig, widget, 0)
    moved_by_hand(rig, widget, 5.0, 5.0)
    assert widget.ui.distanceNoteLabel.text == "", "nothing is known in micrometres"


def test_the_tooltips_say_what_before_means(widget):
    header = widget.ui.distanceTable
    for column in (1, 3):
        assert "whole moving image on the whole fixed one" in header.horizontalHeaderItem(column).toolTip()
    assert tooltip(widget.ui.distanceNoteLabel)
