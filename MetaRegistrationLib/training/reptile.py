"""Reptile: meta-learning of an initialisation that adapts fast (Eq. 2 of the paper)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from ..errors import InputError
from ..tasks import Task
from .step import OptimisationStep, StepValues
from .trainers import OneOptimiser, draw_batch, update

OUTER_OPTIMISERS = ("adam", "sgd")


class Reptile(OneOptimiser):
    """Each step adapts a copy of the weights to each of m tasks and moves the weights towards the mean of the copies.

    ``theta_meta += alpha * mean(theta_t - theta_meta)`` with the outer optimiser "sgd"; with "adam" (the paper's
    implementation) ``mean(theta_meta - theta_t)`` is the gradient that Adam gets.

    Parameters
    ----------
    network : nn.Module
        On its device; holds theta_meta.
    tasks : sequence of Task
    step : OptimisationStep
    steps : int
        Meta-steps.
    tasks_per_step : int
        m, drawn without repetition (all tasks where there are fewer).
    inner_updates : int
        k, each on a random batch of the task.
    inner_learning_rate : float
        Of a fresh Adam for each task.
    outer_learning_rate : float
        Of the outer Adam, or alpha.
    outer_optimiser : {"adam", "sgd"}
    batch : int
        Pairs an inner update.
    seed : int

    References
    ----------
    Nichol, Achiam, Schulman, On first-order meta-learning algorithms, arXiv 1803.02999, 2018.
    """

    name = "metatrain"

    def __init__(
        self,
        network: nn.Module,
        tasks: Sequence[Task],
        step: OptimisationStep,
        *,
        steps: int,
        tasks_per_step: int = 3,
        inner_updates: int = 10,
        inner_learning_rate: float = 1e-4,
        outer_learning_rate: float = 1e-4,
        outer_optimiser: str = "adam",
        batch: int = 1,
        seed: int = 0,
    ):
        if outer_optimiser not in OUTER_OPTIMISERS:
            raise InputError(f"Reptile: expected an outer optimiser of {OUTER_OPTIMISERS}, got {outer_optimiser!r}.")
        self.network, self._tasks, self._step = network, list(tasks), step
        self.total_steps, self.steps_per_epoch = steps, 0
        self._tasks_per_step = min(tasks_per_step, len(self._tasks))
        self._inner_updates, self._inner_learning_rate = inner_updates, inner_learning_rate
        self._outer_learning_rate, self._outer_name = outer_learning_rate, outer_optimiser
        self._batch, self._seed = batch, seed
        maker = torch.optim.Adam if outer_optimiser == "adam" else torch.optim.SGD
        self._optimiser = maker(network.parameters(), lr=outer_learning_rate)

    def advance(self, step: int) -> StepValues:
        """One meta-step."""
        chosen = np.random.default_rng([self._seed, step]).choice(len(self._tasks), self._tasks_per_step, replace=False)
        parameters = list(self.network.parameters())
        start = [parameter.detach().clone() for parameter in parameters]
        difference = [torch.zeros_like(parameter) for parameter in parameters]
        values = []
        try:
            for position, index in enumerate(chosen):
                _set(parameters, start)
                values.append(self._adapt(self._tasks[int(index)], step, position))
                for total, before, after in zip(difference, start, parameters, strict=True):
                    total += (before - after.detach()) / len(chosen)
        finally:
            _set(parameters, start)  # whatever interrupts an inner update, the network holds theta_meta again
        for parameter, total in zip(parameters, difference, strict=True):
            parameter.grad = total
        self._optimiser.step()
        self._optimiser.zero_grad(set_to_none=True)
        return StepValues.mean(values)

    def _adapt(self, task: Task, step: int, position: int) -> StepValues:
        rng = np.random.default_rng([self._seed, step, position])
        optimiser = torch.optim.Adam(self.network.parameters(), lr=self._inner_learning_rate)
        updates = range(self._inner_updates)
        return StepValues.mean(
            [update(self.network, optimiser, self._step, draw_batch(task, rng, step, self._batch)) for _ in updates]
        )

    def settings(self) -> dict:
        """Plain values that define the run."""
        return {
            "steps": self.total_steps,
            "tasks_per_step": self._tasks_per_step,
            "inner_updates": self._inner_updates,
            "inner_learning_rate": self._inner_learning_rate,
            "outer_learning_rate": self._outer_learning_rate,
            "outer_optimiser": self._outer_name,
            "batch": self._batch,
            "seed": self._seed,
        }


def _set(parameters: list[nn.Parameter], values: list[Tensor]) -> None:
    with torch.no_grad():
        for parameter, value in zip(parameters, values, strict=True):
            parameter.copy_(value)
