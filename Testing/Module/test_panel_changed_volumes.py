"""Volumes and transforms that are changed after a registration: its numbers go, and the panel says why."""

from __future__ import annotations

import numpy as np
import pytest
import slicer
import vtk
from mrml_pairs import rotation
from panel_helpers import SMALL, choose_folder, click_row, open_panel, register, settle, small_folder, table
from test_panel_stages import choose_stages

from MetaRegistrationLib.mrml import pixel_checksum
from MetaRegistrationLib.mrml.registration_node import RegistrationNode
from MetaRegistrationLib.stages import Stages


@pytest.fixture
def registered(rig, tmp_path):
    """The panel with a registered pair."""
    widget = open_panel(rig, size=SMALL)
    choose_folder(rig, widget, small_folder(tmp_path / "pairs", 1))
    click_row(rig, widget, 0)
    choose_stages(widget, Stages("affine", False, 0))
    register(rig, widget)
    settle(rig)
    assert numbers(widget)["expected"] and "–" not in table(widget.ui.distanceTable)[0][:3]
    return widget


def numbers(widget) -> dict:
    ui = widget.ui
    return {
        "measures": ui.measuresLabel.text,
        "expected": ui.expectedErrorLabel.text,
        "warning": ui.alignmentWarningLabel.text,
        "distances": table(ui.distanceTable),
    }


def parent(matrix=None):
    """A linear transform, a shift by 50 mm unless another matrix is given."""
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "parent")
    if matrix is None:
        matrix = np.eye(4)
        matrix[0, 3] = 50
    node.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(matrix))
    return node


def put_under(node, *others) -> None:
    for other in others:
        other.SetAndObserveTransformNodeID(node.GetID())


def turned(volume) -> None:
    volume.SetIJKToRASDirections(0, 1, 0, 1, 0, 0, 0, 0, 1)


def written_into(volume) -> None:
    """Other pixels in the image that a volume has, as a filter in place writes them."""
    slicer.util.arrayFromVolume(volume)[...] += 1
    slicer.util.arrayFromVolumeModified(volume)


def edited(transform) -> None:
    """Another displacement in the grid that a transform has."""
    slicer.util.arrayFromGridTransform(transform)[0, 100, 100, 0] += 0.5
    slicer.util.arrayFromGridTransformModified(transform)
    transform.Modified()


def other_image(volume) -> None:
    """Another image of the same size, as a sequence puts it into its volume."""
    image = vtk.vtkImageData()
    image.DeepCopy(volume.GetImageData())
    image.GetPointData().GetScalars().SetTuple1(0, 99)
    volume.SetAndObserveImageData(image)


CHANGES = {
    "spacing of fixed": ("fixed", lambda p: p.fixedVolume.SetSpacing(2.0, 2.0, 1.0)),
    "spacing of moving": ("moving", lambda p: p.movingVolume.SetSpacing(2.0, 2.0, 1.0)),
    "origin of fixed": ("fixed", lambda p: p.fixedVolume.SetOrigin(20.0, 0.0, 0.0)),
    "origin of moving": ("moving", lambda p: p.movingVolume.SetOrigin(20.0, 0.0, 0.0)),
    "directions of fixed": ("fixed", lambda p: turned(p.fixedVolume)),
    "parent of fixed": ("fixed", lambda p: put_under(parent(), p.fixedVolume, p.fixedPoints)),
    "parent of transform": ("transform", lambda p: put_under(parent(), p.transform)),
    "inverted transform": ("content", lambda p: p.transform.Inverse()),
    "edited transform": ("content", lambda p: edited(p.transform)),
    "hardened moving": ("moving", lambda p: p.movingVolume.HardenTransform()),
    "pixels of moving": ("moving", lambda p: written_into(p.movingVolume)),
    "pixels of fixed": ("fixed", lambda p: other_image(p.fixedVolume)),
    "other image": ("fixed", lambda p: slicer.util.updateVolumeFromArray(p.fixedVolume, np.ones((1, 32, 32)))),
}
SAID = {
    "moving": "The moving volume has changed since the registration. Register again.",
    "fixed": "The fixed volume has changed since the registration. Register again.",
    "transform": "The transform has been moved since the registration. Register again.",
    "content": "The transform has been changed since the registration. Register again.",
}


OFTEN = (
    "spacing of fixed",
    "origin of moving",
    "parent of transform",
    "inverted transform",
    "edited transform",
    "hardened moving",
    "pixels of moving",
    "other image",
)


@pytest.mark.parametrize(
    "what", [what if what in OFTEN else pytest.param(what, marks=pytest.mark.long) for what in CHANGES]
)
def test_numbers_go_with_a_reason(rig, registered, what):
    before = numbers(registered)
    side, change = CHANGES[what]
    change(registered.panel.state.parameters)
    settle(rig)
    now = numbers(registered)
    assert now["warning"] == SAID[side] and registered.ui.alignmentWarningLabel.visible
    assert now["measures"] == now["expected"] == "" and not registered.panel.register.registered
    assert before["distances"] and {row[2] for row in now["distances"]} <= {"–"}
    assert {row[4] for row in now["distances"]} <= {"–"}


def test_numbers_come_back_with_the_geometry_and_with_a_new_registration(rig, registered):
    before, fixed = numbers(registered), registered.panel.state.parameters.fixedVolume
    fixed.SetOrigin(20.0, 0.0, 0.0)
    settle(rig)
    assert numbers(registered)["warning"] == SAID["fixed"]
    fixed.SetOrigin(0.0, 0.0, 0.0)
    settle(rig)
    assert numbers(registered) == before
    fixed.SetSpacing(1.5, 1.5, 1.0)  # the points, which stay, are on its image still
    settle(rig)
    register(rig, registered)
    settle(rig)
    now = numbers(registered)
    assert now["warning"] == "" and now["measures"] and "–" not in now["distances"][0][:3]


def shown_apart(parameters) -> float:
    """Mean distance of the landmarks in the world, mm."""
    world = [
        np.array([node.GetNthControlPointPositionWorld(index) for index in range(node.GetNumberOfControlPoints())])
        for node in (parameters.movingPoints, parameters.fixedPoints)
    ]
    return float(np.linalg.norm(world[0] - world[1], axis=1).mean())


def test_pair_and_transform_under_one_parent_have_their_numbers(rig, registered):
    parameters, before = registered.panel.state.parameters, numbers(registered)
    apart = shown_apart(parameters)
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = rotation(2, 30), (5, -7, 3)
    both = parent(matrix)
    put_under(both, parameters.transform, parameters.fixedVolume, parameters.fixedPoints)
    settle(rig)
    assert shown_apart(parameters) == pytest.approx(apart, abs=1e-2)
    assert numbers(registered) == before
    for node in (parameters.fixedVolume, parameters.fixedPoints):
        node.HardenTransform()
    settle(rig)
    assert numbers(registered) == before
    both.SetMatrixTransformToParent(vtk.vtkMatrix4x4())
    settle(rig)
    assert numbers(registered)["warning"] == SAID["fixed"]


def test_a_warped_volume_alone_is_a_result_of_the_volumes_as_they_were(rig, registered):
    ui, parameters = registered.ui, registered.panel.state.parameters
    slicer.mrmlScene.RemoveNode(parameters.transform)
    ui.warpedVolumeSelector.addNode()
    register(rig, registered)
    settle(rig)
    assert parameters.transform is None and ui.measuresLabel.text and not ui.alignmentWarningLabel.text
    parameters.fixedVolume.SetSpacing(2.0, 2.0, 1.0)
    settle(rig)
    assert ui.measuresLabel.text == "" and ui.alignmentWarningLabel.text == SAID["fixed"]


def test_a_result_of_an_earlier_version_is_read_as_it_was(rig, registered):
    before, transform = numbers(registered), registered.panel.state.parameters.transform
    assert RegistrationNode(transform).geometry is not None
    for name in ("MovingPixels", "FixedPixels"):
        transform.RemoveAttribute(f"MetaRegistration.{name}")
    written_into(registered.panel.state.parameters.movingVolume)
    settle(rig)
    assert numbers(registered) == before, "it does not say which pixels were registered"
    for name in ("MovingGeometry", "FixedGeometry"):
        transform.RemoveAttribute(f"MetaRegistration.{name}")
    registered.panel.state.notify()
    settle(rig)
    assert RegistrationNode(transform).geometry is None and numbers(registered) == before


def test_an_inverted_transform_is_noticed_after_the_scene_was_saved_and_turned_back_it_has_its_numbers(
    rig, registered, tmp_path
):
    measures, file = numbers(registered)["measures"], str(tmp_path / "scene.mrb")
    registered.panel.state.parameters.transform.Inverse()
    assert slicer.util.saveScene(file)
    slicer.mrmlScene.Clear(0)
    settle(rig)
    slicer.util.loadScene(file)
    settle(rig, 0.3)
    assert numbers(registered)["warning"] == SAID["content"] and numbers(registered)["measures"] == ""
    registered.panel.state.parameters.transform.Inverse()
    settle(rig)
    assert numbers(registered)["warning"] == "" and numbers(registered)["measures"] == measures


def test_the_geometry_is_saved_with_the_scene(rig, registered, tmp_path):
    before, file = numbers(registered), str(tmp_path / "scene.mrb")
    assert slicer.util.saveScene(file)
    slicer.mrmlScene.Clear(0)
    settle(rig)
    slicer.util.loadScene(file)
    settle(rig, 0.3)
    assert {key: value for key, value in numbers(registered).items() if key != "distances"} == {
        key: value for key, value in before.items() if key != "distances"
    }
    registered.panel.state.parameters.movingVolume.SetSpacing(2.0, 2.0, 1.0)
    settle(rig)
    assert numbers(registered)["warning"] == SAID["moving"]


def test_a_sequence_that_shows_another_frame_shows_no_numbers_of_the_registered_one(rig, registered):
    before, moving = numbers(registered), registered.panel.state.parameters.movingVolume
    first, second = (slicer.util.arrayFromVolume(moving) + 0 for _ in range(2))
    second[0, :5] = 7
    sequence = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSequenceNode", "frames")
    for number, pixels in enumerate((first, second)):
        frame = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "frame")
        slicer.util.updateVolumeFromArray(frame, pixels)
        sequence.SetDataNodeAtValue(frame, str(number))
        slicer.mrmlScene.RemoveNode(frame)
    for number, warning in ((1, SAID["moving"]), (0, "")):
        moving.SetAndObserveImageData(sequence.GetNthDataNode(number).GetImageData())
        settle(rig)
        assert numbers(registered)["warning"] == warning
    assert numbers(registered) == before


def test_checksums_are_computed_only_for_new_pixels(rig, registered, monkeypatch):
    computed, compute = [], pixel_checksum._checksum
    monkeypatch.setattr(pixel_checksum, "_checksum", lambda pixels: computed.append(1) or compute(pixels))
    for _ in range(3):
        registered.panel.state.notify()
    settle(rig)
    assert computed == []
    written_into(registered.panel.state.parameters.movingVolume)
    settle(rig)
    assert computed == [1]


def test_looking_at_volumes_changes_nothing(rig, registered, monkeypatch):
    """What is only shown otherwise does not refresh the panel."""
    state, told = registered.panel.state, []
    settle(rig)
    monkeypatch.setattr(registered.panel.register._placement, "_moved", lambda: told.append(1))
    parameters = state.parameters
    parameters.fixedVolume.GetDisplayNode().SetWindowLevel(10, 20)
    parameters.fixedVolume.SetName("another name")
    parameters.transform.SetAttribute("mine", "yes")
    settle(rig)
    assert told == []
    parameters.fixedVolume.SetOrigin(1, 2, 3)
    settle(rig)
    assert told == [1]
