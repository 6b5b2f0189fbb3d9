"""The best closed curve around a centre in polar coordinates: dark inside, brighter in a band outside, and smooth.

Paths are radii by angle, found by dynamic programming over the angles.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

_ANGLES = 96
STEP_MM = 0.012  # between radii
_RADII_MM = (0.08, 0.85)
_JUMP = 3  # radii that the outline may move from one angle to the next
_USUAL_MM = 0.3  # radius of most zones
_USUAL_WEIGHT = 0.2
RADII = np.arange(0, 1.0, STEP_MM)
_FIRST, LAST = int(RADII.searchsorted(_RADII_MM[0])), int(RADII.searchsorted(_RADII_MM[1], "right")) - 1
NEVER = -9.0  # gain where no outline lies


def worth_of(gain: np.ndarray, path: np.ndarray, smoothness: float) -> float:
    """The value that `best_path` maximises: mean gain of an outline per angle, less the penalty on its steps."""
    steps = np.diff(path, append=path[0])
    return float(np.take_along_axis(gain, path[:, None], axis=1).mean() - smoothness * (steps**2).mean())


def _directions(spacing_mm) -> np.ndarray:
    """Pixels in a millimetre, by angle: (row, column), (N, 2)."""
    angles = np.arange(_ANGLES) * 2 * np.pi / _ANGLES
    return np.stack([np.sin(angles), np.cos(angles)], axis=-1) / np.asarray(spacing_mm)


def rings(values: np.ndarray, centre: np.ndarray, spacing_mm) -> np.ndarray:
    """Values around a centre, (angles, radii)."""
    places = centre + _directions(spacing_mm)[:, None, :] * RADII[:, None]
    return ndimage.map_coordinates(values, np.moveaxis(places, -1, 0), order=1, mode="nearest")


def points(centre: np.ndarray, path: np.ndarray, spacing_mm) -> np.ndarray:
    """The closed curve, (N, 2): a path has its border between its radius and the next one."""
    radius = ndimage.gaussian_filter1d(STEP_MM * (path + 0.5), 2, mode="wrap")
    return centre + _directions(spacing_mm) * radius[:, None]


def steps_beside(gain: np.ndarray, path: np.ndarray) -> np.ndarray:
    """How far the greatest gain lies beside each place of a path, in steps: by the parabola through three gains."""
    before, at, after = (np.take_along_axis(gain, path[:, None] + step, axis=1)[:, 0] for step in (-1, 0, 1))
    bend = before - 2 * at + after
    good = (bend < 0) & (np.minimum(before, after) > NEVER)
    return np.where(good, np.clip(0.5 * (before - after) / np.where(good, bend, 1), -0.5, 0.5), 0)


def gain_of(ring: np.ndarray, band_mm: float) -> np.ndarray:
    """What it is worth to put the outline at each angle between a radius and the next one, (angles, radii)."""
    count, band = len(RADII), max(int(band_mm / STEP_MM), 1)
    index = np.arange(count)
    sums = np.pad(np.cumsum(ring, axis=1), ((0, 0), (1, 0)))
    low, high = np.clip(index - band, 0, None), np.clip(index + band, None, count - 1)
    inner = (sums[:, index + 1] - sums[:, low]) / (index - low + 1)
    outer = (sums[:, high + 1] - sums[:, index + 1]) / np.maximum(high - index, 1)
    weight = RADII + 1e-3  # of an area
    whole = np.cumsum(ring * weight, axis=1) / np.cumsum(weight)
    gain = outer - 0.5 * inner - 0.5 * whole
    gain = ndimage.gaussian_filter1d(gain, 1.5, axis=0, mode="wrap")
    gain = gain / (np.percentile(ring, 90) - ring.min() + 1e-6)
    gain -= _USUAL_WEIGHT * np.log(np.maximum(RADII, STEP_MM) / _USUAL_MM) ** 2
    gain[:, :_FIRST] = gain[:, LAST + 1 :] = NEVER
    return gain


def best_path(gain: np.ndarray, smoothness: float) -> np.ndarray:
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
