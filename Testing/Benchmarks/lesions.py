"""Vessels that are lost or new, painted into an eye before it is acquired: the truth for change maps."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

_EDGE_PX = 1.5


def disc(shape: tuple[int, int], centre: tuple[float, float], radius: float) -> np.ndarray:
    """Pixels nearer to the centre (row, column) than the radius, bool."""
    rows, columns = np.indices(shape)
    return np.hypot(rows - centre[0], columns - centre[1]) < radius


def drop_out(eye: np.ndarray, where: np.ndarray, vessels: np.ndarray | None = None) -> np.ndarray:
    """The eye without its vessels in a region; with a mask of the larger ones, without its capillaries only."""
    gone = where if vessels is None else where & ~ndimage.binary_dilation(vessels, iterations=2)
    share = ndimage.gaussian_filter(gone.astype(np.float32), _EDGE_PX)
    return eye * (1 - share) + np.percentile(eye, 10) * share


def new_vessels(eye: np.ndarray, where: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The eye with a tuft of winding vessels in a region."""
    inside = np.argwhere(where)
    lines = np.zeros_like(eye)
    for _ in range(max(round(where.sum() / 120), 4)):
        place, heading = inside[rng.integers(len(inside))].astype(float), rng.uniform(0, 2 * np.pi)
        for _ in range(60):
            heading += rng.normal(0, 0.4)
            place = place + np.array([np.sin(heading), np.cos(heading)])
            row, column = np.round(place).astype(int)
            if not (0 <= row < eye.shape[0] and 0 <= column < eye.shape[1] and where[row, column]):
                break
            lines[row, column] = 1
    lines = np.clip(2.5 * ndimage.gaussian_filter(lines, 0.9), 0, 1)
    return np.maximum(eye, float(np.percentile(eye, 93)) * lines)
