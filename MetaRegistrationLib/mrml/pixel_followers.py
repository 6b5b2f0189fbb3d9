"""Pixel sizes that the user gives or removes: the point list and the mask of a volume stay on their pixels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
import slicer

from ..errors import InputError
from . import given_sizes
from .changed_volumes import registration_above
from .chosen_nodes import chosen_with
from .label_pixels import at_pixels_of, label_array
from .markups import defined_points
from .relative_place import node_to_volume
from .segments import have_pixels_of, move_segments
from .volumes import ijk_to_ras, spacing_known, volume_slices


class Side(NamedTuple):
    """The moving or the fixed volume with its point list and its mask, or None."""

    volume: Any
    points: Any = None
    mask: Any = None


def give_pixel_sizes(sides: Sequence[Side], sizes) -> bool:
    """Give a moving and a fixed volume their `PixelSizes`; return whether one changed.

    Raises
    ------
    InputError
        A point list or a mask could not follow: it is under a non-linear transform of its own, or of both volumes, which change
        differently, or a segmentation of other pixels. Nothing is changed.
    """
    nodes = [side.volume for side in sides]
    if nodes[0] is nodes[1]:
        return False
    found: dict[Any, np.ndarray] = {}
    for side, after in zip(sides, given_sizes.planned_ijk_to_ras(nodes, sizes), strict=True):
        change = _change(ijk_to_ras(side.volume), after)
        _check_segments(side, after, change)
        for node in _followers(side):
            matrix = _in_own_coordinates(side.volume, node, change)
            if not np.allclose(found.setdefault(node, matrix), matrix):
                raise InputError(
                    f"{node.GetName()}: it is chosen for both volumes, whose pixel sizes change differently. Choose another"
                    " one for one of them, or type no pixel size."
                )
    with on_their_pixels(sides):
        return given_sizes.give_pixel_sizes(nodes, sizes)


def still_there(side: Side) -> Side | None:
    """What of a side is still in the scene; None without its volume."""
    volume, *followers = side
    if volume.GetScene() is None:
        return None
    return Side(volume, *(node if node is not None and node.GetScene() is not None else None for node in followers))


@contextmanager
def on_their_pixels(sides: Sequence[Side]) -> Iterator[None]:
    """Move points and masks with the pixels of their volume where its pixel size is changed inside."""
    # One node that is chosen for both volumes is moved once.
    before = {node: (side.volume, ijk_to_ras(side.volume)) for side in sides for node in _followers(side)}
    try:
        yield
    finally:
        for node, (volume, matrix) in before.items():
            change = _change(matrix, ijk_to_ras(volume))
            if not _is_none(change) and node_to_volume(volume, node) is not None:
                _move(node, _in_own_coordinates(volume, node, change))


def _change(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """From where a pixel was to where it is, in the coordinates of its volume."""
    return after @ np.linalg.inv(before)


def _is_none(change: np.ndarray) -> bool:
    return np.allclose(change, np.eye(4), atol=1e-12)


def _followers(side: Side) -> list:
    """The point lists and the masks on the pixels of the volume: those that are chosen, and those of its other pairs."""
    known = dict.fromkeys((side.points, side.mask, *chosen_with(side.volume)))
    lists = [node for node in known if node is not None and node.IsA("vtkMRMLMarkupsFiducialNode")]
    others = (node for node in known if node is not None and node not in lists)
    return [*lists, *(node for node in others if _is_on_pixels(side.volume, node))]


def _is_on_pixels(volume, mask) -> bool:
    if volume_slices(volume) == 0:
        return False
    if mask.IsA("vtkMRMLSegmentationNode"):
        return bool(_segments_on(volume, mask, ijk_to_ras(volume)))
    array = label_array(mask) if spacing_known(mask) else None  # without a pixel size it has no position
    if array is None or array.shape[::-1] != volume.GetImageData().GetDimensions():
        return False
    return at_pixels_of(volume, mask, array, without=registration_above(volume)) is not None


def _segments_on(volume, mask, matrix: np.ndarray) -> bool | None:
    """Whether the segments have the pixels that a volume has with an IJK-to-RAS matrix; None where nothing is drawn."""
    to_volume = node_to_volume(volume, mask)
    return False if to_volume is None else have_pixels_of(mask, np.linalg.inv(to_volume) @ matrix)


def _check_segments(side: Side, after: np.ndarray, change: np.ndarray) -> None:
    """Refuse segments that may be drawn on the pixels as they are, or in true size."""
    volume, mask = side.volume, side.mask
    if mask is None or not mask.IsA("vtkMRMLSegmentationNode") or _is_none(change) or volume_slices(volume) == 0:
        return
    _in_own_coordinates(volume, mask, change)
    # None where nothing is drawn.
    if any(_segments_on(volume, mask, matrix) in (True, None) for matrix in (ijk_to_ras(volume), after)):
        return
    raise InputError(
        f"{mask.GetName()}: its segments have other pixels than {volume.GetName()}, so that they cannot follow the typed pixel"
        f" size. Export them to a label map on the pixels of {volume.GetName()}, or choose no mask."
    )


def _in_own_coordinates(volume, node, change: np.ndarray) -> np.ndarray:
    """What moves a node with the pixels of a volume, in the coordinates of the node."""
    if _is_none(change):
        return np.eye(4)
    to_volume = node_to_volume(volume, node)
    if to_volume is None:
        raise InputError(
            f"{node.GetName()}: it cannot follow the typed pixel size of {volume.GetName()}, because it is under a transform that"
            " is not linear. Harden the transform in the Data module, or take the node out of it."
        )
    return np.linalg.inv(to_volume) @ change @ to_volume


def _move(node, matrix: np.ndarray) -> None:
    if node.IsA("vtkMRMLSegmentationNode"):
        move_segments(node, matrix)
    elif node.IsA("vtkMRMLVolumeNode"):
        node.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(matrix @ ijk_to_ras(node)))
    else:
        with slicer.util.NodeModify(node):
            for index in defined_points(node):
                position = matrix @ (*node.GetNthControlPointPosition(index), 1.0)
                node.SetNthControlPointPosition(index, *position[:3].tolist())
