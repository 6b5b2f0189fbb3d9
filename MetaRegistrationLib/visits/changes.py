"""Changes of measures between visits, each with the smallest change that repeat scans let be detected, and a verdict."""

from __future__ import annotations

import datetime
import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np

from .dates import When, by_date, in_known_order
from .measures import OF_THE_SCAN, UNITS, Measurement
from .repeatability import Repeatability
from .series import Visit
from .trend_lines import LEAST_POINTS, trend_line

_DAYS_A_YEAR = 365.25


class Verdict(Enum):
    """What a difference says; the value is what tables hold."""

    CHANGED = "changed"
    WITHIN = "within repeatability"
    NOT_MEASURABLE = "not measurable"
    NOT_COMPARABLE = "not comparable"
    UNCERTAIN = "uncertain"


@dataclass(frozen=True)
class Occasion:
    """The visits of one day, which count as repeats, or one visit of an unknown day.

    Attributes
    ----------
    name : str
        The day, or the name of the visit.
    visits : tuple of str
        Their names.
    when : datetime.date or None
        The day.
    dated : When or None
        The date as far as it is known, such as the year.
    """

    name: str
    visits: tuple[str, ...]
    when: datetime.date | None = None
    dated: When | None = None


@dataclass(frozen=True)
class MeasureChange:
    """The difference of one measure in one region.

    Attributes
    ----------
    earlier, later : str
        Names of the occasions.
    region, measure : str
    difference : float
        Later minus earlier; NaN where it is not measurable.
    unit : str
    percent : float
        Of the earlier value.
    cor : float
        Coefficient of repeatability of this difference: the smallest change that can be detected.
    verdict : Verdict
    """

    earlier: str
    later: str
    region: str
    measure: str
    difference: float
    unit: str
    percent: float
    cor: float
    verdict: Verdict


@dataclass(frozen=True)
class Trend:
    """The slope of a measure over three and more occasions with dates.

    Attributes
    ----------
    region, measure : str
    per_year : float
        Least-squares slope.
    low, high : float
        Its 95 % interval (Student's t with n - 2 degrees of freedom).
    unit : str
        Of the measure; the slope is per year.
    occasions : int
    """

    region: str
    measure: str
    per_year: float
    low: float
    high: float
    unit: str
    occasions: int


def occasions(visits: Sequence[Visit]) -> list[Occasion]:
    """Visits grouped by day: by date, those without one last; in their own order if fewer than two have dates."""
    found: dict[object, list[Visit]] = {}
    for visit in by_date(visits):
        day = None if visit.when is None else visit.when.day
        found.setdefault(day or visit.name, []).append(visit)
    return [
        Occasion(
            group[0].name if len(group) == 1 else str(key),
            tuple(visit.name for visit in group),
            key if isinstance(key, datetime.date) else None,
            group[0].when,
        )
        for key, group in found.items()
    ]


def repeats_of(rows: Sequence[Measurement], groups: Sequence[Occasion]) -> list[list[Measurement]]:
    """The measurements of the first two scans of each occasion with several, as `repeatability` takes them."""
    pairs = [group.visits[:2] for group in groups if len(group.visits) > 1]
    return [[row for name in names for row in rows if row.visit == name] for names in pairs]


def measure_changes(
    rows: Sequence[Measurement],
    earlier: Occasion,
    later: Occasion,
    known: Repeatability,
    comparable: bool = True,
) -> list[MeasureChange]:
    """The changes of all measures between two occasions.

    Parameters
    ----------
    rows : sequence of Measurement
        Of all visits, on one mask.
    earlier, later : Occasion
    known : Repeatability
    comparable : bool
        Whether both show one eye by their larger vessels.
    """
    first, second = (occasion_means(rows, occasion) for occasion in (earlier, later))
    uncertain = uncertain_measures(rows, earlier) | uncertain_measures(rows, later)
    found = []
    for (measure, region), value in first.items():
        if measure in OF_THE_SCAN or (measure, region) not in second:
            continue
        difference = second[measure, region] - value
        cor = known.of_means(measure, region, len(earlier.visits), len(later.visits))
        percent = 100 * difference / value if value else math.nan
        verdict = _verdict(difference, cor, comparable, (measure, region) in uncertain)
        found.append(
            MeasureChange(earlier.name, later.name, region, measure, difference, UNITS[measure], percent, cor, verdict)
        )
    return found


def compared_occasions(visits: Sequence[Visit]) -> list[Occasion]:
    """The occasions of visits that have a place in time: the first one, and those that are certainly after it.

    The first one has bright vessels, if that leaves an occasion with bright vessels to compare.
    """
    dark = {visit.name for visit in visits if visit.dark}
    groups = occasions(visits)
    bright = [group for group in groups if dark.isdisjoint(group.visits)]
    enough = len(in_known_order(bright, _dated)) > 1
    return in_known_order(groups, _dated, bright if enough else ())


def _dated(group: Occasion) -> When | None:
    return group.dated


def trends(rows: Sequence[Measurement], groups: Sequence[Occasion]) -> list[Trend]:
    """Slopes per year of all measures; none with fewer than three occasions that have dates."""
    dated = [group for group in groups if group.when is not None]
    if len(dated) < LEAST_POINTS:
        return []
    years, means = years_of(dated), [occasion_means(rows, group) for group in dated]
    found = []
    for measure, region in means[0]:
        values = np.array([mean.get((measure, region), math.nan) for mean in means])
        line = None if measure in OF_THE_SCAN else trend_line(years, values)
        if line is not None:
            low, high = line.slope - line.slope_half, line.slope + line.slope_half
            count = int(np.isfinite(values).sum())
            found.append(Trend(region, measure, line.slope, low, high, UNITS[measure], count))
    return found


def why_no_trend(groups: Sequence[Occasion]) -> str:
    """Why there is no trend over at least three occasions with dates, as a sentence; empty if there is one, or are fewer."""
    coarse = [group for group in groups if group.dated is not None and group.when is None]
    days = sum(group.when is not None for group in groups)
    if days >= LEAST_POINTS or days + len(coarse) < LEAST_POINTS:
        return ""
    named = ", ".join(group.name for group in coarse)
    return f"No trends: they need {LEAST_POINTS} dates with a day, and the day of {named} is unknown."


def years_of(dated: Sequence[Occasion]) -> np.ndarray:
    """Years since the first of occasions that have dates, (N,)."""
    return np.array([(group.when - dated[0].when).days / _DAYS_A_YEAR for group in dated])


def occasion_means(rows: Sequence[Measurement], occasion: Occasion) -> dict[tuple[str, str], float]:
    """Means over the scans of an occasion, by measure and region."""
    found: dict[tuple[str, str], list[float]] = {}
    for row in rows:
        if row.visit in occasion.visits:
            found.setdefault((row.measure, row.region), []).append(row.value)
    return {key: float(np.mean(values)) for key, values in found.items()}


def uncertain_measures(rows: Sequence[Measurement], occasion: Occasion) -> set[tuple[str, str]]:
    """The measures and regions that are too uncertain to compare in a scan of an occasion."""
    return {(row.measure, row.region) for row in rows if row.visit in occasion.visits and row.uncertain}


def _verdict(difference: float, cor: float, comparable: bool, uncertain: bool) -> Verdict:
    if not comparable:
        return Verdict.NOT_COMPARABLE
    if not (math.isfinite(difference) and math.isfinite(cor)):
        return Verdict.NOT_MEASURABLE
    if abs(difference) > cor:
        return Verdict.CHANGED
    return Verdict.UNCERTAIN if uncertain else Verdict.WITHIN
