"""Pixels where a change is not measurable: no overlap, shadows, motion lines, folding."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from .. import calibration

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
    """Pixels that are not measurable, bool (H, W): not valid, in a shadow or a motion line, or folded.

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
        found |= motion_lines(image, valid) | motion_lines(image.T, valid.T).T
    if positions is not None:
        found |= folded(positions)
    return ndimage.binary_dilation(found, iterations=max(round(_BORDER * max(found.shape)), 1)) | ~valid


def shadow(image: np.ndarray, other: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """Where `image` is much darker than the darkest region of `other`: no signal, whatever the vessels do."""
    level, darkest = _brightness(image, valid, _DARK), _brightness(other, valid, _DARKEST)
    return valid & (level < _DARKER * float(np.percentile(darkest[valid], 0.5)))


def _brightness(image: np.ndarray, valid: np.ndarray, window: float) -> np.ndarray:
    """Local mean, where 0 is the image's black and 1 its median."""
    sigma = window * max(image.shape)
    floor, level = np.percentile(image[valid], (0.1, 50))
    scaled = np.where(valid, (image - floor) / max(level - floor, 1e-9), 0).astype(np.float32)
    return ndimage.gaussian_filter(scaled, sigma) / np.maximum(
        ndimage.gaussian_filter(valid.astype(np.float32), sigma), 1e-6
    )


def motion_lines(image: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """Rows as a whole brighter or darker than those beside them: the eye moved, or the device lost it."""
    filled = np.where(valid, image, np.median(image[valid])).astype(np.float32)
    level = filled.mean(axis=1)
    step = level - ndimage.median_filter(level, size=4 * _LINE_WIDTH + 1, mode="nearest")
    spread = 1.4826 * np.median(np.abs(step - np.median(step)))
    rows = np.abs(step) > max(_LINE * spread, _LEAST_LINE * float(filled[valid].std()))
    wide = ndimage.binary_opening(rows, structure=np.ones(_LINE_WIDTH + 1))  # a step of brightness, no line
    return np.broadcast_to((rows & ~wide)[:, None], image.shape) & valid


def folded(positions: np.ndarray) -> np.ndarray:
    """Where the field folds, or changes areas by implausible factors."""
    down, across = np.gradient(positions[..., 0]), np.gradient(positions[..., 1])
    area = down[0] * across[1] - down[1] * across[0]
    return ~((area > _JACOBIAN[0]) & (area < _JACOBIAN[1]))
