"""Which visit is at fault where round trips do not close.

A triangle of three visits does not tell which of them is wrong. Most visits decide: the one most of whose triangles do not close,
or the reference, if the others agree with each other and not with it.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from itertools import combinations

_HALF = 0.5


def inconsistent_visits(
    reference: str,
    names: Collection[str],
    trips: Mapping[tuple[str, str], float],
    between: Mapping[tuple[str, str, str], float],
    limit_px: float,
    poor: Collection[str] = (),
) -> list[str]:
    """Names of the visits that are at fault, in the order of `names`.

    Parameters
    ----------
    reference : str
    names : collection of str
        All visits.
    trips : mapping of (str, str) to float
        Round-trip errors of triangles with the reference, by the other two; NaN where not measured.
    between : mapping of (str, str, str) to float
        Those of triangles without the reference.
    limit_px : float
        Errors above it do not close.
    poor : collection of str
        Visits of low signal quality: of visits that are equally suspect, these.
    """
    closed = {frozenset(pair): px <= limit_px for pair, px in trips.items() if not math.isnan(px)}
    found = _most_suspect(closed, poor)
    if found and suspects_reference(found, names):
        without = {frozenset(triple): px <= limit_px for triple, px in between.items() if not math.isnan(px)}
        of_found = [is_closed for triangle, is_closed in without.items() if triangle & found]
        if (reference in poor and not found & set(poor)) or (of_found and sum(of_found) > _HALF * len(of_found)):
            found = {reference} | _most_suspect(without, poor)
    return [name for name in names if name in found]


def suspects_reference(found: Collection[str], names: Collection[str]) -> bool:
    """Whether so many visits are at fault that the reference may be."""
    return len(found) >= _HALF * (len(names) - 1)


def triangles(members: Collection[int]) -> Iterator[tuple[int, int, int]]:
    """All triples of visits as (from, over, to), each once, later ones first."""
    return combinations(sorted(members, reverse=True), 3)


def _most_suspect(closed: Mapping[frozenset[str], bool], poor: Collection[str]) -> set[str]:
    """Members of most triangles that do not close, the worst ones first, so that they do not make others suspect."""
    found: set[str] = set()
    while True:
        total, still_open = Counter(), Counter()
        for members, is_closed in closed.items():
            if not members & found:
                total.update(members)
                still_open.update(() if is_closed else members)
        shares = {name: still_open[name] / count for name, count in total.items()}
        worst = max(shares.values(), default=0.0)
        if worst <= _HALF:
            return found
        equal = {name for name, share in shares.items() if share == worst}
        found |= (equal & set(poor)) or equal
