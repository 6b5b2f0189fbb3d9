"""Cheap grain: white noise smoothed on the way, as speckle or as additive noise."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import correlate1d


def unit_grain(size: int, grain_px: float, rng: np.random.Generator) -> np.ndarray:
    """Noise (size, size), float32, of mean 0 and standard deviation 1, smoothed by a Gaussian of `grain_px`."""
    noise = rng.standard_normal((size, size), dtype=np.float32)
    if grain_px < 0.2:
        return noise
    radius = int(np.ceil(2.5 * grain_px))
    kernel = np.exp(-0.5 * (np.arange(-radius, radius + 1) / grain_px) ** 2)
    kernel /= np.sqrt((kernel**2).sum())  # keeps the variance
    return correlate1d(correlate1d(noise, kernel, axis=0, mode="wrap"), kernel, axis=1, mode="wrap")


def speckle(size: int, deviation: float, grain_px: float, rng: np.random.Generator) -> np.ndarray:
    """Nearly gamma-distributed factors (size, size) of mean 1: the cube of a normal variable (Wilson, Hilferty)."""
    root = np.float32(1 - deviation**2 / 9) + np.float32(deviation / 3) * unit_grain(size, grain_px, rng)
    return np.maximum(root, 0) ** 3
