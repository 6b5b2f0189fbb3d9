"""Paired comparisons of two methods over the pairs of a test bed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import wilcoxon

from .plan import Setting
from .results import Result, settings_of

COMPARISONS = (
    ("ours", "fine_tune"),
    ("ours", "transfer"),
    ("fine_tune", "transfer"),
    ("ours", "seen"),
    ("ours", "unseen"),
)
"""Pairs of methods that are compared; adapted ones at equal numbers of epochs."""


@dataclass(frozen=True)
class Comparison:
    """A first method against a second one, pair by pair.

    Attributes
    ----------
    pairs : int
    mean_difference, median_difference : float
        First minus second.
    lower_percent, higher_percent : float
        Share of pairs at which the first is lower, or higher.
    p : float
        Two-sided Wilcoxon signed rank test; 1 where no pair differs.
    """

    pairs: int
    mean_difference: float
    median_difference: float
    lower_percent: float
    higher_percent: float
    p: float


def compare(first: Sequence[float], second: Sequence[float]) -> Comparison:
    """Compare paired values; `ValueError` when there are none or not equally many."""
    difference = np.asarray(first, dtype=np.float64) - np.asarray(second, dtype=np.float64)
    if difference.size == 0:
        raise ValueError("compare: expected at least one pair")
    return Comparison(
        difference.size,
        float(difference.mean()),
        float(np.median(difference)),
        float(100 * (difference < 0).mean()),
        float(100 * (difference > 0).mean()),
        float(wilcoxon(difference).pvalue) if np.any(difference) else 1.0,
    )


def pair_means(results: Sequence[Result], measure: str) -> dict[str, float]:
    """A measure of each pair, averaged over results (seeds) of equal pairs."""
    by_seed = [result.by_pair(measure) for result in results]
    return {name: float(np.mean([values[name] for values in by_seed])) for name in by_seed[0]}


def comparisons(results: Sequence[Result], measure: str) -> list[tuple[Setting, str, str, Comparison]]:
    """All of `COMPARISONS` that the results allow: setting, labels of both methods, comparison.

    Each pair's values are averaged over the seeds that both methods have (of a method without seeds: its only value).
    """
    found = []
    for setting in settings_of(results):
        here = [result for result in results if result.row.setting == setting]
        for first, second in COMPARISONS:
            for length in sorted({r.row.length for r in here if r.row.method == first}):
                # Adapted methods are compared at equal budget; the others have one length only.
                one = [r for r in here if r.row.method == first and r.row.length == length]
                other = [
                    r for r in here if r.row.method == second and (r.row.length == length or second != "fine_tune")
                ]
                one, other = _equal_seeds(one, other)
                if one and other:
                    a, b = pair_means(one, measure), pair_means(other, measure)
                    names = [name for name in a if np.isfinite(a[name]) and np.isfinite(b.get(name, np.nan))]
                    if names:
                        comparison = compare([a[name] for name in names], [b[name] for name in names])
                        found.append((setting, one[0].row.label, other[0].row.label, comparison))
    return found


def _equal_seeds(one: list[Result], other: list[Result]) -> tuple[list[Result], list[Result]]:
    if not (one and other and other[0].row.method == "fine_tune"):
        return one, other[-1:]  # a method of one seed; of several lengths from scratch the last
    seeds = {r.row.seed for r in one} & {r.row.seed for r in other}
    return [r for r in one if r.row.seed in seeds], [r for r in other if r.row.seed in seeds]
