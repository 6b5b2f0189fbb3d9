"""Linear interpolation between the centres of pixels that each stand for a block of others."""

from __future__ import annotations

from functools import lru_cache

import numpy as np


def enlarged(part: np.ndarray, step: int, shape: tuple[int, int]) -> np.ndarray:
    """An image of `shape`, float64, from one whose pixels each stand for `step` pixels a side.

    Beyond the outer centres it is constant along the axis.
    """
    if step == 1:
        return part
    rows, columns = (_between(extent, n, step) for extent, n in zip(shape, part.shape, strict=True))
    return rows @ part @ columns.T


@lru_cache(maxsize=16)
def _between(extent: int, count: int, step: int) -> np.ndarray:
    """Weights (extent, count) of the pixels along an axis."""
    places = np.clip((np.arange(extent) + 0.5) / step - 0.5, 0, count - 1)
    return np.maximum(1 - np.abs(places[:, None] - np.arange(count)), 0)
