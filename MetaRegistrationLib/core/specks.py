"""Unknown pixels one by one or in thin lines: they are filled, since a filter around each would lose much of the image."""

from __future__ import annotations

import numpy as np

from .gaussian import gaussian
from .opening import opened

_WIDE = 3  # pixels: what holds a square of this side is an area
_SIGMA = 1.0  # pixels, of the neighbourhood


def without_specks(array: np.ndarray) -> np.ndarray:
    """An image (H, W) whose specks of pixels that are not finite have the mean of their neighbourhood.

    Areas, and pixels of which less than half of the neighbourhood is finite, stay unknown. An image without specks is returned
    as it is.
    """
    known = np.isfinite(array)
    if known.all():
        return array
    share = gaussian(known, _SIGMA)
    specks = ~known & ~opened(~known, _WIDE, _WIDE) & (share >= 0.5)
    if not specks.any():
        return array
    result = np.array(array, dtype=np.float32)
    result[specks] = gaussian(np.where(known, array, 0), _SIGMA)[specks] / share[specks]
    return result
