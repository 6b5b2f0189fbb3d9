"""The foveal avascular zone (FAZ): its outline as a closed curve around a centre, its area, perimeter and circularity.

The outline is the best closed curve around the centre in polar coordinates: dark inside, brighter in a band outside, and smooth
(dynamic programming over angles). Definitions of the measures: Sampson et al., Light: Science & Applications 11:63 (2022).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

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
    """The zone around a centre; None where it is not clear.

    Parameters
    ----------
    image : array (H, W)
        Vessels bright, any range.
    tissue : bool array (H, W)
    centre_xy : (float, float)
        About the middle of the zone, (x, y) in pixels.
    spacing_mm : (float, float)
        Distance between rows and between columns.
    """
    values = np.where(tissue, image, np.median(image[tissue]) if tissue.any() else 0).astype(np.float32)
    values = np.sqrt(np.clip(values - values.min(), 0, None))  # speckle grows with brightness
    values = gaussian(values, _SMOOTH * filter_unit(image.shape, math.sqrt(math.prod(spacing_mm))))
    found = [_settled(values, centre_xy, spacing_mm, *setting) for setting in _SETTINGS]
    if not all(_inside(outline, tissue) for outline in found):
        return None
    zones = [measured_outline(outline, spacing_mm) for outline in found]
    areas = sorted(zone.area_mm2 for zone in zones)
    return zones[0] if areas[1] <= _AGREE * areas[0] else None


def _settled(values, centre_xy, spacing_mm, band_mm: float, smoothness: float) -> np.ndarray:
    """The outline after the centre has moved to the middle of the outline."""
    centre = np.array(centre_xy[::-1], float)
    for _ in range(3):
        centre = _outline(values, centre, spacing_mm, band_mm, smoothness).mean(axis=0)
    return _outline(values, centre, spacing_mm, band_mm, smoothness)


def _outline(values, centre, spacing_mm, band_mm: float, smoothness: float) -> np.ndarray:
    """The best closed curve around a centre, (N, 2)."""
    radii = np.arange(0, 1.0, _STEP_MM)
    angles = np.arange(_ANGLES) * 2 * np.pi / _ANGLES
    direction = np.stack([np.sin(angles), np.cos(angles)], axis=-1) / np.asarray(spacing_mm)
    places = centre + direction[:, None, :] * radii[:, None]
    ring = ndimage.map_coordinates(values, np.moveaxis(places, -1, 0), order=1, mode="nearest")
    path = _best_path(_gain(ring, radii, max(int(band_mm / _STEP_MM), 1)), smoothness)
    radius = ndimage.gaussian_filter1d(radii[path], 2, mode="wrap")
    return centre + direction * radius[:, None]


def _gain(ring: np.ndarray, radii: np.ndarray, band: int) -> np.ndarray:
    """What it is worth to put the outline at each angle and radius, (angles, radii)."""
    count = len(radii)
    index = np.arange(count)
    sums = np.pad(np.cumsum(ring, axis=1), ((0, 0), (1, 0)))
    low, high = np.clip(index - band, 0, None), np.clip(index + band, None, count - 1)
    inner = (sums[:, index + 1] - sums[:, low]) / (index - low + 1)
    outer = (sums[:, high + 1] - sums[:, index + 1]) / np.maximum(high - index, 1)
    weight = radii + 1e-3  # of an area
    whole = np.cumsum(ring * weight, axis=1) / np.cumsum(weight)
    gain = outer - 0.5 * inner - 0.5 * whole
    gain = ndimage.gaussian_filter1d(gain, 1.5, axis=0, mode="wrap")
    gain = gain / (np.percentile(ring, 90) - ring.min() + 1e-6)
    gain -= _USUAL_WEIGHT * np.log(np.maximum(radii, _STEP_MM) / _USUAL_MM) ** 2
    gain[:, (radii < _RADII_MM[0]) | (radii > _RADII_MM[1])] = -9.0
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
