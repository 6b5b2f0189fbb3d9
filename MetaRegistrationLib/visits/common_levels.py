"""Levels that make a bright line a larger vessel, common to all visits of an eye.

Percentiles of one image hide a loss: where vessels are lost, weaker lines are called vessels elsewhere. Visits that are compared
therefore have levels that as many of their pixels exceed, around the vessels that all of them show. An area in which a visit has
lost its vessels has no part in that, and exposure and focus, which change all lines of a visit, change nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from .. import calibration
from ..octa.vessels import Ridges
from .comparable import LEAST_VESSEL_AGREEMENT, vessel_agreement

Levels = tuple[float, float]
"""As of `Ridges.levels`."""
_AROUND = calibration.VESSELS_AROUND.value


def common_levels(
    ridges: Sequence[Ridges], positions: Sequence[np.ndarray], known: np.ndarray, unit: float
) -> list[Levels]:
    """The levels of each visit, alike for those that show the same vessels.

    A visit that does not, such as one of another eye or with dark vessels, keeps its own.

    Parameters
    ----------
    ridges : sequence of Ridges
        Of the visits, on pixels of their own.
    positions : sequence of arrays (H, W, 2)
        Position of each pixel of the reference in them, (row, column).
    known : bool array (H, W)
        Pixels of the reference that all of them show.
    unit : float
        Pixels of the reference in 18.75 um.
    """
    own = [one.levels for one in ridges]
    strengths = [_nearest(one.strength, places) for one, places in zip(ridges, positions, strict=True)]
    vessels = [
        _nearest(one.vessels(levels), places) for one, levels, places in zip(ridges, own, positions, strict=True)
    ]
    alike = _alike(vessels, known)
    if sum(alike) < 2:
        return own
    near = _around([one for one, good in zip(vessels, alike, strict=True) if good], unit) & known
    if not near.any():
        return own
    below = [_percents_below(one[near], levels) for one, levels in zip(strengths, own, strict=True)]
    common = np.mean([one for one, good in zip(below, alike, strict=True) if good], axis=0)
    return [
        _levels(strength[near], common) if good else levels
        for strength, levels, good in zip(strengths, own, alike, strict=True)
    ]


def _alike(vessels: Sequence[np.ndarray], known: np.ndarray) -> list[bool]:
    """Which visits show the same larger vessels as one of them: the first with which most agree, else one with which most do."""
    best = [False] * len(vessels)
    for base in vessels:
        found = [vessel_agreement(base, one, known) >= LEAST_VESSEL_AGREEMENT for one in vessels]
        if 2 * sum(found) > len(found):
            return found
        best = max(best, found, key=sum)
    return best


def _around(vessels: Sequence[np.ndarray], unit: float) -> np.ndarray:
    """Pixels near vessels that all visits show, which may miss each other by a pixel."""
    shared = np.logical_and.reduce([ndimage.binary_dilation(one) for one in vessels])
    return shared if not shared.any() else ndimage.distance_transform_edt(~shared) < _AROUND * unit


def _percents_below(strength: np.ndarray, levels: Levels) -> list[float]:
    return [100 * float((strength <= level).mean()) for level in levels]


def _levels(strength: np.ndarray, percents: np.ndarray) -> Levels:
    low, high = np.percentile(strength, percents)
    return float(low), float(high)


def _nearest(values: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """Values of the nearest pixels: interpolated lines would be weaker."""
    places = np.floor(np.moveaxis(positions, -1, 0) + 0.5).astype(np.int64)
    rows, columns = (np.clip(place, 0, side - 1) for place, side in zip(places, values.shape, strict=True))
    return values[rows, columns]
