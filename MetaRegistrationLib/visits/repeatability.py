"""How far a measure differs between repeat scans without change: the coefficient of repeatability (CoR).

CoR = 1.96 * sqrt(2) * within-subject standard deviation (Bland and Altman, Statistical Methods in Medical Research 8:135, 1999).
In 95 % of eyes without change, two single scans differ by less. With n pairs of repeat scans, Student's t with n degrees of
freedom stands for 1.96, since the deviation itself is estimated.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from scipy import special

from .measures import UNITS, Measurement
from .shipped_repeats import COR, PAIRS, SOURCE

LEAST_PAIRS = 5
"""Fewer pairs of the user's own repeat scans do not replace the shipped table; the larger CoR of both counts then."""
MARGIN = 1.15
"""By which the shipped table is enlarged, since it is of another device."""
Key = tuple[str, str]
"""(measure, kind of region)"""


@dataclass(frozen=True)
class Repeatability:
    """The CoR of measures, and what it was measured on.

    Attributes
    ----------
    cor : mapping of (str, str) to float
        By measure and kind of region (`region_kind`), in the unit of the measure, of two single scans.
    pairs : int
        Pairs of repeat scans.
    source : str
        In words, for tables and pages.
    """

    cor: Mapping[Key, float]
    pairs: int
    source: str

    def of(self, measure: str, region: str) -> float:
        """CoR of a measure in a region; the largest of all regions where this one is unknown; NaN without any.

        A small region repeats less well than the whole image, so that of the whole would call chance a change.
        """
        known = self.cor.get((measure, region_kind(region)))
        if known is not None:
            return known
        return max((value for (name, _), value in self.cor.items() if name == measure), default=math.nan)

    def scaled(self, scale: float) -> Repeatability:
        """The CoR where lateral distances are scaled, as by an axial length; in percent of the measure it stays."""
        if scale == 1:
            return self
        powers = {"mm": 1, "mm2": 2, "mm/mm2": -1}
        cor = {key: value * scale ** powers.get(UNITS.get(key[0], ""), 0) for key, value in self.cor.items()}
        return Repeatability(cor, self.pairs, self.source)

    def of_means(self, measure: str, region: str, first: int, second: int) -> float:
        """CoR of two means of so many scans each."""
        return self.of(measure, region) * math.sqrt((1 / first + 1 / second) / 2)


def region_kind(region: str) -> str:
    """The quadrants of a ring are one kind: "inner" of inner_nasal."""
    ring = region.split("_")[0]
    return ring if ring in ("inner", "outer") else region


def repeatability(pairs: Iterable[Sequence[Measurement]], source: str) -> Repeatability:
    """The CoR from repeat scans.

    Parameters
    ----------
    pairs : iterable of sequence of Measurement
        Of each pair, the measurements of its two scans.
    source : str
    """
    squares: dict[Key, list[float]] = {}
    count = 0
    for rows in pairs:
        count += 1
        for (measure, region), (first, second) in _by_key(rows).items():
            key = measure, region_kind(region)
            if math.isfinite(first) and math.isfinite(second):
                squares.setdefault(key, []).append((first - second) ** 2)
    # The variance of a difference is twice that within a subject.
    cor = {
        key: float(special.stdtrit(len(values), 0.975)) * math.sqrt(sum(values) / len(values))
        for key, values in squares.items()
    }
    return Repeatability(cor, count, source)


@functools.cache
def shipped() -> Repeatability:
    """The table that ships with the program; `repeatability.py` of the benchmarks makes it.

    Its values count for more, since they are of another device: on repeat scans that it was not made of, 6.8 % of the differences
    would be beyond them, and 4.8 % are with the margin.
    """
    cor = {(measure, kind): MARGIN * value for measure, kinds in COR.items() for kind, value in kinds.items()}
    return Repeatability(cor, PAIRS, SOURCE)


def used_repeatability(own: Repeatability | None, scale: float = 1.0) -> Repeatability:
    """The user's own repeat scans where they are enough; with fewer, the larger CoR of theirs and the shipped one.

    `scale` is that of lateral distances, by which the shipped ones are scaled.
    """
    known = shipped().scaled(scale)
    if own is None or not own.pairs:
        return known
    if own.pairs >= LEAST_PAIRS:
        return own
    keys = {*own.cor, *known.cor}
    cor = {key: max(own.cor.get(key, 0.0), _number(known.of(*key))) for key in keys}
    pairs = f"{own.pairs} pairs" if own.pairs > 1 else "1 pair"
    return Repeatability(cor, own.pairs + known.pairs, f"{pairs} of your own, and {known.source}: the larger counts")


def as_table(found: Repeatability) -> dict[str, dict[str, float]]:
    """The CoR by measure and kind of region, with three digits, as `shipped_repeats` holds it."""
    cor: dict[str, dict[str, float]] = {}
    for (measure, kind), value in sorted(found.cor.items()):
        cor.setdefault(measure, {})[kind] = float(f"{value:.3g}")
    return cor


def _number(value: float) -> float:
    """The value; 0 where it is unknown."""
    return value if math.isfinite(value) else 0.0


def _by_key(rows: Sequence[Measurement]) -> dict[tuple[str, str], tuple[float, float]]:
    """Values of the first and the second visit by measure and region."""
    found: dict[tuple[str, str], list[float]] = {}
    for row in rows:
        found.setdefault((row.measure, row.region), []).append(row.value)
    return {key: (values[0], values[1]) for key, values in found.items() if len(values) == 2}
