"""The segments of a segmentation: their label maps, and the pixels of these."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import slicer
import vtk

_TOLERANCE = 1e-3  # of a pixel


class Drawn(NamedTuple):
    """A segment with what it is stored as: a label map, a surface, or None."""

    name: str
    stored: vtk.vtkDataObject | None


def drawn_segments(node) -> list[Drawn]:
    """The segments of a segmentation node, in their order."""
    segmentation = node.GetSegmentation()
    source = segmentation.GetSourceRepresentationName()
    numbers = range(segmentation.GetNumberOfSegments())
    return [
        Drawn(segmentation.GetNthSegmentID(number), segmentation.GetNthSegment(number).GetRepresentation(source))
        for number in numbers
    ]


def have_pixels_of(node, ijk_to_own: np.ndarray) -> bool | None:
    """Whether all drawn segments have pixels of a size and direction, mirrored or not; None where nothing is drawn.

    Parameters
    ----------
    node : vtkMRMLSegmentationNode
    ijk_to_own : array (4, 4)
        From indices of pixels to the own coordinates of the node.
    """
    stored = [each.stored for each in drawn_segments(node) if each.stored is not None and not _is_empty(each.stored)]
    if not stored:
        return None
    return all(each.IsA("vtkOrientedImageData") and _has_pixels(each, ijk_to_own) for each in stored)


def move_segments(node, matrix: np.ndarray) -> None:
    """Move the segments of a segmentation node in its own coordinates, with their pixels."""
    node.ApplyTransformMatrix(slicer.util.vtkMatrixFromArray(matrix))
    node.InvokeCustomModifiedEvent(node.TransformModifiedEvent)  # the views do not hear of the segments themselves


def image_to_own(stored) -> np.ndarray:
    """Matrix (4, 4) from indices of the label map of a segment to the own coordinates of its node."""
    matrix = vtk.vtkMatrix4x4()
    stored.GetImageToWorldMatrix(matrix)
    return slicer.util.arrayFromVTKMatrix(matrix)


def _is_empty(stored) -> bool:
    return stored.GetNumberOfPoints() == 0


def _has_pixels(stored, ijk_to_own: np.ndarray) -> bool:
    axes = (np.linalg.inv(ijk_to_own) @ image_to_own(stored))[:3, :3]
    return bool(np.allclose(np.abs(axes), np.eye(3), rtol=0, atol=_TOLERANCE))
