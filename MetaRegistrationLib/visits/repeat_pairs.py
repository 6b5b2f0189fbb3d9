"""Which pairs of scans can tell how much repeat scans differ: two scans of one eye, each of its own and good enough."""

from __future__ import annotations

import math
from collections.abc import Sequence

from .copies import resampled_copy
from .measures import OF_THE_SCAN, Measurement
from .polarity import dark_text, dark_visits
from .series import Series


def no_repeats(series: Series) -> str:
    """Why the two visits of a series are no repeat scans to go by, in plain English; empty if they are."""
    poor = series.poor
    found = series.excluded | (poor if len(poor) < len(series.visits) else {})
    if found:
        return "; ".join(f"{name}: {exclusion.text}" for name, exclusion in found.items())
    if dark := dark_visits(series.visits):
        return dark_text(dark).rstrip(".")
    first, second = series.visits
    if resampled_copy(first, second):
        return f"{second.visit.name}: a copy of {first.visit.name}, rotated or shifted"
    return ""


def poor_repeats(series: Series) -> str:
    """A sentence on a pair of which both scans are of low signal quality: all scans of a device may be; else empty."""
    found = series.poor
    if len(found) < len(series.visits):
        return ""
    return (
        f"{'; '.join(f'{name}: {exclusion.text}' for name, exclusion in found.items())}. The pair is used all the same."
    )


def has_values(rows: Sequence[Measurement]) -> bool:
    """Whether a measure of the eye has a value in both visits."""
    visits: dict[tuple[str, str], int] = {}
    for row in rows:
        if row.measure not in OF_THE_SCAN and math.isfinite(row.value):
            visits[row.measure, row.region] = visits.get((row.measure, row.region), 0) + 1
    return max(visits.values(), default=0) > 1
