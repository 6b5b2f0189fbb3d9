"""Masks in the scene: those that the user drew or loaded, and the tissue mask of a registration."""

from __future__ import annotations

import numpy as np
import slicer

from ..core.geometry import Geometry
from . import scene
from .label_pixels import label_array
from .placement import is_under, linear_to_world
from .volumes import ijk_to_ras, place_image

_FIELD_OF_VIEW_ROLE = "MetaRegistration.FieldOfViewOf"
_COLOURS = "vtkMRMLColorTableNodeLabels"  # Slicer's own; 1 is blue, 0 is transparent
_OUTLINE = 2  # screen pixels


def mask_array(mask_node, volume, *, without=None) -> np.ndarray | None:
    """Where a mask is not zero, bool (slices, H, W); None where the node holds none.

    Parameters
    ----------
    mask_node : vtkMRMLLabelMapVolumeNode or vtkMRMLSegmentationNode
        The visible segments of a segmentation are used, resampled to the grid of `volume`. A label map is in its own order
        (see `on_pixels_of`).
    volume : vtkMRMLVolumeNode
        The masked image.
    without : vtkMRMLTransformNode, optional
        As in `image_from_volume`.
    """
    if not mask_node.IsA("vtkMRMLSegmentationNode"):
        return label_array(mask_node)
    with scene.without_what_is_added():
        labels = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode", mask_node.GetName())
        if not export_segments(mask_node, labels, _grid_of(volume, mask_node, without)):
            return None
        return label_array(labels)


def hides_all(mask_node) -> bool:
    """Whether a segmentation has segments and shows none of them."""
    if not mask_node.IsA("vtkMRMLSegmentationNode") or mask_node.GetDisplayNode() is None:
        return False
    segments, display = mask_node.GetSegmentation(), mask_node.GetDisplayNode()
    names = [segments.GetNthSegmentID(number) for number in range(segments.GetNumberOfSegments())]
    return bool(names) and not any(map(display.GetSegmentVisibility, names))


def export_segments(segmentation, labels, reference) -> bool:
    """Resample the visible segments of a segmentation to a label map on the grid of `reference`; return whether it worked.

    Slicer takes all segments where none is visible: callers refuse a segmentation that `hides_all`.
    """
    if segmentation.GetSegmentation().GetNumberOfSegments() == 0:  # Slicer would complain
        return False
    logic = slicer.modules.segmentations.logic()
    return bool(logic.ExportVisibleSegmentsToLabelmapNode(segmentation, labels, reference))


def label_map(mask: np.ndarray, geometry: Geometry, name: str):
    """A new label map of one slice: 1 where `mask` (H, W) holds, 0 elsewhere."""
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode", name)
    _fill(node, mask, geometry)
    return node


def note_field_of_view(
    fixed_node, tissue: np.ndarray | None, geometry: Geometry, name: str, *, moving_mask=None, fixed_mask=None
) -> None:
    """Store the tissue mask of a fixed volume in the scene, unless it is everywhere.

    Parameters
    ----------
    fixed_node : vtkMRMLVolumeNode
    tissue : bool array (H, W) or None
        None stands for everywhere.
    geometry : Geometry
        Of the slice, in the world.
    name : str
        Of a new label map; an earlier one of this volume is used again.
    moving_mask, fixed_mask : nodes, optional
        The masks that the user chose; they are not changed.
    """
    node = field_of_view(fixed_node)
    if node is not None and node is fixed_mask:
        return
    if node is not None and node is moving_mask:
        node.SetNodeReferenceID(_FIELD_OF_VIEW_ROLE, None)  # it is the user's from now on
        node = None
    if tissue is None or tissue.all():
        if node is not None:
            slicer.mrmlScene.RemoveNode(node.GetDisplayNode())
            slicer.mrmlScene.RemoveNode(node)
        return
    if node is None:
        node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode", name)
    _fill(node, tissue, geometry)
    node.SetNodeReferenceID(_FIELD_OF_VIEW_ROLE, fixed_node.GetID())


def field_of_view(fixed_node):
    """The tissue mask of a fixed volume in its latest registration, a label map or None."""
    if fixed_node is None:
        return None
    nodes = slicer.util.getNodesByClass("vtkMRMLLabelMapVolumeNode")
    return next((node for node in nodes if node.GetNodeReference(_FIELD_OF_VIEW_ROLE) is fixed_node), None)


def _grid_of(volume, segmentation, without):
    """The volume, or its grid before the transform `without`, if the segmentation is not under that."""
    if without is None or not is_under(volume, without) or is_under(segmentation, without):
        return volume
    grid = slicer.vtkMRMLScalarVolumeNode()
    grid.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(linear_to_world(volume, without) @ ijk_to_ras(volume)))
    grid.SetAndObserveImageData(volume.GetImageData())
    return grid


def _fill(node, mask: np.ndarray, geometry: Geometry) -> None:
    place_image(node, mask.astype(np.uint8), geometry)
    node.CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()
    if slicer.mrmlScene.GetNodeByID(_COLOURS) is not None:
        display.SetAndObserveColorNodeID(_COLOURS)
    display.SetSliceIntersectionThickness(_OUTLINE)
