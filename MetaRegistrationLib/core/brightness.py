"""Brightness that is even over an image, for display only: shading of two scans would hide that they agree."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from .enlarging import enlarged
from .tissue import tissue_mask

_LONGEST_SIDE = 128  # pixels of the reduced copy on which brightness and contrast are measured
_SIGMA = 0.08  # of the surroundings, as a share of the longest side
_LEAST_CONTRAST = 0.4  # of the median contrast: where there is no structure, noise is not amplified further
_BLACK, _WHITE = -0.8, 2.6  # in local standard deviations from the local mean


def even_brightness(array: np.ndarray) -> np.ndarray:
    """An image with the same brightness and contrast everywhere, float32 (H, W), 0 to 1.

    Each pixel is compared with the mean and the standard deviation of the tissue around it. Pixels that are no tissue
    (`core.tissue.tissue_mask`) are 0.

    Parameters
    ----------
    array : np.ndarray
        (H, W), any range; NaN where unknown.
    """
    tissue = tissue_mask(array)
    if not tissue.any():
        return np.zeros(array.shape, np.float32)
    values = np.where(tissue, array, 0).astype(np.float64)
    values = np.where(tissue, (values - values[tissue].mean()) / (values[tissue].std() or 1.0), 0)
    mean, deviation = _surroundings(values, tissue)
    deviation = np.maximum(deviation, max(_LEAST_CONTRAST * float(np.median(deviation[tissue])), 1e-6))
    shown = ((values - mean) / deviation - _BLACK) / (_WHITE - _BLACK)
    return np.where(tissue, np.clip(shown, 0, 1), 0).astype(np.float32)


def _surroundings(values: np.ndarray, tissue: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation (H, W) of the tissue around each pixel."""
    step = -(-max(values.shape) // _LONGEST_SIDE)
    weight, total, square = (_block_means(part, step) for part in (tissue, values, values * values))
    sigma = _SIGMA * max(weight.shape)
    weight, total, square = (ndimage.gaussian_filter(part, sigma) for part in (weight, total, square))
    weight = np.maximum(weight, 1e-6)
    mean = total / weight
    deviation = np.sqrt(np.maximum(square / weight - mean * mean, 0))
    return enlarged(mean, step, values.shape), enlarged(deviation, step, values.shape)


def _block_means(part: np.ndarray, step: int) -> np.ndarray:
    """Means over blocks of `step` pixels a side; beyond the image there is zero."""
    height, width = (-(-extent // step) for extent in part.shape)
    padded = np.pad(
        part.astype(np.float64), [(0, side * step - n) for side, n in zip((height, width), part.shape, strict=True)]
    )
    return padded.reshape(height, step, width, step).mean(axis=(1, 3))
