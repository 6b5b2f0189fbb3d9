"""The measures of a series as sections of its page: changes with verdicts, values by visit, trends."""

from __future__ import annotations

import html
import math
from collections.abc import Iterable, Sequence

from .changes import MeasureChange, Trend, Verdict
from .series_measures import SeriesMeasures

WORDS = {
    "vessel_density": "vessel density",
    "capillary_density": "capillary density",
    "large_vessel_density": "density of larger vessels",
    "vessel_length_density": "length of larger vessels",
    "faz_area": "FAZ area",
    "faz_perimeter": "FAZ perimeter",
    "faz_circularity": "FAZ circularity",
    "nonperfused_area": "non-perfused area",
    "brightness": "brightness",
    "signal_quality": "signal quality",
}
"""The measures in words."""
_SHOWN = ("capillary_density", "vessel_density", "vessel_length_density", "nonperfused_area", "faz_area")
_NOTE = (
    "A difference counts as changed if it is larger than the coefficient of repeatability (CoR) of repeat scans, which is the"
    " smallest change that can be detected. In one of twenty eyes without change a measure differs by more. A dim or blurred"
    " scan lowers densities: compare the quality of the visits. The densities are of one device's scale: compare an eye with"
    " itself only."
)


def measures_part(found: SeriesMeasures) -> str:
    """HTML sections for the page of a series."""
    parts = [_values(found)]
    if found.changes:
        parts.insert(0, _changes(found))
    if found.trends:
        parts.append(_trends(found.trends))
    return "".join(parts)


def _changes(found: SeriesMeasures) -> str:
    rows = [_change_row(row) for row in found.changes if row.measure in _SHOWN]
    agreement = ", ".join(f"{later} {value:.2f}" for (_, later), value in found.agreement.items())
    return (
        f"<h2>Changes</h2><p>{html.escape(_NOTE)}</p>"
        f"<p>CoR from: {html.escape(found.repeatability.source)} ({found.repeatability.pairs} pairs)."
        f" Agreement of the larger vessels with the first visit (1: the same): {html.escape(agreement)}.</p>"
        + _table(
            ("from", "to", "region", "measure", "difference", "in %", "smallest detectable", "verdict"),
            rows,
        )
    )


def _change_row(row: MeasureChange) -> list[str]:
    verdict = f"<b>{row.verdict.value}</b>" if row.verdict is Verdict.CHANGED else html.escape(row.verdict.value)
    return [
        html.escape(row.earlier),
        html.escape(row.later),
        _region(row.region),
        html.escape(WORDS[row.measure]),
        _number(row.difference, row.unit, sign=True),
        _number(row.percent, "", sign=True),
        _number(row.cor, row.unit),
        verdict,
    ]


def _values(found: SeriesMeasures) -> str:
    """The measures of the whole image, a row a visit."""
    visits = dict.fromkeys(row.visit for row in found.rows)
    whole = {(row.visit, row.measure): row for row in found.rows if row.region == "whole"}
    measures = [name for name in WORDS if any((visit, name) in whole for visit in visits)]
    rows = [
        [
            html.escape(visit),
            html.escape(whole[visit, measures[0]].date),
            *(_number(whole[visit, name].value, "") for name in measures),
        ]
        for visit in visits
    ]
    units = {row.measure: row.unit for row in found.rows}
    titles = [f"{WORDS[name]}, {units[name]}" if units[name] else WORDS[name] for name in measures]
    share = next(iter(whole.values())).measurable_percent
    return (
        "<h2>Measures of the whole image</h2>"
        f"<p>All visits are measured on one common mask ({share:.0f} % of the image). The regions are in measurements.csv.</p>"
        + _table(("visit", "date", *titles), rows)
    )


def _trends(trends: Iterable[Trend]) -> str:
    rows = [
        [
            _region(row.region),
            html.escape(WORDS[row.measure]),
            f"{_number(row.per_year, row.unit, sign=True)}",
            f"{_number(row.low, '', sign=True)} to {_number(row.high, '', sign=True)}",
            str(row.occasions),
        ]
        for row in trends
        if row.measure in _SHOWN and row.region == "whole"
    ]
    return (
        "<h2>Trends</h2><p>Least-squares slope a year with its 95 % interval (Student's t). The first visit of an eye that was"
        " chosen for its poor values tends to be followed by better ones (regression to the mean).</p>"
        + _table(("region", "measure", "a year", "95 % interval", "days"), rows)
    )


def _region(name: str) -> str:
    return html.escape("whole image" if name == "whole" else name.replace("_", " "))


def _number(value: float, unit: str, *, sign: bool = False) -> str:
    """At most two significant decimals."""
    if not math.isfinite(value):
        return "&ndash;"
    digits = 1 if abs(value) >= 10 else 2 if abs(value) >= 0.1 else 3
    text = f"{value:+.{digits}f}" if sign else f"{value:.{digits}f}"
    return html.escape(f"{text} {unit}".strip())


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """An HTML table; the cells are HTML already."""
    head = "".join(f"<th>{html.escape(column)}</th>" for column in columns)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><tr>{head}</tr>{body}</table>"
