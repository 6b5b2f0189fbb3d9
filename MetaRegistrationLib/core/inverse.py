"""Points carried through the inverse of a displacement field; needs no torch."""

from __future__ import annotations

import numpy as np


@np.errstate(invalid="ignore", over="ignore")  # a broken field is reported by `converged`, not by NumPy
def invert_points(
    displacement: np.ndarray,
    points: np.ndarray,
    *,
    scale: tuple[float, float] = (1.0, 1.0),
    offset: tuple[float, float] = (0.0, 0.0),
    tolerance: float = 1e-4,
) -> tuple[np.ndarray, np.ndarray]:
    """Carry points of the moving image into the fixed one, through the inverse of a pull field.

    Solves ``scale * y + offset + displacement(y) = point`` for y, with `displacement` interpolated linearly (as ITK and VTK
    interpolate displacement fields) and keeping its edge value beyond the grid: from the nearest grid node by Newton steps
    that are shortened until they improve.

    Parameters
    ----------
    displacement : array (2, H, W)
        Channels (row, column), on the fixed grid, in pixels of the moving image.
    points : array (N, 2)
        (row, column) in pixels of the moving image.
    scale, offset : (float, float)
        Pixel position in the moving image of a fixed pixel without displacement, per axis; identity when both images share
        one grid.
    tolerance : float
        Largest residual of a solution, pixels of the moving image.

    Returns
    -------
    positions : float64 (N, 2)
        (row, column) in pixels of the fixed image.
    converged : bool (N,)
        False where no solution within `tolerance` was found (folding, tears, NaN); the position is then the best one seen.
    """
    field = np.asarray(displacement, dtype=np.float64)
    points = np.asarray(points, dtype=np.float64).reshape(-1, 2)
    if field.ndim != 3 or field.shape[0] != 2:
        raise ValueError(f"invert_points: expected a displacement of shape (2, H, W), got {field.shape}")
    affine = np.asarray(scale, dtype=np.float64), np.asarray(offset, dtype=np.float64)
    positions = _nearest_nodes(field, points, *affine)
    residual = points - _mapped(field, positions, *affine)[0]
    error = _length(residual)
    for _ in range(100):
        active = (error > tolerance) & np.isfinite(error)
        if not active.any():
            break
        step = _newton_step(field, positions[active], residual[active], *affine)
        moved = _improved(field, positions[active], step, points[active], error[active], affine)
        if np.array_equal(moved, positions[active]):
            break
        positions[active] = moved
        residual[active] = points[active] - _mapped(field, moved, *affine)[0]
        error[active] = _length(residual[active])
    return positions, error <= tolerance


def map_points(
    displacement: np.ndarray,
    points: np.ndarray,
    *,
    scale: tuple[float, float] = (1.0, 1.0),
    offset: tuple[float, float] = (0.0, 0.0),
) -> np.ndarray:
    """Carry points of the fixed image into the moving one, by a pull field: the inverse of `invert_points`.

    The result is ``scale * y + offset + displacement(y)``.

    Parameters
    ----------
    displacement, scale, offset
        As `invert_points` takes them.
    points : array (N, 2)
        (row, column) in pixels of the fixed image.

    Returns
    -------
    float64 array (N, 2)
        (row, column) in pixels of the moving image.
    """
    field = np.asarray(displacement, dtype=np.float64)
    points = np.asarray(points, dtype=np.float64).reshape(-1, 2)
    return _mapped(field, points, np.asarray(scale, dtype=np.float64), np.asarray(offset, dtype=np.float64))[0]


def _length(vectors: np.ndarray) -> np.ndarray:
    return np.sqrt((vectors * vectors).sum(axis=-1))


def _nearest_nodes(field: np.ndarray, points: np.ndarray, scale: np.ndarray, offset: np.ndarray) -> np.ndarray:
    """Grid nodes whose image lies nearest to each point; every few nodes of a large grid are enough for a start."""
    stride = max(1, int(np.sqrt(field[0].size / 160_000)))
    rows, columns = np.arange(0, field.shape[1], stride), np.arange(0, field.shape[2], stride)
    mapped_rows = (rows * scale[0] + offset[0])[:, None] + field[0, ::stride, ::stride]
    mapped_columns = (columns * scale[1] + offset[1])[None, :] + field[1, ::stride, ::stride]
    starts = np.empty((len(points), 2))
    for index, (row, column) in enumerate(points):
        distance = np.square(mapped_rows - row) + np.square(mapped_columns - column)
        distance[np.isnan(distance)] = np.inf  # argmin would choose a broken node for every point
        nearest = np.unravel_index(int(np.argmin(distance)), distance.shape)
        starts[index] = rows[nearest[0]], columns[nearest[1]]
    return starts


def _mapped(
    field: np.ndarray, positions: np.ndarray, scale: np.ndarray, offset: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Where positions (N, 2) go, and the Jacobian (N, 2, 2) of that map."""
    height, width = field.shape[1:]
    limits = np.array([height - 1, width - 1])
    clamped = np.clip(positions, 0, limits)
    corner = np.minimum(clamped.astype(np.intp), np.maximum(limits - 1, 0))
    weight = clamped - corner
    row, column = corner.T
    below, beside = np.minimum(row + 1, height - 1), np.minimum(column + 1, width - 1)
    top_left, top_right = field[:, row, column], field[:, row, beside]
    low_left, low_right = field[:, below, column], field[:, below, beside]
    top = top_left + weight[:, 1] * (top_right - top_left)
    low = low_left + weight[:, 1] * (low_right - low_left)
    value = top + weight[:, 0] * (low - top)
    along_row = low - top
    along_column = (top_right - top_left) + weight[:, 0] * ((low_right - low_left) - (top_right - top_left))
    free = (positions == clamped).T  # the edge value continues beyond the grid: no slope there
    jacobian = np.stack((along_row * free[0], along_column * free[1]), axis=-1).transpose(1, 0, 2)
    return positions * scale + offset + value.T, jacobian + np.diag(scale)


def _newton_step(field, positions, residual, scale, offset) -> np.ndarray:
    jacobian = _mapped(field, positions, scale, offset)[1]
    determinant = np.linalg.det(jacobian)
    # Where the map is singular (a fold's edge) or broken (NaN beside) a plain fixed-point step goes on.
    regular = np.isfinite(determinant) & (np.abs(determinant) >= 1e-3 * np.prod(scale))
    jacobian[~regular] = np.diag(scale)
    return np.linalg.solve(jacobian, residual[..., None])[..., 0]


def _improved(field, positions, step, points, error, affine) -> np.ndarray:
    """Positions after the longest of the halved steps that brings each nearer; unchanged where none does."""
    result = positions.copy()
    waiting = np.ones(len(positions), dtype=bool)
    for halving in range(12):
        trial = positions[waiting] + step[waiting] / 2**halving
        better = _length(points[waiting] - _mapped(field, trial, *affine)[0]) < error[waiting]
        indices = np.flatnonzero(waiting)[better]
        result[indices] = trial[better]
        waiting[indices] = False
        if not waiting.any():
            break
    return result
