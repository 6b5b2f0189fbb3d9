"""A suggested fovea: few vessels in every visit, near the middle.

A fovea stays where it is, and an area that loses its vessels had them before. Evidence of all visits is therefore taken together:
a place is as dark as in the visit that shows most vessels there.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ..core.gaussian import gaussian
from ..octa.vessels import ridge_strength

_WINDOW = 14 / 400  # of the fovea, as a share of the shorter side
_OFF_CENTRE = 0.25  # of the shorter side: how far from the middle the fovea may lie, softly
_OFF_WEIGHT = 0.15
_SEEN = 0.9  # of the window that has to show tissue
_OF_MOST = 0.7  # weight of the visit that shows most vessels; the mean of all has the rest
_ELSEWHERE = 0.1  # of the shorter side: a visit that suggests a place farther away disagrees


@dataclass(frozen=True)
class Fovea:
    """The suggested fovea of visits.

    Attributes
    ----------
    centre_xy : (float, float)
        (x, y) in pixels of the reference.
    elsewhere : mapping of str to (float, float)
        Visits that suggest another place by themselves, and where.
    """

    centre_xy: tuple[float, float]
    elsewhere: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """A sentence on visits that disagree; empty if none does."""
        if not self.elsewhere:
            return ""
        others = ", ".join(f"{name} alone {_place(centre)}" for name, centre in self.elsewhere.items())
        return f"The fovea is suggested at {_place(self.centre_xy)} by all visits together, but by {others}."


def suggested_centre(image: np.ndarray, valid: np.ndarray) -> tuple[float, float]:
    """Suggested position of the fovea in one image, (x, y) in pixels: few vessels, near the middle.

    It is only a suggestion. An image that does not show the fovea has such a position too.

    Parameters
    ----------
    image : array (H, W)
        OCTA en face, vessels bright.
    valid : bool array (H, W)
        Where it shows tissue.
    """
    return _darkest([_level(image, valid)])


def suggested_fovea(names: Sequence[str], warped: Sequence[tuple[np.ndarray, np.ndarray]]) -> Fovea:
    """Suggested fovea of aligned visits.

    Parameters
    ----------
    names : sequence of str
        Of the visits.
    warped : sequence of (array (H, W), bool array (H, W))
        The visits on common pixels, vessels bright, and where they show tissue.
    """
    levels = {name: _level(*one) for name, one in zip(names, warped, strict=True) if one[1].any()}
    if not levels:
        rows, columns = warped[0][0].shape
        return Fovea(((columns - 1) / 2, (rows - 1) / 2))
    centre = _darkest(list(levels.values()))
    own = {name: _darkest([level]) for name, level in levels.items()}
    least = _ELSEWHERE * min(warped[0][0].shape)
    return Fovea(centre, {name: other for name, other in own.items() if math.dist(other, centre) > least})


def _level(image: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """How much of vessels is around each pixel, over the usual, float32 (H, W); NaN where too little is tissue."""
    side = min(image.shape)
    filled = np.where(valid, image, np.median(image[valid])).astype(np.float32)
    ridges = ridge_strength(filled, max(side / 320, 0.5))
    known = gaussian(valid, _WINDOW * side)
    scaled = [
        part / max(float(np.percentile(part[valid], 90)), 1e-6) for part in (ridges, filled - filled[valid].min())
    ]
    local = sum(gaussian(np.where(valid, part, 0), _WINDOW * side) for part in scaled)
    local = local / np.maximum(known, 1e-3)
    return np.where(known > _SEEN, local / max(float(np.median(local[valid])), 1e-6), np.nan)


def _darkest(levels: Sequence[np.ndarray]) -> tuple[float, float]:
    """The place (x, y) with the fewest vessels near the middle, in the visits that show it."""
    shape = levels[0].shape
    seen = np.isfinite(levels)
    most = np.where(seen, levels, -np.inf).max(axis=0)
    mean = np.where(seen, levels, 0).sum(axis=0) / np.maximum(seen.sum(axis=0), 1)
    level = _OF_MOST * most + (1 - _OF_MOST) * mean
    rows, columns = np.indices(shape)
    middle = (np.array(shape) - 1) / 2
    away = np.hypot(rows - middle[0], columns - middle[1]) / (_OFF_CENTRE * min(shape))
    off = np.where(seen.any(axis=0), level + _OFF_WEIGHT * away**2, np.inf)
    row, column = np.unravel_index(np.argmin(off), shape)
    return float(column), float(row)


def _place(centre_xy: tuple[float, float]) -> str:
    return f"x = {centre_xy[0]:g}, y = {centre_xy[1]:g}"
