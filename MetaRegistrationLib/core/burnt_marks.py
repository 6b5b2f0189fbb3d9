"""Marks that a device burnt into both images of a pair at the same place: the lines of grids and scale bars.

They show nothing of the eye. They agree perfectly without any transform, so they would prevent the registration.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from .. import calibration
from .gaussian import gaussian

_LONGEST_SIDE = 1024  # pixels of the reduced copy that is searched for marks
_EQUAL = calibration.MARK_EQUAL.value
_CONSTANT = calibration.MARK_CONSTANT.value
_LEAST_PX = calibration.MARK_LEAST_PX.value
_LINE = calibration.MARK_LENGTH.value
_FULL = calibration.MARK_FULL.value
_SIDE = calibration.MARK_SIDE.value
_WIDEST = calibration.MARK_WIDEST.value
_CONTRAST = calibration.MARK_CONTRAST.value
_VALUES = 4
_EIGHT = np.ones((3, 3), dtype=bool)


def burnt_marks(moving: np.ndarray, fixed: np.ndarray, tissue: np.ndarray | None = None) -> np.ndarray:
    """Pixels of marks that two images have at the same position, bool (H, W); none if the images differ in size.

    A mark has one grey value in both images, differs from its neighbourhood, and is a thin bar along an axis of the images.
    Vessels, also saturated ones, are not so straight.

    Parameters
    ----------
    moving, fixed : np.ndarray
        (H, W), any range.
    tissue : np.ndarray, optional
        Common tissue mask, bool (H, W); marks are searched inside it.
    """
    found = np.zeros(np.shape(fixed), dtype=bool)
    if np.shape(moving) != np.shape(fixed) or np.array_equal(moving, fixed):
        return found
    step = -(-max(found.shape) // _LONGEST_SIDE)
    parts = [np.asarray(image)[::step, ::step] for image in (moving, fixed)]
    known = np.isfinite(parts[0]) & np.isfinite(parts[1])
    if tissue is not None:
        known &= tissue[::step, ::step]
    if not known.any():
        return found
    small = _of_one_size([_scaled(part, known) for part in parts], known)
    if step == 1 or not small.any():
        return small if step == 1 else found
    return small.repeat(step, axis=0).repeat(step, axis=1)[: found.shape[0], : found.shape[1]]


def _of_one_size(images: list[np.ndarray], known: np.ndarray) -> np.ndarray:
    near = known & (np.abs(images[0] - images[1]) <= _EQUAL)
    counts, edges = np.histogram(images[0][near], 40, (0, 1))
    found = np.zeros_like(known)
    for number in np.argsort(counts)[::-1][:_VALUES]:
        inside = near & (images[0] >= edges[number]) & (images[0] <= edges[number + 1])
        if inside.sum() < _LEAST_PX:
            break
        value = float(np.median(images[0][inside]))
        found |= _marks(images, near, value, known)
    return found


def _marks(images: list[np.ndarray], near: np.ndarray, value: float, known: np.ndarray) -> np.ndarray:
    """The lines of one value."""
    either = [known & (np.abs(image - value) <= _CONSTANT) for image in images]
    both = near & either[0] & either[1]
    side = max(both.shape)
    widest, length = max(round(_WIDEST * side), 3), max(round(_LINE * side), 12)
    outside = known & ~either[0] & ~either[1]
    kept = np.zeros_like(both)
    for turned in (False, True):
        part = both.T if turned else both
        for lines in _lines(part, length, widest):
            mark = np.zeros_like(part)
            mark[lines] = part[lines]
            mark = mark.T if turned else mark
            around = outside & ndimage.binary_dilation(mark, _EIGHT, iterations=3)
            if around.any() and all(abs(float(image[around].mean()) - value) >= _CONTRAST for image in images):
                kept |= mark
    return kept


def _lines(mask: np.ndarray, length: int, widest: int) -> list[tuple[slice, slice]]:
    """Horizontal bars in a mask: full, thin, and with straight sides, which no vessel has."""
    labels, _ = ndimage.label(_opened(mask, (1, length)))
    found = []
    for rows, columns in ndimage.find_objects(labels):
        sides = [mask[row, columns].mean() for row in (rows.start - 1, rows.stop) if 0 <= row < len(mask)]
        thin = rows.stop - rows.start <= widest
        if thin and mask[rows, columns].mean() >= _FULL and (not sides or max(sides) <= _SIDE):
            found.append((rows, columns))
    return found


def _opened(mask: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    eroded = ndimage.minimum_filter(mask.view(np.uint8), size, mode="constant")
    # The mirrored window of even sizes: an opening never leaves the mask.
    origin = [-1 if extent % 2 == 0 else 0 for extent in size]
    return ndimage.maximum_filter(eroded, size, mode="constant", origin=origin).view(bool)


def _scaled(image: np.ndarray, known: np.ndarray) -> np.ndarray:
    values = np.where(known, image, 0).astype(np.float32)
    low, high = float(values[known].min()), float(values[known].max())
    return (values - low) / max(high - low, 1e-9)


def filled(image: np.ndarray, marks: np.ndarray) -> np.ndarray:
    """The image (H, W), float32, its marks filled from their neighbourhood."""
    holes = ndimage.binary_dilation(marks, _EIGHT)  # where a mark was interpolated or compressed, its rim is spoilt too
    values = np.where(holes | ~np.isfinite(image), 0, image).astype(np.float32)
    weight = (~holes & np.isfinite(image)).astype(np.float32)
    result = np.asarray(image, dtype=np.float32).copy()
    for sigma in (1.5, 3.0, 6.0, 12.0, 24.0):
        share = gaussian(weight, sigma)
        ready = holes & (share > 0.05)
        result[ready] = gaussian(values, sigma)[ready] / share[ready]
        holes = holes & ~ready
        if not holes.any():
            break
    return result
