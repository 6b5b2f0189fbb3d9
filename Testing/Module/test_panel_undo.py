"""One click brings back the scene as it was before Register."""

from __future__ import annotations

import numpy as np
import pytest
import slicer
from panel_helpers import SMALL, choose_folder, click_row, node_names, open_panel, register, settle, small_folder, table
from test_panel_stages import choose_stages

from MetaRegistrationLib.stages import Stages


@pytest.fixture
def widget(rig):
    widget = open_panel(rig, size=SMALL)
    choose_stages(widget, Stages("affine", False, 0))
    return widget


def seen(widget) -> dict:
    """What a user sees of the scene."""
    parameters = widget.panel.state.parameters
    moving, points = parameters.movingVolume, parameters.movingPoints
    world = [points.GetNthControlPointPositionWorld(index) for index in range(points.GetNumberOfControlPoints())]
    transform, warped = parameters.transform, parameters.warpedVolume
    return {
        "names": node_names(),
        "parents": (moving.GetTransformNodeID(), points.GetTransformNodeID()),
        "world": np.round(world, 6).tolist(),
        "spacing": moving.GetSpacing(),
        "transform": transform
        and np.round(transform.GetTransformFromParent().TransformPoint(-50.0, -60.0, 0.0), 6).tolist(),
        "notes": transform and {name: transform.GetAttribute(name) for name in transform.GetAttributeNames()},
        "warped": warped and slicer.util.arrayFromVolume(warped).sum() if warped and warped.GetImageData() else None,
        "distances": table(widget.ui.distanceTable),
        "measures": widget.ui.measuresLabel.text,
    }


def undo(rig, widget) -> None:
    widget.ui.undoRegisterButton.click()
    settle(rig)


def test_the_first_registration_is_taken_back(rig, widget, tmp_path):
    assert not widget.ui.undoRegisterButton.enabled
    choose_folder(rig, widget, small_folder(tmp_path / "pairs", 1))
    click_row(rig, widget, 0)
    before = seen(widget)
    register(rig, widget)
    settle(rig)
    assert seen(widget)["parents"] != before["parents"] and widget.ui.undoRegisterButton.enabled
    slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", "of the user's own")
    undo(rig, widget)
    after = seen(widget)
    new = after.pop("names") - before.pop("names")
    assert [name for name in new if "own" not in name and "Display" not in name] == []
    assert any("of the user's own" in str(name) for name in new), "what came later stays"
    assert after == before and not widget.ui.undoRegisterButton.enabled
    assert widget.ui.registerStatusLabel.text == "Registration undone"


def test_a_second_registration_gives_way_to_the_first(rig, widget, tmp_path):
    choose_folder(rig, widget, small_folder(tmp_path / "pairs", 1))
    click_row(rig, widget, 0)
    warped = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "warped")
    widget.ui.warpedVolumeSelector.setCurrentNode(warped)
    register(rig, widget)
    settle(rig)
    first = seen(widget)
    choose_stages(widget, Stages("translation", False, 0))
    register(rig, widget)
    settle(rig)
    assert seen(widget)["warped"] != first["warped"]
    undo(rig, widget)
    assert seen(widget) == first
