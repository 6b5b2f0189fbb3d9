"""By how much each row of an image lies beside its two neighbours."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

_NEAR = 5  # pixels along a row, searched first
_FAR = 8  # searched where that may not suffice: the width over this
_MOST_AT_END = 0.2  # share of the rows with a place at the end of the search
_WELL = 0.65  # mean agreement that needs no search farther
_GAIN = 0.15  # by which that search has to find a better one
_SMOOTH, _BROAD = 1.0, 4.0  # standard deviations along a row, pixels: what lies between is compared
_LEAST_ROWS = 32
_LEAST_KNOWN = 0.3  # of a row
_LEAST_AGREEMENT = 0.3
_BY_CHANCE = 5.0  # over the root of the pixels of a row
_LEAST_CLEAR = 0.5  # share of the rows


@dataclass(frozen=True, eq=False)
class RowShifts:
    """Shifts of the rows of an image against the mean of their two neighbours, where they are clear.

    Attributes
    ----------
    even, odd : float arrays
        Of every other row, pixels.
    agreement : float
        Mean correlation of the rows with their neighbours at that place.
    """

    even: np.ndarray
    odd: np.ndarray
    agreement: float


def row_shifts(rows: np.ndarray, known: np.ndarray) -> RowShifts | None:
    """The shifts of rows; None where half of them have no clear one.

    Parameters
    ----------
    rows : float32 array (R, C)
        As `details` gives them.
    known : bool array (R, C)
        Pixels that count.
    """
    width = rows.shape[1]
    if len(rows) < _LEAST_ROWS or width < _FAR * _NEAR:
        return None
    shifts, agreement = _places(rows, known, _NEAR)
    well = _agreement(shifts, agreement)
    if well < _WELL or _at_end(shifts):
        farther, better = _places(rows, known, width // _FAR)
        if _at_end(shifts) or _agreement(farther, better) > well + _GAIN:
            shifts, agreement = farther, better
    clear = np.isfinite(shifts)
    even, odd = (shifts[start::2][clear[start::2]] for start in (0, 1))
    if clear.mean() < _LEAST_CLEAR or min(len(even), len(odd)) < _LEAST_ROWS / 2:
        return None
    return RowShifts(even, odd, _agreement(shifts, agreement))


def details(rows: np.ndarray, known: np.ndarray) -> np.ndarray:
    """What is neither noise nor shading along rows (R, C); zero where not known."""
    filled = np.where(known, rows, rows[known].mean() if known.any() else 0)
    fine = ndimage.gaussian_filter1d(filled, _SMOOTH, axis=1)
    return np.where(known, fine - ndimage.gaussian_filter1d(filled, _BROAD, axis=1), 0)


def _at_end(shifts: np.ndarray) -> bool:
    """Whether many rows have their place at the end of the near search."""
    clear = shifts[np.isfinite(shifts)]
    return bool((np.abs(clear) > _NEAR - 1).mean() > _MOST_AT_END) if len(clear) else False


def _agreement(shifts: np.ndarray, agreement: np.ndarray) -> float:
    """Mean agreement of the rows that have a clear place."""
    clear = np.isfinite(shifts)
    return float(agreement[clear].mean()) if clear.any() else 0.0


def _places(rows: np.ndarray, known: np.ndarray, reach: int) -> tuple[np.ndarray, np.ndarray]:
    """Where each inner row agrees best, (R - 2,), pixels, NaN where that is not clear; and its correlation there."""
    near = (rows[:-2] + rows[2:]) / 2
    inner = rows[1:-1, reach:-reach]
    products = np.stack(
        [np.einsum("rc,rc->r", inner, near[:, start : start + inner.shape[1]]) for start in range(2 * reach + 1)]
    )
    energy = np.sqrt(np.square(inner).sum(axis=1) * np.square(near[:, reach:-reach]).sum(axis=1))
    agreement = products.max(axis=0) / np.maximum(energy, np.finfo(np.float32).tiny)
    shown = known[1:-1].mean(axis=1)
    least = np.maximum(_LEAST_AGREEMENT, _BY_CHANCE / np.sqrt(np.maximum(shown * rows.shape[1], 1)))
    clear = (shown >= _LEAST_KNOWN) & (agreement > least) & (energy > 0)
    return np.where(clear, _highest(products) - reach, np.nan), agreement


def _highest(products: np.ndarray) -> np.ndarray:
    """Position (R,) of the highest of each column (K, R), between the samples."""
    index = np.arange(products.shape[1])
    best = products.argmax(axis=0)
    inner = np.clip(best, 1, len(products) - 2)
    before, at, after = (products[inner + step, index] for step in (-1, 0, 1))
    bend = before - 2 * at + after
    return best + np.where((inner == best) & (bend < 0), 0.5 * (before - after) / np.where(bend < 0, bend, 1), 0)
