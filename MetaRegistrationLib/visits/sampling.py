"""Many maps of one image at the same positions: the weights of their pixels are computed once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import sparse

_ROWS = 256  # of the positions at once, for the memory of the weights


def sampled(maps: Sequence[np.ndarray], positions: np.ndarray) -> np.ndarray:
    """Maps interpolated linearly at positions, float32 (N, H, W); beyond the border the nearest pixel counts.

    Parameters
    ----------
    maps : sequence of arrays (h, w)
    positions : array (H, W, 2)
        (row, column), in pixels of the maps.
    """
    shape = np.shape(maps[0])
    flat = [np.ascontiguousarray(each, np.float32).ravel() for each in maps]
    found = np.empty((len(flat), *positions.shape[:2]), np.float32)
    for first in range(0, len(positions), _ROWS):
        part = positions[first : first + _ROWS]
        weights = _weights(part.reshape(-1, 2).astype(np.float64), shape)
        for out, values in zip(found, flat, strict=True):
            out[first : first + _ROWS] = (weights @ values).reshape(part.shape[:2])
    return found


def _weights(positions: np.ndarray, shape: tuple[int, int]) -> sparse.csr_matrix:
    """The weights (P, h * w) of the four pixels around each of the positions (P, 2)."""
    last = np.array(shape) - 1
    inside = np.clip(positions, 0, last)
    corner = inside.astype(np.int32)
    opposite = np.minimum(corner + 1, last)
    row, column = (inside - corner).T
    rows = np.stack((corner[:, 0], corner[:, 0], opposite[:, 0], opposite[:, 0]), axis=1)
    columns = np.stack((corner[:, 1], opposite[:, 1], corner[:, 1], opposite[:, 1]), axis=1)
    each = np.stack(((1 - row) * (1 - column), (1 - row) * column, row * (1 - column), row * column), axis=1)
    indices = (rows * shape[1] + columns).astype(np.int32)
    starts = np.arange(0, indices.size + 1, 4)
    return sparse.csr_matrix(
        (each.astype(np.float32).ravel(), indices.ravel(), starts), (len(positions), shape[0] * shape[1])
    )
