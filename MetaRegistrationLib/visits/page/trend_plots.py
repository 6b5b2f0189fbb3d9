"""The measures over time as drawings: a point a day, bars of the smallest detectable change, a line with its 95 % band."""

from __future__ import annotations

import datetime
import math
from dataclasses import dataclass

import numpy as np

from ..changes import Occasion, Trend, Verdict, occasion_means, years_of
from ..measures import UNITS
from ..series_measures import SeriesMeasures
from ..trend_lines import TrendLine, trend_line
from .axes import Axis, apart, padded
from .content import Content
from .markup import Html, escaped, number, paragraph, section, table
from .naming import MAIN, capital, measure_words, unit_words, with_unit

_WIDTH, _HEIGHT = 360, 230
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 346, 12, 196
_LABEL = 76  # between the middles of two dates
_CAP = 4
_EXPLAINED = (
    "A point is the mean of the scans of one day. Its bar is the smallest detectable change (CoR) against the first day, whose"
    " value is the dotted line: a bar that does not reach the dotted line is a change (filled point). The line is the"
    " least-squares trend, and the band its 95 % interval (Student's t)."
)


@dataclass(frozen=True, eq=False)
class _Plot:
    """The values of one measure over the days that have dates."""

    measure: str
    days: list[datetime.date]
    years: np.ndarray
    values: np.ndarray
    bars: np.ndarray
    changed: list[bool]
    line: TrendLine | None


def trends(content: Content) -> Html:
    """The section of the trends; nothing with fewer than three days that have dates."""
    found = content.measures
    if found is None or not found.trends:
        return Html("")
    slopes = {trend.measure: trend for trend in found.trends if trend.region == "whole"}
    plots = [plot for plot in (_plot(found, measure) for measure in MAIN if measure in slopes) if plot is not None]
    figures = "".join(_figure(plot, slopes.get(plot.measure), index) for index, plot in enumerate(plots))
    rows = [_slope(trend) for trend in slopes.values()]
    columns = ("Measure", "Change a year", "95 % interval, from", "to", "Days")
    undated = [group.name for group in found.occasions if group.when is None]
    left_out = f" Not shown, for want of a day: {', '.join(undated)}." if undated else ""
    text = paragraph(_EXPLAINED + left_out) + Html(f'<div class="plots">{figures}</div>')
    return section("trends", "Trends", text, table(columns, rows, "Slopes of the whole image"))


def _slope(trend: Trend) -> list[object]:
    name = capital(with_unit(measure_words(trend.measure), trend.unit))
    numbers = (number(value, sign=True) for value in (trend.per_year, trend.low, trend.high))
    return [name, *numbers, trend.occasions]


def _plot(found: SeriesMeasures, measure: str) -> _Plot | None:
    dated = [group for group in found.occasions if group.when is not None]
    key = measure, "whole"
    values = np.array([occasion_means(found.rows, group).get(key, math.nan) for group in dated])
    good = np.flatnonzero(np.isfinite(values))
    if len(good) < 3:
        return None
    bars = [found.repeatability.of_means(*key, len(dated[0].visits), len(group.visits)) for group in dated]
    changed = [_has_changed(found, dated[0], group, measure) for group in dated]
    years = years_of(dated)
    return _Plot(
        measure,
        [dated[index].when for index in good],
        years[good],
        values[good],
        np.array(bars)[good],
        [changed[index] for index in good],
        trend_line(years, values),
    )


def _has_changed(found: SeriesMeasures, first: Occasion, later: Occasion, measure: str) -> bool:
    names = first.name, later.name, measure, "whole"
    rows = (row for row in found.changes if (row.earlier, row.later, row.measure, row.region) == names)
    return any(row.verdict is Verdict.CHANGED for row in rows)


def _figure(plot: _Plot, slope: Trend | None, index: int) -> Html:
    unit = UNITS[plot.measure]
    name = capital(with_unit(measure_words(plot.measure), unit))
    words = f"<b>{escaped(name)}</b>"
    if slope is not None:
        low, high = number(slope.low, sign=True), number(slope.high, sign=True)
        words += escaped(
            f": {number(slope.per_year, unit_words(unit), sign=True)} a year (95 % interval {low} to {high})"
        )
    return Html(f"<figure>{_svg(plot, name, index)}<figcaption>{words}</figcaption></figure>")


def _svg(plot: _Plot, name: str, index: int) -> str:
    bars = np.nan_to_num(plot.bars)
    across = Axis(padded(float(plot.years.min()), float(plot.years.max())), (_LEFT, _RIGHT))
    up = Axis(padded(float((plot.values - bars).min()), float((plot.values + bars).max())), (_BOTTOM, _TOP))
    return (
        f'<svg class="plot" role="img" aria-label="{escaped(name)} over time" viewBox="0 0 {_WIDTH} {_HEIGHT}">'
        f"<title>{escaped(name)} over time</title>"
        f'<clipPath id="inside-{index}"><rect x="{_LEFT}" y="{_TOP}" width="{_RIGHT - _LEFT}" height="{_BOTTOM - _TOP}"/>'
        f"</clipPath>{_value_axis(up)}{_date_axis(plot, across)}"
        f'<g clip-path="url(#inside-{index})">{_trend(plot, across, up)}{_first(plot, up)}</g>{_points(plot, across, up)}</svg>'
    )


def _value_axis(up: Axis) -> str:
    return "".join(
        f'<line class="mesh" x1="{_LEFT}" x2="{_RIGHT}" y1="{up.at(tick):.1f}" y2="{up.at(tick):.1f}"/>'
        f'<text x="{_LEFT - 6}" y="{up.at(tick) + 4:.1f}" text-anchor="end">{number(tick)}</text>'
        for tick in up.ticks()
    )


def _date_axis(plot: _Plot, across: Axis) -> str:
    places = [across.at(year) for year in plot.years]
    frame = f'<path class="axis" d="M{_LEFT} {_TOP}V{_BOTTOM}H{_RIGHT}"/>'
    ticks = "".join(f'<line class="axis" x1="{x:.1f}" x2="{x:.1f}" y1="{_BOTTOM}" y2="{_BOTTOM + 4}"/>' for x in places)
    labels = "".join(
        f'<text x="{places[index]:.1f}" y="{_BOTTOM + 18}" text-anchor="middle">{plot.days[index].isoformat()}</text>'
        for index in apart(places, _LABEL)
    )
    return frame + ticks + labels


def _trend(plot: _Plot, across: Axis, up: Axis) -> str:
    if plot.line is None:
        return ""
    years = np.linspace(*across.values, 41)
    middle, half = plot.line.at(years)
    upper = [f"{across.at(year):.1f},{up.at(value):.1f}" for year, value in zip(years, middle + half, strict=True)]
    lower = [f"{across.at(year):.1f},{up.at(value):.1f}" for year, value in zip(years, middle - half, strict=True)]
    line = " ".join(f"{across.at(year):.1f},{up.at(value):.1f}" for year, value in zip(years, middle, strict=True))
    return f'<polygon class="band" points="{" ".join(upper + lower[::-1])}"/><polyline class="fit" points="{line}"/>'


def _first(plot: _Plot, up: Axis) -> str:
    y = up.at(float(plot.values[0]))
    return f'<line class="first" x1="{_LEFT}" x2="{_RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'


def _points(plot: _Plot, across: Axis, up: Axis) -> str:
    return "".join(
        _point(across.at(year), up, float(value), float(bar), changed, f"{day.isoformat()}: {number(float(value))}")
        for year, value, bar, changed, day in zip(
            plot.years, plot.values, plot.bars, plot.changed, plot.days, strict=True
        )
    )


def _point(x: float, up: Axis, value: float, bar: float, changed: bool, title: str) -> str:
    found = ""
    if math.isfinite(bar):
        top, bottom = up.at(value + bar), up.at(value - bar)
        caps = f"M{x - _CAP:.1f} {top:.1f}h{2 * _CAP}M{x - _CAP:.1f} {bottom:.1f}h{2 * _CAP}"
        found = f'<path class="bar" d="M{x:.1f} {top:.1f}V{bottom:.1f}{caps}"/>'
    kind = "point changed" if changed else "point"
    return f'{found}<circle class="{kind}" cx="{x:.1f}" cy="{up.at(value):.1f}" r="4"><title>{title}</title></circle>'
