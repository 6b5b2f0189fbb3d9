"""Pixel sizes that the user gives volumes, and those of their own, which come back when nothing is given."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..core.geometry import Geometry
from ..formats.units import possible_pixel_um
from .noted_numbers import length_from_text
from .volumes import GIVEN_ATTRIBUTE, OWN_SIZE_ATTRIBUTE, ijk_to_ras, spacing_known

_SAME = 1e-6  # relative: files of a scene round


def set_pixel_size(node, micrometres: float | None, *, forced: bool = False) -> bool:
    """Give a volume without a pixel size (if `forced`, any volume) one, or its own back; return whether its size changed.

    Its position and its slice spacing stay. Its own size is noted on it. It comes back without `micrometres`, and where it is
    known and nothing is forced. A size that somebody else gave since is its own.

    Point lists that were placed on the volume before do not move with it.
    """
    if not _has_given_size(node):
        _note_size(node, None, None)  # notes on a size that it no longer has
    size = _size_to_give(node, micrometres, forced=forced)
    if size is None:
        return False
    own = own_size(node)
    node.SetSpacing(*size, node.GetSpacing()[2])
    if own == size:
        _note_size(node, None, None)
    else:
        _note_size(node, size[0], own)
    return True


def _note_size(node, given: float | None, own: tuple[float, float] | None) -> None:
    """Note the given size of a volume and its own (columns, rows), mm. None removes a note."""
    node.SetAttribute(GIVEN_ATTRIBUTE, None if given is None else repr(given))
    node.SetAttribute(OWN_SIZE_ATTRIBUTE, None if own is None else " ".join(map(repr, own)))


def own_size(node) -> tuple[float, float] | None:
    """Distance of the columns and of the rows of a volume, mm, without a given size; None if a scene does not say it."""
    if not _has_given_size(node):
        return node.GetSpacing()[:2]
    sizes = [length_from_text(word) for word in (node.GetAttribute(OWN_SIZE_ATTRIBUTE) or "").split()]
    return tuple(sizes) if len(sizes) == 2 and all(sizes) else None


def without_given_size(node, geometry: Geometry) -> Geometry:
    """The geometry of a volume as it was before `set_pixel_size`, with which other programs wrote its landmarks."""
    if not _has_given_size(node):
        return geometry
    columns, rows = own_size(node) or (1.0, 1.0)
    return replace(geometry, spacing=(rows, columns), spacing_known=spacing_known(node, (columns, rows)))


def give_pixel_sizes(nodes, sizes) -> bool:
    """Give a moving and a fixed volume their `PixelSizes`; return whether one changed."""
    changed = [
        set_pixel_size(node, size, forced=forced)
        for node, size, forced in zip(nodes, sizes.of_each, sizes.forced, strict=True)
    ]
    return any(changed)


def planned_ijk_to_ras(nodes, sizes) -> list[np.ndarray]:
    """The matrices that a moving and a fixed volume get by `give_pixel_sizes`."""
    matrices = []
    for node, micrometres, forced in zip(nodes, sizes.of_each, sizes.forced, strict=True):
        size = _size_to_give(node, micrometres, forced=forced)
        scale = (1.0, 1.0) if size is None else np.divide(size, node.GetSpacing()[:2])
        matrices.append(ijk_to_ras(node) @ np.diag([*scale, 1.0, 1.0]))
    return matrices


def _size_to_give(node, micrometres: float | None, *, forced: bool) -> tuple[float, float] | None:
    """The size (columns, rows), mm, that `set_pixel_size` gives; None where it leaves the volume as it is."""
    own = own_size(node)
    if micrometres is None:
        wanted = own
    else:
        size = possible_pixel_um(micrometres, node.GetName()) / 1000
        keeps_own = not forced and own is not None and spacing_known(node, own)
        wanted = own if keeps_own else (size, size)
    return None if wanted is None or np.allclose(wanted, node.GetSpacing()[:2], rtol=_SAME, atol=0) else wanted


def _has_given_size(node) -> bool:
    """Whether a volume has the size that it was given here: nobody else has changed it since."""
    given = length_from_text(node.GetAttribute(GIVEN_ATTRIBUTE) or "")
    return given is not None and np.allclose(node.GetSpacing()[:2], given, rtol=_SAME, atol=0)
