"""Measures of pairs as text for a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..words import counted
from .tables import text_table

if TYPE_CHECKING:
    from ..registration.measures import PairMeasures


def metrics_table(rows: Sequence[PairMeasures]) -> str:
    """The table that a person reads: a row a pair, with the measures that the schema shows in a terminal."""
    from ..registration.measures import shown_in
    from ..registration.schema import TERMINAL

    shown = shown_in(TERMINAL)
    cells = [[each.text(row[each.key]) for each in shown] for row in rows]
    return text_table([each.title for each in shown], cells)


def summary_line(summary: dict) -> str:
    """Mean and standard deviation over pairs, in a sentence."""
    ncc = f"NCC {_mean(summary['ncc_before'], 3)} before, {_mean(summary['ncc_after'], 3)} after"
    if not summary["distance_after_px"]:
        return f"Mean over {counted(summary['pairs'], 'pair')}: {ncc}"
    before, after = (_mean(summary[f"distance_{moment}_px"], 2) for moment in ("before", "after"))
    distance = f"distance {before} grid px before, {after} grid px after"
    return (
        f"Mean over {counted(summary['pairs_with_landmarks'], 'pair')} with landmarks: {distance}; {ncc}; "
        f"{summary['made_worse_percent']:.0f} % got worse"
    )


def _mean(statistics: dict | None, digits: int) -> str:
    if not statistics:
        return "-"
    return f"{statistics['mean']:.{digits}f} +- {statistics['std']:.{digits}f}"
