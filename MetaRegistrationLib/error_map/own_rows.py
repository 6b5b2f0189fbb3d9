"""The rows that a device recorded, from an image that may have been enlarged afterwards.

An enlarged image shows each row several times, or rows between two of them. Neighbouring rows then agree, whatever the
recorded rows do.
"""

from __future__ import annotations

import numpy as np

from .. import calibration

MOST_ROWS = 512
"""So many rows in the middle of an image are used: the time does not grow with the image."""
_MOST_ENLARGED = 4
_LEAST_REDUCED = 128  # rows and columns: a coarse image of few pixels has no clear rows
_STEP = 4  # of the columns that are compared
_ENLARGED = calibration.ENLARGED_ROWS.value
_MIXED = 1 / 6
"""Bilinear interpolation leaves an eighth of each neighbour in the average of a row, and three quarters of its own."""


def factors(rows: np.ndarray, known: np.ndarray) -> list[int]:
    """By how much rows (R, C) may have been enlarged, 1 first.

    Next but one rows of an enlarged image differ much more than next ones. Noise and shifts of rows make both alike.
    """
    found = [factor for factor in range(2, _MOST_ENLARGED + 1) if min(rows.shape) >= factor * _LEAST_REDUCED]
    some = np.where(known, rows, 0)[:, ::_STEP].astype(np.float32)
    next_ones, next_but_one = (float(np.square(some[step:] - some[:-step]).mean()) for step in (1, 2))
    return [1, *(found if next_ones < _ENLARGED * next_but_one else [])]


def middle(image: np.ndarray) -> np.ndarray:
    """The 512 rows in the middle of an image, side by side in memory."""
    first = max((len(image) - MOST_ROWS) // 2, 0)
    return np.ascontiguousarray(image[first : first + MOST_ROWS])


def averaged(rows: np.ndarray, known: np.ndarray, factor: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows averaged over squares of some pixels, float32, and where all pixels of a square are known.

    Parameters
    ----------
    rows : array (R, C)
    known : bool array (R, C)
    factor : int
        Side of the squares. 1 changes nothing.
    """
    if factor == 1:
        return np.asarray(rows, np.float32), known
    narrow = _columns(np.where(known, rows, 0).astype(np.float32), factor)
    # The image may have been cropped: from the first pixel of a recorded row on, the averages differ most.
    every = [_rows(narrow, start, factor) for start in range(factor)]
    start = int(np.argmax([np.square(np.diff(each, axis=0)).mean() for each in every]))
    seen = np.ones(every[start].shape, bool)
    if not known.all():
        seen = _rows(_columns(known.astype(np.float32), factor), start, factor) > 1 - 0.5 / factor**2
    return every[start], seen


def unmixed(rows: np.ndarray) -> np.ndarray:
    """Averaged rows (R, C) without what interpolation mixed in from the rows beside them, (R - 2, C)."""
    return rows[1:-1] - _MIXED * (rows[:-2] + rows[2:])


def _columns(rows: np.ndarray, factor: int) -> np.ndarray:
    """Means of so many columns each."""
    end = rows.shape[1] // factor * factor
    total = rows[:, :end:factor].copy()
    for first in range(1, factor):
        total += rows[:, first:end:factor]
    return total / factor


def _rows(rows: np.ndarray, start: int, factor: int) -> np.ndarray:
    """Means of so many rows each, from one of the first rows on."""
    end = start + (len(rows) - start) // factor * factor
    total = rows[start:end:factor].copy()
    for first in range(start + 1, start + factor):
        total += rows[first:end:factor]
    return total / factor
