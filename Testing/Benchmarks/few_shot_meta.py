"""First-order meta-learning with the truth in the outer loop: MAML, ANIL and Meta-SGD."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from few_shot_pairs import PoolTask, SupportPairs
from few_shot_tuning import RECIPES, Counter, Tuning
from torch import Tensor, nn

from MetaRegistrationLib.core.losses import displacement_error
from MetaRegistrationLib.tasks import augmented
from MetaRegistrationLib.training.adaptation import Recipe
from MetaRegistrationLib.training.batches import Batch
from MetaRegistrationLib.training.trainers import fall_along_half_cosine


@dataclass(frozen=True)
class MetaSettings:
    """A way of meta-learning.

    Attributes
    ----------
    support, query : int
        Pairs that the inner loop adapts on, and other pairs of the same task, whose displacement is known.
    epochs : int
        Epochs of the inner loop.
    recipe : Recipe
        Of the inner loop.
    part : str
        Key of `PARTS`: the parameters that the inner loop adapts.
    before : float
        Share of the error before adaptation in the outer loss.
    learned_rates : bool
        Whether each parameter tensor learns a learning rate of its own.
    rate, rates_rate : float
        Learning rate of the outer Adam for the weights, and for the logarithms of the learning rates.
    """

    support: int = 5
    query: int = 4
    epochs: int = 2
    recipe: Recipe = RECIPES["fast"]
    part: str = "all"
    before: float = 0.0
    learned_rates: bool = False
    rate: float = 3e-4
    rates_rate: float = 0.05

    @property
    def evaluations(self) -> int:
        """Gradient evaluations of an outer step."""
        return self.epochs * self.support + self.query * (2 if self.before else 1)


@dataclass(frozen=True)
class OuterGradient:
    """First-order gradients of the outer loss for each parameter tensor, and its parts.

    `weights` treats the change that the inner loop made as constant. `rates` is for the logarithm of each tensor's learning rate:
    the change is in proportion to that rate.
    """

    weights: list[Tensor]
    rates: list[Tensor]
    before_px: float
    after_px: float


def outer_gradient(
    network: nn.Module,
    support: SupportPairs,
    query: Batch,
    settings: MetaSettings,
    *,
    seed: int,
    rates: dict[str, float] | None = None,
    counter: Counter,
) -> OuterGradient:
    """Adapt a copy of `network` to `support`, and differentiate the true error on `query`."""
    tuning = Tuning(
        copy.deepcopy(network),
        support,
        settings.recipe,
        epochs=settings.epochs,
        seed=seed,
        part=settings.part,
        rates=rates,
        counter=counter,
    )
    for step in range(tuning.total_steps):
        tuning.advance(step)
    adapted = tuning.network.requires_grad_(True)
    after_px, after = _error_gradient(adapted, query, counter)
    starts = list(network.parameters())
    with torch.no_grad():
        changes = [new - old for new, old in zip(adapted.parameters(), starts, strict=True)]
        rate_gradients = [(gradient * change).sum() for gradient, change in zip(after, changes, strict=True)]
    if not settings.before:
        return OuterGradient(after, rate_gradients, math.nan, after_px)
    before_px, before = _error_gradient(network, query, counter)
    weights = [settings.before * b + (1 - settings.before) * a for b, a in zip(before, after, strict=True)]
    return OuterGradient(weights, [(1 - settings.before) * rate for rate in rate_gradients], before_px, after_px)


def _error_gradient(network: nn.Module, query: Batch, counter: Counter) -> tuple[float, list[Tensor]]:
    counter.pairs += len(query.moving)
    error = displacement_error(network(query.moving, query.fixed), query.truth_px)
    return error.item(), list(torch.autograd.grad(error, list(network.parameters())))


class MetaLearning:
    """Outer steps, each on an episode of one source task.

    Parameters
    ----------
    network : nn.Module
        The start; trained in place.
    tasks : sequence of PoolTask
    settings : MetaSettings
    steps, seed : int
    clip : float
        Largest norm of the outer gradient.
    """

    def __init__(
        self,
        network: nn.Module,
        tasks: Sequence[PoolTask],
        settings: MetaSettings,
        *,
        steps: int,
        seed: int,
        counter: Counter,
        clip: float = 1.0,
    ):
        self.network, self._tasks, self._settings = network, list(tasks), settings
        self.total_steps, self._seed, self._counter, self._clip = steps, seed, counter, clip
        self._names = [name for name, _ in network.named_parameters()]
        self._logarithms = torch.zeros(len(self._names), requires_grad=True)
        self._optimiser = torch.optim.Adam(network.parameters(), lr=settings.rate)
        self._rates_optimiser = torch.optim.Adam([self._logarithms], lr=settings.rates_rate)

    @property
    def rates(self) -> dict[str, float] | None:
        """Factor of the learning rate of each parameter tensor, where they are learned."""
        if not self._settings.learned_rates:
            return None
        return dict(zip(self._names, self._logarithms.detach().exp().tolist(), strict=True))

    def advance(self, step: int) -> OuterGradient:
        """One outer step."""
        rng = np.random.default_rng([self._seed, 7, step])
        support, query = episode(self._tasks[int(rng.integers(len(self._tasks)))], self._settings, rng)
        found = outer_gradient(
            self.network, support, query, self._settings, seed=step, rates=self.rates, counter=self._counter
        )
        for parameter, gradient in zip(self.network.parameters(), found.weights, strict=True):
            parameter.grad = gradient
        nn.utils.clip_grad_norm_(self.network.parameters(), self._clip)
        fall_along_half_cosine(self._optimiser, self._settings.rate, step / self.total_steps)
        self._optimiser.step()
        self._optimiser.zero_grad(set_to_none=True)
        if self._settings.learned_rates:
            self._logarithms.grad = torch.stack(found.rates)
            self._rates_optimiser.step()
        return found


def episode(task: PoolTask, settings: MetaSettings, rng: np.random.Generator) -> tuple[SupportPairs, Batch]:
    """Pairs to adapt on, without truth, and other pairs of the same task, with it."""
    chosen = rng.permutation(len(task.repeats))[: settings.support]
    support = SupportPairs([task.pairs[i] for i in chosen], [task.repeats[i] for i in chosen])
    others = np.setdiff1d(np.arange(len(task.pairs)), chosen)
    query = [augmented(task.pairs[int(i)], rng) for i in rng.choice(others, settings.query, replace=False)]
    return support, Batch.of(query)
