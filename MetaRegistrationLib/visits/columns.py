"""The columns of the tables of a series, each with its unit. Needs no torch."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from ..registration.schema import GRID_PX, PERCENT, Measure, Unit

if TYPE_CHECKING:
    from .alignment_error import AlignmentError
    from .series import AlignedVisit, Series

VISIT_PX = Unit("visit px", "pixels of the visit itself")


class VisitOfSeries(NamedTuple):
    """The input of a column of `visits.csv`."""

    series: Series
    index: int

    @property
    def entry(self) -> AlignedVisit:
        """The visit."""
        return self.series.visits[self.index]


class Loop(NamedTuple):
    """The input of a column of `consistency.csv`."""

    first: str
    over: str
    median_px: float
    to: str


def loops_of(series: Series) -> list[Loop]:
    """The rows of `consistency.csv`: all round trips."""
    reference = series.visits[series.reference].visit.name
    to_reference = [Loop(start, over, px, reference) for (start, over), px in series.round_trip_px.items()]
    return to_reference + [Loop(start, over, px, end) for (start, over, end), px in series.between_px.items()]


def _overlap(row: VisitOfSeries) -> float:
    return 100 * float(row.entry.warped[1].mean()) if row.entry.aligned else 0.0


def _of_error(value: Callable[[AlignmentError], float]) -> Callable[[VisitOfSeries], float]:
    return lambda row: math.nan if row.entry.error is None else value(row.entry.error)


VISIT_COLUMNS = (
    Measure("visit", "visit", lambda row: row.entry.visit.name, kind=str),
    Measure("date", "date", lambda row: row.entry.visit.date, kind=str),
    Measure(
        "order",
        "order",
        lambda row: row.series.order,
        kind=str,
        note="What the order of the rows rests on: `dates`, `names` (dates are not known), or `given`",
    ),
    Measure("side", "eye", lambda row: row.series.side, kind=str, note="`right`, `left`, or empty if unknown"),
    Measure(
        "quality",
        "signal quality",
        lambda row: row.series.qualities[row.index],
        note="Signal quality, 0 to 10: lower with blur, noise, low signal, saturation, shadow, motion and compression",
    ),
    Measure(
        "aligned",
        "aligned",
        lambda row: "yes" if row.entry.aligned else "no",
        kind=str,
        note="`yes` or `no`; `yes` also for a visit that is used without confidence, as `asked` says",
    ),
    Measure(
        "via", "through", lambda row: row.entry.via, kind=str, note="The visit that it was aligned through, if any"
    ),
    Measure("confidence", "confidence", lambda row: row.entry.confidence, note="Of the alignment, from 0 to 1"),
    Measure("kept", "result stage", lambda row: row.entry.result_stage, kind=str),
    Measure("ncc_after", "NCC after", lambda row: row.entry.ncc if row.entry.aligned else math.nan),
    Measure(
        "overlap_percent",
        "overlap",
        _overlap,
        unit=PERCENT,
        digits=1,
        note="Share of the reference where the visit shows tissue",
    ),
    Measure(
        "expected_error_px",
        "expected error",
        _of_error(lambda error: error.expected_px),
        unit=GRID_PX,
        digits=2,
        note="Mean of the predicted error where both images show tissue; through another visit, the sum of both alignments",
    ),
    Measure(
        "error_95_px",
        "95 % of the errors below",
        _of_error(lambda error: error.error_95_px),
        unit=GRID_PX,
        digits=2,
        note="Predicted for the positions where both images show tissue",
    ),
    Measure(
        "uncertain_percent",
        "uncertain",
        _of_error(lambda error: error.uncertain_percent),
        unit=PERCENT,
        digits=0,
        note="Predicted share of these positions with an error over 2 px of the network grid",
    ),
    Measure(
        "landmark_distance_px",
        "landmark distance",
        lambda row: row.series.landmark_distance_px(row.index),
        unit=VISIT_PX,
        note="Mean distance of the visit's landmarks from those of the reference, after the alignment",
    ),
    Measure(
        "inconsistent",
        "inconsistent",
        lambda row: "yes" if row.entry.visit.name in row.series.inconsistent else "",
        kind=str,
        note="`yes` where most round-trip errors over the visit are too large",
    ),
    Measure(
        "excluded",
        "excluded",
        lambda row: row.series.excluded[name].text if (name := row.entry.visit.name) in row.series.excluded else "",
        kind=str,
        note="Why the visit is out of average and change; empty if it is used",
    ),
    Measure(
        "asked",
        "used as asked",
        lambda row: row.series.asked[name].text if (name := row.entry.visit.name) in row.series.asked else "",
        kind=str,
        note="Why the visit would be excluded if the user had not asked for it; empty for others",
    ),
)
"""The columns of `visits.csv`, in their order."""

LOOP_COLUMNS = (
    Measure("from", "from", lambda loop: loop.first, kind=str, note="The visit that is registered"),
    Measure("over", "over", lambda loop: loop.over, kind=str, note="The third visit"),
    Measure(
        "median_px",
        "round-trip error",
        lambda loop: loop.median_px,
        unit=GRID_PX,
        note="Median over the image, between the direct registration and the one through the third visit",
    ),
    Measure(
        "to",
        "to",
        lambda loop: loop.to,
        kind=str,
        note="The visit that it is registered to: the reference, or another one if the reference may be at fault",
    ),
)
"""The columns of `consistency.csv`, in their order."""


def cells(columns: tuple[Measure, ...], row: VisitOfSeries | Loop) -> list[str]:
    """The cells of a row; empty if unknown."""
    return [column.text(column.of(row), nothing="") for column in columns]
