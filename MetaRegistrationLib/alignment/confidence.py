"""How sure an alignment is."""

from __future__ import annotations

import numpy as np

from .settle import Settled
from .survey import Peaks

# Of unrelated images up to a quarter of the blocks agree by chance, besides the three that the fit itself brings together.
_BY_CHANCE, _FITTED = 0.25, 3
_HALF_SURE, _SURENESS = 3.8, 1.5
# The whole range has twelve times as many places to agree by chance; so few blocks agree anywhere.
_HALF_SURE_OF_WHOLE, _FEWEST = 4.4, 8
_USUAL_HEIGHT, _HEIGHT_COUNTS = 7.0, 0.25


def evidence(peaks: Peaks, index: int, settled: Settled) -> tuple[float, float]:
    """Height of a place in the survey, and that of its agreeing blocks above chance, both in standard deviations."""
    blocks, agreeing = settled.blocks - _FITTED, settled.agreeing - _FITTED
    spread = np.sqrt(_BY_CHANCE * (1 - _BY_CHANCE) * max(settled.blocks, 1))
    return float(peaks.heights[index]), float((agreeing - _BY_CHANCE * blocks) / spread)


def confidence(peaks: Peaks, index: int, settled: Settled, *, whole: bool) -> float:
    """From 0 to 1: how sure it is that a place of the usual or the whole range is right.

    What decides is how many blocks agree. The height alone says little: the outlines of two heads fit one another well, whoever
    they belong to.
    """
    height, agreement = evidence(peaks, index, settled)
    if settled.agreeing < _FEWEST:
        agreement = min(agreement, 0.0)
    half_sure = _HALF_SURE_OF_WHOLE if whole else _HALF_SURE
    value = _SURENESS * (agreement - half_sure) + np.clip(_HEIGHT_COUNTS * (height - _USUAL_HEIGHT), -1, 1)
    return float(1 / (1 + np.exp(-np.clip(value, -30, 30))))
