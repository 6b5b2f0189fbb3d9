"""Measures of pairs as text for a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..words import counted
from .tables import text_table

if TYPE_CHECKING:
    from ..registration.measures import PairMeasures


def metrics_table(rows: Sequence[PairMeasures]) -> str:
    """The table that a person reads: distance and NCC before and after, a row a pair."""
    cells = [
        (
            row.pair,
            _number(row.distance_before_px, 2),
            _number(row.distance_after_px, 2),
            _number(row.ncc_before, 3),
            _number(row.ncc_after, 3),
        )
        for row in rows
    ]
    return text_table(("pair", "distance before, px", "distance after, px", "NCC before", "NCC after"), cells)


def summary_line(summary: dict) -> str:
    """Mean and standard deviation over pairs, in a sentence."""
    ncc = f"NCC {_mean(summary['ncc_before'], 3)} before, {_mean(summary['ncc_after'], 3)} after"
    if not summary["distance_after_px"]:
        return f"Mean over {counted(summary['pairs'], 'pair')}: {ncc}"
    distance = f"distance {_mean(summary['distance_before_px'], 2)} px before, {_mean(summary['distance_after_px'], 2)} px after"
    return (
        f"Mean over {counted(summary['pairs_with_landmarks'], 'pair')} with landmarks: {distance}; {ncc}; "
        f"made worse {summary['made_worse_percent']:.0f} %"
    )


def _number(value: float, digits: int) -> str:
    return "-" if value != value else f"{value:.{digits}f}"


def _mean(statistics: dict | None, digits: int) -> str:
    if not statistics:
        return "-"
    return f"{statistics['mean']:.{digits}f} +- {statistics['std']:.{digits}f}"
