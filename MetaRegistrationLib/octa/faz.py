"""The foveal avascular zone (FAZ): its outline as a closed curve around a centre, its area, perimeter and circularity.

The outline is the best closed curve around the centre in polar coordinates: dark inside, brighter in a band outside, and smooth
(dynamic programming over angles). Definitions of the measures: Sampson et al., Light: Science & Applications 11:63 (2022).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy import ndimage

from .. import calibration
from ..core.gaussian import gaussian
from .capillaries import filter_unit

_ANGLES = 96
_STEP_MM = 0.012  # between radii
_RADII_MM = (0.08, 0.85)
_SMOOTH = 2.0  # window before the search, pixels of 18.75 um
_JUMP = 3  # radii that the outline may move from one angle to the next
_USUAL_MM = 0.3  # radius of most zones
_USUAL_WEIGHT = 0.2
_SETTINGS = ((0.20, 0.08), (0.12, 0.04))  # width of the bands, mm, and weight of smoothness
_AGREE = calibration.FAZ_AGREEMENT.value
_LEAST_MM, _LEAST_PX = calibration.FAZ_LEAST_MM.value, calibration.FAZ_LEAST_PX.value
_LEAST_CONTRAST, _BRIGHTEST = calibration.FAZ_CONTRAST.value, calibration.FAZ_LEVEL.value
_OUTSIDE_MM = 0.2  # band around a zone that is compared with it
_AROUND_MM = 2.0  # radius of the surroundings that a zone is among the darkest of
_BESIDE_MM = np.array([(0, 0)] + [(0.3 * math.sin(turn), 0.3 * math.cos(turn)) for turn in np.arange(6) * math.pi / 3])
"""Where the search begins beside the centre, (row, column)."""
_RADII = np.arange(0, 1.0, _STEP_MM)
_FIRST, _LAST = int(_RADII.searchsorted(_RADII_MM[0])), int(_RADII.searchsorted(_RADII_MM[1], "right")) - 1
_NEVER = -9.0  # gain where no outline lies
_OFF_MM = 0.15  # from the middle of a zone: a place farther off lies beside it
_OUTSIDE_STEPS = int(_OUTSIDE_MM / _STEP_MM)
_EVERYWHERE = 4.0  # standard deviation of the average of the outside, in angles; a zone has to be darker on all sides
_NEAR = 3  # radii by which the border of the grey values may lie beside that of their roots


@dataclass(frozen=True, eq=False)
class Faz:
    """A foveal avascular zone.

    Attributes
    ----------
    outline : float array (N, 2)
        Points of the closed curve, (row, column) in pixels.
    area_mm2, perimeter_mm : float
    """

    outline: np.ndarray
    area_mm2: float
    perimeter_mm: float

    @property
    def circularity(self) -> float:
        """4 pi area / perimeter squared; 1 for a circle."""
        return 4 * math.pi * self.area_mm2 / max(self.perimeter_mm, 1e-9) ** 2


class _TooLarge(Exception):
    """A zone reaches beyond what is searched."""


class _Scan(NamedTuple):
    """Smoothed roots and grey values (H, W), tissue, distances of rows and columns, and the least contrast of a zone."""

    root: np.ndarray
    grey: np.ndarray
    tissue: np.ndarray
    spacing_mm: tuple[float, float]
    contrast: float


def measured_outline(outline: np.ndarray, spacing_mm: tuple[float, float]) -> Faz:
    """A zone with a known outline, such as one that was drawn.

    Parameters
    ----------
    outline : array (N, 2)
        Points of the closed curve, (row, column) in pixels.
    spacing_mm : (float, float)
        Distance between rows and between columns.
    """
    down, across = (np.asarray(outline, float) * np.asarray(spacing_mm, float)).T
    area = 0.5 * abs(np.dot(across, np.roll(down, -1)) - np.dot(down, np.roll(across, -1)))
    length = np.hypot(np.roll(down, -1) - down, np.roll(across, -1) - across).sum()
    return Faz(np.asarray(outline, float), float(area), float(length))


def find_faz(
    image: np.ndarray, tissue: np.ndarray, centre_xy: tuple[float, float], spacing_mm: tuple[float, float]
) -> Faz | None:
    """The zone around a centre; None where it is not clear, is too small, or reaches beyond the search.

    Parameters
    ----------
    image : array (H, W)
        Vessels bright, any range.
    tissue : bool array (H, W)
    centre_xy : (float, float)
        About the middle of the zone, (x, y) in pixels.
    spacing_mm : (float, float)
        Distance between rows and between columns, as the device states them: the usual size of a zone is of that scale.
    """
    values = np.where(tissue, image, np.median(image[tissue]) if tissue.any() else 0).astype(np.float32)
    values = np.clip(values - values.min(), 0, None)
    width = _SMOOTH * filter_unit(image.shape, math.sqrt(math.prod(spacing_mm)))
    grey, root = gaussian(values, width), gaussian(np.sqrt(values), width)  # speckle grows with brightness
    low, high = np.percentile(grey[tissue], (0.1, 90)) if tissue.any() else (0, 0)
    scan = _Scan(root, grey, tissue, spacing_mm, max(_LEAST_CONTRAST * (high - low), 1e-6))
    try:
        return _zone_around(scan, _best_start(scan, np.array(centre_xy[::-1], float)))
    except _TooLarge:
        return None


def _zone_around(scan: _Scan, centre: np.ndarray) -> Faz | None:
    """The zone around a place (row, column), if both settings of the search find about the same one."""
    tissue, spacing_mm = scan.tissue, scan.spacing_mm
    found = [_settled(scan, centre, *setting) for setting in _SETTINGS]
    if not all(outline is not None and _inside(outline, tissue) for outline in found):
        return None
    zones = [measured_outline(outline, spacing_mm) for outline in found]
    areas = sorted(zone.area_mm2 for zone in zones)
    radius = math.sqrt(areas[0] / math.pi)
    large = radius >= max(_LEAST_MM, _LEAST_PX * math.sqrt(math.prod(spacing_mm)))
    return zones[0] if large and areas[1] <= _AGREE * areas[0] else None


def _best_start(scan: _Scan, place: np.ndarray) -> np.ndarray:
    """Where the search begins: the middle of the best outline from a place and from others around it, if the place lies
    beside it. The same zone is found from all of them."""
    best, found = -math.inf, place
    for beside in _BESIDE_MM:
        centre = place + beside / np.asarray(scan.spacing_mm)
        for _ in range(2):
            gain = _gain(_rings(scan.root, centre, scan.spacing_mm), _SETTINGS[0][0])
            path = _best_path(gain, _SETTINGS[0][1])
            centre = _points(centre, path, scan.spacing_mm).mean(axis=0)
        worth = _worth(gain, path, _SETTINGS[0][1])
        if worth > best:
            best, found = worth, centre
    return found if _far(scan, found, place) else place


def _far(scan: _Scan, first: np.ndarray, second: np.ndarray) -> bool:
    return bool(np.hypot(*((first - second) * scan.spacing_mm)) > _OFF_MM)


def _worth(gain: np.ndarray, path: np.ndarray, smoothness: float) -> float:
    """The value that `_best_path` maximises: mean gain of an outline per angle, less the penalty on its steps."""
    steps = np.diff(path, append=path[0])
    return float(np.take_along_axis(gain, path[:, None], axis=1).mean() - smoothness * (steps**2).mean())


def _settled(scan: _Scan, centre: np.ndarray, band_mm: float, smoothness: float) -> np.ndarray | None:
    """The outline, (N, 2), after the centre has moved to its middle; None if it is not dark.

    It is searched on the roots of grey values, and placed on the grey values near there: the root of a blurred border lies
    inside of it.
    """
    spacing_mm = scan.spacing_mm
    for _ in range(3):
        path = _best_path(_gain(_rings(scan.root, centre, spacing_mm), band_mm), smoothness)
        centre = _points(centre, path, spacing_mm).mean(axis=0)
    path = _best_path(_gain(_rings(scan.root, centre, spacing_mm), band_mm), smoothness)
    if (path >= _LAST).any():
        raise _TooLarge
    rings = _rings(scan.grey, centre, spacing_mm)
    gain = _gain(rings, band_mm)
    near = np.abs(np.arange(len(_RADII)) - path[:, None]) <= _NEAR
    path = _best_path(np.where(near, gain, _NEVER), smoothness)
    if not _is_dark(scan, centre, rings, path):
        return None
    return _points(centre, path + _beside(gain, path), spacing_mm)


def _is_dark(scan: _Scan, centre: np.ndarray, rings: np.ndarray, path: np.ndarray) -> bool:
    """Whether the inside of a path is darker than a band outside of it, and about the darkest of its surroundings.

    Gaps between vessels are dark beside vessels too, but brighter than a zone without capillaries.
    """
    beyond = np.arange(len(_RADII)) - path[:, None]
    inside = rings[beyond <= 0].mean()
    outside = np.where((beyond > 0) & (_STEP_MM * beyond <= _OUTSIDE_MM), rings, 0).sum(axis=1) / _OUTSIDE_STEPS
    outside = ndimage.gaussian_filter1d(outside, _EVERYWHERE, mode="wrap")
    low, high = _range_around(scan, centre)
    steps = outside - inside
    brighter = steps.mean() >= scan.contrast and np.percentile(steps, 20) >= scan.contrast / 3
    return bool(brighter and inside <= low + _BRIGHTEST * (high - low))


def _range_around(scan: _Scan, centre: np.ndarray) -> tuple[float, float]:
    """The darkest and the bright grey values of the tissue around a centre; corners without signal may lie beyond."""
    values = scan.grey[scan.tissue & (_distance_mm(scan, centre) <= _AROUND_MM)]
    low, high = np.percentile(values, (0.5, 90)) if values.size else (0, 0)
    return float(low), float(high)


def _distance_mm(scan: _Scan, centre: np.ndarray) -> np.ndarray:
    """Distance of each pixel (H, W) from a place (row, column)."""
    down, across = (
        (np.arange(count) - at) * step for count, at, step in zip(scan.grey.shape, centre, scan.spacing_mm, strict=True)
    )
    return np.hypot(down[:, None], across)


def _directions(spacing_mm) -> np.ndarray:
    """Pixels in a millimetre, by angle: (row, column), (N, 2)."""
    angles = np.arange(_ANGLES) * 2 * np.pi / _ANGLES
    return np.stack([np.sin(angles), np.cos(angles)], axis=-1) / np.asarray(spacing_mm)


def _rings(values: np.ndarray, centre: np.ndarray, spacing_mm) -> np.ndarray:
    """Values around a centre, (angles, radii)."""
    places = centre + _directions(spacing_mm)[:, None, :] * _RADII[:, None]
    return ndimage.map_coordinates(values, np.moveaxis(places, -1, 0), order=1, mode="nearest")


def _points(centre: np.ndarray, path: np.ndarray, spacing_mm) -> np.ndarray:
    """The closed curve, (N, 2): a path has its border between its radius and the next one."""
    radius = ndimage.gaussian_filter1d(_STEP_MM * (path + 0.5), 2, mode="wrap")
    return centre + _directions(spacing_mm) * radius[:, None]


def _beside(gain: np.ndarray, path: np.ndarray) -> np.ndarray:
    """How far the greatest gain lies beside each place of a path, in steps: by the parabola through three gains."""
    before, at, after = (np.take_along_axis(gain, path[:, None] + step, axis=1)[:, 0] for step in (-1, 0, 1))
    bend = before - 2 * at + after
    good = (bend < 0) & (np.minimum(before, after) > _NEVER)
    return np.where(good, np.clip(0.5 * (before - after) / np.where(good, bend, 1), -0.5, 0.5), 0)


def _gain(ring: np.ndarray, band_mm: float) -> np.ndarray:
    """What it is worth to put the outline at each angle between a radius and the next one, (angles, radii)."""
    count, band = len(_RADII), max(int(band_mm / _STEP_MM), 1)
    index = np.arange(count)
    sums = np.pad(np.cumsum(ring, axis=1), ((0, 0), (1, 0)))
    low, high = np.clip(index - band, 0, None), np.clip(index + band, None, count - 1)
    inner = (sums[:, index + 1] - sums[:, low]) / (index - low + 1)
    outer = (sums[:, high + 1] - sums[:, index + 1]) / np.maximum(high - index, 1)
    weight = _RADII + 1e-3  # of an area
    whole = np.cumsum(ring * weight, axis=1) / np.cumsum(weight)
    gain = outer - 0.5 * inner - 0.5 * whole
    gain = ndimage.gaussian_filter1d(gain, 1.5, axis=0, mode="wrap")
    gain = gain / (np.percentile(ring, 90) - ring.min() + 1e-6)
    gain -= _USUAL_WEIGHT * np.log(np.maximum(_RADII, _STEP_MM) / _USUAL_MM) ** 2
    gain[:, :_FIRST] = gain[:, _LAST + 1 :] = _NEVER
    return gain


def _best_path(gain: np.ndarray, smoothness: float) -> np.ndarray:
    """A radius for each angle that maximises the gain, with small steps, and that closes."""
    first = _path(gain, smoothness, None)
    start = round((first[0] + first[-1]) / 2)
    return _path(gain, smoothness, start)


def _path(gain: np.ndarray, smoothness: float, start: int | None) -> np.ndarray:
    steps = np.arange(-_JUMP, _JUMP + 1)
    best = gain[0].copy()
    if start is not None:
        best[:] = -np.inf
        best[start] = gain[0, start]
    chosen, radii, cost = np.zeros(gain.shape, int), np.arange(len(best)), smoothness * (steps**2)[:, None]
    padded = np.full(len(best) + 2 * _JUMP, -np.inf)
    stepped = np.lib.stride_tricks.sliding_window_view(padded, len(best))[::-1]  # a row for each step
    for angle in range(1, len(gain)):
        padded[_JUMP : _JUMP + len(best)] = best
        options = stepped - cost
        pick = options.argmax(axis=0)
        best, chosen[angle] = options[pick, radii] + gain[angle], radii - steps[pick]
    at = int(best.argmax())
    if start is not None:
        low = max(start - _JUMP, 0)
        at = low + int(best[low : start + _JUMP + 1].argmax())
    path = [at]
    for angle in range(len(gain) - 1, 0, -1):
        at = int(np.clip(chosen[angle, at], 0, gain.shape[1] - 1))
        path.append(at)
    return np.array(path[::-1])


def _inside(outline: np.ndarray, tissue: np.ndarray) -> bool:
    """Whether a curve lies in tissue."""
    rows, columns = np.round(outline).astype(int).T
    if (rows < 0).any() or (columns < 0).any() or (rows >= tissue.shape[0]).any() or (columns >= tissue.shape[1]).any():
        return False
    return bool(tissue[rows, columns].all())
