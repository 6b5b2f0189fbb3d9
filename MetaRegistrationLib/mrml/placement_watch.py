"""Notices when one of several nodes is moved, or a volume or a segmentation gets other pixels."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import slicer
import vtk

from .mask_versions import mask_content
from .transform_checksum import transform_checksum
from .volumes import ijk_to_ras

_DELAY_MS = 30  # a transform that is dragged changes often


class PlacementWatch:
    """Calls a function a moment after nodes are moved, by their own geometry or by transforms above them, or get other pixels.

    A segmentation gets other pixels when its segments are edited, shown or hidden.

    Parameters
    ----------
    moved : callable without arguments
    later : callable
        Takes milliseconds and a function.
    """

    def __init__(self, moved: Callable[[], None], later: Callable[[int, Callable[[], None]], None]) -> None:
        self._moved, self._later = moved, later
        self._tags: dict[Any, list[int]] = {}
        self._seen: list = []
        self._waiting = False

    def follow(self, nodes: Iterable[Any]) -> None:
        """Watch these nodes (or None) from now on, as they are now."""
        wanted = list(dict.fromkeys(node for node in nodes if node is not None))
        if wanted != list(self._tags):
            self.close()
            self._tags = {node: [node.AddObserver(event, self._notice) for event in _events(node)] for node in wanted}
        self._seen = self._state()

    def close(self) -> None:
        """Watch no more."""
        for node, tags in self._tags.items():
            for tag in tags:
                node.RemoveObserver(tag)
        self._tags, self._seen = {}, []

    def _notice(self, caller, event) -> None:
        if not self._waiting:
            self._waiting = True
            self._later(_DELAY_MS, self._compare)

    def _compare(self) -> None:
        self._waiting = False
        if self._tags and self._state() != self._seen:
            self._moved()

    def _state(self) -> list:
        return [_places(node) for node in self._tags]


def _events(node) -> list[int]:
    events = [vtk.vtkCommand.ModifiedEvent, slicer.vtkMRMLTransformableNode.TransformModifiedEvent]
    if node.IsA("vtkMRMLVolumeNode"):
        return [*events, slicer.vtkMRMLVolumeNode.ImageDataModifiedEvent]
    return [*events, *_segment_events()] if node.IsA("vtkMRMLSegmentationNode") else events


def _segment_events() -> list[int]:
    """What a segmentation node passes on of its segments and of their display; it is not modified itself by these."""
    of = slicer.vtkSegmentation
    edited = [of.SourceRepresentationModified, of.SegmentAdded, of.SegmentRemoved, of.SegmentModified]
    return [*edited, slicer.vtkMRMLDisplayableNode.DisplayModifiedEvent]


def _places(node) -> list[tuple]:
    """A node and all transforms above it, each with its own place."""
    places = []
    while node is not None:
        places.append((node.GetID(), *_place(node)))
        node = node.GetParentTransformNode()
    return places


def _place(node) -> tuple:
    if node.IsA("vtkMRMLVolumeNode"):
        image = node.GetImageData()
        pixels = () if image is None else (image.GetDimensions(), image.GetMTime())
        return (pixels, *ijk_to_ras(node).ravel().tolist())
    if node.IsA("vtkMRMLSegmentationNode"):
        return mask_content(node)
    if not node.IsA("vtkMRMLTransformNode"):
        return ()
    if node.IsLinear():
        matrix = vtk.vtkMatrix4x4()
        node.GetMatrixTransformToParent(matrix)
        return tuple(slicer.util.arrayFromVTKMatrix(matrix).ravel().tolist())
    return (transform_checksum(node),)
