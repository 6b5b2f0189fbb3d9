"""A visit on pixels of its own, of one size in all visits that are compared.

The texture of an image depends on the size of its pixels. Finer pixels are averaged over squares of whole pixels, as near as
possible to the size of the coarsest visit, before anything is computed from them. An image that its device interpolated has less
texture even then, so that densities of visits with unlike pixels are not compared (`unlike_pixels`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from .no_signal import signal
from .sampling import sampled
from .series import AlignedVisit

SAME_SIZE = 1.25
"""Pixels whose sizes differ by a smaller factor count as equal."""


@dataclass(frozen=True, eq=False)
class OwnPixels:
    """An image that is computed with, before it is brought to the reference.

    Attributes
    ----------
    array : float32 array (h, w)
    valid : bool array (h, w)
        Tissue with signal.
    pixel_mm : float or None
        Distance between pixels, as the file states it.
    positions : float32 array (H, W, 2)
        Position of each pixel of the reference, (row, column).
    reference_mm : float or None
        Distance between pixels of the reference, by the alignment.
    """

    array: np.ndarray
    valid: np.ndarray
    pixel_mm: float | None
    positions: np.ndarray
    reference_mm: float | None

    def on_reference(self, maps) -> np.ndarray:
        """Maps of these pixels on those of the reference, float32 (N, H, W)."""
        return sampled(maps, self.positions)


def coarsest(entries: Iterable[AlignedVisit]) -> float:
    """The size of the largest pixels of aligned visits, in pixels of the reference."""
    return max(size_of(entry) for entry in entries)


def size_of(entry: AlignedVisit) -> float:
    """The size of the pixels of an aligned visit, in pixels of the reference."""
    return 1 / max(_step(entry), 1e-6)


def own_pixels(entry: AlignedVisit, size: float) -> OwnPixels:
    """The pixels of a visit, averaged if they are much smaller than `size` pixels of the reference."""
    array, valid = signal(entry.visit.image)
    geometry = entry.visit.image.geometry
    pixel = math.sqrt(math.prod(geometry.spacing)) if geometry.spacing_known else None
    reference = None if pixel is None else pixel * _step(entry)
    number = min(round(size * _step(entry)), *array.shape)
    if number <= 1:
        return OwnPixels(array, valid, pixel, entry.positions, reference)
    positions = ((entry.positions + 0.5) / number - 0.5).astype(np.float32)
    seen = _squares(valid, number).all(axis=(1, 3))
    values = np.where(seen, _squares(array, number).mean(axis=(1, 3)), np.float32(0))
    return OwnPixels(values, seen, None if pixel is None else pixel * number, positions, reference)


def _squares(array: np.ndarray, number: int) -> np.ndarray:
    """An image as squares of `number` pixels a side, (rows, number, columns, number); what is left over is cut off."""
    rows, columns = (side // number for side in array.shape)
    return array[: rows * number, : columns * number].reshape(rows, number, columns, number)


def _step(entry: AlignedVisit) -> float:
    """Pixels of a visit along one of the reference."""
    return math.sqrt(abs(entry.area))
