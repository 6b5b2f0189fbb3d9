"""Finds rows that an eye movement shifted during a scan, and raises the error map there.

Such rows agree better at a shift of a few pixels than at the positions that the displacement field gives.

A scan is recorded row by row. After a movement the rows lie beside those before, by a step that a smooth field does not follow.
The error predictor compares cells, over which a step of a few rows is averaged.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy import fft, ndimage

from .. import calibration
from .maps import ErrorMap

_DOWN, _ACROSS = 2, 5
"""How far beside is searched, in the pixels that the predictor sees: a movement along the rows is longer."""
_ROWS = 1.2  # standard deviation of the rows that are judged together
_GAIN = calibration.TORN_GAIN.value
_LEAST = calibration.TORN_LEAST.value
_REACH = 5  # rows beside a torn one over which its error falls to zero
_BOUND = calibration.TORN_BOUND.value
_LEAST_SEEN = 0.3  # of a row that both images have to show
_LEAST_ENERGY = 1e-3


def with_torn_rows(error: ErrorMap, fixed: np.ndarray, moved: np.ndarray, tilt: tuple[float, float]) -> ErrorMap:
    """An error map that is at least as large as the steps at torn rows or columns of either image.

    Parameters
    ----------
    error : ErrorMap
    fixed, moved : float32 arrays (n, n)
        Locally normalised grey values of the fixed and of the warped image as the predictor sees them; zero where not defined.
    tilt : (float, float)
        Columns by which the columns of the moving scan move for each row of the fixed image, and rows by which its rows
        do for each column.
    """
    found = np.zeros_like(fixed)
    for across, first, second, slope in ((False, fixed, moved, tilt[1]), (True, fixed.T, moved.T, tilt[0])):
        steps = _steps(first, second, 0.0)
        if abs(slope) * len(first) >= 2:
            steps = np.maximum(steps, _steps(first, second, slope))
        found = np.maximum(found, steps.T if across else steps)
    if not found.any():
        return error
    return _at_least(error, found * (error.size / len(found)))


def tilt_of(displacement_px: np.ndarray) -> tuple[float, float]:
    """How rows and columns of the moving scan lie on the fixed grid, as `with_torn_rows` takes them.

    Parameters
    ----------
    displacement_px : array (2, S, S)
        From the fixed grid to the moving one, (row, column), pixels.
    """
    down, across = (np.gradient(channel[::8, ::8], 8.0) for channel in displacement_px)
    rows = -np.median(down[1]) / max(1 + np.median(down[0]), 0.1)
    columns = -np.median(across[0]) / max(1 + np.median(across[1]), 0.1)
    return float(columns), float(rows)


def _at_least(error: ErrorMap, steps_px: np.ndarray) -> ErrorMap:
    """An error map with the errors at each pixel (n, n) of steps, in pixels of its network grid."""
    cells = len(error.mean_px)
    parts = steps_px.reshape(cells, len(steps_px) // cells, cells, -1)
    mean, most = parts.mean(axis=(1, 3)), parts.max(axis=(1, 3))
    return replace(
        error,
        median_px=np.maximum(error.median_px, mean).astype(np.float32),
        bound_px=np.maximum(error.bound_px, _BOUND * most).astype(np.float32),
        mean_px=np.maximum(error.mean_px, mean).astype(np.float32),
    )


def _steps(fixed: np.ndarray, moved: np.ndarray, slope: float) -> np.ndarray:
    """How far rows are off, pixels, (n, n); the rows descend by `slope` a column. Zero where they are not torn."""
    down = np.round(slope * (np.arange(fixed.shape[1]) - (fixed.shape[1] - 1) / 2)).astype(int)
    rows = np.arange(len(fixed))[:, None]
    if down.any():
        places = rows + down
        inside = (places >= 0) & (places < len(fixed))
        places = np.clip(places, 0, len(fixed) - 1)
        fixed, moved = (np.where(inside, np.take_along_axis(image, places, axis=0), 0) for image in (fixed, moved))
    steps = _spread(row_steps(fixed, moved))
    return steps[np.clip(rows - down, 0, len(steps) - 1)]


def row_steps(fixed: np.ndarray, moved: np.ndarray) -> np.ndarray:
    """How far beside its place each row of one image is found in another, float (n,), pixels; zero where it is in its place.

    Parameters
    ----------
    fixed, moved : float32 arrays (n, m)
        Locally normalised; zero where not defined.
    """
    agreement = _agreement(fixed, moved)
    count = agreement.shape[-1]
    index = np.arange(count)
    best = agreement.reshape(-1, count).argmax(axis=0)
    down, across = best // (2 * _ACROSS + 1), best % (2 * _ACROSS + 1)
    highest, here = agreement[down, across, index], agreement[_DOWN, _ACROSS]
    torn = (highest - here > _GAIN) & (highest > _LEAST)
    torn &= np.append(torn[1:], False) | np.append(False, torn[:-1])  # one row alone agrees elsewhere by chance
    inner = np.clip(across, 1, 2 * _ACROSS - 1)
    before, at, after = (agreement[down, inner + step, index] for step in (-1, 0, 1))
    bend = before - 2 * at + after
    beside = np.where(bend < 0, np.clip(0.5 * (before - after) / np.where(bend < 0, bend, 1), -0.5, 0.5), 0)
    return np.where(torn, np.hypot(down - _DOWN, across - _ACROSS + beside), 0)


def _agreement(fixed: np.ndarray, moved: np.ndarray) -> np.ndarray:
    """Correlation of each row with rows of the other image beside it: (down, across, rows)."""
    count, width = fixed.shape
    length = fft.next_fast_len(width + _ACROSS, real=True)
    first, second = (fft.rfft(image, length, axis=1) for image in (fixed, moved))
    here, there = (_near(np.square(image).sum(axis=1, keepdims=True)) for image in (fixed, moved))
    enough = ((fixed != 0) & (moved != 0)).mean(axis=1) >= _LEAST_SEEN
    found = np.zeros((2 * _DOWN + 1, 2 * _ACROSS + 1, count), np.float32)
    for number, down in enumerate(range(-_DOWN, _DOWN + 1)):
        rows = np.clip(np.arange(count) + down, 0, count - 1)
        products = fft.irfft(first.conj() * second[rows], length, axis=1)
        products = np.concatenate((products[:, -_ACROSS:], products[:, : _ACROSS + 1]), axis=1)
        found[number] = (_near(products) / (np.sqrt(here * there[rows]) + _LEAST_ENERGY)).T
    return found * enough


def _near(values: np.ndarray) -> np.ndarray:
    return ndimage.gaussian_filter1d(values, _ROWS, axis=0)


def _spread(steps: np.ndarray) -> np.ndarray:
    """Errors of rows, (n,): beside a torn row a smooth field is off by less and less."""
    padded = np.pad(steps, _REACH)
    shares = 1 - np.abs(np.arange(-_REACH, _REACH + 1)) / (_REACH + 1)
    around = np.lib.stride_tricks.sliding_window_view(padded, 2 * _REACH + 1)
    return (around * shares).max(axis=1)
