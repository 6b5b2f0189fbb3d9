"""Gaussian windows and their derivatives as matrix products, several times as fast as a filter that moves over the image."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy import ndimage

_SHORT, _WIDER = 800, 150  # pixels of a side, and more of them for each pixel of sigma, up to which products are faster
_LONGEST = 2048  # pixels of a side; beyond, the matrices are too large


def gaussian(values: np.ndarray, sigma: float, every: int = 1, *, order: tuple[int, int] = (0, 0)) -> np.ndarray:
    """What `scipy.ndimage.gaussian_filter` gives of an image, up to rounding; reflected at the border.

    Parameters
    ----------
    values : array (..., H, W)
        One image or several.
    sigma : float
        Standard deviation of the window, pixels.
    every : int
        Only every so many rows and columns are computed, from the first one on.
    order : (int, int)
        The derivative along rows and along columns: 0 smooths.

    Returns
    -------
    float32 array (..., H / every, W / every), rounded up
    """
    values = np.asarray(values, np.float32)
    height, width = values.shape[-2:]
    if max(height, width) > min(_SHORT + _WIDER * sigma, _LONGEST):
        more = (0,) * (values.ndim - 2)
        found = ndimage.gaussian_filter(values, (*more, sigma, sigma), (*more, *order))
        return found[..., ::every, ::every]
    rows, columns = (_matrix(length, float(sigma), every, n) for length, n in zip((height, width), order, strict=True))
    return rows @ values @ columns.T


@lru_cache(maxsize=48)
def _matrix(length: int, sigma: float, every: int, order: int) -> np.ndarray:
    """Weights (length / every, length) of the pixels of a line in each result."""
    found = ndimage.gaussian_filter1d(np.eye(length), sigma, axis=0, order=order)[::every].astype(np.float32)
    found.setflags(write=False)
    return found
