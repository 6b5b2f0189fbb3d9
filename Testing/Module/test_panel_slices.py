"""Slices of stacks in the panel: where they begin, and that the views show what is picked."""

from __future__ import annotations

import numpy as np
import pytest
import slicer
from fake_logic import FakeLogic
from panel_helpers import SMALL, noise_volume, open_panel, settle, table

from MetaRegistrationLib.core.geometry import Geometry
from MetaRegistrationLib.formats.landmarks import Landmarks, write_landmarks
from MetaRegistrationLib.mrml import given_sizes
from MetaRegistrationLib.mrml.registration_node import RegistrationNode

RED, GREEN = 0, 1  # channels; the moving image is magenta, the fixed one green


@pytest.fixture
def widget(rig, monkeypatch, tmp_path):
    return open_panel(rig, monkeypatch, FakeLogic(tmp_path / "Checkpoints"), size=SMALL)


def steps(name: str, count: int):
    """A stack, 32 x 32, whose slices are of even brightness, from black to white."""
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)
    slicer.util.updateVolumeFromArray(node, np.tile(np.arange(count, dtype=np.float32)[:, None, None], (1, 32, 32)))
    node.CreateDefaultDisplayNodes()
    node.GetDisplayNode().AutoWindowLevelOff()
    node.GetDisplayNode().SetWindowLevelMinMax(0, count - 1)
    return node


def shown_slice(rig, view: str, channel: int, count: int) -> int:
    """The slice of a stack of steps that a view shows, by the brightness amid the view."""
    picture = rig.slice_view(view).render()
    return round(picture[picture.shape[0] // 2, picture.shape[1] // 2, channel] / 255 * (count - 1))


def slices(widget) -> tuple[int, int]:
    """What the numbers beside the volumes say."""
    return widget.ui.movingSliceSpinBox.value, widget.ui.fixedSliceSpinBox.value


def test_a_stack_begins_amid_its_slices_and_is_shown(rig, widget):
    moving = steps("moving", 5)
    widget.ui.movingVolumeSelector.setCurrentNode(moving)
    settle(rig)
    assert slices(widget) == (2, 0)
    assert shown_slice(rig, "Red", RED, 5) == 2
    widget.ui.fixedVolumeSelector.setCurrentNode(steps("fixed", 4))
    settle(rig)
    assert slices(widget) == (2, 2)
    assert (shown_slice(rig, "Red", RED, 5), shown_slice(rig, "Yellow", GREEN, 4)) == (2, 2)
    assert widget.panel.state.parameters.movingSlice == widget.panel.state.parameters.fixedSlice == 2


def test_a_picked_slice_is_shown_at_once(rig, widget):
    widget.ui.movingVolumeSelector.setCurrentNode(steps("moving", 5))
    widget.ui.fixedVolumeSelector.setCurrentNode(steps("fixed", 4))
    settle(rig)
    widget.ui.flickerButton.click()
    widget.ui.movingSliceSpinBox.value = 4
    settle(rig)
    assert (shown_slice(rig, "Red", RED, 5), shown_slice(rig, "Yellow", GREEN, 4)) == (4, 2)
    assert not widget.ui.flickerButton.checked
    for index in (0, 3, 1):  # as the arrow of the number that is held down
        widget.ui.fixedSliceSpinBox.value = index
    settle(rig)
    assert (shown_slice(rig, "Red", RED, 5), shown_slice(rig, "Yellow", GREEN, 4)) == (4, 1)
    widget.ui.blendSlider.value = 0  # of the overlay that is shown now
    assert shown_slice(rig, "Green", GREEN, 4) == 1 and shown_slice(rig, "Green", RED, 5) == 0


def test_single_images_begin_at_their_only_slice_and_leave_the_views_alone(rig, widget):
    layout = slicer.app.layoutManager().layout
    for selector in (widget.ui.movingVolumeSelector, widget.ui.fixedVolumeSelector):
        selector.setCurrentNode(noise_volume("single"))
    settle(rig)
    assert slices(widget) == (0, 0) and slicer.app.layoutManager().layout == layout


def test_slices_are_kept_when_the_user_comes_back_to_the_module(rig, widget):
    widget.ui.movingVolumeSelector.setCurrentNode(steps("moving", 5))
    widget.ui.movingSliceSpinBox.value = 4
    settle(rig)
    slicer.app.layoutManager().setLayout(slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView)
    widget.enter()
    settle(rig)
    assert slices(widget) == (4, 0)
    assert slicer.app.layoutManager().layout == slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView


def test_slices_come_back_with_a_saved_scene(rig, widget, tmp_path):
    widget.ui.movingVolumeSelector.setCurrentNode(steps("moving", 5))
    widget.ui.movingSliceSpinBox.value = 4
    settle(rig)
    path = str(tmp_path / "visit.mrb")
    assert slicer.util.saveScene(path)
    slicer.mrmlScene.Clear(0)
    slicer.util.loadScene(path)
    settle(rig, 0.3)
    assert widget.ui.movingVolumeSelector.currentNode() is not None and slices(widget) == (4, 0)


def test_volumes_of_the_chosen_registration_begin_at_its_slices(rig, widget):
    from MetaRegistrationLib.mrml import transforms

    moving, fixed = steps("moving", 5), steps("fixed", 4)
    widget.ui.movingVolumeSelector.setCurrentNode(moving)
    widget.ui.fixedVolumeSelector.setCurrentNode(fixed)
    grid = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLGridTransformNode", "result")
    oriented = slicer.vtkOrientedGridTransform()
    oriented.SetDisplacementGridData(transforms.image_data(np.zeros((1, 32, 32, 3))))
    grid.SetAndObserveTransformFromParent(oriented)
    result = RegistrationNode(grid)
    result.note_pair(moving, fixed)
    result.note_grid(400, 1, 3)
    widget.ui.transformSelector.setCurrentNode(grid)
    settle(rig)
    assert slices(widget) == (2, 2)
    widget.ui.movingVolumeSelector.setCurrentNode(None)
    widget.ui.movingVolumeSelector.setCurrentNode(moving)
    settle(rig)
    assert slices(widget) == (1, 2)


@pytest.mark.parametrize("side", ["moving", "fixed"])
def test_landmarks_of_another_slice_are_not_measured(rig, widget, side):
    ui = widget.ui
    for name, depth in (("moving", 2.4), ("fixed", 2.0)):
        getattr(ui, f"{name}VolumeSelector").setCurrentNode(steps(name, 5))
        points = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", f"{name} points")
        points.AddControlPoint([3.0, 4.0, depth], "fovea")
        getattr(ui, f"{name}PointsSelector").setCurrentNode(points)
    settle(rig)
    assert slices(widget) == (2, 2) and table(ui.distanceTable)[0][1] != ""
    getattr(ui, f"{side}PointsSelector").currentNode().SetNthControlPointPosition(0, 3.0, 4.0, 0.0)
    settle(rig)
    said = f"{side} points: landmark fovea lies on slice 0, but landmarks of slice 2 were expected."
    assert ui.distanceTable.rowCount == 0 and ui.landmarksStatusLabel.text.startswith(said)
    getattr(ui, f"{side}SliceSpinBox").value = 0
    settle(rig)
    assert len(table(ui.distanceTable)) == 3 and ui.landmarksStatusLabel.text == ""


def load_landmarks(rig, widget, path) -> str:
    rig.dialogs.answer([str(path)])
    widget.ui.loadLandmarksButton.click()
    settle(rig)
    return widget.ui.landmarksStatusLabel.text


def write_millimetres(path, depth: int) -> None:
    """A point at x = 0.4 mm, y = 0.3 mm of a slice."""
    place = Geometry((32, 32), origin=(0, 0, depth), direction=((-1, 0, 0), (0, -1, 0), (0, 0, 1)))
    write_landmarks(path, Landmarks(("a",), np.array([[0.3, 0.4]])), place)


def test_files_of_landmarks_are_read_as_the_command_reads_them(rig, widget, tmp_path):
    for name in ("moving", "fixed"):
        getattr(widget.ui, f"{name}VolumeSelector").setCurrentNode(steps(name, 5))
    settle(rig)
    pixels, millimetres, pair = tmp_path / "moving.csv", tmp_path / "moving.fcsv", tmp_path / "pair.csv"
    pixels.write_text("x,y\n40,4\n", encoding="utf-8")
    assert "x = 40.0, y = 4.0 pixels is outside its image" in load_landmarks(rig, widget, pixels)
    pair.write_text("moving_x,moving_y,fixed_x,fixed_y\n1,2,3,40\n", encoding="utf-8")
    said = load_landmarks(rig, widget, pair)
    assert "fixed image: landmark 1" in said and "is outside its image" in said
    write_millimetres(millimetres, depth=2)
    assert "all of them would be in its first corner" in load_landmarks(rig, widget, millimetres)
    parameters = widget.panel.state.parameters
    assert parameters.movingPoints is None and parameters.fixedPoints is None
    given_sizes.set_pixel_size(parameters.movingVolume, 20.0)
    assert load_landmarks(rig, widget, millimetres) == "Loaded 1 moving and 0 fixed landmarks."
    assert parameters.movingPoints.GetNthControlPointPosition(0) == pytest.approx((0.4, 0.3, 2.0))
    write_millimetres(millimetres, depth=0)
    assert "lies on slice 0, but landmarks of slice 2" in load_landmarks(rig, widget, millimetres)
