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

from ..core.gaussian import gaussian
from .no_signal import signal
from .sampling import sampled
from .series import AlignedVisit

_AVERAGED_FROM = 1.25  # pixels of an image for one of the coarsest
_SEEN = 0.999  # of a pixel, for it to show tissue


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
    factor = size * _step(entry)
    if factor <= _AVERAGED_FROM:
        return OwnPixels(array, valid, pixel, entry.positions, reference)
    factor, values, seen = _averaged(array, valid, factor)
    positions = ((entry.positions + 0.5) / factor - 0.5).astype(np.float32)
    return OwnPixels(values, seen, None if pixel is None else pixel * factor, positions, reference)


def _averaged(array: np.ndarray, valid: np.ndarray, factor: float) -> tuple[float, np.ndarray, np.ndarray]:
    """An image and its tissue on pixels about `factor` times as large, and by how much they are larger.

    Below 1.5 there are no whole squares; the image is smoothed and interpolated.
    """
    number = min(round(factor), *array.shape)
    if number > 1:
        seen = _squares(valid, number).all(axis=(1, 3))
        return number, np.where(seen, _squares(array, number).mean(axis=(1, 3)), np.float32(0)), seen
    smooth = gaussian(np.where(valid, array, 0), 0.5 * math.sqrt(factor**2 - 1))
    places = np.stack(
        np.meshgrid(*(np.arange(factor / 2 - 0.5, side - 1, factor) for side in array.shape), indexing="ij"), axis=-1
    )
    values, shown = sampled([smooth, valid], places)
    return factor, values, shown > _SEEN


def _squares(array: np.ndarray, number: int) -> np.ndarray:
    """An image as squares of `number` pixels a side, (rows, number, columns, number), without incomplete ones."""
    rows, columns = (side // number for side in array.shape)
    return array[: rows * number, : columns * number].reshape(rows, number, columns, number)


def _step(entry: AlignedVisit) -> float:
    """Pixels of a visit along one of the reference."""
    return math.sqrt(abs(entry.area))
