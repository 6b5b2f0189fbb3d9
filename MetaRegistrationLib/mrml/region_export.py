"""Regions that the user drew in the scene, as arrays: the visible segments of a segmentation, or the labels of a label map."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import slicer
import vtk

from ..core.geometry import Geometry
from ..errors import InputError
from . import scene
from .visit_nodes import VisitNodes
from .volumes import volume_geometry, volume_slices


@dataclass(frozen=True, eq=False)
class DrawnRegions:
    """Regions of a node.

    Attributes
    ----------
    masks : dict of str to bool array (H, W)
    geometry : Geometry
        Of their pixels, in the world.
    visit : str or None
        The visit on whose pixels they are; None where their position has to tell.
    """

    masks: dict[str, np.ndarray]
    geometry: Geometry
    visit: str | None = None


def regions_of(node, visits: Mapping[str, object], registered: VisitNodes | None) -> DrawnRegions:
    """The regions of a label map or a segmentation.

    Once visits are registered, the views show them on the reference: a segmentation is then taken on the reference's pixels.
    Before that, it is taken on the pixels of the volume on which it was drawn.

    Parameters
    ----------
    node : vtkMRMLLabelMapVolumeNode or vtkMRMLSegmentationNode
    visits : mapping of str to vtkMRMLScalarVolumeNode
        Visits that are volumes of the scene.
    registered : VisitNodes or None
        The same visits, where they were registered before.

    Raises
    ------
    InputError
        It holds no region, several slices, or does not tell on which volume it was drawn.
    """
    reference = None if registered is None else registered.volumes.get(registered.reference)
    if not node.IsA("vtkMRMLSegmentationNode"):
        geometry = volume_geometry(node) if volume_slices(node) else None
        masks = {} if geometry is None else _labels(node)
        on_reference = reference is not None and masks and volume_geometry(reference).same_place(geometry)
        return DrawnRegions(_some(masks, node), geometry, registered.reference if on_reference else None)
    if reference is not None:
        return DrawnRegions(_some(_segments(node, reference), node), volume_geometry(reference), registered.reference)
    source = node.GetNodeReference(node.GetReferenceImageGeometryReferenceRole())
    if source is None or not volume_slices(source):
        raise InputError(
            f"{node.GetName()}: the segmentation does not tell on which volume it was drawn. Register the visits first, or"
            " choose its source volume in the Segment Editor."
        )
    name = next((name for name, volume in visits.items() if volume is source), None)
    return DrawnRegions(_some(_segments(node, source), node), volume_geometry(source), name)


def names_of(node) -> list[str]:
    """The names that the user gave: of the node, and of its segments."""
    names = [node.GetName()]
    if node.IsA("vtkMRMLSegmentationNode"):
        segments = node.GetSegmentation()
        names += [segments.GetNthSegment(number).GetName() for number in range(segments.GetNumberOfSegments())]
    return names


def _some(masks: dict[str, np.ndarray], node) -> dict[str, np.ndarray]:
    if not masks:
        raise InputError(f"{node.GetName()}: it holds no region. Draw one, make it visible, or choose none.")
    return masks


def _labels(node) -> dict[str, np.ndarray]:
    pixels = _one_slice(node, node.GetName())
    return {f"label {value}": pixels == value for value in np.unique(pixels) if value > 0}


def _segments(node, volume) -> dict[str, np.ndarray]:
    """The visible segments that are not empty, on the pixels of a volume."""
    segmentation, display = node.GetSegmentation(), node.GetDisplayNode()
    found: dict[str, np.ndarray] = {}
    for number in range(segmentation.GetNumberOfSegments()):
        identifier = segmentation.GetNthSegmentID(number)
        if display is not None and not display.GetSegmentVisibility(identifier):
            continue
        mask = _segment(node, identifier, volume)
        name = segmentation.GetSegment(identifier).GetName().strip()
        if name in found:
            raise InputError(f"{node.GetName()}: two regions are called {name!r}. Rename one.")
        if mask is not None and mask.any():
            found[name] = mask
    return found


def _segment(node, identifier: str, volume) -> np.ndarray | None:
    """One segment (H, W), by itself: segments may overlap."""
    wanted = vtk.vtkStringArray()
    wanted.InsertNextValue(identifier)
    with scene.without_what_is_added():
        labels = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode", node.GetName())
        logic = slicer.modules.segmentations.logic()
        if not logic.ExportSegmentsToLabelmapNode(node, wanted, labels, volume) or not volume_slices(labels):
            return None
        return _one_slice(labels, node.GetName()) != 0


def _one_slice(node, name: str) -> np.ndarray:
    if volume_slices(node) != 1:
        raise InputError(f"{name}: regions of one slice were expected, but it has {volume_slices(node)} slices.")
    return slicer.util.arrayFromVolume(node)[0]
