"""A second simulator of repeat visits, for measuring only: nothing is ever trained with it.

`MetaRegistrationLib.simulation` makes the pairs that networks are trained on, so that its own pairs flatter them. This one
deforms by other laws (Gaussian bumps, eddies, rows that drift and jump; larger and finer) and spoils the images by other
noise (correlated gamma speckle, banding, vignetting, blur).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from MetaRegistrationLib.core.spatial import invert_points
from MetaRegistrationLib.octa.vessels import branch_points

_MARGIN = 0.05
_BORDER_PX = 8.0
_MOST_LANDMARKS = 30
_LEAST_DISTANCE_PX = 12.0
_LEAST_JACOBIAN = 0.15


@dataclass(frozen=True)
class Repeat:
    """Two acquisitions, float32 (size, size) in [0, 1], and corresponding points (N, 2), (row, column)."""

    moving: np.ndarray
    fixed: np.ndarray
    moving_points: np.ndarray
    fixed_points: np.ndarray


@dataclass(frozen=True)
class Strength:
    """How far apart two visits are.

    Attributes
    ----------
    mean_px, spread_px, least_px, most_px : float
        Of the mean displacement of a pair.
    whole : (float, float)
        Least and greatest share of it that is affine.
    local : float
        Share of it that is local at first; 0 takes the bumps and eddies as they are drawn.
    """

    mean_px: float = 10.0
    spread_px: float = 3.0
    least_px: float = 4.0
    most_px: float = 18.0
    whole: tuple[float, float] = (0.4, 0.8)
    local: float = 0.0


USUAL = Strength()
STRONG = Strength(15.0, 4.0, 10.0, 20.0, (0.2, 0.6), 0.6)


def repeat(
    eye: np.ndarray, vessels: np.ndarray, rng: np.random.Generator, size: int = 400, *, strength: Strength = USUAL
) -> Repeat:
    """A repeat visit of an eye.

    Parameters
    ----------
    eye, vessels : arrays (H, W)
        Image and vessel mask.
    rng : numpy.random.Generator
    size : int
        Side of both images.
    strength : Strength
    """
    clean = cleaned(eye)
    deformation = displacement(size, rng, strength)
    fixed = acquisition(_framed(clean, np.zeros_like(deformation)), rng)
    moving = acquisition(_framed(clean, deformation), rng)
    start, step = _placing(eye.shape, size)
    fixed_points = (branch_points(vessels) - start) / step
    moving_points, converged = invert_points(deformation, fixed_points)
    inside = [
        ((points >= _BORDER_PX) & (points <= size - 1 - _BORDER_PX)).all(axis=1)
        for points in (moving_points, fixed_points)
    ]
    kept = np.flatnonzero(converged & inside[0] & inside[1])
    kept = kept[_spread(fixed_points[kept])]
    return Repeat(moving, fixed, moving_points[kept], fixed_points[kept])


def cleaned(eye: np.ndarray) -> np.ndarray:
    """The eye in [0, 1], its speckle smoothed."""
    clean = ndimage.median_filter(np.asarray(eye, dtype=np.float32), 3)
    low, high = np.percentile(clean, (0.5, 99.5))
    return np.clip((clean - low) / (high - low), 0, 1)


def visits(
    first: np.ndarray, later: np.ndarray, region: np.ndarray, rng: np.random.Generator, size: int = 400
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Two acquisitions (size, size) of a cleaned eye before and after something changed in a region, the later deformed.

    Returns
    -------
    fixed, moving : float32 arrays (size, size)
    where : bool array (size, size)
        The region in the frame of the fixed one.
    """
    deformation = displacement(size, rng)
    still = np.zeros_like(deformation)
    fixed, moving = acquisition(_framed(first, still), rng), acquisition(_framed(later, deformation), rng)
    return fixed, moving, _framed(region.astype(np.float32), still) > 0.5


def displacement(size: int, rng: np.random.Generator, strength: Strength = USUAL) -> np.ndarray:
    """Where each pixel of the moving image comes from, less its own place: (2, size, size), in pixels."""
    rows, columns = np.mgrid[:size, :size].astype(np.float64)
    length = np.clip(rng.normal(strength.mean_px, strength.spread_px), strength.least_px, strength.most_px)
    whole = _linear(rows, columns, rng)
    local = _bumps(rows, columns, rng) + _eddies(rows, columns, rng)
    drift = np.stack([np.zeros((size, size)), np.broadcast_to(_rows(size, rng)[:, None], (size, size))])
    whole *= rng.uniform(*strength.whole) * length / _length(whole)
    if strength.local:
        local *= strength.local * length / _length(local)
    for _ in range(40):
        total = whole + local + drift
        total *= length / _length(total)
        if _smallest_jacobian(total) > _LEAST_JACOBIAN:
            break
        local, drift = 0.85 * local, 0.95 * drift
    return total


def _linear(rows: np.ndarray, columns: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    centre = (rows.shape[0] - 1) / 2
    matrix = rng.normal(0, 0.012, (2, 2)) + rng.normal(0, np.deg2rad(2)) * np.array([[0, -1], [1, 0]])
    shift = rng.normal(0, 5, 2)
    away = np.stack([rows - centre, columns - centre])
    return np.einsum("ij,jhw->ihw", matrix, away) + shift[:, None, None]


def _bumps(rows: np.ndarray, columns: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    size, total = rows.shape[0], np.zeros((2, *rows.shape))
    for _ in range(rng.integers(10, 19)):
        row, column = rng.uniform(0, size, 2)
        radius = np.exp(rng.uniform(np.log(18), np.log(70)))
        bump = np.exp(-((rows - row) ** 2 + (columns - column) ** 2) / (2 * radius**2))
        total += rng.normal(0, 0.14 * radius, 2)[:, None, None].clip(-8, 8) * bump
    return total


def _eddies(rows: np.ndarray, columns: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    size, total = rows.shape[0], np.zeros((2, *rows.shape))
    for _ in range(rng.integers(2, 6)):
        row, column = rng.uniform(0.1 * size, 0.9 * size, 2)
        radius, turn = rng.uniform(25, 60), rng.normal(0, np.deg2rad(9))
        fading = turn * np.exp(-((rows - row) ** 2 + (columns - column) ** 2) / (2 * radius**2))
        total += np.stack([-fading * (columns - column), fading * (rows - row)])
    return total


def _rows(size: int, rng: np.random.Generator) -> np.ndarray:
    """Shift of each row along itself: a slow swing, and eye movements that are over within a few rows."""
    row = np.arange(size)
    shift = rng.uniform(0.5, 2.5) * np.sin(2 * np.pi * (row / rng.uniform(120, 350) + rng.uniform()))
    for _ in range(rng.integers(0, 4)):
        shift = shift + rng.normal(0, 2.5) / (1 + np.exp(-(row - rng.uniform(0, size)) / 2.0))
    return shift


def _length(field: np.ndarray) -> float:
    return float(np.hypot(*field).mean())


def _smallest_jacobian(field: np.ndarray) -> float:
    down, across = np.gradient(field, axis=1), np.gradient(field, axis=2)
    return float(((1 + down[0]) * (1 + across[1]) - across[0] * down[1]).min())


def acquisition(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """What one visit's device makes of the eye (size, size) in [0, 1]: blur, contrast, vignetting, banding, speckle."""
    size = image.shape[0]
    seen = ndimage.gaussian_filter(image, rng.uniform(0.3, 1.3, 2)) ** rng.uniform(0.75, 1.35)
    rows, columns = np.mgrid[:size, :size] / (size - 1)
    centre = rng.uniform(0.3, 0.7, 2)
    seen = seen * (1 - rng.uniform(0.1, 0.7) * ((rows - centre[0]) ** 2 + (columns - centre[1]) ** 2))
    bands = ndimage.gaussian_filter1d(rng.normal(0, 1, size), rng.uniform(1.5, 8))
    seen = seen * np.exp(rng.uniform(0.04, 0.18) * bands / bands.std())[:, None]
    shape = rng.uniform(3, 9)
    speckle = ndimage.gaussian_filter(rng.gamma(shape, 1 / shape, image.shape), rng.uniform(0.4, 1.0, 2))
    floor = ndimage.gaussian_filter(rng.gamma(1.5, 0.03, image.shape), 0.5)
    return np.clip(0.85 * seen * speckle + floor, 0, 1).astype(np.float32)


def _placing(shape: tuple[int, int], size: int) -> tuple[np.ndarray, np.ndarray]:
    """Pixel of the eye at the frame's first pixel, and pixels of the eye a pixel of the frame."""
    step = np.asarray(shape) * (1 - 2 * _MARGIN) / size
    return np.asarray(shape) * _MARGIN + 0.5 * step - 0.5, step


def _framed(eye: np.ndarray, field: np.ndarray) -> np.ndarray:
    start, step = _placing(eye.shape, field.shape[1])
    places = (np.indices(field.shape[1:]) + field) * step[:, None, None] + start[:, None, None]
    return np.clip(ndimage.map_coordinates(eye, places, order=3, mode="constant"), 0, 1)


def _spread(points: np.ndarray) -> list[int]:
    """Indices of points as far from each other as can be, the first one first."""
    if not len(points):
        return []
    chosen, distance = [0], np.linalg.norm(points - points[0], axis=1)
    while len(chosen) < _MOST_LANDMARKS and distance.max() >= _LEAST_DISTANCE_PX:
        chosen.append(int(distance.argmax()))
        distance = np.minimum(distance, np.linalg.norm(points - points[chosen[-1]], axis=1))
    return chosen
