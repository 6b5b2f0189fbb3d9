"""Pixels where a change is not measurable: no overlap, shadows, bands without signal, motion lines, folding, alignment."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from .. import calibration
from ..core.gaussian import gaussian
from .no_signal import no_signal

_DARK = 8 / 400  # window of "dark", as a share of the longer side
_DARKEST = 3 / 400  # window of the darkest region: the middle of a fovea is small
_DARKER = calibration.SHADOW.value
_LINE_WIDTH = calibration.MOTION_LINE_WIDTH.value
_LINE = calibration.MOTION_LINE.value
_LEAST_LINE = calibration.MOTION_LINE_CONTRAST.value
_JACOBIAN = (calibration.LEAST_AREA.value, calibration.GREATEST_AREA.value)
_BORDER = 4 / 400  # margin around unknown pixels, as a share of the longer side


def nothing_known(
    reference: np.ndarray, visit: np.ndarray, valid: np.ndarray, positions: np.ndarray | None = None
) -> np.ndarray:
    """Pixels that are not measurable, bool (H, W): not valid, in a shadow, a motion line or a band
    without signal, or folded.

    Parameters
    ----------
    reference, visit : arrays (H, W)
        Two aligned images.
    valid : bool array (H, W)
        Common tissue mask.
    positions : array (H, W, 2), optional
        Position of each pixel in the later visit's own image.
    """
    valid = np.asarray(valid, bool)
    if not valid.any():
        return ~valid
    found = ~valid | shadow(reference, visit, valid) | shadow(visit, reference, valid)
    for image in (reference, visit):
        found |= motion_lines(image, valid) | motion_lines(image.T, valid.T).T | no_signal(image, valid)
    if positions is not None:
        found |= folded(positions, usual_area(positions))
    return ndimage.binary_dilation(found, iterations=max(round(_BORDER * max(found.shape)), 1)) | ~valid


def uncertain_in_either(earlier: np.ndarray | None, later: np.ndarray | None) -> np.ndarray | None:
    """Pixels at which one of two alignments is too uncertain: a change there may be an error of the alignment.

    Parameters
    ----------
    earlier, later : bool array (H, W) or None
        As of `AlignedVisit.uncertain`. Without one of them the result is None.
    """
    return None if earlier is None or later is None else earlier | later


def shadow(image: np.ndarray, other: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """Where `image` is much darker than the darkest region of `other`: no signal, whatever the vessels do."""
    few = any(_has_few_levels(part[valid]) for part in (image, other))
    level, darkest = _brightness(image, valid, _DARK, few), _brightness(other, valid, _DARKEST, few)
    return valid & (level < _DARKER * float(np.percentile(darkest[valid], 0.5)))


def _brightness(image: np.ndarray, valid: np.ndarray, window: float, few_levels: bool = False) -> np.ndarray:
    """Local mean, where 0 is the image's black and 1 its median, or its mean if the median says nothing."""
    sigma = window * max(image.shape)
    floor, level = np.percentile(image[valid], (0.1, 50))
    if few_levels:
        level = float(image[valid].mean())
    scaled = np.where(valid, (image - floor) / max(level - floor, 1e-9), 0).astype(np.float32)
    return gaussian(scaled, sigma) / np.maximum(gaussian(valid, sigma), 1e-6)


def _has_few_levels(values: np.ndarray) -> bool:
    """Whether a quarter or more of the values is the least or the greatest, as in thresholded images."""
    floor, low, high, top = np.percentile(values, (0.1, 25, 75, 99.9))
    return bool(low <= floor or high >= top)


def motion_lines(image: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """Rows as a whole brighter or darker than those beside them: the eye moved, or the device lost it."""
    filled = np.where(valid, image, np.median(image[valid])).astype(np.float32)
    level = filled.mean(axis=1)
    step = level - ndimage.median_filter(level, size=4 * _LINE_WIDTH + 1, mode="nearest")
    spread = 1.4826 * np.median(np.abs(step - np.median(step)))
    rows = np.abs(step) > max(_LINE * spread, _LEAST_LINE * float(filled[valid].std()))
    wide = ndimage.binary_opening(rows, structure=np.ones(_LINE_WIDTH + 1))  # a step of brightness, no line
    return np.broadcast_to((rows & ~wide)[:, None], image.shape) & valid


def folded(positions: np.ndarray, usual: float = 1.0) -> np.ndarray:
    """Where the field folds, or changes areas by implausible factors of the usual one, bool (H, W)."""
    area = _areas(positions) / usual
    return ~((area > _JACOBIAN[0]) & (area < _JACOBIAN[1]))


def usual_area(positions: np.ndarray) -> float:
    """Area of a visit's image that a pixel of the reference covers, median, in the visit's pixels; 1 if most of it folds.

    It is not 1 where the pixels of two visits differ in size, and below 0 for a visit that is stored mirrored.
    """
    area = float(np.median(_areas(positions)))
    return area if area > 0 or (area < 0 and _is_mirrored(positions)) else 1.0


def _is_mirrored(positions: np.ndarray) -> bool:
    """Whether positions run the other way round than the pixels as a whole, not in a fold."""
    middle = [(positions.take(-1, axis) - positions.take(0, axis)).reshape(-1, 2).mean(axis=0) for axis in (0, 1)]
    return bool(np.linalg.det(np.stack(middle)) < 0)


def _areas(positions: np.ndarray) -> np.ndarray:
    down, across = np.gradient(positions[..., 0]), np.gradient(positions[..., 1])
    return down[0] * across[1] - down[1] * across[0]
