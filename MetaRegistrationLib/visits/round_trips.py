"""Round-trip errors: how far apart two ways from one visit to another end."""

from __future__ import annotations

import math

import numpy as np

from .consistency import triangles
from .position_maps import positions_at
from .series import LEAST_CONSISTENCY_PX, AlignedVisit, Series
from .visit_pairs import VisitPairs, aligned_directly

_FRAME = 400
_EVERY = 8  # pixels between the points of a round trip
_WITNESSES = 5  # visits between which round trips are measured if the reference may be at fault


def ways_round(count: int) -> list[tuple[int, int]]:
    """Pairs of aligned visits whose round-trip error is measured, so that each visit is in one at least."""
    odd = [(count - 2, count - 1)] if count % 2 and count > 1 else []
    return [(place, place + 1) for place in range(0, count - 1, 2)] + odd


def round_trips(pairs: VisitPairs, visits: list[AlignedVisit], reference: int) -> dict[tuple[str, str], float]:
    """Round-trip errors: each visit is in one round trip, and in two if the first error is too large."""
    ring = [index for index, entry in enumerate(visits) if entry.aligned and index != reference]
    count, found = len(ring), {}
    wanted = ways_round(count)
    pairs.ahead((ring[second], ring[first]) for first, second in wanted)
    for first, second in wanted:
        if (first, second) in found:
            continue
        between = pairs(ring[second], ring[first])[0]
        miss = math.nan if between is None else _miss(between, visits[ring[first]], visits[ring[second]])
        found[first, second] = miss
        if not miss <= LEAST_CONSISTENCY_PX and count > 2:  # which of the two is inconsistent?
            beside = [((first - 1) % count, first), (second, (second + 1) % count)]
            wanted += [tuple(sorted(pair)) for pair in beside if tuple(sorted(pair)) not in found]
    names = [visits[index].visit.name for index in ring]
    return {(names[first], names[second]): px for (first, second), px in sorted(found.items())}


def round_trips_between_others(pairs: VisitPairs, series: Series) -> dict[tuple[str, str, str], float]:
    """Round-trip errors between the best visits without the reference."""
    members = [index for index, entry in enumerate(series.visits) if entry.aligned and index != series.reference]
    members = sorted(members, key=lambda index: -series.qualities[index])[:_WITNESSES]
    wanted = list(triangles(members))
    pairs.ahead(pair for start, over, end in wanted for pair in ((start, over), (start, end), (over, end)))
    found = {}
    for start, over, end in wanted:
        between = pairs(start, over)[0]
        first, second = (aligned_directly(pairs, index, end) for index in (over, start))
        measured = between is not None and first.aligned and second.aligned
        names = tuple(pairs.visits[index].name for index in (start, over, end))
        found[names] = _miss(between, first, second) if measured else math.nan
    return found


def _miss(between: np.ndarray, first: AlignedVisit, second: AlignedVisit) -> float:
    start = first.positions[::_EVERY, ::_EVERY]
    direct = second.positions[::_EVERY, ::_EVERY]
    over = positions_at(between, start)
    sizes = [np.asarray(entry.visit.image.geometry.size) for entry in (first, second)]
    inside = np.all(
        [
            ((at >= 0) & (at <= size - 1)).all(-1)
            for at, size in ((start, sizes[0]), (over, sizes[1]), (direct, sizes[1]))
        ],
        axis=0,
    )
    if not inside.any():
        return math.nan
    return float(np.median(np.linalg.norm((over - direct)[inside] * (_FRAME / sizes[1]), axis=-1)))
