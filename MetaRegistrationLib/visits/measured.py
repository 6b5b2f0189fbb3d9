"""A visit on the reference's pixels, with all that its measures are computed from.

The features of the texture are computed on the visit's own pixels and then warped: interpolating the image first would smooth its
texture, and a visit that moved more would seem to have fewer capillaries.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np

from ..octa.capillaries import (
    Parts,
    anchored,
    anchored_texture,
    divided,
    filter_unit,
    fine_texture,
    parts,
    structure,
    tissue_ridges,
)
from ..octa.vessels import Ridges
from .common_levels import Levels, common_levels
from .own_pixels import OwnPixels, coarsest, own_pixels
from .series import AlignedVisit
from .shadows import dimmed
from .unknown import folded

_SURE = 0.7  # of a pixel, for it to be between vessels after warping
_MOST_AT_ONCE = 8  # memory: each takes 18 values a pixel
_T = TypeVar("_T")
_R = TypeVar("_R")
_HALF = 0.5  # of a pixel, for it to be a larger vessel


@dataclass(frozen=True, eq=False)
class Local:
    """What local differences between two visits are computed from, on the pixels of the reference.

    Attributes
    ----------
    texture : float32 array (18, H, W)
        As `octa.capillaries.texture`.
    structure : float32 array (4, H, W)
        Anchored grey values, and three bands of them.
    large, between : bool arrays (H, W)
        As of `octa.capillaries.Parts`.
    """

    texture: np.ndarray
    structure: np.ndarray
    large: np.ndarray
    between: np.ndarray


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
    own : Parts
        The same on the visit's own pixels.
    pixels : OwnPixels
        Those pixels.
    quality : float
        Signal quality of the visit (`visits.quality`).
    """

    entry: AlignedVisit
    image: np.ndarray
    seen: np.ndarray
    large: np.ndarray
    between: np.ndarray
    own: Parts
    pixels: OwnPixels
    quality: float = math.nan

    def features(self) -> np.ndarray:
        """Features of the texture, float32 (18, H, W). They are large, so that they are computed when asked for."""
        return self.pixels.on_reference(anchored_texture(*self._anchored))

    def fine_texture(self) -> np.ndarray:
        """The texture that vanishes with the capillaries (`octa.capillaries.fine_texture`), float32 (H, W)."""
        return self.pixels.on_reference([fine_texture(*self._anchored)])[0]

    def grey(self) -> np.ndarray:
        """Anchored grey values (`octa.capillaries.anchored`), float32 (H, W)."""
        return self.pixels.on_reference([self._anchored[0]])[0]

    @cached_property
    def _anchored(self) -> tuple[np.ndarray, float]:
        """Anchored grey values on the visit's own pixels, and the unit of filters there."""
        own = self.pixels
        grey = anchored(own.array, own.valid, self.own.large, own.pixel_mm)
        return grey, filter_unit(own.array.shape, own.pixel_mm)

    def local(self) -> Local:
        """What local differences are computed from; large, and computed when asked for."""
        own = local_of(self.pixels.array, self.pixels.valid, self.pixels.pixel_mm, self.own)
        warped = self.pixels.on_reference([*own.texture, *own.structure])
        return Local(warped[: len(own.texture)], warped[len(own.texture) :], self.large, self.between)


def local_of(image: np.ndarray, tissue: np.ndarray, pixel_mm: float | None = None, found: Parts | None = None) -> Local:
    """An image on pixels of its own; its parts are found if they are not given."""
    found = found or parts(image, tissue, pixel_mm)
    grey, unit = anchored(image, tissue, found.large, pixel_mm), filter_unit(image.shape, pixel_mm)
    bands = structure(grey, unit)
    return Local(anchored_texture(grey, unit), np.concatenate([grey[None], bands]), found.large, found.between)


@dataclass(frozen=True, eq=False)
class _Filtered:
    """A visit whose bright lines are known, before they are called vessels."""

    entry: AlignedVisit
    own: OwnPixels
    ridges: Ridges
    seen: np.ndarray

    def measured(self, levels: Levels, quality: float) -> MeasuredVisit:
        found = divided(self.ridges, levels, self.own.valid)
        large, between = self.own.on_reference((found.large, found.between))
        values, seen = self.entry.warped[0], self.seen
        return MeasuredVisit(
            self.entry, values, seen, (large > _HALF) & seen, (between > _SURE) & seen, found, self.own, quality
        )


def measured(entry: AlignedVisit, quality: float = math.nan, size: float = 1.0) -> MeasuredVisit:
    """An aligned visit, divided into its parts; finer pixels are averaged over `size` pixels of the reference (`own_pixels`).

    What is a larger vessel depends on this image alone: where vessels are lost, weaker ones count elsewhere.
    """
    one = _filtered(entry, size)
    return one.measured(one.ridges.levels, quality)


def measured_alike(entries: Sequence[AlignedVisit]) -> list[MeasuredVisit]:
    """As `measured`, on pixels of the size of the coarsest visit: for the change map, whose limits are of such visits."""
    size = coarsest(entries)
    return in_parallel(lambda entry: measured(entry, size=size), entries)


def measured_together(entries: Sequence[AlignedVisit], qualities: Sequence[float] = ()) -> list[MeasuredVisit]:
    """As `measured_alike`, with larger vessels by levels that all visits have in common (`common_levels`): for measures.

    `qualities` are those of the visits, in their order.
    """
    size = coarsest(entries)
    found = in_parallel(lambda entry: _filtered(entry, size), entries)
    every = zip(found, _levels(found), qualities or [math.nan] * len(entries), strict=True)
    return in_parallel(lambda one: one[0].measured(*one[1:]), list(every))


def _filtered(entry: AlignedVisit, size: float) -> _Filtered:
    own = own_pixels(entry, size)
    seen = entry.warped[1] & ~folded(entry.positions, entry.area)
    return _Filtered(entry, own, tissue_ridges(own.array, own.valid, own.pixel_mm), seen)


def _levels(visits: Sequence[_Filtered]) -> list[Levels]:
    """Levels of the larger vessels, common to all visits (`common_levels`)."""
    known = np.logical_and.reduce([one.seen for one in visits])
    unit = filter_unit(known.shape, visits[0].own.reference_mm)
    return common_levels([one.ridges for one in visits], [one.own.positions for one in visits], known, unit)


def in_parallel(function: Callable[[_T], _R], visits: Sequence[_T]) -> list[_R]:
    """The results of a function for each visit; several at once, as far as memory allows."""
    workers = max(min(len(visits), os.cpu_count() or 1, _MOST_AT_ONCE), 1)
    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(function, visits))


def common_mask(visits: Sequence[MeasuredVisit]) -> np.ndarray:
    """Pixels that all visits show, bool (H, W)."""
    return np.logical_and.reduce([visit.seen for visit in visits])


def without_shadows(visits: Sequence[MeasuredVisit]) -> np.ndarray:
    """The common mask without what is in a shadow in some visit, compared with the first of them (`visits.shadows`)."""
    known = common_mask(visits)
    if len(visits) < 2:
        return known
    unit = filter_unit(known.shape, visits[0].pixels.reference_mm)
    first = visits[0].grey()
    dark = in_parallel(
        lambda visit: dimmed((first, visit.grey()), (visits[0].large, visit.large), known, unit), visits[1:]
    )
    return known & ~np.logical_or.reduce(dark)


def common_between(visits: Sequence[MeasuredVisit]) -> np.ndarray:
    """Pixels of the common mask that are near a larger vessel in none of the visits."""
    return np.logical_and.reduce([visit.between for visit in visits])
