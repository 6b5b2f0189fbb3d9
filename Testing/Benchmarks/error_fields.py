"""Fields with errors, as stages of a registration make them: transforms near the true one, smooth errors, lost positions."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

_EVERY = 37


def nearest_affine(truth: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """The affine transform (2, 3) nearest to a displacement (2, S, S) where `inside` is true."""
    grid = np.indices(truth.shape[1:]).astype(float)
    chosen = np.flatnonzero(inside)[::_EVERY]
    terms = np.column_stack([grid.reshape(2, -1)[:, chosen].T, np.ones(len(chosen))])
    return np.linalg.lstsq(terms, (grid + truth).reshape(2, -1)[:, chosen].T, rcond=None)[0].T


def of_matrix(matrix: np.ndarray, size: int) -> np.ndarray:
    """The displacement (2, size, size) of a transform (2, 3)."""
    grid = np.indices((size, size)).astype(float)
    return (np.einsum("ij,jhw->ihw", matrix[:, :2], grid) + matrix[:, 2, None, None] - grid).astype(np.float32)


def jittered(matrix: np.ndarray, rng: np.random.Generator, px: float, size: int) -> np.ndarray:
    """A transform whose corners are moved by about `px`, each by itself and all together."""
    corners = np.array([[0.0, 0.0], [0.0, size - 1], [size - 1, 0.0]])
    terms = np.column_stack([corners, np.ones(3)])
    moved = terms @ matrix.T + rng.normal(0, px, (3, 2)) + rng.normal(0, px, 2)
    return np.linalg.solve(terms, moved).T


def lost(truth: np.ndarray, inside: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A transform (2, 3) that is 8 to 60 px off."""
    matrix = jittered(nearest_affine(truth, inside), rng, 2.0, truth.shape[-1])
    angle = rng.uniform(0, 2 * np.pi)
    matrix[:, 2] += rng.uniform(8, 60) * np.array([np.sin(angle), np.cos(angle)])
    return matrix


def smooth_error(size: int, rng: np.random.Generator) -> np.ndarray:
    """An error (2, size, size) of 0.2 to 30 px that varies over 20 to 250 px, in half of the cases here and there only."""
    amplitude = np.exp(rng.uniform(np.log(0.2), np.log(30)))
    error = amplitude * _smooth(size, np.exp(rng.uniform(np.log(20), np.log(250))), rng)
    if rng.random() < 0.5:
        error = error / (1 + np.exp(-(_smooth(size, rng.uniform(60, 200), rng)[0] - rng.uniform(0, 1)) / 0.2))
    return error.astype(np.float32)


def _smooth(size: int, spacing: float, rng: np.random.Generator) -> np.ndarray:
    nodes = max(int(size / spacing), 2) + 3
    zoomed = ndimage.zoom(rng.normal(size=(2, nodes, nodes)), (1, size / nodes, size / nodes), order=3)
    return zoomed[:, :size, :size].astype(np.float32)
