"""What the few-shot benchmark measured: means, spreads over seeds and paired tests against joint training."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from MetaRegistrationLib.experiments.statistics import compare

BASE = "joint"
LEARNED = "joint, learned recipe"
DECIDING = (5, 10)
"""K and epochs that decide."""

LEAST_GAIN, LEAST_P, LEAST_TARGETS = 0.05, 0.01, 3


@dataclass(frozen=True)
class Key:
    """What an error belongs to."""

    target: str
    method: str
    recipe: str
    k: int
    epochs: int


@dataclass(frozen=True)
class Cell:
    """A cell of the table.

    Attributes
    ----------
    mean_px : float
        Over test pairs and seeds.
    spread_px : float
        Standard deviation of the seeds' means; NaN for one seed.
    seeds, pairs : int
    change : float
        Relative difference of the mean to that of joint training; NaN without it.
    p : float
        Wilcoxon's signed rank test against joint training over the test pairs; NaN without it.
    """

    mean_px: float
    spread_px: float
    seeds: int
    pairs: int
    change: float
    p: float


class Results:
    """Errors by test pair.

    Parameters
    ----------
    rows : iterable of dict
        As the runs write them: target, method, seed, recipe, k, draw, epochs, errors.
    """

    def __init__(self, rows: Iterable[dict]):
        found: dict[Key, dict[int, list[list[float]]]] = {}
        for row in rows:
            key = Key(row["target"], row["method"], row["recipe"], row["k"], row["epochs"])
            found.setdefault(key, {}).setdefault(row["seed"], []).append(row["errors"])
        self._errors = {
            key: {seed: np.mean(draws, axis=0) for seed, draws in seeds.items()} for key, seeds in found.items()
        }

    def __contains__(self, key: Key) -> bool:
        return key in self._errors

    @property
    def keys(self) -> list[Key]:
        """All keys."""
        return list(self._errors)

    def cell(self, key: Key, base: Key | None) -> Cell:
        """Mean, spread, and the comparison with `base` over the seeds that both have."""
        seeds = self._errors[key]
        means = [float(errors.mean()) for errors in seeds.values()]
        spread = float(np.std(means, ddof=1)) if len(means) > 1 else float("nan")
        change = p = float("nan")
        both = sorted(set(seeds) & set(self._errors.get(base, {}))) if base else []
        if both and base != key:
            first, second = (np.mean([self._errors[one][seed] for seed in both], axis=0) for one in (key, base))
            change, p = float(first.mean() / second.mean() - 1), compare(first, second).p
        return Cell(float(np.mean(means)), spread, len(seeds), len(next(iter(seeds.values()))), change, p)

    def learned_recipe(self, target: str) -> str | None:
        """The candidate recipe that was best, at the deciding K and epochs, on the other targets alone.

        Each target's errors are divided by those of the start of joint training, so that all have the same say.
        """
        k, epochs = DECIDING
        scores: dict[str, list[float]] = {}
        for key in self.keys:
            start = Key(key.target, BASE, "none", 0, 0)
            if _is_candidate(key) and (key.k, key.epochs) == (k, epochs) and key.target != target and start in self:
                scores.setdefault(key.recipe, []).append(self.cell(key, None).mean_px / self.cell(start, None).mean_px)
        most = max(map(len, scores.values()), default=0)
        complete = {recipe: float(np.mean(values)) for recipe, values in scores.items() if len(values) == most}
        return min(complete, key=complete.get) if complete else None


def _is_candidate(key: Key) -> bool:
    return key.method == BASE and key.recipe[0] == "r" and key.recipe[1:].isdigit()


def load_results(folder: Path) -> Results:
    """The results of a folder of runs."""
    paths = sorted(folder.glob("*/seed*/*.json"))
    return Results(row for path in paths for row in json.loads(path.read_text(encoding="utf-8")))


def verdict(results: Results, targets: Iterable[str], recipe: str, against: str) -> dict[str, dict[str, list[str]]]:
    """For each method: the targets on which it is clearly better, and clearly worse, than joint training.

    The method adapts by `recipe`, the start of joint training by the recipe `against`.
    """
    found: dict[str, dict[str, list[str]]] = {}
    k, epochs = DECIDING
    for target in targets:
        base = Key(target, BASE, against, k, epochs)
        rivals = {key.method: key for key in results.keys if key == Key(target, key.method, recipe, k, epochs)}
        learned = results.learned_recipe(target)
        if learned and Key(target, BASE, learned, k, epochs) in results:
            rivals[LEARNED] = Key(target, BASE, learned, k, epochs)
        rivals.pop(BASE, None)
        for method, key in rivals.items():
            cell = results.cell(key, base)
            sides = found.setdefault(method, {"better": [], "worse": []})
            if cell.p < LEAST_P and abs(cell.change) >= LEAST_GAIN:
                sides["better" if cell.change < 0 else "worse"].append(target)
    return found
