"""A visit on the reference's pixels, with all that its measures are computed from.

The features of the texture are computed on the visit's own pixels and then warped: interpolating the image first would smooth its
texture, and a visit that moved more would seem to have fewer capillaries.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from ..formats.images import tissue
from ..octa.capillaries import parts, texture
from .no_signal import no_signal
from .series import AlignedVisit
from .unknown import folded, usual_area

_SURE = 0.7  # of a pixel, for it to be between vessels after warping
_HALF = 0.5  # of a pixel, for it to be a larger vessel


@dataclass(frozen=True, eq=False)
class MeasuredVisit:
    """What the measures of a visit need, on the pixels of the reference.

    Attributes
    ----------
    entry : AlignedVisit
    image : float32 array (H, W)
    seen : bool array (H, W)
        Where it shows tissue, with signal, and the field does not fold.
    large : bool array (H, W)
        The larger vessels.
    between : bool array (H, W)
        Tissue that is not near a larger vessel.
    quality : float
        Signal quality of the visit (`visits.quality`).
    """

    entry: AlignedVisit
    image: np.ndarray
    seen: np.ndarray
    large: np.ndarray
    between: np.ndarray
    quality: float = math.nan

    def features(self) -> np.ndarray:
        """Features of the texture, float32 (18, H, W). They are large, so that they are computed when asked for."""
        array, valid, pixel = _own(self.entry)
        found = texture(array, valid, parts(array, valid, pixel).large, pixel)
        return np.stack([_on_reference(part, self.entry) for part in found])


def measured(entry: AlignedVisit, quality: float = math.nan) -> MeasuredVisit:
    """An aligned visit, divided into its parts."""
    found = parts(*_own(entry))
    values, seen = entry.warped
    large, between = (_on_reference(part, entry) for part in (found.large, found.between))
    seen = seen & ~folded(entry.positions, usual_area(entry.positions))
    return MeasuredVisit(entry, values, seen, (large > _HALF) & seen, (between > _SURE) & seen, quality)


def _own(entry: AlignedVisit) -> tuple[np.ndarray, np.ndarray, float | None]:
    """Pixels, tissue with signal, and pixel size in mm of the visit's own image."""
    image = entry.visit.image
    array = np.where(np.isfinite(image.array), image.array, 0).astype(np.float32)
    valid = tissue(image)
    geometry = image.geometry
    pixel = math.sqrt(math.prod(geometry.spacing)) if geometry.spacing_known else None
    return array, valid & ~no_signal(array, valid), pixel


def _on_reference(part: np.ndarray, entry: AlignedVisit) -> np.ndarray:
    places = np.moveaxis(entry.positions, -1, 0)
    return ndimage.map_coordinates(part.astype(np.float32), places, order=1, mode="nearest")


def common_mask(visits: Sequence[MeasuredVisit]) -> np.ndarray:
    """Pixels that all visits show, bool (H, W)."""
    return np.logical_and.reduce([visit.seen for visit in visits])


def common_between(visits: Sequence[MeasuredVisit]) -> np.ndarray:
    """Pixels of the common mask that are near a larger vessel in none of the visits."""
    return np.logical_and.reduce([visit.between for visit in visits])
