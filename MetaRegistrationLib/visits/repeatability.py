"""How far a measure differs between repeat scans without change: the coefficient of repeatability (CoR).

CoR = 1.96 * sqrt(2) * within-subject standard deviation (Bland and Altman, Statistical Methods in Medical Research 8:135, 1999).
In 95 % of eyes without change, two single scans differ by less. With n pairs of repeat scans, Student's t with n degrees of
freedom stands for 1.96, since the deviation itself is estimated.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from scipy import special

from .measures import OF_THE_SCAN, UNITS, Measurement
from .shipped_repeats import COR, PAIRS, SOURCE

LEAST_PAIRS = 5
"""A CoR of fewer pairs of the user's own repeat scans does not replace the shipped one; both are pooled then."""
MARGIN = 1.15
"""By which the shipped table is enlarged, since it is of another device."""
WIDER_LEVEL = 0.05
"""Level of the F test by which the variance of fewer pairs is significantly larger than the shipped one."""
Key = tuple[str, str]
"""(measure, kind of region)"""


@dataclass(frozen=True)
class Spread:
    """The differences of a measure between repeat scans in one kind of region.

    Attributes
    ----------
    variance : float
        Mean square of the differences.
    pairs : int
        Pairs of repeat scans that have a value; the quadrants of a ring are several values of one pair.
    """

    variance: float
    pairs: int

    @property
    def cor(self) -> float:
        """The CoR, with a degree of freedom for each pair: the quadrants of one pair of scans vary together."""
        return _student(self.pairs) * math.sqrt(self.variance)


@dataclass(frozen=True)
class Repeatability:
    """The CoR of measures, and what it was measured on.

    Attributes
    ----------
    cor : mapping of (str, str) to float
        By measure and kind of region (`region_kind`), in the unit of the measure, of two single scans.
    pairs : int
        Pairs of repeat scans that have a value of a measure of the eye.
    source : str
        In words, for tables and pages.
    spreads : mapping of (str, str) to Spread
        What the CoR is of; by default that of a CoR of `pairs` pairs.
    """

    cor: Mapping[Key, float]
    pairs: int
    source: str
    spreads: Mapping[Key, Spread] = field(default_factory=dict)

    def of(self, measure: str, region: str) -> float:
        """CoR of a measure in a region; the largest of all regions where this one is unknown; NaN without any.

        A small region repeats less well than the whole image. So the CoR of the whole image alone stands for no region.
        """
        kind = region_kind(region)
        found = {known: value for (name, known), value in self.cor.items() if name == measure}
        if kind in found:
            return found[kind]
        return math.nan if set(found) <= {"whole"} else max(found.values())

    def spread(self, key: Key) -> Spread:
        """The spread of a key of `cor`."""
        if key in self.spreads:
            return self.spreads[key]
        return Spread((self.cor[key] / _student(self.pairs)) ** 2, self.pairs)

    def scaled(self, scale: float) -> Repeatability:
        """The CoR where lateral distances are scaled, as by an axial length; in percent of the measure it stays."""
        if scale == 1:
            return self
        powers = {"mm": 1, "mm2": 2, "mm/mm2": -1}
        scales = {key: scale ** powers.get(UNITS.get(key[0], ""), 0) for key in self.cor}
        cor = {key: value * scales[key] for key, value in self.cor.items()}
        spreads = {key: Spread(one.variance * scales[key] ** 2, one.pairs) for key, one in self.spreads.items()}
        return Repeatability(cor, self.pairs, self.source, spreads)

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
    having: dict[Key, set[int]] = {}
    for number, rows in enumerate(pairs):
        for (measure, region), (first, second) in _by_key(rows).items():
            key = measure, region_kind(region)
            if math.isfinite(first) and math.isfinite(second):
                squares.setdefault(key, []).append((first - second) ** 2)
                having.setdefault(key, set()).add(number)
    # The variance of a difference is twice that within a subject.
    variances = {key: sum(values) / len(values) for key, values in squares.items()}
    cor = {key: _student(len(values)) * math.sqrt(variances[key]) for key, values in squares.items()}
    spreads = {key: Spread(variance, len(having[key])) for key, variance in variances.items()}
    valued = {pair for (measure, _), pairs in having.items() if measure not in OF_THE_SCAN for pair in pairs}
    return Repeatability(cor, len(valued), source, spreads)


@functools.cache
def shipped() -> Repeatability:
    """The table that ships with the program; `repeatability.py` of the benchmarks makes it.

    Its values count for more, since they are of another device: on repeat scans that it was not made of, 6.8 % of the differences
    would be beyond them, and 4.9 % are with the margin.
    """
    cor = {(measure, kind): MARGIN * value for measure, kinds in COR.items() for kind, value in kinds.items()}
    return Repeatability(cor, PAIRS, SOURCE)


def used_repeatability(own: Repeatability | None, scale: float = 1.0) -> Repeatability:
    """The user's own repeat scans where enough of them have a value; with fewer, theirs and the shipped ones together.

    Each measure and kind of region counts for itself. `scale` is that of lateral distances, by which the shipped ones are scaled.
    """
    known = shipped().scaled(scale)
    if own is None or not own.pairs:
        return known
    spreads = {key: own.spread(key) for key in own.cor}
    enough = {key for key, spread in spreads.items() if spread.pairs >= LEAST_PAIRS}
    mine = {key: spread if key in enough else _pooled(spread, known, key) for key, spread in spreads.items()}
    cor = {**known.cor, **{key: spread.cor for key, spread in mine.items()}}
    if own.pairs < LEAST_PAIRS:
        pairs = f"{own.pairs} pairs" if own.pairs > 1 else "1 pair"
        return Repeatability(cor, own.pairs + known.pairs, f"{pairs} of your own, pooled with {known.source}")
    rest = f", pooled with {known.source} where fewer than {LEAST_PAIRS} of your own have a value"
    return Repeatability(cor, own.pairs, own.source + ("" if enough >= known.cor.keys() else rest))


def _pooled(few: Spread, known: Repeatability, key: Key) -> Spread:
    """A few pairs of the user's own and the shipped ones together.

    If the own variance is significantly larger, it counts alone: the shipped pairs tell nothing of it.
    """
    bar = known.of(*key)
    if not math.isfinite(bar):
        return few
    many = Spread((bar / _student(known.pairs)) ** 2, known.pairs)
    total = few.pairs + many.pairs
    if few.variance > many.variance * float(special.fdtri(few.pairs, many.pairs, 1 - WIDER_LEVEL)):
        return few
    return Spread((few.pairs * few.variance + many.pairs * many.variance) / total, total)


def _student(degrees: int) -> float:
    """The factor of a 95 % interval."""
    return float(special.stdtrit(degrees, 0.975))


def as_table(found: Repeatability) -> dict[str, dict[str, float]]:
    """The CoR by measure and kind of region, with three digits, as `shipped_repeats` holds it."""
    cor: dict[str, dict[str, float]] = {}
    for (measure, kind), value in sorted(found.cor.items()):
        cor.setdefault(measure, {})[kind] = float(f"{value:.3g}")
    return cor


def _by_key(rows: Sequence[Measurement]) -> dict[tuple[str, str], tuple[float, float]]:
    """Values of the first and the second visit by measure and region."""
    found: dict[tuple[str, str], list[float]] = {}
    for row in rows:
        found.setdefault((row.measure, row.region), []).append(row.value)
    return {key: (values[0], values[1]) for key, values in found.items() if len(values) == 2}
