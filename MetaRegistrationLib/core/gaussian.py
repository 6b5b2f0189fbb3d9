"""Gaussian windows and their derivatives as matrix products, several times as fast as a filter that moves over the image."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy import ndimage

_BLOCK = 64  # results that are computed at once: fewer are more calls, more are more zeros
_CUT = 4.0  # standard deviations at which SciPy's windows end


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
    more, (height, width), sigma = values.shape[:-2], values.shape[-2:], float(sigma)
    lines = np.empty((*more, -(-height // every), width), np.float32)
    for found, seen, weights in _products(height, sigma, every, order[0]):
        np.matmul(weights, values[..., seen, :], out=lines[..., found, :])
    result = np.empty((*lines.shape[:-1], -(-width // every)), np.float32)
    for found, seen, weights in _products(width, sigma, every, order[1]):
        np.matmul(lines[..., seen], weights.T, out=result[..., found])
    return result


@lru_cache(maxsize=256)
def _products(length: int, sigma: float, every: int, order: int) -> list[tuple[slice, slice, np.ndarray]]:
    """For each block of results along a line: which they are, the pixels that they see, and the weights of those."""
    reach, blocks = _reach(sigma), []
    for first in range(0, length, _BLOCK * every):
        last = min(first + (_BLOCK - 1) * every, (length - 1) // every * every)
        low, high = max(first - reach, 0), min(last + reach + 1, length)
        from_start, to_end = min(first, reach), min(length - 1 - last, reach)
        weights = _weights(from_start, (last - first) // every + 1, to_end, sigma, every, order)
        blocks.append((slice(first // every, last // every + 1), slice(low, high), weights))
    return blocks


@lru_cache(maxsize=256)
def _weights(before: int, count: int, after: int, sigma: float, every: int, order: int) -> np.ndarray:
    """Weights (count, pixels) of a block of results; it sees so many pixels before and after it, fewer at the border."""
    window = _window(sigma, order)
    reach = len(window) // 2
    pixels = np.arange(before + (count - 1) * every + 1 + after)
    reflected = np.pad(pixels, reach, mode="symmetric")
    results = np.arange(count)[:, None]
    places = reflected[before + results * every + np.arange(len(window))]
    found = np.zeros((count, len(pixels)))
    np.add.at(found, (results, places), window)
    found = found.astype(np.float32)
    found.setflags(write=False)
    return found


@lru_cache(maxsize=64)
def _window(sigma: float, order: int) -> np.ndarray:
    """SciPy's window, float64 (2 reach + 1): the weight of each pixel from before a result to after it."""
    alone = np.zeros(2 * _reach(sigma) + 1)
    alone[_reach(sigma)] = 1
    return ndimage.gaussian_filter1d(alone, sigma, order=order, mode="constant")[::-1]


def _reach(sigma: float) -> int:
    return int(_CUT * sigma + 0.5)
