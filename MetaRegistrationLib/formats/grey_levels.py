"""Pixels as float32, the numbers of all images of the library."""

from __future__ import annotations

import numpy as np

from ..errors import InputError

_LEVELS = 128
"""Grey levels that an image keeps at least; no value is then moved by more than a step of 8 bits."""

_NOISE_ULPS = 8
"""A range of so many steps of float64 is rounding noise of a constant image."""
_LARGEST = float(np.nextafter(np.finfo(np.float32).max, np.float32(0)))
"""The largest number whose step float32 has."""


def as_float32(pixels: np.ndarray, name: object) -> np.ndarray:
    """A copy of real numbers as float32; values beyond it become infinite.

    Raises
    ------
    InputError
        float32 would round the image `name` to few grey levels: its values are large, and differ by little.
    """
    with np.errstate(over="ignore"):
        rounded = np.array(pixels, dtype=np.float32)
    if np.can_cast(pixels.dtype, np.float32):
        return rounded
    finite = pixels if pixels.dtype.kind in "iub" else pixels[np.isfinite(pixels)]
    if not finite.size:
        return rounded
    low, high = finite.min().item(), finite.max().item()
    largest = max(abs(low), abs(high))
    step = np.spacing(np.float32(min(largest, _LARGEST))).item()
    noise = _NOISE_ULPS * np.spacing(float(largest)).item() if pixels.dtype.kind == "f" else 0
    if noise < high - low < step * _LEVELS and not _equal(rounded, pixels):
        raise InputError(
            f"{name}: the values are between {low:.12g} and {high:.12g}. float32 would round them to multiples of {step:g},"
            " and grey levels would be lost. Subtract a constant from all values."
        )
    return rounded


def _equal(rounded: np.ndarray, pixels: np.ndarray) -> bool:
    with np.errstate(invalid="ignore"):  # of an integer beyond the range
        return np.array_equal(rounded.astype(pixels.dtype), pixels, equal_nan=pixels.dtype.kind == "f")
