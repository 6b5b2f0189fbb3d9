"""Volumes of every kind that users have, registered by clicks in the panel: what Slicer then shows is the warped image."""

from __future__ import annotations

import csv
import re

import numpy as np
import pytest
import slicer
import vtk
from mrml_pairs import rotation
from panel_helpers import SAMPLES, SMALL, choose_folder, click_row, open_panel, register, settle, small_folder
from scipy import ndimage

from MetaRegistrationLib.errors import InputError
from MetaRegistrationLib.formats.images import read_image
from MetaRegistrationLib.panel.register_logic import RegisterLogic
from MetaRegistrationLib.panel.requests import PairRequest
from MetaRegistrationLib.stages import Stages

SPACING = 0.01
EDGE = 12


@pytest.fixture(scope="module")
def pictures() -> tuple[np.ndarray, np.ndarray]:
    """Moving and fixed image (H, W) of the first sample pair."""
    with (SAMPLES / "pairs.csv").open(encoding="utf-8") as stream:
        row = next(csv.DictReader(stream))
    return tuple(read_image(SAMPLES / row[side]).array for side in ("moving", "fixed"))


@pytest.fixture
def widget(rig):
    return open_panel(rig, size=SMALL)


def volume(name, array, spacing=(SPACING, SPACING, 0.5), origin=(1.0, 2.0, 3.0), kind="vtkMRMLScalarVolumeNode"):
    """A volume of an array (slices, H, W) or (slices, H, W, 3); spacing (column, row, slice)."""
    matrix = np.diag([-spacing[0], -spacing[1], spacing[2], 1.0])
    matrix[:3, 3] = origin
    return slicer.util.addVolumeFromArray(array, matrix, name, kind)


def register_volumes(rig, widget, moving, fixed, moving_slice=None, fixed_slice=None):
    """Choose volumes, slices (None leaves them) and outputs, click on Register; returns transform and warped array."""
    ui = widget.ui
    transform = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLGridTransformNode", "result")
    warped = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "warped")
    for selector, node in (
        (ui.movingVolumeSelector, moving),
        (ui.fixedVolumeSelector, fixed),
        (ui.transformSelector, transform),
        (ui.warpedVolumeSelector, warped),
    ):
        selector.setCurrentNode(node)
        assert selector.currentNode() is node
    for box, index in ((ui.movingSliceSpinBox, moving_slice), (ui.fixedSliceSpinBox, fixed_slice)):
        if index is not None:
            box.value = index
    register(rig, widget)
    settle(rig)
    assert ui.registerStatusLabel.text.startswith("Registered in"), ui.registerStatusLabel.text
    return transform, slicer.util.arrayFromVolume(warped)[0]


def ijk_of(node, ras: np.ndarray) -> np.ndarray:
    """Indices (N, 3) in a volume of world points (N, 3), through the volume's transforms."""
    to_node = vtk.vtkGeneralTransform()
    slicer.vtkMRMLTransformNode.GetTransformBetweenNodes(None, node.GetParentTransformNode(), to_node)
    matrix = vtk.vtkMatrix4x4()
    node.GetRASToIJKMatrix(matrix)
    local = np.array([to_node.TransformPoint(point) for point in ras])
    return (slicer.util.arrayFromVTKMatrix(matrix) @ np.c_[local, np.ones(len(local))].T).T[:, :3]


def ras_of(node, ijk: np.ndarray) -> np.ndarray:
    """World points (N, 3) of indices in a volume under linear transforms or none."""
    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    to_ras = slicer.util.arrayFromVTKMatrix(matrix)
    if node.GetParentTransformNode() is not None:
        node.GetParentTransformNode().GetMatrixTransformToWorld(matrix)
        to_ras = slicer.util.arrayFromVTKMatrix(matrix) @ to_ras
    return (to_ras @ np.c_[ijk, np.ones(len(ijk))].T).T[:, :3]


def some_pixels(picture: np.ndarray, count: int = 400) -> np.ndarray:
    """Indices (N, 2) (column, row) away from the edges."""
    rows, columns = picture.shape
    share = np.random.default_rng(0).random((count, 2))
    return np.round(EDGE + share * (columns - 2 * EDGE, rows - 2 * EDGE))


def assert_shown_as_warped(moving, fixed, picture, warped, fixed_slice=0, moving_slice=0) -> None:
    """The moving volume under its transform shows in the fixed plane what the warped volume holds."""
    pixels = some_pixels(warped)
    ijk = ijk_of(moving, ras_of(fixed, np.c_[pixels, np.full(len(pixels), fixed_slice)]))
    np.testing.assert_allclose(ijk[:, 2], moving_slice, atol=0.01)
    shown = ndimage.map_coordinates(picture, [ijk[:, 1], ijk[:, 0]], order=1)
    columns, rows = pixels.astype(int).T
    inside = np.all((ijk[:, :2] >= 0) & (ijk[:, :2] <= np.asarray(picture.shape[::-1]) - 1), axis=1)
    assert inside.mean() > 0.8
    np.testing.assert_allclose(shown[inside], warped[rows, columns][inside], atol=0.02 * np.ptp(picture))


def mapping(moving, fixed, picture, fixed_slice=0) -> np.ndarray:
    """Moving pixels (N, 2) (column, row) of some fixed ones."""
    pixels = some_pixels(picture)
    return ijk_of(moving, ras_of(fixed, np.c_[pixels, np.full(len(pixels), fixed_slice)]))[:, :2]


@pytest.fixture(scope="module")
def known() -> list[tuple[str, np.ndarray]]:
    """Where `plain` keeps what it found: a scene lasts for one test, what is known of the images for all."""
    return []


@pytest.fixture
def plain(rig, widget, pictures, known):
    """What a registration of the plain images does: measures, and moving pixels of some fixed ones. Done once."""
    if known:
        return known[0]
    moving, fixed = (
        volume(name, picture[None]) for name, picture in zip(("grey", "fixed grey"), pictures, strict=True)
    )
    _transform, warped = register_volumes(rig, widget, moving, fixed)
    assert_shown_as_warped(moving, fixed, pictures[0], warped)
    moved = mapping(moving, fixed, pictures[1])
    assert np.abs(moved - some_pixels(pictures[1])).max() > 1  # else the comparisons below would say nothing
    known.append((widget.ui.measuresLabel.text, moved))
    return known[0]


def test_rgb_volumes_register_as_their_grey_ones(rig, widget, pictures, plain):
    moving, fixed = (
        volume(name, np.stack([picture.astype(np.uint8)] * 3, axis=-1)[None], kind="vtkMRMLVectorVolumeNode")
        for name, picture in zip(("colour moving", "colour fixed"), pictures, strict=True)
    )
    _transform, warped = register_volumes(rig, widget, moving, fixed)
    assert warped.ndim == 2
    assert widget.ui.measuresLabel.text == plain[0]
    np.testing.assert_allclose(mapping(moving, fixed, pictures[1]), plain[1], atol=0.02)
    widget.ui.flickerButton.click()  # colour volumes can be looked at too
    widget.ui.flickerButton.click()
    widget.ui.showMovingButton.click()


def test_stack_is_registered_on_the_picked_slice_and_moves_as_a_whole_in_plane(rig, widget, pictures, plain):
    rng = np.random.default_rng(0)
    others = [rng.permutation(pictures[0].ravel()).reshape(pictures[0].shape) for _ in range(4)]
    moving = volume("stack", np.stack([*others[:3], pictures[0], others[3]]))
    fixed = volume("fixed stack", np.stack([others[0], pictures[1], others[1]]), origin=(1.0, 2.0, 4.0))
    _transform, warped = register_volumes(rig, widget, moving, fixed, 3, 1)
    assert widget.ui.measuresLabel.text == plain[0]
    assert_shown_as_warped(moving, fixed, pictures[0], warped, fixed_slice=1, moving_slice=3)
    for fixed_slice in (0, 1, 2):
        np.testing.assert_allclose(mapping(moving, fixed, pictures[1], fixed_slice), plain[1], atol=0.02)
    pixels = some_pixels(pictures[1], 20)
    for fixed_slice, moving_slice in ((0, 2), (2, 4)):
        ijk = ijk_of(moving, ras_of(fixed, np.c_[pixels, np.full(len(pixels), fixed_slice)]))
        np.testing.assert_allclose(ijk[:, 2], moving_slice, atol=0.01)


def test_stack_without_a_picked_slice_is_registered_on_its_middle_one(rig, widget, pictures, plain):
    moving = volume("stack", np.stack([pictures[0].T, pictures[0], pictures[0][::-1]]))
    register_volumes(rig, widget, moving, volume("fixed", pictures[1][None]))
    assert widget.ui.measuresLabel.text == plain[0]


@pytest.mark.parametrize("which", ["moving", "fixed", "both"])
def test_volumes_under_linear_transforms(rig, widget, pictures, plain, which):
    moving, fixed = (volume(name, picture[None]) for name, picture in zip(("moving", "fixed"), pictures, strict=True))
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = rotation(2, 30), (0.7, -0.4, 0.2)
    placed = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "placed")
    placed.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(matrix))
    nodes = {"moving": [moving], "fixed": [fixed], "both": [moving, fixed]}[which]
    for node in nodes:
        node.SetAndObserveTransformNodeID(placed.GetID())
    transform, warped = register_volumes(rig, widget, moving, fixed)
    assert widget.ui.measuresLabel.text == plain[0]
    assert_shown_as_warped(moving, fixed, pictures[0], warped)
    np.testing.assert_allclose(mapping(moving, fixed, pictures[1]), plain[1], atol=0.02)
    np.testing.assert_allclose(slicer.util.arrayFromTransformMatrix(placed), matrix)
    if fixed in nodes:
        assert fixed.GetParentTransformNode() is placed
    parent = moving.GetParentTransformNode()
    assert transform in (parent, parent.GetParentTransformNode())


def test_volumes_of_different_size_and_spacing(rig, widget, pictures):
    size = np.array(pictures[0].shape)
    smaller = np.array([200, 256])
    zoomed = ndimage.zoom(pictures[0], smaller / size, order=1, grid_mode=True, mode="nearest")
    rows, columns = SPACING * size / smaller
    moving = volume("coarse", zoomed[None], (columns, rows, 1.0), (-4.0, 5.0, 3.0))
    fixed = volume("fine", pictures[1][None])
    _transform, warped = register_volumes(rig, widget, moving, fixed)
    assert warped.shape == pictures[1].shape
    assert_shown_as_warped(moving, fixed, zoomed, warped)
    before, after = re.findall(r"-?\d\.\d{2}", widget.ui.measuresLabel.text)[:2]
    assert float(after) > float(before)


def test_volume_that_shows_another_field_of_view(rig, widget, pictures):
    cut = pictures[0][30:290, 10:]
    moving = volume("cut", cut[None])
    fixed = volume("whole", pictures[1][None])
    _transform, warped = register_volumes(rig, widget, moving, fixed)
    assert_shown_as_warped(moving, fixed, cut, warped)


@pytest.mark.parametrize("which", ["movingVolume", "fixedVolume", "of another pair"])
def test_an_image_is_not_overwritten_by_the_warped_volume(rig, widget, tmp_path, which):
    ui, parameters = widget.ui, widget.panel.state.parameters
    choose_folder(rig, widget, small_folder(tmp_path / "pairs", 2))
    click_row(rig, widget, 1)
    other = parameters.movingVolume
    click_row(rig, widget, 0)
    image = getattr(parameters, which, other)
    before = slicer.util.arrayFromVolume(image).copy()
    ui.warpedVolumeSelector.setCurrentNode(image)
    settle(rig)
    assert not ui.registerButton.enabled
    reason = "another warped volume (Advanced): this one is an image, which would be overwritten"
    assert ui.registerBlockedLabel.text == f"Still missing: {reason}" and ui.registerBlockedLabel.visible
    moving, fixed = parameters.movingVolume, parameters.fixedVolume
    request = PairRequest(moving, fixed, 0, 0, None, "cpu", warped=image, stages=Stages("translation", False, 0))
    with pytest.raises(InputError, match="would be overwritten"):
        RegisterLogic(widget.logic.host).register(request)
    np.testing.assert_array_equal(slicer.util.arrayFromVolume(image), before)
    ui.warpedVolumeSelector.setCurrentNode(slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "own"))
    settle(rig)
    assert ui.registerButton.enabled
