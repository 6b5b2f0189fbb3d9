"""Slices of results whose volumes Slicer has turned around: it reverses the slices of left-handed stacks on reading."""

from __future__ import annotations

from typing import NamedTuple

import slicer

from .changed_volumes import geometry_for
from .pixel_checksum import slice_checksum
from .registration_node import RegistrationNode
from .volumes import volume_slices


class Restored(NamedTuple):
    """A result whose slices have other numbers now, of the moving and the fixed volume."""

    node: object
    before: tuple[int, int]
    now: tuple[int, int]


def restore_slices() -> list[Restored]:
    """Note on the results of a reloaded scene at which number their slices are now, by place and pixels."""
    found = []
    for class_name in ("vtkMRMLTransformNode", "vtkMRMLScalarVolumeNode"):
        for node in slicer.util.getNodesByClass(class_name):
            result = RegistrationNode(node)
            if not result.tells_positions:
                continue
            before = result.slices
            now = _slices_now(result)
            if now is not None and now != before:
                result.note_grid(result.grid_size, *now)
                found.append(Restored(node, before, now))
    return found


def _slices_now(result: RegistrationNode) -> tuple[int, int] | None:
    """None where a result does not say how its slices were, or where one is not found."""
    pair = result.pair
    if None in pair or result.geometry is None or None in result.pixels:
        return None
    found = []
    for volume, index, place, pixels in zip(pair, result.slices, result.geometry, result.pixels, strict=True):
        numbers = range(volume_slices(volume))
        # The noted one first: nothing is looked for where nothing has changed.
        order = sorted(numbers, key=lambda number: number != index)
        same = (number for number in order if _is(result.node, volume, number, place, pixels))
        found.append(next(same, None))
    return None if None in found else (found[0], found[1])


def _is(result_node, volume, number: int, place, pixels: str) -> bool:
    now = geometry_for(result_node, volume, number)
    return now is not None and place.same_place(now) and slice_checksum(volume, number) == pixels
