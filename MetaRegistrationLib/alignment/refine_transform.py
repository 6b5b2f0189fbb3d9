"""Refinement of the transform from a candidate of the survey, and the number of blocks that agree."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .. import calibration
from .affine import CORNERS, IDENTITY, projected
from .blocks import DIRECTIONS, BlockMatcher, Matches, affine_terms, fit_change

# Greatest offset of a block, half a side being 1, and the final distance within which a block counts, pass by pass.
_PASSES = ((0.16, 0.02), (0.10, 0.02), (0.06, 0.012), (0.06, 0.012))
_LOOSEST = (0.1, 0.04, 0.03, 0.03)
_COARSE_PASSES = 1
_SETTLED = calibration.SETTLED_CHANGE.value
CHECK_REACH = 0.1
"""Greatest offset of a block, half a side being 1, when agreeing blocks are counted."""
_LEAST_BLOCKS = calibration.SETTLED_LEAST_BLOCKS.value


@dataclass(frozen=True, eq=False)
class RefinedTransform:
    """A transform and its blocks.

    Attributes
    ----------
    matrix : float64 array (2, 3)
    directions : str
        The kind of direction that the blocks were matched by: see `blocks.DIRECTIONS`.
    blocks : int
        Blocks that could be matched.
    agreeing : int
        Blocks found where the transform predicts them, to 1.25 percent of a side.
    matches : Matches
        All of them, by these directions.
    """

    matrix: np.ndarray
    directions: str
    blocks: int
    agreeing: int
    matches: Matches

    @property
    def share(self) -> float:
        """Share of the blocks that agree."""
        return self.agreeing / self.blocks if self.blocks else 0.0


def refine_transform(
    matcher: BlockMatcher, matrix: np.ndarray, kind: str, coarse: BlockMatcher | None = None
) -> RefinedTransform:
    """Refine the transform, so that most blocks agree with it.

    Contrast decides whether edges or ridges are at the same positions in both images. The first pass is therefore made with
    each, and the kind with the most agreeing blocks is used for the others.

    Parameters
    ----------
    matcher : BlockMatcher
    matrix : float64 array (2, 3)
        The transform to start from.
    kind : str
    coarse : BlockMatcher, optional
        Of the same images with fewer pixels, for the first pass: it searches far, and needs no precision.
    """
    matrix, directions = projected(matrix, kind), "both"
    for number, (reach, tightest) in enumerate(_PASSES):
        used = matcher if coarse is None or number >= _COARSE_PASSES else coarse
        found = used.match(used.under(matrix), reach, tuple(DIRECTIONS) if number == 0 else (directions,))
        changes = {name: _change(matches, kind, _LOOSEST[number], tightest) for name, matches in found.items()}
        if number == 0:
            directions = max(changes, key=lambda name: changes[name][1])
        change = changes[directions][0]
        if change is None:
            break
        matrix = projected(_behind(matrix, change), kind)
        if number > _COARSE_PASSES and np.abs((change - IDENTITY) @ CORNERS).max() < _SETTLED:
            break  # another pass of the same reach would change less
    return agreement_under(matcher, matrix, directions)


def agreeing_nearby(matcher: BlockMatcher, matrix: np.ndarray, kind: str) -> int:
    """Blocks that agree on a transform near a candidate, by the kind of direction by which most do: the first pass alone."""
    matrix, (reach, tightest) = projected(matrix, kind), _PASSES[0]
    found = matcher.match(matcher.under(matrix), reach, tuple(DIRECTIONS))
    changes = ((matches, _change(matches, kind, _LOOSEST[0], tightest)) for matches in found.values())
    return max(round(share * len(matches)) for matches, (change, share) in changes)


def agreement_under(matcher: BlockMatcher, matrix: np.ndarray, directions: str) -> RefinedTransform:
    """Count the blocks that agree on a transform."""
    matches = matcher.match(matcher.under(matrix), CHECK_REACH, (directions,))[directions]
    return RefinedTransform(matrix, directions, len(matches), int(matches.agreeing().sum()), matches)


def _change(matches: Matches, kind: str, loosest: float, tightest: float) -> tuple[np.ndarray | None, float]:
    """A change (2, 3) of the fixed positions that most blocks agree on, and the quality of those that do."""
    if len(matches) < _LEAST_BLOCKS:
        return None, 0.0
    terms = affine_terms(matches.centres)[:, : 1 if kind == "translation" else 3]
    coefficients, fitted = fit_change(matches, terms, loosest=loosest, tightest=tightest)
    change = np.zeros((3, 2))
    change[: len(coefficients)] = coefficients
    agreeing = matches.agreeing(fitted)
    return np.column_stack((np.eye(2) + change[1:].T, change[0])), float(agreeing.mean())


def _behind(matrix: np.ndarray, change: np.ndarray) -> np.ndarray:
    """``matrix`` of the changed positions."""
    return matrix @ np.vstack((change, [0.0, 0.0, 1.0]))
