"""The map of predicted errors of one displacement field."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import special

from .. import calibration

UNCERTAIN_PX = calibration.UNCERTAIN_PX.value
_SPREAD = float(special.ndtri(0.95))
_LEAST_SHOWN = 0.5
_LEAST_PX = 1e-3
_AT_ONCE = 4096  # positions


@dataclass(frozen=True, eq=False)
class ErrorMap:
    """Predicted errors of a displacement field, cell by cell of the fixed network grid.

    Attributes
    ----------
    median_px, bound_px, mean_px : float32 arrays (n, n)
        Median, 95 % bound and mean of the error of a cell, in pixels of the network grid.
    shown : float32 array (n, n)
        Share of a cell that both images show under the field.
    size : int
        Pixels of a side of the network grid.
    """

    median_px: np.ndarray
    bound_px: np.ndarray
    mean_px: np.ndarray
    shown: np.ndarray
    size: int

    @cached_property
    def known(self) -> np.ndarray:
        """Cells (n, n) at least half of which both images show. The error of others is not known."""
        return self.shown >= _LEAST_SHOWN

    @cached_property
    def expected_px(self) -> float:
        """Mean of the predicted error over the known cells; NaN if there are none."""
        return float(self.mean_px[self.known].mean()) if self.known.any() else float("nan")

    @cached_property
    def error_95_px(self) -> float:
        """The error that 95 % of all positions of the known cells are predicted to have at most; NaN if there are none.

        The error of a cell is taken as log-normal, with its median and 95 % bound.
        """
        if not self.known.any():
            return float("nan")
        low, high = np.log(_LEAST_PX), float(np.log(max(self.bound_px[self.known].max(), _LEAST_PX))) + 1.0
        for _ in range(40):
            middle = (low + high) / 2
            low, high = (middle, high) if self._below(middle) < 0.95 else (low, middle)
        return float(np.exp(high))

    def _below(self, logarithm: float) -> float:
        """Mean probability over the known cells of an error below an exponential."""
        median = np.log(np.maximum(self.median_px[self.known], _LEAST_PX))
        spread = (np.log(np.maximum(self.bound_px[self.known], _LEAST_PX)) - median) / _SPREAD
        return float(special.ndtr((logarithm - median) / np.maximum(spread, 1e-3)).mean())

    def share_below(self, error_px: float) -> float:
        """Predicted share of the positions of the known cells, 0 to 1, with a smaller error; 0 if there are none."""
        return self._below(float(np.log(error_px))) if self.known.any() else 0.0

    @cached_property
    def uncertain_percent(self) -> float:
        """Predicted percent of the positions of the known cells with an error over 2 px; NaN if there are none."""
        return 100 * (1 - self.share_below(UNCERTAIN_PX)) if self.known.any() else float("nan")

    def on_grid(self, values: np.ndarray | None = None) -> np.ndarray:
        """Values of cells at the pixels of the network grid, as of `on_axes`: float32 (size, size)."""
        return self.on_axes(np.arange(self.size), np.arange(self.size), values)

    def on_axes(self, rows: np.ndarray, columns: np.ndarray, values: np.ndarray | None = None) -> np.ndarray:
        """Values of cells at all positions of rows and columns, float32 (R, C), linear; NaN where not known.

        Parameters
        ----------
        rows, columns : arrays (R,) and (C,)
            In pixels of the network grid.
        values : array (n, n), optional
            By default the means.
        """
        down, right = (self._between(axis) for axis in (rows, columns))
        known = self.known.astype(np.float32)
        filled = np.where(self.known, self.mean_px if values is None else values, 0).astype(np.float32)
        weight = down @ known @ right.T
        near = [self._nearest(axis) for axis in (rows, columns)]
        shown = self.known[np.clip(near[0], 0, None)[:, None], np.clip(near[1], 0, None)[None]]
        shown = shown & (near[0] >= 0)[:, None] & (near[1] >= 0)[None]
        return np.where(shown, (down @ filled @ right.T) / np.maximum(weight, 1e-6), np.float32(np.nan))

    def _places(self, positions: np.ndarray) -> np.ndarray:
        """Positions along an axis of the network grid, in cells."""
        return (np.asarray(positions, dtype=float) + 0.5) * len(self.known) / self.size - 0.5

    def _nearest(self, positions: np.ndarray) -> np.ndarray:
        """Index of the cell of each position; -1 outside of the grid."""
        near = np.round(self._places(positions)).astype(int)
        return np.where((near >= 0) & (near < len(self.known)), near, -1)

    def _between(self, positions: np.ndarray) -> np.ndarray:
        """Weights (N, n) of the cells at each position, linear between their centres."""
        cells = np.arange(len(self.known))
        places = np.clip(self._places(positions), 0, len(cells) - 1)
        weights = np.empty((len(places), len(cells)), np.float32)
        for start in range(0, len(places), _AT_ONCE):  # a part stays in the processor's memory
            part = places[start : start + _AT_ONCE, None] - cells
            np.subtract(1, np.abs(part, out=part), out=part)
            weights[start : start + _AT_ONCE] = np.maximum(part, 0, out=part)
        return weights

    def at(self, rows: np.ndarray, columns: np.ndarray, values: np.ndarray | None = None) -> np.ndarray:
        """Values of cells at positions of the network grid, float32 of the same shape, linear; NaN where not known.

        Parameters
        ----------
        rows, columns : arrays of one shape
            In pixels of the network grid; positions that are not finite are not known.
        values : array (n, n), optional
            By default the means.
        """
        shape = np.shape(rows)
        rows, columns = (np.ravel(axis) for axis in (rows, columns))
        finite = np.isfinite(rows) & np.isfinite(columns)
        rows, columns = (np.where(finite, axis, -self.size) for axis in (rows, columns))
        down, right = (self._between(axis) for axis in (rows, columns))
        filled = np.where(self.known, self.mean_px if values is None else values, 0)
        weight = ((down @ self.known.astype(np.float32)) * right).sum(1)
        total = ((down @ filled.astype(np.float32)) * right).sum(1)
        near = [self._nearest(axis) for axis in (rows, columns)]
        shown = (near[0] >= 0) & (near[1] >= 0) & self.known[near[0], near[1]]
        return np.where(shown, total / np.maximum(weight, 1e-6), np.float32(np.nan)).reshape(shape)
