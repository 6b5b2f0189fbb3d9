"""Random deformations between two visits, and their exact inverse at points."""

from __future__ import annotations

import numpy as np
import torch
from scipy.ndimage import map_coordinates

from ..core.spatial import jacobian_determinant
from ..errors import InputError
from .settings import RepeatSettings
from .smooth import smooth_field

_TOLERANCE_PX = 1e-3


def random_displacement(size: int, settings: RepeatSettings, rng: np.random.Generator) -> np.ndarray:
    """Draw the displacement field of one repeat visit.

    Rotation, translation, two scales of elastic field and (in some) saccade-like row shifts are scaled together, so
    that the mean length of the displacement over the image is that drawn for the pair. The elastic part does not fold.

    Parameters
    ----------
    size : int
        Rows and columns of the frame.
    settings : RepeatSettings
    rng : numpy.random.Generator

    Returns
    -------
    numpy.ndarray
        (2, size, size) float32, channels (row, column), in pixels of the frame.

    Raises
    ------
    InputError
        If the settings leave only an elastic field, and one so strong that it must fold.
    """
    length = _pair_length(settings, rng)
    rigid = _rigid_part(size, settings, rng)
    elastic = settings.coarse_amplitude_px * smooth_field(size, settings.coarse_spacing_px, rng, channels=2)
    elastic += settings.fine_amplitude_px * smooth_field(size, settings.fine_spacing_px, rng, channels=2)
    saccades = _saccade_shifts(size, settings, rng)
    return _scaled_without_folds(rigid, elastic, saccades, length, settings.smallest_jacobian)


def _pair_length(settings: RepeatSettings, rng: np.random.Generator) -> float:
    mean, spread = settings.displacement_px, settings.displacement_spread_px
    if mean == 0 or spread == 0:
        return mean
    return float(rng.gamma((mean / spread) ** 2, spread**2 / mean))


def _rigid_part(size: int, settings: RepeatSettings, rng: np.random.Generator) -> np.ndarray:
    angle = np.deg2rad(settings.rotation_deg * rng.standard_normal())
    shift = settings.translation_px * rng.standard_normal(2)
    axis = np.arange(size, dtype=np.float32) - (size - 1) / 2
    cosine, sine = np.float32(np.cos(angle) - 1), np.float32(np.sin(angle))
    row, column = axis[:, None], axis[None, :]
    rotation = np.stack([cosine * row - sine * column, sine * row + cosine * column])
    return rotation + shift.astype(np.float32)[:, None, None]


def _saccade_shifts(size: int, settings: RepeatSettings, rng: np.random.Generator) -> np.ndarray:
    """Horizontal shift of each row, (size,): zero but for one to three bands of rows in some pairs."""
    shifts = np.zeros(size, dtype=np.float32)
    if rng.random() < settings.saccade_probability:
        for _ in range(rng.integers(1, 4)):
            start = int(rng.integers(0, size))
            rows = int(rng.integers(max(size // 50, 1), max(size // 8, 2)))
            shifts[start : start + rows] += settings.saccade_px * rng.standard_normal()
    return shifts


def _scaled_without_folds(
    rigid: np.ndarray, elastic: np.ndarray, saccades: np.ndarray, length: float, smallest_jacobian: float
) -> np.ndarray:
    for _ in range(40):
        total = rigid + elastic
        total[1] += saccades[:, None]
        mean_length = float(np.sqrt(total[0] ** 2 + total[1] ** 2).mean())
        if mean_length == 0:
            return total
        scale = np.float32(length / mean_length)
        # The saccades break the field on purpose, so that only the rest is held to be free of folds.
        smooth = torch.from_numpy(scale * (rigid + elastic))
        if jacobian_determinant(smooth[None]).min() > smallest_jacobian:
            return scale * total
        elastic = np.float32(0.8) * elastic
    raise InputError(
        f"The elastic field cannot reach a mean displacement of {length:.1f} px without folding: set a smaller "
        "displacement_px, a larger coarse_spacing_px, or some translation_px."
    )


def sample_at(displacement: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Displacement (N, 2) at `points` (N, 2), both (row, column) px: linear inside, the border's value outside."""
    coordinates = np.asarray(points, dtype=np.float64).T
    channels = [map_coordinates(c, coordinates, output=np.float64, order=1, mode="nearest") for c in displacement]
    return np.stack(channels, axis=1)


def invert_at(displacement: np.ndarray, points: np.ndarray, *, iterations: int = 200) -> tuple[np.ndarray, np.ndarray]:
    """Find y with y + v(y) = x for each point x, by fixed-point iteration.

    Parameters
    ----------
    displacement : numpy.ndarray
        v, (2, H, W) in pixels, channels (row, column).
    points : numpy.ndarray
        x, (N, 2) as (row, column) in pixels.
    iterations : int
        Greatest number of iterations.

    Returns
    -------
    solutions : numpy.ndarray
        y, (N, 2) float64.
    converged : numpy.ndarray
        (N,) bool: y + v(y) equals x to below 0.001 px. Points beside a break of the field may have no solution.
    """
    points = np.asarray(points, dtype=np.float64).reshape(-1, 2)
    solutions = points.copy()
    error = np.full(len(points), np.inf)
    active = np.arange(len(points))
    for _ in range(iterations):
        misses = solutions[active] + sample_at(displacement, solutions[active]) - points[active]
        error[active] = np.linalg.norm(misses, axis=1)
        # Ten times below the promise: each step makes the error of a smooth field smaller still.
        going_on = error[active] > _TOLERANCE_PX / 10
        active = active[going_on]
        if not len(active):
            break
        solutions[active] -= misses[going_on]
    else:
        misses = solutions[active] + sample_at(displacement, solutions[active]) - points[active]
        error[active] = np.linalg.norm(misses, axis=1)
    return solutions, error < _TOLERANCE_PX


def inverse_field(displacement: np.ndarray) -> np.ndarray:
    """Field u (2, H, W), float32, with u(x) = y - x where y + v(y) = x, v = `displacement` (2, H, W), in pixels.

    Where a break of the field (a saccade) leaves no exact solution, the nearest iterate stands.
    """
    _, rows, columns = displacement.shape
    grid = np.stack(np.meshgrid(np.arange(rows), np.arange(columns), indexing="ij"), axis=-1).reshape(-1, 2)
    solutions, _ = invert_at(displacement, grid, iterations=50)
    return (solutions - grid).T.reshape(2, rows, columns).astype(np.float32)
