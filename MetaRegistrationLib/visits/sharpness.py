"""How sharp and how noisy an image is, from differences of its pixels at several distances."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

_MASK_ENERGY = 36  # of the second differences along both axes, for noise of variance 1
_TINY = 1e-12


@dataclass(frozen=True)
class Sharpness:
    """
    Attributes
    ----------
    finest, detail : float
        Mean squared difference of pixels at a distance of 1 and of 3 pixels of 18.75 um, over that at twice the distance.
        Blurred structures have 1/4, white noise has 1.
    noise : float
        Variance that single pixels have beyond their neighbours, over that of the image.
    """

    finest: float
    detail: float
    noise: float


def sharpness(local: np.ndarray, known: np.ndarray, unit: float) -> Sharpness:
    """Measure an image.

    Parameters
    ----------
    local : float32 array (H, W)
        Grey values less their local mean.
    known : bool array (H, W)
        Pixels to use.
    unit : float
        Pixels of the image in one of 18.75 um, at least 1.
    """
    whole = bool(known.all())
    weight = None if whole else known.astype(np.float32)
    variance = max(float(local[known].var()), _TINY)
    most = (min(local.shape) - 1) // 2

    def variogram(distance: float) -> float:
        return max(_between(lambda lag: _squared_difference(local, weight, lag), min(distance * unit, most)), _TINY)

    second = _between(lambda lag: _second_difference(local, weight, lag), min(unit, most))
    return Sharpness(variogram(1) / variogram(2), variogram(3) / variogram(6), second / variance)


def box_smoothed(values: np.ndarray, sigma: float) -> np.ndarray:
    """Two box filters that together are as wide as a Gaussian of `sigma` pixels, and faster."""
    size = max(round(math.sqrt(6 * sigma**2 + 1)), 1)
    return ndimage.uniform_filter(ndimage.uniform_filter(values, size, mode="nearest"), size, mode="nearest")


def _between(of: Callable[[int], float], lag: float) -> float:
    """A positive function of whole lags at any lag from 1 on; exact for powers of the lag."""
    low = int(lag)
    part = math.log(lag / low) / math.log((low + 1) / low)
    return of(low) if part < 1e-3 else max(of(low), _TINY) ** (1 - part) * max(of(low + 1), _TINY) ** part


def _squared_difference(values: np.ndarray, weight: np.ndarray | None, lag: int) -> float:
    """Mean over both axes of (a - b)^2 / 2 of pixels at a distance."""
    total = pixels = 0.0
    for turned in (False, True):
        image = values.T if turned else values
        step = image[lag:] - image[:-lag]
        if weight is None:
            total, pixels = total + float(np.vdot(step, step)), pixels + step.size
        else:
            both = (weight.T if turned else weight)[lag:] * (weight.T if turned else weight)[:-lag]
            total, pixels = total + float((both * step * step).sum()), pixels + float(both.sum())
    return total / max(2 * pixels, 1)


def _second_difference(values: np.ndarray, weight: np.ndarray | None, lag: int) -> float:
    """Variance of the noise: mean square of the second differences along both axes, over that of white noise."""

    def along(image: np.ndarray) -> np.ndarray:
        return image[2 * lag :] - 2 * image[lag:-lag] + image[: -2 * lag]

    found = along(along(values).T).T
    if weight is None:
        return float(np.vdot(found, found)) / (found.size * _MASK_ENERGY)
    rows = weight[2 * lag :] * weight[lag:-lag] * weight[: -2 * lag]
    seen = rows[:, 2 * lag :] * rows[:, lag:-lag] * rows[:, : -2 * lag]
    return float((seen * found * found).sum()) / (max(float(seen.sum()), 1) * _MASK_ENERGY)
