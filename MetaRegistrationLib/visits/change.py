"""Change between two aligned visits: local density of capillaries, in percentage points, and clusters of loss and of gain.

Nothing is normalised by the pair itself: a loss over the whole image is a loss. A cluster counts if it is larger than those that
repeat scans show, in which nothing changed (the distribution of the largest cluster; Nichols and Hayasaka, Statistical Methods in
Medical Research 12:419, 2003).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage

from .. import calibration
from ..errors import InputError
from ..octa.capillaries import REFERENCE_UM, filter_unit, local_density
from .evidence_weights import LEAST_MM2, LEVELS, PAIRS, SOURCE
from .local_evidence import scores, step_of
from .measured import Local, MeasuredVisit, in_parallel, local_of
from .measures import WINDOW_UM
from .shadows import dimmed
from .unknown import folded, nothing_known, uncertain_in_either
from .wide_change import LEAST_MM2 as LEAST_WIDE_MM2
from .wide_change import wide_clusters, wide_difference

_SHARE = 0.95  # of pairs without change that have no cluster
_ROUNDING = 1e-9
_LEAST_KNOWN = calibration.CHANGE_LEAST_KNOWN.value


@dataclass(frozen=True)
class ClusterLimits:
    """How large clusters of repeat scans are.

    Attributes
    ----------
    least_mm2 : tuple of float
        Area beyond which a cluster counts, for each kind of evidence and each of `evidence_weights.LEVELS`.
    pairs : int
        Pairs of repeat scans.
    source : str
        In words, for tables and pages.
    wide_mm2 : float
        Area beyond which a wide change counts (`wide_change`).
    """

    least_mm2: tuple[float, ...] = LEAST_MM2
    pairs: int = PAIRS
    source: str = SOURCE
    wide_mm2: float = LEAST_WIDE_MM2


@dataclass(frozen=True, eq=False)
class Change:
    """The change between two visits.

    Attributes
    ----------
    density : float32 array (H, W)
        Local density of capillaries, later minus earlier visit, in percentage points; NaN where not measurable.
    known, lost, gained : bool arrays (H, W)
        The measurable pixels, and the clusters in which density decreased and increased beyond repeat scans.
    limits : ClusterLimits
    largest_mm2 : tuple of float
        Area of the largest cluster of either sign, whether it counts or not, in the order of the limits.
    uncertain : bool array (H, W) or None
        The measurable pixels at which an alignment is too uncertain; None if no error was predicted.
    largest_wide_mm2 : float
        Area of the largest wide change of either sign, whether it counts or not.
    """

    density: np.ndarray
    known: np.ndarray
    lost: np.ndarray
    gained: np.ndarray
    limits: ClusterLimits
    largest_mm2: tuple[float, ...]
    uncertain: np.ndarray | None = None
    largest_wide_mm2: float = 0.0


def change_map(
    reference: np.ndarray,
    visit: np.ndarray,
    valid: np.ndarray,
    *,
    positions: np.ndarray | None = None,
    pixel_mm: float | None = None,
    limits: ClusterLimits | None = None,
) -> Change:
    """The change between two images that lie on the same pixels.

    Parameters
    ----------
    reference, visit : arrays (H, W)
        The earlier and the later visit, vessels bright.
    valid : bool array (H, W)
        Common tissue mask.
    positions : array (H, W, 2), optional
        Position of each pixel in the later visit's own image, (row, column). Where it folds, change is not measurable.
    pixel_mm : float, optional
        Distance between pixels; without it the shorter side is taken for 6 mm.
    limits : ClusterLimits, optional
        Of the user's own repeat scans (`limits_of`). By default those that ship.

    Raises
    ------
    InputError
        Arrays of unlike shape, or too few measurable pixels.
    """
    if not np.shape(reference) == np.shape(visit) == np.shape(valid):
        raise InputError(
            f"A change map needs images of one shape; got {np.shape(reference)}, {np.shape(visit)}, {np.shape(valid)}."
        )
    valid = np.asarray(valid, bool)
    known = valid & ~nothing_known(reference, visit, valid, positions)
    _check(known)
    parts = (local_of(image, valid, pixel_mm) for image in (reference, visit))
    return _change(*parts, known, filter_unit(known.shape, pixel_mm), limits)


def visit_change(
    earlier: MeasuredVisit,
    later: MeasuredVisit,
    pixel_mm: float | None = None,
    limits: ClusterLimits | None = None,
) -> Change:
    """The change between two measured visits of a series; `pixel_mm` and `limits` as for `change_map`.

    Where one of the two alignments is too uncertain, the change is measured all the same, and these pixels are named. Where
    vessels are lost, their position is uncertain too.
    """
    valid = earlier.seen & later.seen & ~folded(earlier.entry.positions, earlier.entry.area)
    known = valid & ~nothing_known(earlier.image, later.image, valid, later.entry.positions)
    uncertain = uncertain_in_either(earlier.entry.uncertain, later.entry.uncertain)
    if uncertain is not None:
        uncertain = known & uncertain
    _check(known)
    first, second = in_parallel(MeasuredVisit.local, (earlier, later))
    found = _change(first, second, known, filter_unit(known.shape, pixel_mm), limits)
    return replace(found, uncertain=uncertain)


def limits_of(changes: Iterable[Change], source: str) -> ClusterLimits:
    """Limits from the user's own repeat scans, in which nothing changed.

    A new unchanged pair is beyond the largest area of n pairs with a probability of at most 1 / (n + 1). There are seven limits.
    So 139 pairs are needed before at most one of twenty pairs is beyond any of them, whatever the device (a distribution-free
    limit; Wilks, Annals of Mathematical Statistics 12:91, 1941). Fewer pairs only raise the limits that ship. The limit of wide
    changes is never smaller than the one that ships, which scans of unlike quality set.
    """
    largest = np.array([[*change.largest_mm2, change.largest_wide_mm2] for change in changes])
    if not len(largest):
        raise InputError("The limits of repeat scans need at least one pair of them.")
    shipped = ClusterLimits()
    # With more pairs than are needed, so many of them are beyond each limit.
    beyond = math.floor((1 - _SHARE) * (len(largest) + 1) / largest.shape[1] + _ROUNDING)
    *own, wide = np.sort(largest, axis=0)[-max(beyond, 1)].tolist()
    wide = max(wide, shipped.wide_mm2)
    if beyond:
        return ClusterLimits(tuple(own), len(largest), source, wide)
    both = tuple(max(pair) for pair in zip(own, shipped.least_mm2, strict=True))
    both_source = f"{source}, and {shipped.source}: the larger counts"
    return ClusterLimits(both, len(largest) + shipped.pairs, both_source, wide)


def raised(change: Change) -> str:
    """A sentence on a pair of repeat scans whose clusters are larger than the limits that ship; empty if none is."""
    shipped = ClusterLimits()
    areas = (*change.largest_mm2, change.largest_wide_mm2)
    over = [pair for pair in zip(areas, (*shipped.least_mm2, shipped.wide_mm2), strict=True) if pair[0] > pair[1]]
    if not over:
        return ""
    area, least = max(over, key=lambda pair: pair[0] / pair[1])
    return (
        f"this pair raises the limits of the change map, one of them from {least:.3g} to {area:.3g} mm2. Check its scans:"
        " smaller changes are not marked any more."
    )


def _check(known: np.ndarray) -> None:
    if known.sum() < _LEAST_KNOWN:
        raise InputError(
            f"The two visits have {int(known.sum())} measurable pixels in common; {_LEAST_KNOWN} are needed."
        )


def _change(first: Local, second: Local, known: np.ndarray, unit: float, limits: ClusterLimits | None) -> Change:
    limits = limits or ClusterLimits()
    grey, large = (first.structure[0], second.structure[0]), (first.large, second.large)
    known = known & ~dimmed(grey, large, known, unit)
    between = first.between & second.between & known
    window = WINDOW_UM / REFERENCE_UM * unit
    before, after = (local_density(part.texture, between, window) for part in (first, second))
    difference = after - before
    known = known & np.isfinite(difference)
    _check(known)
    found = scores(first, second, known, unit)
    lost, gained = (
        _pixels(clusters(side, limits.least_mm2, unit), unit, known.shape) for side in (found.lost, found.gained)
    )
    density = np.where(known, difference, np.nan).astype(np.float32)
    largest = np.maximum(*(largest_mm2(scores, unit) for scores in (found.lost, found.gained)))
    wide = wide_difference(difference, known, unit)
    (wide_lost, loss_mm2), (wide_gained, gain_mm2) = (
        wide_clusters(side, unit, limits.wide_mm2) for side in (-wide, wide)
    )
    lost, gained = (lost | wide_lost) & known & (difference < 0), (gained | wide_gained) & known & (difference > 0)
    largest_wide = max(loss_mm2, gain_mm2)
    return Change(density, known, lost, gained, limits, tuple(map(float, largest)), largest_wide_mm2=largest_wide)


def clusters(scores: np.ndarray, least_mm2: Sequence[float], unit: float) -> np.ndarray:
    """Places in clusters that are larger than the limit of any kind and level, bool (h, w)."""
    every = [(score, level) for score in scores for level in LEVELS]
    found = np.zeros(scores.shape[1:], bool)
    for (score, level), least in zip(every, least_mm2, strict=True):
        labels, areas = cluster_areas(score, level, unit)
        found |= (areas > least)[labels]
    return found


def largest_mm2(scores: np.ndarray, unit: float) -> list[float]:
    """Area of the largest cluster of each kind and level, mm2."""
    return [float(cluster_areas(score, level, unit)[1].max()) for score in scores for level in LEVELS]


def _pixels(found: np.ndarray, unit: float, shape: tuple[int, int]) -> np.ndarray:
    """Places as pixels, bool (H, W)."""
    step = step_of(unit)
    return np.repeat(np.repeat(found, step, 0), step, 1)[: shape[0], : shape[1]]


def cluster_areas(score: np.ndarray, level: float, unit: float) -> tuple[np.ndarray, np.ndarray]:
    """Clusters of evidence beyond a level: their numbers at each place, 0 outside, and their areas in mm2 by number."""
    labels, _ = ndimage.label(score > level)
    areas = np.bincount(labels.ravel()) * (step_of(unit) * REFERENCE_UM / 1000 / unit) ** 2
    areas[0] = 0
    return labels, areas
