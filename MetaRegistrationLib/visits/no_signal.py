"""Bands without signal: a blink, or rows that the device lost. Vessels that are lost look different.

A scan is recorded row by row (or column by column), so that what interrupts it is a rectangle along its rows. It has straight
edges and is dark all over: nothing crosses it. Non-perfused zones and foveas have neither.
"""

from __future__ import annotations

from weakref import WeakKeyDictionary

import numpy as np
from scipy import ndimage

from .. import calibration
from ..core.burnt_marks import filled
from ..core.opening import opened
from ..formats.images import Image, circles_in, tissue

_PART = (calibration.NO_SIGNAL_PART_LEVEL.value, 0.25, 0.35)
_WHOLE = (calibration.NO_SIGNAL_WHOLE_LEVEL.value, 0.8, 0.2)
"""A band over a part of a row, and one over most of it: greatest level, and least length and greatest height in sides."""
_FILLED = calibration.NO_SIGNAL_FILLED.value
_STEP = calibration.NO_SIGNAL_STEP.value
_THINNEST = 3  # rows
_ALONG = 9  # pixels along a row that are averaged: noise of single pixels does not interrupt a band
_BESIDE = 3  # rows beside a band that show its edge
_LEAST_SEEN = 0.5  # of a band that has to be tissue
_LEAST_BESIDE = 0.25  # of the length of a band, for its edge to be judged

_SIGNALS: WeakKeyDictionary[Image, tuple[np.ndarray, np.ndarray]] = WeakKeyDictionary()


def signal(image: Image) -> tuple[np.ndarray, np.ndarray]:
    """Values of an image, float32 (H, W) without NaN, and its tissue with signal, bool (H, W); read only, found once.

    Drawn circles are filled from their neighbourhood, and are not tissue with signal.
    """
    if image not in _SIGNALS:
        values = np.where(np.isfinite(image.array), image.array, 0).astype(np.float32)
        known = tissue(image)
        drawn = circles_in(image, known)
        if drawn.any():
            values = filled(values, drawn)
            known = known & ~ndimage.maximum_filter(drawn, 3)
        known = known & ~no_signal(values, known)
        for array in (values, known):
            array.setflags(write=False)  # every measure of the visit shares them
        _SIGNALS[image] = values, known
    return _SIGNALS[image]


def no_signal(image: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """Pixels of bands without signal along rows or columns, bool (H, W).

    Parameters
    ----------
    image : array (H, W)
        A scan as it was recorded, not rotated.
    valid : bool array (H, W)
        Its tissue mask.
    """
    if not valid.any():
        return np.zeros(image.shape, bool)
    level = relative_level(image, valid)
    return (_bands(level, valid) | _bands(level.T, valid.T).T) & valid


def relative_level(image: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """Grey values on a scale of 0, the image's black, to 1, its median; float32, 0 where not valid.

    Where most pixels are black, as in a thresholded image, the mean stands for the median.
    """
    values = image[valid]
    floor, usual = np.percentile(values, (0.1, 50))
    mean = float(values.mean())
    if usual - floor < 0.3 * (mean - floor):
        usual = mean
    return np.where(valid, (image - floor) / max(usual - floor, 1e-9), 0).astype(np.float32)


def _bands(level: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """Bands along the rows."""
    along = ndimage.uniform_filter1d(level, _ALONG, axis=1, mode="nearest")
    found = np.zeros(level.shape, bool)
    for greatest, length, height in (_PART, _WHOLE):
        long, high = max(round(length * level.shape[1]), _ALONG) | 1, height * level.shape[0]
        flat = opened((along < greatest) | ~valid, _THINNEST, long)
        labels, _ = ndimage.label(flat)
        for number, box in enumerate(ndimage.find_objects(labels), 1):
            part = labels[box] == number
            inner = length < _WHOLE[1] or (box[0].start > 0 and box[0].stop < len(level))
            if part.shape[0] <= high and inner and part.mean() >= _FILLED and _has_edges(level, valid, box):
                found[box] |= part
    return found


def _has_edges(level: np.ndarray, valid: np.ndarray, box: tuple[slice, slice]) -> bool:
    """Whether the signal comes back at once above and below a rectangle, as far as tissue is seen there."""
    rows, columns = box
    if valid[box].mean() < _LEAST_SEEN:
        return False
    inside, steps = float(level[box][valid[box]].mean()), []
    above = slice(max(rows.start - 1 - _BESIDE, 0), max(rows.start - 1, 0))
    for beside in (above, slice(rows.stop + 1, rows.stop + 1 + _BESIDE)):
        seen = level[beside, columns][valid[beside, columns]]
        if seen.size >= _LEAST_BESIDE * (columns.stop - columns.start):
            steps.append(float(seen.mean()) - inside)
    return bool(steps) and min(steps) >= _STEP
