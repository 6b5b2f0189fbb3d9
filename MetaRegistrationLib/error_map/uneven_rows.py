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
from scipy import ndimage

from .. import calibration
from .maps import ErrorMap

_REACH = 5  # pixels along a row
_SMOOTH, _BROAD = 1.0, 4.0  # standard deviations along a row, pixels: what lies between is compared
_LEAST_ROWS = 32
_LEAST_KNOWN = 0.3  # of a row
_LEAST_AGREEMENT = 0.3
_BY_CHANCE = 5.0  # over the root of the pixels of a row
_LEAST_CLEAR = 0.5  # share of the rows
_LEAST_ALTERNATE = calibration.ALTERNATE_ROWS.value
_LEAST_SPREAD = calibration.UNEVEN_ROWS.value
_OF_NEIGHBOURS = math.sqrt(1.5)  # a row and the mean of two others
_TO_DEVIATION = 1.4826  # of a median of absolute values
_MOST_ROWS = 512
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
    """

    alternate_px: float = 0.0
    spread_px: float = 0.0

    @property
    def deviation_px(self) -> float:
        """Standard deviation of all rows, pixels along the rows."""
        return math.hypot(self.alternate_px / 2, self.spread_px)


def unevenness(image: np.ndarray, known: np.ndarray) -> Unevenness:
    """How far the rows of an image lie beside one another; zero where that is not clear.

    Parameters
    ----------
    image : array (H, W)
    known : bool array (H, W)
        Pixels that count.
    """
    found = [shifts[np.isfinite(shifts)] for shifts in _shifts(image, known)]
    if min(len(shifts) for shifts in found) < _LEAST_ROWS / 2:
        return Unevenness()
    middles = [float(np.median(shifts)) for shifts in found]
    alternate = abs(middles[0] - middles[1]) / 2
    beside = np.concatenate([np.abs(shifts - middle) for shifts, middle in zip(found, middles, strict=True)])
    spread = _TO_DEVIATION * float(np.median(beside)) / _OF_NEIGHBOURS
    return Unevenness(alternate if alternate >= _LEAST_ALTERNATE else 0.0, spread if spread >= _LEAST_SPREAD else 0.0)


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


def _shifts(image: np.ndarray, known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """By how many pixels even and odd rows lie beside their neighbours; NaN where that is not clear."""
    height, width = image.shape
    if height < _LEAST_ROWS or width < 8 * _REACH:
        return np.empty(0), np.empty(0)
    first = max((height - _MOST_ROWS) // 2, 0) // 2 * 2
    part = slice(first, first + _MOST_ROWS)
    rows = _details(np.asarray(image[part], np.float32), known[part])
    near = (rows[:-2] + rows[2:]) / 2
    inner = rows[1:-1, _REACH:-_REACH]
    products = np.stack(
        [np.einsum("rc,rc->r", inner, near[:, start : start + inner.shape[1]]) for start in range(2 * _REACH + 1)]
    )
    energy = np.sqrt(np.square(inner).sum(axis=1) * np.square(near[:, _REACH:-_REACH]).sum(axis=1))
    shown = known[part][1:-1].mean(axis=1)
    least = np.maximum(_LEAST_AGREEMENT, _BY_CHANCE / np.sqrt(np.maximum(shown * width, 1)))
    clear = (shown >= _LEAST_KNOWN) & (products.max(axis=0) > least * energy) & (energy > 0)
    if clear.mean() < _LEAST_CLEAR:
        return np.empty(0), np.empty(0)
    shifts = np.where(clear, _highest(products) - _REACH, np.nan)
    return shifts[::2], shifts[1::2]


def _details(rows: np.ndarray, known: np.ndarray) -> np.ndarray:
    """What is neither noise nor shading along the rows; zero where not known."""
    filled = np.where(known, rows, rows[known].mean() if known.any() else 0)
    fine = ndimage.gaussian_filter1d(filled, _SMOOTH, axis=1)
    return np.where(known, fine - ndimage.gaussian_filter1d(filled, _BROAD, axis=1), 0)


def _highest(products: np.ndarray) -> np.ndarray:
    """Position (R,) of the highest of each column (K, R), between the samples."""
    index = np.arange(products.shape[1])
    best = products.argmax(axis=0)
    inner = np.clip(best, 1, len(products) - 2)
    before, at, after = (products[inner + step, index] for step in (-1, 0, 1))
    bend = before - 2 * at + after
    return best + np.where((inner == best) & (bend < 0), 0.5 * (before - after) / np.where(bend < 0, bend, 1), 0)
