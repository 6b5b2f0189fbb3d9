"""Tissue mask of an image: without a black or constant border, NoData values and pixels that are not finite."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from .. import calibration
from .opening import opened

_LONGEST_SIDE = 512  # pixels of the reduced copy that is searched for the border
_WINDOW = 5
_DARK = calibration.DARK_LEVEL.value
_DARK_DEVIATION = calibration.DARK_DEVIATION.value
_DARK_SPREAD = calibration.DARK_SPREAD.value
_CONSTANT_DEVIATION = calibration.CONSTANT_DEVIATION.value
_CONSTANT_SPREAD = calibration.CONSTANT_SPREAD.value
_SMALLEST_SURROUND = calibration.SMALLEST_BORDER.value
_SMALLEST_TISSUE = calibration.SMALLEST_TISSUE.value
_SMALLEST_VIEW = calibration.SMALLEST_VIEW.value
_SMALLEST_PART = calibration.SMALLEST_PART_OF_VIEW.value
_EDGE = 8  # pixels: JPEG's ringing, one block wide, and the window hide the last of the border
_HUGE = calibration.NO_DATA_MAGNITUDE.value


def tissue_mask(array: np.ndarray) -> np.ndarray:
    """Pixels that show tissue, bool (H, W); all of them where the image has no border.

    Pixels that are not finite or hold a NoData value are outside. So are regions at the image's border that are constant, or
    dark and locally flat (black frames, also noisy ones, round masks, corners of a rotated scan). Dark areas inside the tissue
    are inside. If less than a tenth of the image would remain, all finite pixels are inside. So are all but NoData values if thin
    or small parts alone would remain: they are structures on a black ground, no field of view.

    Parameters
    ----------
    array : np.ndarray
        (H, W), any range.
    """
    finite, valid = np.isfinite(array), known_pixels(array)
    if not valid.any():
        return finite
    step = -(-max(array.shape) // _LONGEST_SIDE)
    values, known = _reduced(array, valid, step)
    outside = _border(values, known)
    if not outside.any():
        inside = valid
    else:
        tissue = _without_specks(~outside)
        if not _is_compact(tissue):
            return valid
        inside = tissue.repeat(step, axis=0).repeat(step, axis=1)[: array.shape[0], : array.shape[1]] & valid
    return inside if inside.mean() >= _SMALLEST_VIEW else finite


def known_pixels(array: np.ndarray) -> np.ndarray:
    """Pixels of an image (H, W) that are finite and hold no NoData value, bool."""
    finite = np.isfinite(array)
    return finite & ~_no_data(array, finite)


def _is_compact(tissue: np.ndarray) -> bool:
    """Whether half of the tissue lies in squares of a twentieth of the longer side that are tissue all over."""
    side = round(_SMALLEST_PART * max(tissue.shape)) | 1
    return bool(2 * np.count_nonzero(opened(tissue, side, side)) >= np.count_nonzero(tissue))


def _no_data(array: np.ndarray, finite: np.ndarray) -> np.ndarray:
    """Pixels of a constant far away from all other values, such as -9999 or -3.4e38."""
    found = np.zeros(array.shape, dtype=bool)
    values = array if finite.all() else array[finite]
    if array.dtype.kind == "u" or not values.size or (values.min() >= 0 and values.max() <= _HUGE):
        return found
    for extreme in (np.min, np.max):
        rest = array[finite & ~found]
        value = extreme(rest)
        others = rest[rest != value].astype(np.float64)
        if not others.size or others.size + 1 >= rest.size:
            continue
        spread = others.max() - others.min()
        gap = np.abs(others - float(value)).min()
        if spread > 0 and gap > spread and (value < 0 or value > _HUGE):
            found |= array == value
    return found


def _reduced(array: np.ndarray, valid: np.ndarray, step: int) -> tuple[np.ndarray, np.ndarray]:
    """Means of the valid pixels of blocks of `step` pixels a side, float32, and where there are any."""
    values = array if valid.all() else np.where(valid, array, 0)
    values = values.astype(np.float32, copy=False)
    if step == 1:
        return values, valid
    total, count = (_block_sums(part, step) for part in (values, valid))
    return total / np.maximum(count, 1), count > 0


def _block_sums(part: np.ndarray, step: int) -> np.ndarray:
    """Sums over blocks of `step` pixels a side, float32; the last ones may be smaller."""
    height, width = (-(-extent // step) for extent in part.shape)
    whole = np.zeros((height * step, width), np.float32)
    for offset in range(step):
        columns = part[:, offset::step]
        whole[: part.shape[0], : columns.shape[1]] += columns
    return whole.reshape(height, step, width).sum(axis=1)


def _border(values: np.ndarray, known: np.ndarray) -> np.ndarray:
    """The border, bool (h, w), of an image that is `known` (bool) in part and zero elsewhere."""
    sample = values[known] if values.size < 2**16 else values[::2, ::2][known[::2, ::2]]
    low, high = np.percentile(sample, (1, 99)) if sample.size else (0, 0)
    if not high > low:
        return np.zeros(values.shape, dtype=bool)
    scaled = np.where(known, (values - low) / (high - low), 0).astype(np.float32)
    level, deviation = _local(scaled, known)
    return _dark(scaled, level, deviation, known) | _constant(scaled, level, deviation, known)


def _dark(scaled: np.ndarray, level: np.ndarray, deviation: np.ndarray, known: np.ndarray) -> np.ndarray:
    outside = np.zeros(known.shape, dtype=bool)
    for region in _at_corners(known & (level < _DARK) & (deviation < _DARK_DEVIATION), ~known):
        lower, upper = np.percentile(level[region][::4], (10, 90))
        if upper - lower < _DARK_SPREAD:
            outside |= region
    if not outside.any():
        return outside
    # The mean over a window falls short of the tissue by half the window.
    outside = _grown(outside, known & (level < _DARK), _EDGE)
    return _grown(outside, known & (scaled < _DARK), _WINDOW // 2)


def _constant(scaled: np.ndarray, level: np.ndarray, deviation: np.ndarray, known: np.ndarray) -> np.ndarray:
    outside = np.zeros(known.shape, dtype=bool)
    # Dark regions were already found.
    for region in _at_corners(known & (level >= _DARK) & (deviation < _CONSTANT_DEVIATION), ~known):
        lower, middle, upper = np.percentile(level[region][::4], (10, 50, 90))
        if upper - lower < _CONSTANT_SPREAD:
            outside |= _grown(region, known & (np.abs(scaled - middle) < 2 * _CONSTANT_SPREAD), _EDGE)
    return outside


def _local(scaled: np.ndarray, known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of the known pixels around each pixel."""
    mean, square = (ndimage.uniform_filter(part, _WINDOW, mode="nearest") for part in (scaled, scaled * scaled))
    if not known.all():
        weight = np.maximum(ndimage.uniform_filter(known.astype(np.float32), _WINDOW, mode="nearest"), 1e-3)
        mean, square = mean / weight, square / weight
    return mean, np.sqrt(np.maximum(square - mean * mean, 0))


def _at_corners(seeds: np.ndarray, unknown: np.ndarray) -> list[np.ndarray]:
    """Sizable regions of `seeds` that reach a corner, if need be across `unknown` pixels.

    Frames, round masks and rotated scans all leave a corner; shadows and poorly perfused areas at a side do not.
    """
    joint = seeds | unknown
    corners = (np.s_[:_EDGE, :_EDGE], np.s_[:_EDGE, -_EDGE:], np.s_[-_EDGE:, :_EDGE], np.s_[-_EDGE:, -_EDGE:])
    if not any(joint[corner].any() for corner in corners):
        return []
    labels, _ = ndimage.label(joint)
    sizes = np.bincount(labels[seeds])
    reached = np.unique(np.concatenate([labels[corner].ravel() for corner in corners]))
    enough = _SMALLEST_SURROUND * seeds.size
    return [(labels == label) & seeds for label in reached if 0 < label < sizes.size and sizes[label] >= enough]


def _grown(region: np.ndarray, allowed: np.ndarray, distance: int) -> np.ndarray:
    """`region` and the allowed pixels within `distance` of it along both axes."""
    near = region.view(np.uint8)
    for axis in (0, 1):
        near = ndimage.maximum_filter1d(near, 2 * distance + 1, axis, mode="constant")
    return region | (near.view(bool) & allowed)


def _without_specks(tissue: np.ndarray) -> np.ndarray:
    """`tissue` without small islands, such as letters that the device wrote into the black."""
    labels, number = ndimage.label(tissue)
    if number < 2:
        return tissue
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    return (sizes >= _SMALLEST_TISSUE * sizes.sum())[labels]
