"""Distances between corresponding landmarks, in the units of each grid."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..core.metrics import landmark_distances
from ..formats.landmarks import Landmarks
from .schema import GRID_PX, IMAGE_PX, MICROMETRES, Unit

if TYPE_CHECKING:  # it imports torch
    from .registrar import Registration


class Grid(NamedTuple):
    """The unit of a distance, and the suffix of its keys."""

    suffix: str
    unit: Unit


NETWORK = Grid("px", GRID_PX)
NATIVE = Grid("native_px", IMAGE_PX)
PHYSICAL = Grid("um", MICROMETRES)
MOMENTS = ("before", "after")


class CarriedLandmarks(NamedTuple):
    """Landmarks of a pair before and after; all but `moving` in pixels of the fixed image.

    `converged` (N,) is true if the inverse was found to tolerance. `fixed` is None if the counterparts are unknown.
    """

    moving: Landmarks
    unmoved: Landmarks
    carried: Landmarks
    converged: np.ndarray
    fixed: Landmarks | None


def carry_landmarks(registration: Registration, moving: Landmarks, fixed: Landmarks | None) -> CarriedLandmarks:
    """Carry the moving landmarks into the fixed image."""
    carried, converged = registration.carry(moving)
    return CarriedLandmarks(moving, registration.unmoved(moving), carried, converged, fixed)


def distances(
    grid: Grid, moment: str, registration: Registration, landmarks: CarriedLandmarks, spacing_um: float | None = None
) -> np.ndarray:
    """Distance of each landmark from its fixed counterpart, float64 (N,).

    Parameters
    ----------
    grid : Grid
        `NETWORK`, `NATIVE` or `PHYSICAL`.
    moment : str
        "before" or "after" the registration.
    registration : Registration or StoredRegistration
    landmarks : CarriedLandmarks
        With fixed counterparts.
    spacing_um : float, optional
        Pixel size of a fixed image that carries none; without both, micrometres are NaN.
    """
    points = landmarks.unmoved if moment == "before" else landmarks.carried
    factor = _factor(grid, registration, spacing_um)
    return landmark_distances(points.points * factor, landmarks.fixed.points * factor)


def _factor(grid: Grid, registration: Registration, spacing_um: float | None) -> np.ndarray:
    """Units of the grid per pixel of the fixed image, (row, column)."""
    if grid == NETWORK:
        return 1 / np.asarray(registration.fixed_grid.scale)
    if grid == NATIVE:
        return np.ones(2)
    geometry = registration.fixed.geometry
    if geometry.spacing_known:
        return np.asarray(geometry.spacing) * 1000
    return np.full(2, spacing_um or math.nan)
