"""Finds scans whose rows lie beside one another, and raises the error map by as much.

A scanner that records every other row backwards shifts these rows if its two directions do not meet. Vibration and small eye
movements shift each row by an amount of its own. A smooth field follows neither. Both show in one image: a row
agrees best with the mean of its two neighbours at another place than its own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from .. import calibration
from .maps import ErrorMap
from .own_rows import averaged, factors, middle, unmixed
from .row_shifts import RowShifts, details, row_shifts

_LEAST_ALTERNATE = calibration.ALTERNATE_ROWS.value
_LEAST_SPREAD = calibration.UNEVEN_ROWS.value
_OF_NEIGHBOURS = math.sqrt(1.5)  # a row and the mean of two others
_TO_DEVIATION = 1.4826  # of a median of absolute values
_MEAN, _MEDIAN, _BOUND = 0.8, 0.67, 2.0  # of absolute values, in standard deviations of a normal distribution


@dataclass(frozen=True)
class Unevenness:
    """How far the rows of an image lie beside the places that a smooth field gives them.

    Attributes
    ----------
    alternate_px : float
        By which every other row is shifted against those between.
    spread_px : float
        Standard deviation of the shifts that differ from row to row.

    Both are of the middle 512 rows.
    """

    alternate_px: float = 0.0
    spread_px: float = 0.0

    @property
    def deviation_px(self) -> float:
        """Standard deviation of all rows, pixels along the rows."""
        return math.hypot(self.alternate_px / 2, self.spread_px)


def unevenness(image: np.ndarray, known: np.ndarray) -> Unevenness:
    """How far the rows in the middle of an image lie beside one another; zero where that is not clear.

    An image may have been enlarged after the scan. It is judged in averages over squares of 2, 3 and 4 pixels, too, and the
    largest finding counts.

    Parameters
    ----------
    image : array (H, W)
        The middle 512 rows are used.
    known : bool array (H, W)
        Pixels that count.
    """
    rows, seen = middle(image), middle(known)
    found = [_finding(*averaged(rows, seen, factor), factor) for factor in factors(rows, seen)]
    return max(found, key=lambda one: (one.spread_px == 0 and one.alternate_px > 0, one.deviation_px))


def _finding(rows: np.ndarray, known: np.ndarray, factor: int) -> Unevenness:
    """How uneven rows are, in pixels `factor` times as small."""
    fine = details(rows, known)
    found = row_shifts(fine, known)
    uneven = _of_shifts(found, factor)
    if factor > 1 and uneven.deviation_px:
        again = row_shifts(unmixed(fine), known[1:-1])
        if again is not None and again.agreement > found.agreement:
            return _of_shifts(again, factor)
    return uneven


def _of_shifts(found: RowShifts | None, factor: int) -> Unevenness:
    if found is None:
        return Unevenness()
    shifts = found.even, found.odd
    middles = [float(np.median(part)) for part in shifts]
    alternate = abs(middles[0] - middles[1]) / 2
    beside = np.concatenate([np.abs(part - middle) for part, middle in zip(shifts, middles, strict=True)])
    spread = _TO_DEVIATION * float(np.median(beside)) / _OF_NEIGHBOURS
    return Unevenness(
        factor * alternate if alternate >= _LEAST_ALTERNATE else 0.0,
        factor * spread if spread >= _LEAST_SPREAD else 0.0,
    )


def with_uneven_rows(error: ErrorMap, deviations_px: Sequence[float]) -> ErrorMap:
    """An error map that is larger by the deviations of rows and columns of both images.

    Parameters
    ----------
    error : ErrorMap
    deviations_px : sequence of float
        Standard deviations, in pixels of the network grid.
    """
    whole = math.hypot(*deviations_px)
    if not whole:
        return error
    median, bound, mean = (
        np.hypot(values, factor * whole).astype(np.float32)
        for values, factor in ((error.median_px, _MEDIAN), (error.bound_px, _BOUND), (error.mean_px, _MEAN))
    )
    return replace(error, median_px=median, bound_px=bound, mean_px=mean)


def deviations_of(image: np.ndarray, known: np.ndarray, scale: tuple[float, float]) -> list[float]:
    """Standard deviations of the rows and of the columns of an image, in pixels of its network grid.

    Parameters
    ----------
    image : array (H, W)
    known : bool array (H, W)
    scale : (float, float)
        Pixels of the image a pixel of the network grid, along the rows' axis and along the columns' axis.
    """
    rows, columns = unevenness(image, known), unevenness(image.T, known.T)
    return [rows.deviation_px / scale[1], columns.deviation_px / scale[0]]
