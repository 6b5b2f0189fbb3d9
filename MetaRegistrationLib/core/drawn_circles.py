"""Circles with spokes that a device drew into an image: the grid of the ETDRS, for instance.

They show nothing of the eye, and are where the operator put them. They would drive the registration.
"""

from __future__ import annotations

import itertools

import numpy as np
from scipy import ndimage

from .. import calibration
from .opening import opened

_LONGEST_SIDE = 640  # pixels of the reduced copy that is searched
_VALUE = calibration.MARK_CONSTANT.value
_LEAST_PX = calibration.MARK_LEAST_PX.value
_WIDEST = calibration.MARK_WIDEST.value
_FULL = calibration.CIRCLE_FULL.value
_SIDE = calibration.MARK_SIDE.value
_SMALLEST = calibration.CIRCLE_RADIUS.value
_STROKES = calibration.CIRCLE_STROKES.value
_VOTES = calibration.CIRCLE_VOTES.value
_VALUES = 4
_LEVELS = 64
_POINTS = 1500  # edge points that vote
_CELL = 2  # pixels of the halved image in a cell of the votes
_SECTORS = 540
_FEW = 270  # sectors while the centre is searched


def drawn_circles(image: np.ndarray, tissue: np.ndarray) -> np.ndarray:
    """Pixels of drawn circles about one centre and of their spokes, bool (H, W).

    A circle is drawn in one grey value, is thin, and is covered along nearly all of its length. No vessel is.

    Parameters
    ----------
    image : np.ndarray
        (H, W), any range.
    tissue : np.ndarray
        Tissue mask, bool (H, W); circles are searched inside it.
    """
    found = np.zeros(np.shape(image), dtype=bool)
    step = -(-max(found.shape) // _LONGEST_SIDE)
    part = np.asarray(image)[::step, ::step]
    known = np.isfinite(part) & tissue[::step, ::step]
    if known.sum() < _LEAST_PX:
        return found
    low, high = float(part[known].min()), float(part[known].max())
    if not high > low:
        return found
    values = np.where(known, (part - low) / (high - low), 0).astype(np.float32)
    small = np.zeros_like(known)
    for value in _frequent(values[known]):
        strokes = known & (np.abs(values - value) <= _VALUE)
        if not _enough(strokes):
            continue
        strokes = _thin(strokes)
        centre = _centre(strokes) if _enough(strokes) else None
        if centre is not None:
            small |= _circles(strokes, centre)
    return small.repeat(step, axis=0).repeat(step, axis=1)[: found.shape[0], : found.shape[1]]


def _frequent(values: np.ndarray) -> list[float]:
    """Grey values, of a range from 0 to 1, that are much more frequent than those near them, and the brightest.

    The darkest is left out: lines in it do not show on a dark image.
    """
    levels = np.minimum((values * _LEVELS).astype(np.intp), _LEVELS - 1)
    counts = np.bincount(levels, minlength=_LEVELS)
    around = np.pad(counts.astype(float), 4, mode="reflect")
    near = np.mean([around[k : k + _LEVELS] for k in (0, 1, 2, 6, 7, 8)], axis=0)
    frequent = counts > 1.5 * near + _LEAST_PX
    frequent[0], frequent[-1] = False, True
    found = [level for level in np.argsort(counts)[::-1] if frequent[level] and counts[level] >= _LEAST_PX]
    return [float(np.median(values[levels == level])) for level in found[:_VALUES]]


def _enough(strokes: np.ndarray) -> bool:
    return bool(strokes.sum() >= _STROKES * max(strokes.shape))


def _thin(mask: np.ndarray) -> np.ndarray:
    widest = max(round(_WIDEST * max(mask.shape)), 4) + 1
    broad = opened(mask, widest, widest)
    return mask & ~ndimage.maximum_filter(broad, 3)


def _centre(strokes: np.ndarray) -> np.ndarray | None:
    """The point through which most normals of the strokes' edges pass, (row, column); None if no point stands out."""
    height, width = (extent // 2 * 2 for extent in strokes.shape)
    halved = strokes[:height, :width].reshape(height // 2, 2, width // 2, 2).any(axis=(1, 3))
    blurred = ndimage.gaussian_filter(halved.astype(np.float32), 1.0, truncate=2)
    down, right = np.gradient(blurred)
    slope = np.hypot(down, right)
    rows, columns = np.nonzero(slope > 0.12)
    if len(rows) < _LEAST_PX:
        return None
    chosen = slice(None, None, -(-len(rows) // _POINTS))
    rows, columns = rows[chosen], columns[chosen]
    lengths = np.arange(_SMALLEST, 0.55, 2 / max(halved.shape)) * max(halved.shape)
    lengths = np.concatenate((-lengths, lengths)).astype(np.float32)
    shape = [extent // _CELL + 1 for extent in halved.shape]
    cells = []
    for start, part in ((rows, down), (columns, right)):
        normal = (part[rows, columns] / slope[rows, columns])[:, None]
        cells.append(((start[:, None] + normal * lengths) / _CELL).astype(np.int32))
    hit = (cells[0] >= 0) & (cells[1] >= 0) & (cells[0] < shape[0]) & (cells[1] < shape[1])
    votes = np.bincount((cells[0] * shape[1] + cells[1])[hit], minlength=shape[0] * shape[1]).reshape(shape)
    votes = ndimage.uniform_filter(votes.astype(np.float32), 3)
    best = np.unravel_index(votes.argmax(), votes.shape)
    if votes[best] < float(np.median(votes)) + _VOTES * float(votes.std()):
        return None
    return 2 * _CELL * np.asarray(best, dtype=float) + _CELL


def _circles(strokes: np.ndarray, near: np.ndarray) -> np.ndarray:
    """The pixels of circles about a centre near a point, and of their spokes, bool (H, W)."""
    centre = _centred(strokes, near)
    inside, within = _polar(strokes, centre)
    bands = _bands(inside, within, max(strokes.shape))
    found = np.zeros_like(strokes)
    if not bands:
        return found
    rows, columns = (axis - start for axis, start in zip(np.indices(strokes.shape), centre, strict=True))
    radius = np.hypot(rows, columns)
    for begin, end in bands:
        found |= (radius >= begin - 1) & (radius <= end + 1)
    width = max(end - begin for begin, end in bands)
    for angle in _spokes(inside, within, bands):
        beside = np.abs(np.cos(angle) * rows - np.sin(angle) * columns)
        ahead = np.sin(angle) * rows + np.cos(angle) * columns > 0
        found |= ahead & (beside <= width / 2 + 1) & (radius >= bands[0][0]) & (radius <= bands[-1][1])
    return found & ndimage.maximum_filter(strokes, 3)


def _centred(strokes: np.ndarray, near: np.ndarray) -> np.ndarray:
    """The centre near a point about which one circle is covered best."""
    centre = near
    for step, broadened in ((4.0, 7), (4.0, 5), (2.0, 3), (1.0, 1), (1.0, 1), (0.5, 1)):
        broad = ndimage.maximum_filter(strokes, broadened)  # a thin circle is only met from near its centre
        tried = [centre + step * np.array((row, column)) for row in (-1, 0, 1) for column in (-1, 0, 1)]
        centre = max(tried, key=lambda point, seen=broad: _covered(*_polar(seen, point, _FEW)).max(initial=0))
    return centre


def _polar(strokes: np.ndarray, centre: np.ndarray, sectors: int = _SECTORS) -> tuple[np.ndarray, np.ndarray]:
    """Strokes, and pixels of the image, by radius (half pixels, from the smallest circle) and angle, bool (R, sectors)."""
    side = max(strokes.shape)
    radius = np.arange(_SMALLEST * side, 0.75 * side, 0.5)[:, None]
    angle = 2 * np.pi * np.arange(sectors) / sectors
    rows = np.rint(centre[0] + radius * np.sin(angle)).astype(int)
    columns = np.rint(centre[1] + radius * np.cos(angle)).astype(int)
    within = (rows >= 0) & (columns >= 0) & (rows < strokes.shape[0]) & (columns < strokes.shape[1])
    return strokes[np.where(within, rows, 0), np.where(within, columns, 0)] & within, within


def _covered(inside: np.ndarray, within: np.ndarray) -> np.ndarray:
    """Share of each circle that strokes cover; 0 where less than half of the circle is in the image."""
    count = within.sum(axis=1)
    return np.where(count >= within.shape[1] / 2, inside.sum(axis=1) / np.maximum(count, 1), 0.0)


def _bands(inside: np.ndarray, within: np.ndarray, side: int) -> list[tuple[float, float]]:
    """First and last radius of each drawn circle, pixels; none if no circle is covered nearly all along."""
    covered = _covered(inside, within)
    full = _covered(ndimage.maximum_filter1d(inside, 3, axis=0), within)  # lines of one pixel go in steps
    radii = _SMALLEST * side + 0.5 * np.arange(len(covered))
    widest = 2 * (max(round(_WIDEST * side), 4) + 1)
    found = []
    labels, _ = ndimage.label(covered >= 0.4 * _FULL)
    for (rows,) in ndimage.find_objects(labels):
        flanks = [covered[max(rows.start - 6, 0) : max(rows.start - 2, 0)], covered[rows.stop + 2 : rows.stop + 6]]
        clear = all(flank.size and flank.mean() <= _SIDE for flank in flanks)
        if rows.stop - rows.start <= widest and clear and full[rows].max() >= _FULL:
            found.append((float(radii[rows.start]), float(radii[rows.stop - 1])))
    return found


def _spokes(inside: np.ndarray, within: np.ndarray, bands: list[tuple[float, float]]) -> list[float]:
    """The angles, radians, at which a line runs from one drawn circle to the next."""
    start = bands[0][0]
    inside = ndimage.maximum_filter1d(inside, 3, axis=1, mode="wrap")
    found = np.zeros(_SECTORS, dtype=bool)
    for (_, begin), (end, _) in itertools.pairwise(bands):
        rows = slice(int(2 * (begin - start)) + 2, int(2 * (end - start)) - 2)
        count = within[rows].sum(axis=0)
        found |= (count > 0) & (inside[rows].sum(axis=0) >= _FULL * np.maximum(count, 1))
    if found.all():
        return []
    first = int(np.argmin(found))  # no line, so that no group of sectors goes round the end
    labels, count = ndimage.label(np.roll(found, -first))
    middles = ndimage.mean(np.arange(_SECTORS), labels, range(1, count + 1))
    return [2 * np.pi * (first + middle) / _SECTORS for middle in np.atleast_1d(middles)]
