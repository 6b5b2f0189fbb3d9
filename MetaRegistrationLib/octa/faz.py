"""The foveal avascular zone (FAZ): its outline as a closed curve around a centre, its area, perimeter and circularity.

The outline is the best closed curve around the centre (`faz_paths`). Two curves can be about as good; the area is not known then.
Definitions of the measures: Sampson et al., Light: Science & Applications 11:63 (2022).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy import ndimage

from .. import calibration
from ..core.gaussian import gaussian
from .capillaries import filter_unit
from .faz_paths import LAST, NEVER, RADII, STEP_MM, best_path, gain_of, points, rings, steps_beside, worth_of

_SMOOTH = 2.0  # window before the search, pixels of 18.75 um
_SETTINGS = ((0.20, 0.08), (0.12, 0.04))  # width of the bands, mm, and weight of smoothness
_AGREE = calibration.FAZ_AGREEMENT.value
_CENTRE_MM = calibration.FAZ_CENTRE_MM.value
_NEARLY = calibration.FAZ_NEARLY.value
_NEIGHBOURS = [(down, across) for down in (-1, 0, 1) for across in (-1, 0, 1) if down or across]
_LEAST_MM, _LEAST_PX = calibration.FAZ_LEAST_MM.value, calibration.FAZ_LEAST_PX.value
_LEAST_CONTRAST, _BRIGHTEST = calibration.FAZ_CONTRAST.value, calibration.FAZ_LEVEL.value
_OUTSIDE_MM = 0.2  # band around a zone that is compared with it
_AROUND_MM = 2.0  # radius of the surroundings that a zone is among the darkest of
_BESIDE_MM = np.array([(0, 0)] + [(0.3 * math.sin(turn), 0.3 * math.cos(turn)) for turn in np.arange(6) * math.pi / 3])
"""Where the search begins beside the centre, (row, column)."""
_OFF_MM = 0.15  # from the middle of a zone: a place farther off lies beside it
_OUTSIDE_STEPS = int(_OUTSIDE_MM / STEP_MM)
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


class FazSearch(NamedTuple):
    """What a search for a zone found.

    Attributes
    ----------
    zone : Faz or None
        None where there is no clear zone, or where its area depends on the centre.
    least, widest : Faz or None
        The zones of the least and of the greatest area, where centres one step apart give unlike ones.
    """

    zone: Faz | None
    least: Faz | None = None
    widest: Faz | None = None


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
    """The zone around a centre; None where it is not clear, is too small, reaches beyond the search, or depends on the centre.

    Parameters are those of `search_faz`.
    """
    return search_faz(image, tissue, centre_xy, spacing_mm).zone


def search_faz(
    image: np.ndarray, tissue: np.ndarray, centre_xy: tuple[float, float], spacing_mm: tuple[float, float]
) -> FazSearch:
    """The zone around a centre, or why its area is not known.

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
    start, *others = _starts(scan, np.array(centre_xy[::-1], float))
    try:
        zone = _zone_around(scan, start)
    except _TooLarge:
        zone = None
    if zone is None:
        return FazSearch(None)
    others += [start + np.multiply(beside, _step(spacing_mm)) for beside in _NEIGHBOURS]
    by_area = sorted([zone, *_zones_from(scan, others)], key=lambda found: found.area_mm2)
    least, widest = by_area[0], by_area[-1]
    return FazSearch(zone) if widest.area_mm2 <= _AGREE * least.area_mm2 else FazSearch(None, least, widest)


def _zones_from(scan: _Scan, starts: Sequence[np.ndarray]) -> list[Faz]:
    """The zones that are found from places (row, column); fewer where there are none."""
    found = []
    for start in starts:
        try:
            outline = _settled(scan, start, *_SETTINGS[0])
        except _TooLarge:
            continue
        if outline is not None and _inside(outline, scan.tissue):
            found.append(measured_outline(outline, scan.spacing_mm))
    return found


def _step(spacing_mm: tuple[float, float]) -> list[int]:
    """Between neighbouring centres, (rows, columns)."""
    return [max(1, round(_CENTRE_MM / size)) for size in spacing_mm]


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


def _starts(scan: _Scan, place: np.ndarray) -> list[np.ndarray]:
    """Where the search begins, and where it might begin for a neighbouring place.

    It begins at the middle of the best outline from a place and from others around it, if the place lies beside it. The same
    zone is found from all of them.
    """
    tried = [_tried(scan, place + beside / np.asarray(scan.spacing_mm)) for beside in _BESIDE_MM]
    best, middle = max(tried, key=lambda one: one[0])
    found = [middle if _away(scan, middle, place) > _OFF_MM else place]
    step = 1.5 * math.hypot(*np.multiply(_step(scan.spacing_mm), scan.spacing_mm)) / math.sqrt(2)
    for worth, middle in tried:
        if worth >= best - _NEARLY:
            away = _away(scan, middle, place)
            possible = [middle] * (away > _OFF_MM - step) + [place] * (away <= _OFF_MM + step)
            found += [other for other in possible if all(_away(scan, other, known) > step for known in found)]
    return found


def _tried(scan: _Scan, centre: np.ndarray) -> tuple[float, np.ndarray]:
    """The worth of the best outline around a place, after a first one has moved it, and the middle of that outline."""
    for _ in range(2):
        gain = gain_of(rings(scan.root, centre, scan.spacing_mm), _SETTINGS[0][0])
        path = best_path(gain, _SETTINGS[0][1])
        centre = points(centre, path, scan.spacing_mm).mean(axis=0)
    return worth_of(gain, path, _SETTINGS[0][1]), centre


def _away(scan: _Scan, first: np.ndarray, second: np.ndarray) -> float:
    return float(np.hypot(*((first - second) * scan.spacing_mm)))


def _settled(scan: _Scan, centre: np.ndarray, band_mm: float, smoothness: float) -> np.ndarray | None:
    """The outline, (N, 2), after the centre has moved to its middle; None if it is not dark.

    It is searched on the roots of grey values, and placed on the grey values near there: the root of a blurred border lies
    inside of it.
    """
    spacing_mm = scan.spacing_mm
    for _ in range(3):
        path = best_path(gain_of(rings(scan.root, centre, spacing_mm), band_mm), smoothness)
        centre = points(centre, path, spacing_mm).mean(axis=0)
    path = best_path(gain_of(rings(scan.root, centre, spacing_mm), band_mm), smoothness)
    if (path >= LAST).any():
        raise _TooLarge
    around = rings(scan.grey, centre, spacing_mm)
    gain = gain_of(around, band_mm)
    near = np.abs(np.arange(len(RADII)) - path[:, None]) <= _NEAR
    path = best_path(np.where(near, gain, NEVER), smoothness)
    if not _is_dark(scan, centre, around, path):
        return None
    return points(centre, path + steps_beside(gain, path), spacing_mm)


def _is_dark(scan: _Scan, centre: np.ndarray, around: np.ndarray, path: np.ndarray) -> bool:
    """Whether the inside of a path is darker than a band outside of it, and about the darkest of its surroundings.

    Gaps between vessels are dark beside vessels too, but brighter than a zone without capillaries.
    """
    beyond = np.arange(len(RADII)) - path[:, None]
    inside = around[beyond <= 0].mean()
    outside = np.where((beyond > 0) & (STEP_MM * beyond <= _OUTSIDE_MM), around, 0).sum(axis=1) / _OUTSIDE_STEPS
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


def _inside(outline: np.ndarray, tissue: np.ndarray) -> bool:
    """Whether a curve lies in tissue."""
    rows, columns = np.round(outline).astype(int).T
    if (rows < 0).any() or (columns < 0).any() or (rows >= tissue.shape[0]).any() or (columns >= tissue.shape[1]).any():
        return False
    return bool(tissue[rows, columns].all())
