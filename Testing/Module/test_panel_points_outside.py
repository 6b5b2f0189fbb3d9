"""Landmarks outside their image: they are not measured, not saved and not used, and the panel names them."""

from __future__ import annotations

import numpy as np
import pytest
import qt
import slicer
from panel_helpers import SMALL, choose_folder, click_row, open_panel, register, settle, small_folder, table
from test_panel_stages import choose_stages

from MetaRegistrationLib.stages import Stages


@pytest.fixture
def widget(rig, tmp_path):
    """The panel with a pair with landmarks, to be registered by these."""
    widget = open_panel(rig, size=SMALL)
    choose_folder(rig, widget, small_folder(tmp_path / "pairs", 1))
    click_row(rig, widget, 0)
    choose_stages(widget, Stages("landmarks", False, 0))
    settle(rig)
    assert table(widget.ui.distanceTable)
    return widget


def points(widget, side: str):
    return getattr(widget.panel.state.parameters, f"{side}Points")


@pytest.mark.parametrize("side", ["moving", "fixed"])
def test_a_point_outside_its_image_is_named_and_not_used(rig, widget, tmp_path, side):
    node, path = points(widget, side), tmp_path / "saved.csv"
    before = node.GetNthControlPointPosition(1)
    node.SetNthControlPointPosition(1, 1.0, before[1], before[2])  # one pixel beside the image
    settle(rig)
    said = f"{node.GetName()}: landmark {node.GetNthControlPointLabel(1)} at x = -1.0, y = {-before[1]:.1f} pixels is outside"
    assert not table(widget.ui.distanceTable) and widget.ui.landmarksStatusLabel.text.startswith(said)
    rig.dialogs.answer(str(path))
    widget.ui.saveLandmarksButton.click()
    assert widget.ui.landmarksStatusLabel.text.startswith(said) and not path.exists()
    register(rig, widget)
    assert widget.ui.registerStatusLabel.text.startswith(said)
    assert slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLGridTransformNode") == 0
    node.SetNthControlPointPosition(1, 0.5, before[1], before[2])  # the outer edge of the first pixel
    settle(rig)
    assert table(widget.ui.distanceTable) and widget.ui.landmarksStatusLabel.text == ""


@pytest.mark.parametrize("degrees", [0, 30])
def test_points_on_the_outer_edge_are_measured_wherever_the_volume_is(rig, widget, tmp_path, degrees):
    """Positions in mm are rounded: in pixels, such a point seems to be outside by 1e-13."""
    parameters, matrix, angle = widget.panel.state.parameters, np.eye(4), np.deg2rad(degrees)
    matrix[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    matrix[:2, 3] = 0.7, -1.3
    widget.ui.spacingSpinBox.value = 12
    settle(rig)
    for volume in (parameters.movingVolume, parameters.fixedVolume):
        volume.ApplyTransformMatrix(slicer.util.vtkMatrixFromArray(matrix))
    side = parameters.movingVolume.GetImageData().GetDimensions()[0]
    edge = f"1,-0.5,-0.5\n2,{side - 0.5},-0.5\n3,-0.5,{side - 0.5}\n4,{side - 0.5},{side - 0.5}\n"
    paths = [tmp_path / name for name in ("moving.csv", "fixed.csv")]
    for path in paths:
        path.write_text(f"label,x,y\n{edge}", encoding="utf-8")
    rig.dialogs.answer([str(path) for path in paths], qt.QMessageBox.Yes)
    widget.ui.loadLandmarksButton.click()
    settle(rig)
    assert widget.ui.landmarksStatusLabel.text.startswith("Loaded 4 moving and 4 fixed")
    assert table(widget.ui.distanceTable)[0][1] == "0.00"
    saved = tmp_path / "saved.mrk.json"
    rig.dialogs.answer(str(saved))
    widget.ui.saveLandmarksButton.click()
    written = sorted(map(str, tmp_path.glob("saved_*.mrk.json")))
    rig.dialogs.answer(written, qt.QMessageBox.Yes)
    widget.ui.loadLandmarksButton.click()
    assert widget.ui.landmarksStatusLabel.text.startswith("Loaded 4 moving and 4 fixed")


def test_points_that_are_left_behind_by_a_transform_of_their_volume_are_named(rig, widget):
    transform, matrix = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "shift"), np.eye(4)
    matrix[0, 3] = -300.0
    transform.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(matrix))
    node, volume = points(widget, "fixed"), widget.panel.state.parameters.fixedVolume
    before = table(widget.ui.distanceTable)
    volume.SetAndObserveTransformNodeID(transform.GetID())
    settle(rig)
    assert not table(widget.ui.distanceTable)
    said = widget.ui.landmarksStatusLabel.text
    assert said.startswith(f"{node.GetName()}: landmark ") and said.endswith(
        f" {node.GetName()} and {volume.GetName()} are under different transforms."
    )
    node.SetAndObserveTransformNodeID(transform.GetID())
    settle(rig)
    assert table(widget.ui.distanceTable) == before
