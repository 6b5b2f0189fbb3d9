"""The quadratic term of a transform. It models the curvature of an eye in a wide field, and is used if the blocks need it.

Can, Stewart, Roysam and Tanenbaum, IEEE TPAMI 24 (2002) 347: two views of the retina, nearly a sphere, differ by a quadratic
transform. It is written as the affine matrix and a bend B (2, 3): ``moving = matrix @ (row, column, 1) + B @ (row^2, row column,
column^2)``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .. import calibration
from .blocks import BlockMatcher, Matches, affine_terms, fit_change
from .refine_transform import CHECK_REACH, RefinedTransform

# Greatest offset of a block, half a side being 1, and the distances within which it counts, pass by pass after the first.
_PASSES = ((0.06, 0.03, 0.008), (0.06, 0.02, 0.008))
_LOOSEST, _TIGHTEST = 0.05, 0.012
_LEAST_BLOCKS = calibration.BEND_LEAST_BLOCKS.value
_GAIN = calibration.BEND_GAIN.value
_LEAST_AGREEING = calibration.BEND_LEAST_AGREEING.value
_LEAST_SHARE = calibration.BEND_LEAST_SHARE.value
_LEAST_BEND = calibration.LEAST_BEND.value
_GREATEST_BEND = calibration.GREATEST_BEND.value
_LEAST_DETERMINANT = calibration.BEND_LEAST_DETERMINANT.value
_CORNERS = np.array([(row, column) for row in (-1.0, 0.0, 1.0) for column in (-1.0, 0.0, 1.0)])


@dataclass(frozen=True, eq=False)
class Bent:
    """A quadratic transform and the share of the blocks that agree on it."""

    matrix: np.ndarray
    bend: np.ndarray
    share: float


def quadratic_terms(points: np.ndarray) -> np.ndarray:
    """row^2, row column and column^2 of points (..., 2): (..., 3)."""
    rows, columns = points[..., 0], points[..., 1]
    return np.stack((rows * rows, rows * columns, columns * columns), axis=-1)


def bent(matcher: BlockMatcher, refined: RefinedTransform) -> Bent | None:
    """The quadratic transform beside an affine one, or None if it does not make more blocks agree.

    Parameters
    ----------
    matcher : BlockMatcher
    refined : RefinedTransform
        The affine transform and its matches.
    """
    before = refined.matches
    if before.agreeing().sum() < _LEAST_BLOCKS:
        return None
    matrix, bend, left = _changed(before, refined.matrix, np.zeros((2, 3)), _LOOSEST, _TIGHTEST)
    if left > _GAIN * _typical(before) or not plausible(matrix, bend):
        return None
    for reach, loosest, tightest in _PASSES:
        matches = matcher.match(matcher.under(matrix, bend), reach, (refined.directions,))[refined.directions]
        if len(matches) < _LEAST_BLOCKS:
            return None
        matrix, bend, _ = _changed(matches, matrix, bend, loosest, tightest)
    after = matcher.match(matcher.under(matrix, bend), CHECK_REACH, (refined.directions,))[refined.directions]
    share = float(after.agreeing().mean()) if len(after) else 0.0
    counts = int(before.agreeing().sum()), int(after.agreeing().sum())
    if not enough_agree(share, *counts) or not plausible(matrix, bend):
        return None
    return Bent(matrix, bend, share) if _typical(after) <= _GAIN * _typical(before) else None


def enough_agree(share: float, before: int, after: int) -> bool:
    """Whether enough blocks agree on a quadratic transform.

    Parameters
    ----------
    share : float
        Of the blocks that both images show, those that agree on it.
    before, after : int
        Blocks that agree on the affine transform, and on the quadratic one.
    """
    return share >= _LEAST_SHARE and after >= max(_LEAST_AGREEING, before)


def _changed(
    matches: Matches, matrix: np.ndarray, bend: np.ndarray, loosest: float, tightest: float
) -> tuple[np.ndarray, np.ndarray, float]:
    """The quadratic transform that the blocks agree on, and the median offset that remains.

    Terms of higher order are left out.
    """
    terms = np.hstack((affine_terms(matches.centres), quadratic_terms(matches.centres)))
    coefficients, fitted = fit_change(matches, terms, loosest=loosest, tightest=tightest, stiffness=1e-3)
    shift, linear, curved = coefficients[0], coefficients[1:3].T, coefficients[3:].T
    change = np.vstack((np.column_stack((np.eye(2) + linear, shift)), [0.0, 0.0, 1.0]))
    return matrix @ change, bend + matrix[:, :2] @ curved, _typical(matches, fitted)


def _typical(matches: Matches, fitted: np.ndarray | None = None) -> float:
    """Median offset of the agreeing blocks, or of the remainder after a change."""
    rest = matches.offsets - (0 if fitted is None else fitted)
    offsets = np.linalg.norm(rest, axis=1)[matches.agreeing(fitted)]
    return float(np.median(offsets)) if len(offsets) else float("inf")


def plausible(matrix: np.ndarray, bend: np.ndarray) -> bool:
    """Whether the bend is above the precision of a match, plausible for an eye, and without folding."""
    scale = np.sqrt(abs(np.linalg.det(matrix[:, :2])))
    greatest = np.linalg.norm(quadratic_terms(_CORNERS) @ bend.T, axis=1).max() / scale
    rows, columns = _CORNERS[:, 0], _CORNERS[:, 1]
    zero = np.zeros_like(rows)
    slopes = np.stack(
        (np.stack((2 * rows, zero), -1), np.stack((columns, rows), -1), np.stack((zero, 2 * columns), -1)), 1
    )
    jacobians = matrix[:, :2] + np.einsum("ik,pkj->pij", bend, slopes)
    determinants = np.linalg.det(jacobians) / np.linalg.det(matrix[:, :2])
    return bool(_LEAST_BEND <= greatest <= _GREATEST_BEND and determinants.min() > _LEAST_DETERMINANT)
