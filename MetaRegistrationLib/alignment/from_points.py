"""An initial alignment from landmarks that the user placed, for pairs that the search does not find."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import torch

from .. import calibration
from ..errors import InputError
from ..preparation import PreparedPair
from ..stages import LEAST_LANDMARKS
from .aligned import total_displacement
from .aligner import AlignmentContext
from .blocks import DIRECTIONS
from .direction_agreement import DirectionAgreement
from .result import Alignment

_FOR_AFFINE = calibration.LANDMARKS_FOR_AFFINE.value
_IN_A_LINE = calibration.LANDMARKS_IN_A_LINE.value
_REASON = "computed from these landmarks, so their distances are no independent measure"


class LandmarkAlignment:
    """An `Aligner` that uses landmarks, and records what the two contrasts have in common there."""

    needs_landmarks = True

    def __init__(self, name: str):
        self.name = name

    def __call__(self, pair: PreparedPair, context: AlignmentContext) -> Alignment:
        """See `align_by_points`."""
        nowhere = np.empty((0, 2))
        alignment = align_by_points(*(context.landmarks or (nowhere, nowhere)))
        start = total_displacement(alignment, torch.zeros(1, 2, *pair.fixed.on_grid.shape, dtype=torch.float32))
        inside = {"inside_moving": pair.moving.inside, "inside_fixed": pair.fixed.inside}
        agreements = {
            directions: DirectionAgreement(*pair.on_grid, start, **inside, directions=directions)(start)
            for directions in DIRECTIONS
        }
        return replace(alignment, directions=max(agreements, key=agreements.__getitem__))


def align_by_points(moving: np.ndarray, fixed: np.ndarray) -> Alignment:
    """The least-squares transform between corresponding landmarks.

    A similarity (rotation, scale, shift; no mirroring) for three to five pairs, an affine transform from six on.

    Parameters
    ----------
    moving, fixed : arrays (N, 2)
        Corresponding positions (row, column) in pixels of the network grids.

    Raises
    ------
    InputError
        There are fewer than three pairs, or they lie on a line.
    """
    began = time.perf_counter()
    moving, fixed = np.asarray(moving, dtype=float), np.asarray(fixed, dtype=float)
    if len(fixed) < LEAST_LANDMARKS:
        raise InputError(
            f"The initial alignment by landmarks needs at least {LEAST_LANDMARKS} pairs of them, and there are {len(fixed)}. "
            "Place more, or choose another initial alignment."
        )
    for name, points in (("moving", moving), ("fixed", fixed)):
        spread = np.linalg.svd(points - points.mean(axis=0), compute_uv=False)
        if spread[1] < _IN_A_LINE * spread[0] or spread[0] == 0:
            raise InputError(
                f"The {name} landmarks lie on a line, which does not determine an alignment."
                " Place one beside it, or choose another kind."
            )
    matrix = _affine(fixed, moving) if len(fixed) >= _FOR_AFFINE else _similarity(fixed, moving)
    nan = float("nan")
    return Alignment("landmarks", "landmarks", matrix, nan, nan, nan, time.perf_counter() - began, _REASON)


def _affine(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    extended = np.column_stack([source, np.ones(len(source))])
    return np.linalg.lstsq(extended, target, rcond=None)[0].T


def _similarity(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Umeyama, IEEE TPAMI 13 (1991) 376."""
    centres = source.mean(axis=0), target.mean(axis=0)
    first, second = source - centres[0], target - centres[1]
    left, values, right = np.linalg.svd(second.T @ first)
    signs = np.array([1.0, np.sign(np.linalg.det(left @ right)) or 1.0])
    rotation = left @ np.diag(signs) @ right
    linear = (values @ signs) / (first**2).sum() * rotation
    return np.column_stack([linear, centres[1] - linear @ centres[0]])
