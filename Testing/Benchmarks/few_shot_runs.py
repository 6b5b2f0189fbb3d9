"""The runs of the few-shot benchmark: each unit of work is done once and kept, so that a later call continues."""

from __future__ import annotations

import copy
import json
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache, partial
from pathlib import Path

import numpy as np
import torch
from few_shot_images import TARGETS, sources_without
from few_shot_pairs import REAL, REFERENCE, PoolTask, Sizes, Target, source_task, target_pairs, test_pairs
from few_shot_phases import META, METHODS, Phase, further, joint, new_network
from few_shot_results import load_results
from few_shot_tuning import EPOCHS, RECIPES, Tuning, after_epochs, errors_px
from torch import nn

from MetaRegistrationLib.formats.files import replacing, write_json
from MetaRegistrationLib.tasks import TaskPair
from MetaRegistrationLib.training.adaptation import Recipe

VALIDATION = 8
SEARCH = (5, 1)
"""Pairs that the search of the recipe adapts on, and number of choices of them."""


@dataclass(frozen=True)
class Plan:
    """Sizes of the benchmark; a folder of results holds one plan.

    Attributes
    ----------
    shapes, pretraining, further : int
        Gradient evaluations on drawn shapes alone (once a seed), on the sources of a target, and of each method.
    draws : tuple of (int, int)
        Numbers of pairs K to adapt on, and how many different choices of K pairs.
    candidates : int
        Recipes that the search tries.
    recipe : str or None
        A candidate that is taken as learned, in place of a search.
    sizes : Sizes
        Of the pairs of sources and targets. The drawn shapes at the beginning are always on the grid of reference.
    levels : int
        Of the network.
    recipes : tuple of str
        Keys of `RECIPES` by which each start adapts.
    """

    shapes: int = 8000
    pretraining: int = 4000
    further: int = 1200
    draws: tuple[tuple[int, int], ...] = ((5, 1), (1, 1), (22, 1))
    candidates: int = 10
    recipe: str | None = None
    sizes: Sizes = REFERENCE
    levels: int = 3
    recipes: tuple[str, ...] = tuple(RECIPES)


CONFIRMATION = Plan(
    draws=((5, 1), (22, 1)),
    recipe="r09",
    sizes=Sizes(400, pool=100, supports=24, adapt=22),
    levels=4,
    recipes=("paper", "guided"),
)
"""The same on the grid of 400 pixels of the product: fewer pairs, and the recipe that the search on the small grid chose."""


class Runs:
    """The units of work of a plan, kept in a folder.

    Parameters
    ----------
    folder, data : Path
    plan : Plan
    """

    def __init__(self, folder: Path, data: Path, plan: Plan):
        self.folder, self._data, self._plan = folder, data, plan
        self._cache = folder / "cache"
        self._cache.mkdir(parents=True, exist_ok=True)
        kept = folder / "plan.json"
        if not kept.exists():
            write_json(kept, asdict(plan))
        if json.loads(kept.read_text(encoding="utf-8")) != json.loads(json.dumps(asdict(plan))):
            raise SystemExit(f"{kept} is of another plan: give another folder.")

    def units(
        self, targets: Sequence[str], methods: Sequence[str], seed: int, counts: Sequence[int] | None = None
    ) -> Iterator[tuple[str, Callable[[], None]]]:
        """Name and work of each unit that is not done yet, in the order in which they need one another.

        `counts` are the numbers of pairs K to adapt on; all of the plan unless given.
        """
        every: list[tuple[Path, Callable[[], None]]] = []
        draws = [(count, number) for count, number in self._plan.draws if counts is None or count in counts]
        for target in targets:
            place, starts = self._place(target, seed), self._starts(target, seed)
            every.append((self.folder / f"shapes_seed{seed}.pt", partial(self._shapes, seed)))
            every.append((starts / "pretrained.pt", partial(self._pretrain, target, seed)))
            for method in ("pretrained", *methods):
                if method != "pretrained":
                    every.append((starts / f"{method}.pt", partial(self._further, target, method, seed)))
                every.append((place / f"{method}_k0.json", partial(self._before, target, method, seed)))
                for draw in draws:
                    work = partial(self._adapt, target, method, seed, draw)
                    every.append((place / f"{method}_k{draw[0]}.json", work))
            if "joint" in methods and self._plan.recipe:
                for draw in draws:
                    every.append(self._recipe_unit(target, self._plan.recipe, seed, draw))
            elif "joint" in methods:
                every.append((place / "recipes.json", partial(self._search, target, seed)))
        for path, work in every:
            if not path.exists():
                yield str(path.relative_to(self.folder)), work

    def recipe_units(
        self, targets: Sequence[str], seed: int, counts: Sequence[int] | None = None
    ) -> Iterator[tuple[str, Callable[[], None]]]:
        """The adaptations by the recipe that the other targets chose, at the K at which the search did not adapt."""
        if self._plan.recipe:
            return
        results = load_results(self.folder)
        for target in targets:
            name, start = results.learned_recipe(target), self._starts(target, seed) / "joint.pt"
            if name is None or not start.exists():
                continue
            for draw in self._plan.draws:
                path, work = self._recipe_unit(target, name, seed, draw)
                if draw[0] != SEARCH[0] and (counts is None or draw[0] in counts) and not path.exists():
                    yield str(path.relative_to(self.folder)), work

    def _recipe_unit(self, target: str, name: str, seed: int, draw: tuple[int, int]) -> tuple[Path, Callable[[], None]]:
        path = self._place(target, seed) / f"recipe_{name}_k{draw[0]}.json"
        return path, partial(self._by_recipe, target, name, seed, draw)

    def _place(self, target: str, seed: int) -> Path:
        place = self.folder / target / f"seed{seed}"
        place.mkdir(parents=True, exist_ok=True)
        return place

    def _starts(self, target: str, seed: int) -> Path:
        """Where the networks for a target lie."""
        return self._place("octa" if target == REAL else target, seed)

    @cache  # noqa: B019 - one object a process
    def _task(self, group: str) -> PoolTask:
        return source_task(group, self._data, self._cache, self._plan.sizes)

    @cache  # noqa: B019
    def _validation(self, group: str) -> list[TaskPair]:
        return test_pairs(group, self._data, self._cache, VALIDATION, self._plan.sizes)

    @cache  # noqa: B019
    def _target(self, target: str) -> Target:
        return target_pairs(target, self._data, self._cache, self._plan.sizes)

    def _sources(self, groups: tuple[str, ...]) -> tuple[list[PoolTask], dict[str, list[TaskPair]]]:
        return [self._task(group) for group in groups], {group: self._validation(group) for group in groups}

    def _shapes(self, seed: int) -> None:
        tasks = [source_task("shapes", self._data, self._cache, REFERENCE)]
        validation = {"shapes": test_pairs("shapes", self._data, self._cache, VALIDATION, REFERENCE)}
        phase = joint(new_network(seed, self._plan.levels), tasks, self._plan.shapes, validation, seed=seed, rate=1e-3)
        _save(self.folder / f"shapes_seed{seed}.pt", phase)

    def _pretrain(self, target: str, seed: int) -> None:
        network, _ = self._load(self.folder / f"shapes_seed{seed}.pt")
        tasks, validation = self._sources(sources_without("octa" if target == REAL else target))
        phase = joint(network, tasks, self._plan.pretraining, validation, seed=seed + 100, rate=1e-3)
        _save(self._starts(target, seed) / "pretrained.pt", phase)

    def _further(self, target: str, method: str, seed: int) -> None:
        network, _ = self._load(self._starts(target, seed) / "pretrained.pt")
        tasks, validation = self._sources(sources_without("octa" if target == REAL else target))
        phase = further(method, network, tasks, self._plan.further, validation, seed=seed)
        _save(self._starts(target, seed) / f"{method}.pt", phase)

    def _before(self, target: str, method: str, seed: int) -> None:
        network, _ = self._load(self._starts(target, seed) / f"{method}.pt")
        errors = errors_px(network, self._target(target).tests)
        row = {"recipe": "none", "k": 0, "draw": 0, "epochs": 0, "errors": errors}
        self._write(f"{method}_k0", target, method, seed, [row])

    def _adapt(self, target: str, method: str, seed: int, draw: tuple[int, int]) -> None:
        network, rates = self._load(self._starts(target, seed) / f"{method}.pt")
        part = META[method].part if method in META else "all"
        recipes = {name: (RECIPES[name], part) for name in self._plan.recipes}
        rows = self._rows(target, network, recipes, draw, seed, rates)
        self._write(f"{method}_k{draw[0]}", target, method, seed, rows)

    def _by_recipe(self, target: str, name: str, seed: int, draw: tuple[int, int]) -> None:
        network, _ = self._load(self._starts(target, seed) / "joint.pt")
        chosen = {name: candidates(self._plan.candidates)[name]}
        rows = self._rows(target, network, chosen, draw, seed, None)
        self._write(f"recipe_{name}_k{draw[0]}", target, "joint", seed, rows)

    def _search(self, target: str, seed: int) -> None:
        """What each candidate recipe brings about from the start of joint training."""
        network, _ = self._load(self._starts(target, seed) / "joint.pt")
        rows = self._rows(target, network, candidates(self._plan.candidates), SEARCH, seed, None)
        self._write("recipes", target, "joint", seed, rows)

    def _load(self, path: Path) -> tuple[nn.Module, dict[str, float] | None]:
        content = torch.load(path, weights_only=True)
        network = new_network(0, self._plan.levels)
        network.load_state_dict(content["weights"])
        return network.train(), content["rates"]

    def _write(self, name: str, target: str, method: str, seed: int, rows: list[dict]) -> None:
        named = [{"target": target, "method": method, "seed": seed, **row} for row in rows]
        write_json(self._place(target, seed) / f"{name}.json", named)

    def _rows(
        self,
        target: str,
        network: nn.Module,
        recipes: dict[str, tuple[Recipe, str]],
        draws: tuple[int, int],
        seed: int,
        rates: dict[str, float] | None,
    ) -> list[dict]:
        found, (count, number) = self._target(target), draws
        rows = []
        for draw in range(number):
            rng = np.random.default_rng([zlib.crc32(target.encode()), seed, count, draw])
            support = found.support(rng.permutation(found.count)[:count].tolist())
            for name, (recipe, part) in recipes.items():
                options = {"epochs": max(EPOCHS), "seed": draw, "part": part, "rates": rates}
                for epochs, adapted in after_epochs(Tuning(copy.deepcopy(network), support, recipe, **options), EPOCHS):
                    key = {"recipe": name, "k": count, "draw": draw, "epochs": epochs}
                    rows.append(key | {"errors": errors_px(adapted, found.tests)})
        return rows


def candidates(count: int) -> dict[str, tuple[Recipe, str]]:
    """Recipes that the search tries, and the part of the network that each adapts; always the same ones."""
    rng = np.random.default_rng(27)
    found = {}
    for number in range(count):
        recipe = replace(
            RECIPES["guided"],
            learning_rate=float(rng.choice([3e-4, 1e-3, 2e-3])),
            smoothness=float(rng.choice([0.2, 1.0, 5.0])),
            simulated=float(rng.choice([0.0, 0.5, 1.0])),
            averaging=float(rng.choice([0.9, 0.99])),
        )
        found[f"r{number:02d}"] = recipe, str(rng.choice(["all", "all", "heads", "encoder"]))
    return found


def _save(path: Path, phase: Phase) -> None:
    content = {
        "weights": phase.network.state_dict(),
        "evaluations": phase.evaluations,
        "log": phase.log,
        "seconds": phase.seconds,
        "rates": phase.rates,
    }
    with replacing(path) as temporary:
        torch.save(content, temporary)


__all__ = ["CONFIRMATION", "METHODS", "REAL", "TARGETS", "Plan", "Runs", "candidates"]
