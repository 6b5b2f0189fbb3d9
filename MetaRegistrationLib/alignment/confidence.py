"""How sure an alignment is."""

from __future__ import annotations

import numpy as np

from .. import calibration
from .refine_transform import RefinedTransform
from .survey import Peaks

_BY_CHANCE = calibration.BY_CHANCE.value
_FITTED = calibration.FITTED_BLOCKS.value
_HALF_SURE = calibration.HALF_CONFIDENT.value
_SURENESS = calibration.STEEPNESS.value
_HALF_SURE_OF_WHOLE = calibration.HALF_CONFIDENT_WHOLE.value
_FEWEST = calibration.FEWEST_BLOCKS.value
_USUAL_HEIGHT = calibration.USUAL_HEIGHT.value
_HEIGHT_COUNTS = calibration.HEIGHT_WEIGHT.value


def confidence(peaks: Peaks, index: int, refined: RefinedTransform, *, whole: bool) -> float:
    """From 0 to 1: how confident a place of the usual or the whole range is; see `confidence_of`."""
    return confidence_of(float(peaks.heights[index]), refined.blocks, refined.agreeing, whole=whole)


def confidence_of(height: float, blocks: int, agreeing: int, *, whole: bool) -> float:
    """From 0 to 1: how sure it is that a place of the search is right.

    What decides is how many blocks agree. The height alone says little: the outlines of two heads fit one another well, whoever
    they belong to.

    Parameters
    ----------
    height : float
        Of the place in the survey, in standard deviations over all places.
    blocks, agreeing : int
        Blocks that could be matched, and those that agree on the place.
    whole : bool
        Whether the whole range was searched, not the usual one.
    """
    spread = np.sqrt(_BY_CHANCE * (1 - _BY_CHANCE) * max(blocks, 1))
    agreement = float(((agreeing - _FITTED) - _BY_CHANCE * (blocks - _FITTED)) / spread)
    if agreeing < _FEWEST:
        agreement = min(agreement, 0.0)
    half_sure = _HALF_SURE_OF_WHOLE if whole else _HALF_SURE
    value = _SURENESS * (agreement - half_sure) + np.clip(_HEIGHT_COUNTS * (height - _USUAL_HEIGHT), -1, 1)
    return float(1 / (1 + np.exp(-np.clip(value, -30, 30))))
