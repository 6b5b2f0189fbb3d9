"""Smooth random fields: Gaussian values on a coarse grid of control points, joined by cubic B-splines."""

from __future__ import annotations

from functools import lru_cache

import numpy as np


@lru_cache(maxsize=32)
def _spline_basis(size: int, spacing_px: float) -> np.ndarray:
    """Weights (size, control points) of the uniform cubic B-spline, scaled to keep the variance of the values."""
    position = np.arange(size) / spacing_px
    count = int(position[-1]) + 4
    distance = np.abs(position[:, None] - (np.arange(count)[None, :] - 1))
    near = 2 / 3 - distance**2 + distance**3 / 2
    far = np.clip(2 - distance, 0, None) ** 3 / 6
    basis = np.where(distance < 1, near, far)
    basis /= np.sqrt((basis**2).sum(axis=1).mean())
    basis = basis.astype(np.float32)
    basis.flags.writeable = False  # shared between callers by the cache
    return basis


def smooth_field(size: int, spacing_px: float, rng: np.random.Generator, channels: int = 1) -> np.ndarray:
    """Smooth random field (channels, size, size), float32, of mean 0 and standard deviation about 1.

    Parameters
    ----------
    size : int
        Rows and columns.
    spacing_px : float
        Distance of the control points; features are about twice as large.
    rng : numpy.random.Generator
    channels : int
        Number of independent fields.
    """
    basis = _spline_basis(size, float(spacing_px))
    values = rng.standard_normal((channels, basis.shape[1], basis.shape[1]), dtype=np.float32)
    return basis @ values @ basis.T


def blob(size: int, centre: np.ndarray, radii: np.ndarray) -> np.ndarray:
    """Gaussian bump (size, size), float32, of height 1 at `centre` (row, column) with standard deviations `radii`."""
    axis = np.arange(size, dtype=np.float32)
    rows, columns = (np.exp(-0.5 * ((axis - c) / r) ** 2) for c, r in zip(centre, radii, strict=True))
    return np.outer(rows, columns).astype(np.float32)
