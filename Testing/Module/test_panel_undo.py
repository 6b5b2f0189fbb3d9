"""One click brings back the scene as it was before Register."""

from __future__ import annotations

import numpy as np
import pytest
import slicer
import vtk
from panel_helpers import (
    SMALL,
    choose_folder,
    click_row,
    node_names,
    open_panel,
    register,
    settle,
    small_folder,
    table,
    tooltip,
)
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


@pytest.fixture
def pair(rig, widget, tmp_path):
    """The panel with two pairs, of which the first is chosen."""
    choose_folder(rig, widget, small_folder(tmp_path / "pairs", 2))
    click_row(rig, widget, 0)
    return widget


def linear_transform(name: str, shift: float = 1.0):
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode", name)
    matrix = vtk.vtkMatrix4x4()
    matrix.SetElement(0, 3, shift)
    node.SetMatrixTransformToParent(matrix)
    return node


def test_what_the_registration_did_not_change_stays_as_the_user_left_it(rig, pair):
    parameters = pair.panel.state.parameters
    register(rig, pair)
    parameters.fixedVolume.SetSpacing(0.02, 0.02, 1.0)
    parameters.movingVolume.SetAttribute("mine", "yes")
    of_user = linear_transform("of the user")
    parameters.fixedPoints.SetAndObserveTransformNodeID(of_user.GetID())
    undo(rig, pair)
    assert parameters.fixedVolume.GetSpacing()[0] == 0.02
    assert parameters.movingVolume.GetAttribute("mine") == "yes"
    assert parameters.fixedPoints.GetParentTransformNode() is of_user
    assert parameters.movingVolume.GetTransformNodeID() is None and parameters.transform is None
    assert pair.ui.registerStatusLabel.text == "Registration undone"


def test_what_both_have_changed_stays_and_is_named(rig, pair):
    ui, parameters = pair.ui, pair.panel.state.parameters
    warped = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "warped")
    ui.warpedVolumeSelector.setCurrentNode(warped)
    ui.transformSelector.addNode()
    register(rig, pair)
    of_user = linear_transform("of the user")
    parameters.movingPoints.SetAndObserveTransformNodeID(of_user.GetID())
    slicer.util.arrayFromVolume(warped)[:] = 7
    slicer.util.arrayFromVolumeModified(warped)
    undo(rig, pair)
    assert parameters.movingPoints.GetParentTransformNode() is of_user
    assert (slicer.util.arrayFromVolume(warped) == 7).all()
    assert parameters.movingVolume.GetTransformNodeID() is None
    text = ui.registerStatusLabel.text
    names = f"{parameters.movingPoints.GetName()}, warped"
    assert text == f"Registration undone. Changed since then, and left as changed: {names}.", text


def test_a_pixel_size_that_the_registration_gave_is_taken_back(rig, pair):
    """The panel gives one only before there are points; the registration takes the box as it is."""
    parameters = pair.panel.state.parameters
    for node in (parameters.movingPoints, parameters.fixedPoints):
        slicer.mrmlScene.RemoveNode(node)
    pair.panel.pairs._give_pixel_size = lambda: None
    pair.ui.spacingSpinBox.value = 12.0
    register(rig, pair)
    assert parameters.fixedVolume.GetSpacing()[0] == 0.012
    undo(rig, pair)
    assert parameters.fixedVolume.GetSpacing()[0] == 1
    register(rig, pair)
    parameters.fixedVolume.SetSpacing(0.02, 0.02, 1)
    undo(rig, pair)
    assert parameters.fixedVolume.GetSpacing()[0] == 0.02
    assert pair.ui.registerStatusLabel.text.endswith(f"left as changed: {parameters.fixedVolume.GetName()}.")


@pytest.mark.parametrize("end", ["undo", "cancel"])
def test_a_pair_that_was_loaded_meanwhile_stays(rig, pair, end):
    pair.ui.registerButton.click()
    click_row(rig, pair, 1)
    volumes = pair.panel.state.parameters.movingVolume, pair.panel.state.parameters.fixedVolume
    if end == "cancel":
        pair.ui.registerButton.click()
    else:
        rig.wait_until(lambda: pair.ui.registerButton.text == "Register", "for the registration")
        click_row(rig, pair, 0)
        undo(rig, pair)
    settle(rig)
    assert all(volume.GetScene() is not None for volume in volumes)


def test_only_the_pair_on_screen_is_undone(rig, pair):
    button, parameters = pair.ui.undoRegisterButton, pair.panel.state.parameters
    register(rig, pair)
    first = seen(pair)
    click_row(rig, pair, 1)
    assert not button.enabled
    assert tooltip(button) == "Still missing: a registration to undo: the last one, of this pair"
    register(rig, pair)
    second = parameters.transform
    click_row(rig, pair, 0)
    settle(rig)
    assert not button.enabled
    button.click()
    settle(rig)
    assert second.GetScene() is not None
    assert {key: value for key, value in seen(pair).items() if key != "names"} == {
        key: value for key, value in first.items() if key != "names"
    }
    click_row(rig, pair, 1)
    assert parameters.transform is second
    undo(rig, pair)
    assert second.GetScene() is None and parameters.transform is None
