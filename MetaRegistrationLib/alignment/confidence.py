"""The confidence of an alignment."""

from __future__ import annotations

import numpy as np

from .. import calibration
from .refine_transform import RefinedTransform
from .survey import Peaks

_BY_CHANCE = calibration.BY_CHANCE.value
_FITTED = calibration.FITTED_BLOCKS.value
_HALF_CONFIDENT = calibration.HALF_CONFIDENT.value
_STEEPNESS = calibration.STEEPNESS.value
_HALF_CONFIDENT_WHOLE = calibration.HALF_CONFIDENT_WHOLE.value
_FEWEST = calibration.FEWEST_BLOCKS.value
_USUAL_HEIGHT = calibration.USUAL_HEIGHT.value
_HEIGHT_COUNTS = calibration.HEIGHT_WEIGHT.value


def confidence(peaks: Peaks, index: int, refined: RefinedTransform, *, whole: bool) -> float:
    """Confidence, 0 to 1, of a candidate of the usual or the whole range; see `confidence_of`."""
    return confidence_of(float(peaks.heights[index]), refined.blocks, refined.agreeing, whole=whole)


def confidence_of(height: float, blocks: int, agreeing: int, *, whole: bool) -> float:
    """Confidence, 0 to 1, that a candidate of the search is right.

    The number of agreeing blocks decides. The height alone says little: the outlines of any two heads fit well.

    Parameters
    ----------
    height : float
        Of the candidate in the survey, in standard deviations over all candidates.
    blocks, agreeing : int
        Blocks that could be matched, and those that agree with the candidate.
    whole : bool
        Whether the whole range was searched, not the usual one.
    """
    spread = np.sqrt(_BY_CHANCE * (1 - _BY_CHANCE) * max(blocks, 1))
    agreement = float(((agreeing - _FITTED) - _BY_CHANCE * (blocks - _FITTED)) / spread)
    if agreeing < _FEWEST:
        agreement = min(agreement, 0.0)
    half_confident = _HALF_CONFIDENT_WHOLE if whole else _HALF_CONFIDENT
    value = _STEEPNESS * (agreement - half_confident) + np.clip(_HEIGHT_COUNTS * (height - _USUAL_HEIGHT), -1, 1)
    return float(1 / (1 + np.exp(-np.clip(value, -30, 30))))
