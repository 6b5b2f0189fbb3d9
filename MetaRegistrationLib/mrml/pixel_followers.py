"""Pixel sizes that the user gives: the point list and the label map of a volume stay on their pixels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
import slicer

from . import volumes
from .changed_volumes import registration_above
from .label_pixels import label_array, on_pixels_of
from .markups import defined_points
from .placement import linear_to_world
from .volumes import ijk_to_ras, spacing_known


class Side(NamedTuple):
    """The moving or the fixed volume with its point list and its mask, or None."""

    volume: Any
    points: Any = None
    mask: Any = None


def give_pixel_sizes(sides: Sequence[Side], sizes) -> bool:
    """Give a moving and a fixed volume their `PixelSizes`; return whether one changed.

    Nothing is changed where points could not follow: one list for both volumes, or a non-linear transform of its own.
    """
    moving, fixed = (side.points for side in sides)
    if moving is fixed is not None:
        return False
    if any(side.points is not None and _between(side.volume, side.points) is None for side in sides):
        return False
    with on_their_pixels(sides):
        return volumes.give_pixel_sizes([side.volume for side in sides], sizes)


def still_there(side: Side) -> Side | None:
    """What of a side is still in the scene; None without its volume."""
    volume, *followers = side
    if volume.GetScene() is None:
        return None
    return Side(volume, *(node if node is not None and node.GetScene() is not None else None for node in followers))


@contextmanager
def on_their_pixels(sides: Sequence[Side]) -> Iterator[None]:
    """Move points and label maps with the pixels of their volume where its pixel size is changed inside."""
    before = [(side, ijk_to_ras(side.volume), _has_mask(side)) for side in sides]
    try:
        yield
    finally:
        for (volume, points, mask), matrix, has_mask in before:
            change = ijk_to_ras(volume) @ np.linalg.inv(matrix)
            if np.allclose(change, np.eye(4), atol=1e-12):
                continue
            if points is not None:
                _move_points(points, change, _between(volume, points))
            if has_mask:
                to_volume = _between(volume, mask)
                moved = np.linalg.inv(to_volume) @ change @ to_volume @ ijk_to_ras(mask)
                mask.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(moved))


def _between(volume, node) -> np.ndarray | None:
    """From a node's own coordinates to those of a volume, without its registration; None where that is not linear."""
    if volume.GetParentTransformNode() is node.GetParentTransformNode():
        return np.eye(4)
    without = registration_above(volume)
    of_node, of_volume = linear_to_world(node, without), linear_to_world(volume, without)
    return None if of_node is None or of_volume is None else np.linalg.inv(of_volume) @ of_node


def _has_mask(side: Side) -> bool:
    """Whether the mask is a label map that has a position, on the pixels of the volume."""
    volume, mask = side.volume, side.mask
    if mask is None or not mask.IsA("vtkMRMLLabelMapVolumeNode") or not spacing_known(mask):
        return False
    array = label_array(mask)
    if array is None or array.shape[::-1] != volume.GetImageData().GetDimensions():
        return False
    return on_pixels_of(volume, mask, array, without=registration_above(volume)) is not None


def _move_points(points, change: np.ndarray, to_volume: np.ndarray | None) -> None:
    if to_volume is None:
        return
    matrix = np.linalg.inv(to_volume) @ change @ to_volume
    with slicer.util.NodeModify(points):
        for index in defined_points(points):
            position = matrix @ (*points.GetNthControlPointPosition(index), 1.0)
            points.SetNthControlPointPosition(index, *position[:3].tolist())
