"""Finds rows that an eye movement shifted during a scan, and raises the error map there.

Such rows agree better at a shift of a few pixels than at the positions that the displacement field gives.

A scan is recorded row by row. After a movement the rows lie beside those before, by a step that a smooth field does not follow.
The error predictor compares cells, over which a step of a few rows is averaged.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from scipy import fft, ndimage

from .. import calibration
from .maps import ErrorMap

_NEAR, _FAR = (2, 5), (28, 22)
"""Rows and columns beside that are searched, in pixels that the predictor sees: of all rows, and of rows that agree little."""
_ROWS = 1.2  # standard deviation of the rows that are judged together
_GAIN = calibration.TORN_GAIN.value
_LEAST = calibration.TORN_LEAST.value
_CONTRAST = calibration.TORN_CONTRAST.value
_DOUBTFUL = calibration.TORN_DOUBTFUL.value
_FAR_GAIN = calibration.TORN_FAR_GAIN.value
_FEWEST_FAR = calibration.TORN_FEWEST_FAR.value
_ALIKE = 1.5  # pixels between the steps of neighbouring rows that moved together
_BESIDE = 3  # rows beside doubtful ones that are searched with them
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

    Zero too where the grey values of the two images do not rise and fall together: their rows cannot be compared so.

    Parameters
    ----------
    fixed, moved : float32 arrays (n, m)
        Locally normalised; zero where not defined.
    """
    rows = _Rows(fixed, moved)
    every = np.arange(len(fixed))
    near = rows.places(every, _NEAR)
    usual = float(np.median(near.here[rows.enough])) if rows.enough.any() else 0.0
    if usual < _CONTRAST:
        return np.zeros(len(fixed))
    found, torn = near, near.better(_GAIN, _LEAST)
    for run in _runs(rows.enough & (near.here < _DOUBTFUL * usual)):
        far = rows.places(run, _FAR)
        elsewhere = far.better(_FAR_GAIN * far.highest, _LEAST)
        found, torn[run] = found.replaced(run, far, elsewhere), torn[run] | elsewhere
    lengths = np.hypot(*found.steps.T)
    return np.where(
        torn & (_together(torn, found.steps) >= np.where(lengths > _NEAR[1] + 1, _FEWEST_FAR, 2)), lengths, 0
    )


def _together(torn: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """How many torn rows beside one another lie at nearly one place, (n,): few agree elsewhere by chance."""
    alike = torn[1:] & torn[:-1] & (np.abs(np.diff(steps, axis=0)) <= _ALIKE).all(axis=1)
    groups = np.cumsum(np.append(True, ~alike))
    return np.bincount(groups)[groups]


class _Places(NamedTuple):
    """Where rows agree best: steps (rows, 2) down and across, pixels, the correlation there, and that in their own places."""

    steps: np.ndarray
    highest: np.ndarray
    here: np.ndarray

    def better(self, gain: float | np.ndarray, least: float) -> np.ndarray:
        """Which rows agree better elsewhere, bool (rows,)."""
        return (self.highest - self.here > gain) & (self.highest > least)

    def replaced(self, run: np.ndarray, others: _Places, chosen: np.ndarray) -> _Places:
        """The same with the `chosen` ones of others in the rows of a run."""
        steps, highest = self.steps.copy(), self.highest.copy()
        steps[run[chosen]], highest[run[chosen]] = others.steps[chosen], others.highest[chosen]
        return _Places(steps, highest, self.here)


class _Rows:
    """Rows of two images (n, m), to be compared at many shifts."""

    def __init__(self, fixed: np.ndarray, moved: np.ndarray):
        images = [_levelled(image) for image in (fixed, moved)]
        self._length = fft.next_fast_len(fixed.shape[1] + _FAR[1], real=True)
        self._spectra = [fft.rfft(image, self._length, axis=1) for image in images]
        self._energies = [_near(np.square(image).sum(axis=1, keepdims=True)) for image in images]
        self.enough = ((fixed != 0) & (moved != 0)).mean(axis=1) >= _LEAST_SEEN
        """Rows that both images show."""

    def places(self, rows: np.ndarray, reach: tuple[int, int]) -> _Places:
        """The best places of neighbouring `rows` within some rows and columns beside their own."""
        found = self._agreement(rows, *reach)
        (below, beside), index = reach, np.arange(len(rows))
        width = 2 * beside + 1
        down, across = np.divmod(found.reshape(-1, len(rows)).argmax(axis=0), width)
        inner = np.clip(across, 1, width - 2)
        before, at, after = (found[down, inner + step, index] for step in (-1, 0, 1))
        bend = before - 2 * at + after
        part = np.where(bend < 0, np.clip(0.5 * (before - after) / np.where(bend < 0, bend, 1), -0.5, 0.5), 0)
        steps = np.stack((down - below, across - beside + part), axis=1)
        return _Places(steps, found[down, across, index], found[below, beside])

    def _agreement(self, rows: np.ndarray, below: int, beside: int) -> np.ndarray:
        """Correlation of each of `rows` with rows of the other image beside it: (down, across, rows)."""
        (first, second), (here, there) = self._spectra, self._energies
        others = np.clip(rows + np.arange(-below, below + 1)[:, None], 0, len(there) - 1)
        products = fft.irfft(first[rows].conj() * second[others], self._length, axis=2)
        products = np.concatenate((products[..., -beside:], products[..., : beside + 1]), axis=2)
        found = _near(products, axis=1) / (np.sqrt(here[rows] * there[others]) + _LEAST_ENERGY)
        return np.moveaxis(found * self.enough[rows, None], 2, 1)


def _levelled(image: np.ndarray) -> np.ndarray:
    """An image (n, m) whose rows have a mean of zero: bright and dark rows agree with others that are so."""
    defined = (image != 0).astype(np.float32)
    return image - defined * (image.sum(axis=1, keepdims=True) / np.maximum(defined.sum(axis=1, keepdims=True), 1))


def _runs(rows: np.ndarray) -> list[np.ndarray]:
    """Groups of neighbouring rows, with some beside them: indices each."""
    wider = ndimage.binary_dilation(rows, iterations=_BESIDE) if rows.any() else rows
    labels, count = ndimage.label(wider)
    return [np.flatnonzero(labels == number) for number in range(1, count + 1)]


def _near(values: np.ndarray, axis: int = 0) -> np.ndarray:
    return ndimage.gaussian_filter1d(values, _ROWS, axis=axis)


def _spread(steps: np.ndarray) -> np.ndarray:
    """Errors of rows, (n,): beside a torn row a smooth field is off by less and less."""
    padded = np.pad(steps, _REACH)
    shares = 1 - np.abs(np.arange(-_REACH, _REACH + 1)) / (_REACH + 1)
    around = np.lib.stride_tricks.sliding_window_view(padded, 2 * _REACH + 1)
    return (around * shares).max(axis=1)
