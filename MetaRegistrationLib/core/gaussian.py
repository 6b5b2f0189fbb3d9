"""Wide Gaussian windows as matrix products, several times as fast as a filter that moves over the image."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy import ndimage

_WIDE = 2.5  # pixels; narrower windows are faster as filters
_TRUNCATED = 4.0  # standard deviations from the middle, as in SciPy
_LONGEST = 2048  # pixels of a side; beyond, the matrices are too large


def gaussian(values: np.ndarray, sigma: float, every: int = 1) -> np.ndarray:
    """What `scipy.ndimage.gaussian_filter` gives of an image, up to rounding; reflected at the border.

    Parameters
    ----------
    values : array (..., H, W)
        One image or several.
    sigma : float
        Standard deviation of the window, pixels.
    every : int
        Only every so many rows and columns are computed, from the first one on.

    Returns
    -------
    float32 array (..., H / every, W / every), rounded up
    """
    values = np.asarray(values, np.float32)
    height, width = values.shape[-2:]
    if sigma < _WIDE or max(height, width) > _LONGEST:
        found = ndimage.gaussian_filter(values, (0.0,) * (values.ndim - 2) + (sigma, sigma))
        return found[..., ::every, ::every]
    rows, columns = (_matrix(length, float(sigma), every) for length in (height, width))
    return rows @ values @ columns.T


@lru_cache(maxsize=32)
def _matrix(length: int, sigma: float, every: int) -> np.ndarray:
    """Weights (length / every, length) of the pixels of a line in each mean."""
    radius = int(_TRUNCATED * sigma + 0.5)
    offsets = np.arange(-radius, radius + 1)
    weights = np.exp(-0.5 * (offsets / sigma) ** 2)
    places = np.arange(0, length, every)
    found = np.zeros((len(places), length))
    for offset, weight in zip(offsets, weights / weights.sum(), strict=True):
        reached = (places + offset) % (2 * length)
        found[np.arange(len(places)), np.minimum(reached, 2 * length - 1 - reached)] += weight
    found = found.astype(np.float32)
    found.setflags(write=False)
    return found
