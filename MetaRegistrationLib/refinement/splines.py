"""Displacements from control points: uniform cubic B-splines as small fixed matrices."""

from __future__ import annotations

import torch
from torch import Tensor

# The two-scale relation of the cubic B-spline: one of them is this sum of five of half the width.
_SUBDIVISION = (0.125, 0.5, 0.75, 0.5, 0.125)


def spline_weights(positions: Tensor, length: float, cells: int) -> Tensor:
    """Weights (N, cells + 3) of the control points at `positions` (N,) on an axis from 0 to `length`, float64.

    The control points lie a cell apart, the first one cell before 0 and the last one cell beyond `length`.
    """
    knots = torch.arange(-1, cells + 2, dtype=torch.float64)
    distance = (positions.double()[:, None] * (cells / length) - knots).abs()
    near = 2 / 3 - distance.square() + distance**3 / 2
    far = (2 - distance).clamp_min(0) ** 3 / 6
    return torch.where(distance < 1, near, far)


def subdivision(cells: int) -> Tensor:
    """Matrix (2 * cells + 3, cells + 3): the same spline on twice as many cells, exactly. float64."""
    matrix = torch.zeros(2 * cells + 3, cells + 3, dtype=torch.float64)
    for column in range(cells + 3):
        for offset, weight in zip(range(-2, 3), _SUBDIVISION, strict=True):
            row = 2 * column - 1 + offset
            if 0 <= row < len(matrix):
                matrix[row, column] = weight
    return matrix


class SplineGrid:
    """A displacement made of control grids, each with half the cells of the next; linear in all of them.

    Parameters
    ----------
    size : (int, int)
        Rows and columns of the network grid, at least 2. The grid spans it from the first pixel's centre to the last one's.
    cells, levels : int
        As in `RefinementSettings`.
    like : Tensor
        Its device and floating type are taken.
    """

    def __init__(self, size: tuple[int, int], cells: int, levels: int, *, like: Tensor):
        self._size, self._cells, self._like = size, cells, like
        self._level_cells = [cells // 2**level for level in reversed(range(levels))]
        self._subdivisions = [subdivision(count).to(like) for count in self._level_cells[:-1]]
        pixels = [self._axis(torch.arange(extent), extent) for extent in size]
        # Mean products of the weights and of their forward differences: squared gradients become products of these.
        self._values = [(weights.T @ weights / len(weights)).to(like) for weights in pixels]
        slopes = [weights.diff(dim=0) for weights in pixels]
        self._slopes = [(slope.T @ slope / len(slope)).to(like) for slope in slopes]

    def _axis(self, positions: Tensor, extent: int) -> Tensor:
        return spline_weights(positions, extent - 1, self._cells)

    def zeros(self) -> list[Tensor]:
        """Control displacements (1, 2, n, n) in grid pixels, one tensor a level, coarsest first."""
        return [torch.zeros(1, 2, count + 3, count + 3).to(self._like) for count in self._level_cells]

    def total(self, levels: list[Tensor]) -> Tensor:
        """The control displacements (1, 2, n, n) of the finest grid that make the sum of all levels."""
        total = levels[0]
        for matrix, level in zip(self._subdivisions, levels[1:], strict=True):
            total = matrix @ total @ matrix.T + level
        return total

    def sampler(self, shrink: int = 1) -> tuple[Tensor, Tensor]:
        """Matrices (h, n) and (w, n): ``rows @ total @ columns.T`` is the displacement on the pixels of the network grid.

        With `shrink` it is that at the centres of squares of so many pixels.
        """
        centres = [(torch.arange(extent // shrink) * shrink).float() + (shrink - 1) / 2 for extent in self._size]
        rows, columns = (self._axis(at, extent).to(self._like) for at, extent in zip(centres, self._size, strict=True))
        return rows, columns

    def roughness(self, total: Tensor) -> Tensor:
        """`losses.smoothness` of the displacement on the pixels of the network grid, from a few small products."""
        down = self._slopes[0] @ total @ self._values[1]
        right = self._values[0] @ total @ self._slopes[1]
        return (total * (down + right)).sum() / 4
