"""Pixel sizes that are typed for volumes without one: masks and points follow, or the panel says why they cannot."""

from __future__ import annotations

import numpy as np
import pytest
import slicer
import vtk
from panel_helpers import SMALL, open_panel, register, register_simply, settle

from MetaRegistrationLib.mrml.label_pixels import label_array
from MetaRegistrationLib.mrml.masks import mask_array
from MetaRegistrationLib.mrml.volumes import ijk_to_ras

UNKNOWN = np.diag([-1.0, -1.0, 1.0, 1.0])
SIZE = (32, 40)


@pytest.fixture
def widget(rig):
    """The panel with two volumes of noise that have no pixel size."""
    widget = open_panel(rig, size=SMALL)
    noise = np.random.default_rng(0).random((2, *SIZE)).astype(np.float32)
    for array, name in zip(noise, ("moving", "fixed"), strict=True):
        node = slicer.util.addVolumeFromArray(array[None], UNKNOWN, name)
        getattr(widget.ui, f"{name}VolumeSelector").setCurrentNode(node)
    register_simply(widget)
    settle(rig)
    return widget


def pair(widget) -> tuple:
    parameters = widget.panel.state.parameters
    return parameters.movingVolume, parameters.fixedVolume


def square() -> np.ndarray:
    mask = np.zeros((1, *SIZE), np.uint8)
    mask[0, 4:24, 6:30] = 1
    return mask


def label_map(matrix=UNKNOWN):
    return slicer.util.addVolumeFromArray(square(), matrix, "mask", "vtkMRMLLabelMapVolumeNode")


def segmentation(matrix=UNKNOWN):
    """Two segments on one label map, and an empty one."""
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "mask")
    node.CreateDefaultDisplayNodes()
    labels = label_map(matrix)
    slicer.util.arrayFromVolume(labels)[0, 4:24, 20:30] = 2
    slicer.util.arrayFromVolumeModified(labels)
    assert slicer.modules.segmentations.logic().ImportLabelmapToSegmentationNode(labels, node)
    slicer.mrmlScene.RemoveNode(labels)
    node.GetSegmentation().AddEmptySegment("empty")
    segments = node.GetSegmentation()
    stored = [segments.GetNthSegment(index).GetRepresentation("Binary labelmap") for index in range(2)]
    assert stored[0] is stored[1], "the segments share a label map"
    return node


def type_size(rig, widget, size: float, moving: float = 0.0) -> None:
    widget.ui.movingSpacingSpinBox.value, widget.ui.spacingSpinBox.value = moving, size
    settle(rig)


def under_a_warp(node) -> None:
    grid = vtk.vtkImageData()
    grid.SetDimensions(2, 2, 1)
    grid.AllocateScalars(vtk.VTK_DOUBLE, 3)
    warp = slicer.vtkOrientedGridTransform()
    warp.SetDisplacementGridData(grid)
    parent = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLGridTransformNode", "warp")
    parent.SetAndObserveTransformFromParent(warp)
    node.SetAndObserveTransformNodeID(parent.GetID())


def test_segments_follow_their_volume_and_come_back_with_it(rig, widget):
    mask = segmentation()
    widget.ui.fixedMaskSelector.setCurrentNode(mask)
    fixed = pair(widget)[1]
    type_size(rig, widget, 10.0)
    assert fixed.GetSpacing()[0] == pytest.approx(0.01)
    np.testing.assert_array_equal(mask_array(mask, fixed), square() != 0)
    type_size(rig, widget, 15.0)
    assert fixed.GetSpacing()[0] == pytest.approx(0.015)
    np.testing.assert_array_equal(mask_array(mask, fixed), square() != 0)


def test_segments_come_back_with_their_volume_when_a_registration_is_undone(rig, widget):
    mask = segmentation()
    widget.ui.fixedMaskSelector.setCurrentNode(mask)
    moving, fixed = pair(widget)
    register(rig, widget)
    type_size(rig, widget, 10.0)
    assert fixed.GetSpacing()[0] == 1, "the first registration was made without a size"
    register(rig, widget)
    settle(rig)
    assert fixed.GetSpacing()[0] == pytest.approx(0.01)
    assert widget.panel.register.registered, "the mask that was moved is the one that was used"
    np.testing.assert_array_equal(mask_array(mask, fixed), square() != 0)
    widget.ui.undoRegisterButton.click()
    settle(rig)
    assert fixed.GetSpacing()[0] == moving.GetSpacing()[0] == 1
    np.testing.assert_array_equal(mask_array(mask, fixed), square() != 0)


def test_segments_in_true_size_stay_where_they_are(rig, widget):
    mask = segmentation(np.diag([-0.01, -0.01, 1.0, 1.0]))
    widget.ui.fixedMaskSelector.setCurrentNode(mask)
    type_size(rig, widget, 10.0)
    np.testing.assert_array_equal(mask_array(mask, pair(widget)[1]), square() != 0)


def test_segments_of_other_pixels_are_refused(rig, widget):
    widget.ui.fixedMaskSelector.setCurrentNode(segmentation(np.diag([-0.5, -0.5, 1.0, 1.0])))
    type_size(rig, widget, 10.0)
    register(rig, widget)
    said = widget.ui.registerStatusLabel.text
    assert said.startswith("mask: its segments have other pixels than fixed"), said
    assert pair(widget)[1].GetSpacing()[0] == 1


@pytest.mark.parametrize("make", [label_map, segmentation])
def test_one_mask_for_both_volumes_is_moved_once(rig, widget, make):
    place = np.array([[-1.0, 0, 0, 7], [0, -1, 0, 5], [0, 0, 1, 0], [0, 0, 0, 1]])  # a label map has a position then
    for volume in pair(widget):
        volume.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(place))
    mask = make(place)
    for selector in (widget.ui.movingMaskSelector, widget.ui.fixedMaskSelector):
        selector.setCurrentNode(mask)
    widget.ui.overrideSpacingCheckBox.checked = True
    type_size(rig, widget, 10.0)
    for volume in pair(widget):
        assert volume.GetSpacing()[0] == pytest.approx(0.01)
        np.testing.assert_array_equal(mask_array(mask, volume), square() != 0)
    if make is label_map:
        np.testing.assert_allclose(ijk_to_ras(mask), ijk_to_ras(pair(widget)[0]))


def test_one_mask_for_volumes_that_change_differently_is_refused(rig, widget):
    mask = segmentation()
    for selector in (widget.ui.movingMaskSelector, widget.ui.fixedMaskSelector):
        selector.setCurrentNode(mask)
    type_size(rig, widget, 10.0, moving=20.0)
    assert [volume.GetSpacing()[0] for volume in pair(widget)] == [1, 1]
    register(rig, widget)
    assert widget.ui.registerStatusLabel.text.startswith("mask: it is chosen for both volumes")
    np.testing.assert_array_equal(mask_array(mask, pair(widget)[1]), square() != 0)


@pytest.mark.parametrize("why", ["one list for both volumes", "under a transform that is not linear"])
def test_points_that_cannot_follow_are_named_by_register(rig, widget, why):
    points = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", "points")
    points.AddControlPoint(-3.0, -4.0, 0.0)
    widget.ui.fixedPointsSelector.setCurrentNode(points)
    if why == "one list for both volumes":
        widget.ui.movingPointsSelector.setCurrentNode(points)
        type_size(rig, widget, 10.0, moving=20.0)
        expected = "points: it is chosen for both volumes, whose pixel sizes change differently."
    else:
        under_a_warp(points)
        type_size(rig, widget, 10.0)
        expected = "points: it cannot follow the typed pixel size of fixed, because it is under a transform that is not linear."
    register(rig, widget)
    assert widget.ui.registerStatusLabel.text.startswith(expected), widget.ui.registerStatusLabel.text
    assert [volume.GetSpacing()[0] for volume in pair(widget)] == [1, 1]
    assert points.GetNthControlPointPosition(0) == (-3.0, -4.0, 0.0)


def test_a_volume_without_an_image_is_refused_by_name(rig, widget):
    bare = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "bare")
    mask = label_map(np.diag([-0.01, -0.01, 1.0, 1.0]))
    widget.ui.fixedVolumeSelector.setCurrentNode(bare)
    widget.ui.fixedMaskSelector.setCurrentNode(mask)
    type_size(rig, widget, 10.0)
    assert widget.ui.registerBlockedLabel.text == "Still missing: an image in the volume bare"


def test_a_label_map_with_a_size_counts_on_a_volume_without_one(rig, widget):
    mask = label_map(np.diag([-0.01, -0.01, 1.0, 1.0]))
    widget.ui.fixedMaskSelector.setCurrentNode(mask)
    register(rig, widget)
    said = widget.ui.registerStatusLabel.text
    assert said.startswith(("Registered in", "Left unchanged")), said
    before = ijk_to_ras(mask)
    widget.ui.undoRegisterButton.click()
    type_size(rig, widget, 10.0)
    np.testing.assert_allclose(ijk_to_ras(mask), before)
    assert label_array(mask).any() and pair(widget)[1].GetSpacing()[0] == pytest.approx(0.01)
