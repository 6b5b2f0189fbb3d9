"""The regions in which measures changed, those that changed most first."""

from __future__ import annotations

from collections.abc import Sequence

from .changes import MeasureChange, Verdict
from .page.naming import MAIN


def values_of_regions(changes: Sequence[MeasureChange]) -> list[MeasureChange]:
    """The changes of the main measures by region, without the whole image."""
    return [row for row in changes if row.region != "whole" and row.measure in MAIN]


def changed_regions(changes: Sequence[MeasureChange]) -> dict[str, list[MeasureChange]]:
    """The regions in which main measures changed, each with these measures; the furthest beyond their CoR first."""
    changed = [row for row in values_of_regions(changes) if row.verdict is Verdict.CHANGED]
    found: dict[str, list[MeasureChange]] = {}
    for row in sorted(changed, key=_beyond, reverse=True):
        found.setdefault(row.region, []).append(row)
    return found


def _beyond(row: MeasureChange) -> float:
    """A difference in its CoR."""
    return abs(row.difference) / row.cor if row.cor > 0 else float("inf")
