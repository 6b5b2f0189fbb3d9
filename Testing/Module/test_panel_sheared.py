"""A sheared volume: no distances in micrometres are shown or exported, as Register refuses it."""

from __future__ import annotations

import numpy as np
import pytest
import slicer
from panel_helpers import SMALL, noise_volume, open_panel, settle, table
from vtk import vtkVector3d

STEP = 0.02  # mm


def points(name: str):
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", name)
    node.AddControlPoint(vtkVector3d(-10 * STEP, -10 * STEP, 0), "1")
    return node


@pytest.mark.parametrize("side", ["moving", "fixed"])
def test_nothing_is_measured_on_a_sheared_volume(rig, side):
    widget = open_panel(rig, size=SMALL)
    ui, volumes = widget.ui, {name: noise_volume(name) for name in ("moving", "fixed")}
    right = np.diag([-STEP, -STEP, 1.0, 1.0])
    for volume in volumes.values():
        volume.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(right))
    ui.movingVolumeSelector.setCurrentNode(volumes["moving"])
    ui.fixedVolumeSelector.setCurrentNode(volumes["fixed"])
    ui.movingPointsSelector.setCurrentNode(points("a"))
    ui.fixedPointsSelector.setCurrentNode(points("b"))
    settle(rig)
    assert table(ui.distanceTable) and ui.exportTableButton.enabled
    sheared = right.copy()
    sheared[0, 1] = -0.3 * STEP
    volumes[side].SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(sheared))
    widget.panel.state.notify()
    settle(rig)
    assert f"{side}: its rows and columns are at an angle of 73.3 degrees" in ui.landmarksStatusLabel.text
    assert not table(ui.distanceTable) and not ui.exportTableButton.enabled
