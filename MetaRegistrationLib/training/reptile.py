"""Reptile: meta-learning of an initialisation that adapts fast (Eq. 2 of the paper)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple

import numpy as np
import torch
from torch import Tensor, nn

from ..errors import InputError
from ..tasks import Task
from .batches import Batch, Drawn, draw_batch
from .distributed import Group
from .flat import fill, flat, like
from .seeds import seeded
from .step import OptimisationStep, StepValues
from .trainers import OneOptimiser, fall_along_half_cosine, update

OUTER_OPTIMISERS = ("adam", "sgd")


class Reptile(OneOptimiser):
    """Each step adapts a copy of the weights to each of m tasks and moves the weights towards the mean of the copies.

    ``theta_meta += alpha * mean(theta_t - theta_meta)`` with the outer optimiser "sgd"; with "adam" (the paper's
    implementation) ``mean(theta_meta - theta_t)`` is the gradient that Adam gets. Buffers (running statistics) become the mean
    of those of the copies.

    What is drawn for a task depends on the seed, the step and the task's position among the m only, and the differences are
    added in the order of the positions. Any number of processes therefore gives the same weights, bit for bit if their
    arithmetic is the same.

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
        Of each task's Adam.
    keep_moments : bool
        A task's Adam begins with the mean of the second moments that those of the meta-step before ended with. A fresh one,
        the paper's, takes its first steps by the sign of the gradient alone: all pairs and tasks have the same say, however
        large their loss, and the network drifts from what is best on average.
    outer_learning_rate : float
        Of the outer Adam, or alpha.
    outer_optimiser : {"adam", "sgd"}
    decay : bool
        Let the outer learning rate fall to zero along a half cosine.
    batch : int
        Pairs an inner update.
    seed : int
    group : Group
        The processes that share the m tasks; by default this one does them all.
    workers : int
        Processes that draw pairs ahead for this one; they change no pair.

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
        decay: bool = False,
        keep_moments: bool = False,
        batch: int = 1,
        seed: int = 0,
        group: Group | None = None,
        workers: int = 0,
    ):
        if outer_optimiser not in OUTER_OPTIMISERS:
            raise InputError(f"Reptile: expected an outer optimiser of {OUTER_OPTIMISERS}, got {outer_optimiser!r}.")
        self.network, self._step = network, step
        self.total_steps, self.steps_per_epoch = steps, 0
        self._tasks_per_step = min(tasks_per_step, len(tasks))
        self._inner_updates, self._inner_learning_rate = inner_updates, inner_learning_rate
        self._outer_learning_rate, self._outer_name = outer_learning_rate, outer_optimiser
        self._decay, self._keep_moments = decay, keep_moments
        self._moments: tuple[Tensor, int] | None = None  # mean second moment of each weight, updates that it is of
        self._batch, self._seed, self._group = batch, seed, group or Group()
        draw = _TaskDraw(tasks, self._tasks_per_step, inner_updates, batch, seed)
        own = self._group.share(self._tasks_per_step)
        numbers = [step * self._tasks_per_step + position for step in range(steps) for position in own]
        self._drawn = Drawn(draw, numbers, workers=workers, pinned=step.device.type == "cuda")
        self._buffers = [buffer for buffer in network.buffers() if buffer.is_floating_point()]
        maker = torch.optim.Adam if outer_optimiser == "adam" else torch.optim.SGD
        self._optimiser = maker(network.parameters(), lr=outer_learning_rate)

    def advance(self, step: int) -> StepValues:
        """One meta-step."""
        count = self._tasks_per_step
        start = flat(self._state())
        # A row for each task: each process fills its own ones, and the sum with the zeros of the others changes no bit.
        differences = start.new_zeros(count, len(start))
        weights = sum(p.numel() for p in self.network.parameters()) if self._keep_moments else 0
        moments = start.new_zeros(count, weights)
        values = torch.zeros(count, 3, dtype=torch.float64)

        def adapt_own() -> None:
            try:
                for position in self._group.share(count):
                    fill(self._state(), start)
                    seen, optimiser = self._adapt(step, position)
                    values[position] = torch.tensor(astuple(seen), dtype=values.dtype)
                    differences[position] = (start - flat(self._state())) / count
                    if self._keep_moments:
                        moments[position] = self._second_moments(optimiser) / count
            finally:
                fill(self._state(), start)  # whatever interrupts an inner update, the network holds theta_meta again

        self._group.together(adapt_own)
        self._group.sum(differences)
        self._group.sum(values)
        if self._keep_moments:
            self._group.sum(moments)
            self._moments = (sum(moments), (self._moments[1] if self._moments else 0) + self._inner_updates)
        if self._decay:
            fall_along_half_cosine(self._optimiser, self._outer_learning_rate, step / self.total_steps)
        self._move(sum(differences))
        return StepValues.mean([StepValues(*row) for row in values.tolist()])

    def _state(self) -> list[Tensor]:
        return [*self.network.parameters(), *self._buffers]

    def _adapt(self, step: int, position: int) -> tuple[StepValues, torch.optim.Adam]:
        optimiser = self._inner_optimiser()
        batches = self._drawn(step * self._tasks_per_step + position)
        with seeded([self._seed, step, position], self._step.device):
            values = StepValues.mean([update(self.network, optimiser, self._step, batch) for batch in batches])
        return values, optimiser

    def _inner_optimiser(self) -> torch.optim.Adam:
        parameters = list(self.network.parameters())
        optimiser = torch.optim.Adam(parameters, lr=self._inner_learning_rate)
        if self._moments is not None:
            second, updates = self._moments
            for parameter, moment in zip(parameters, like(second, parameters), strict=True):
                optimiser.state[parameter] = {
                    "step": torch.tensor(float(updates), dtype=torch.float32),
                    "exp_avg": torch.zeros_like(parameter),
                    "exp_avg_sq": moment.clone().contiguous(),
                }
        return optimiser

    def _second_moments(self, optimiser: torch.optim.Adam) -> Tensor:
        return flat([optimiser.state[parameter]["exp_avg_sq"] for parameter in self.network.parameters()])

    def state(self) -> dict:
        """The outer optimiser, and the second moments where they are kept."""
        kept = {} if self._moments is None else {"moments": (self._moments[0].cpu(), self._moments[1])}
        return super().state() | kept

    def restore(self, state: dict) -> None:
        """Inverse of `state`."""
        super().restore(state)
        if "moments" in state:
            second, updates = state["moments"]
            self._moments = (second.to(self._step.device), updates)

    def _move(self, difference: Tensor) -> None:
        """The outer update, from the mean of theta_meta - theta_t."""
        for value, change in zip(self._state(), like(difference, self._state()), strict=True):
            if isinstance(value, nn.Parameter):
                value.grad = change
            else:
                value -= change
        self._optimiser.step()
        self._optimiser.zero_grad(set_to_none=True)

    def settings(self) -> dict:
        """Plain values that define the run."""
        return {
            "steps": self.total_steps,
            "tasks_per_step": self._tasks_per_step,
            "inner_updates": self._inner_updates,
            "inner_learning_rate": self._inner_learning_rate,
            "outer_learning_rate": self._outer_learning_rate,
            "outer_optimiser": self._outer_name,
            "learning_rate_decay": self._decay,
            "keep_moments": self._keep_moments,
            "batch": self._batch,
            "seed": self._seed,
        }


class _TaskDraw:
    """The batches of the inner updates on one task: the one at a position among the m of a meta-step."""

    def __init__(self, tasks: Sequence[Task], tasks_per_step: int, updates: int, size: int, seed: int):
        self._tasks, self._tasks_per_step, self._updates = list(tasks), tasks_per_step, updates
        self._size, self._seed = size, seed

    def __call__(self, number: int) -> list[Batch]:
        step, position = divmod(number, self._tasks_per_step)
        chosen = np.random.default_rng([self._seed, step]).choice(len(self._tasks), self._tasks_per_step, replace=False)
        task, rng = self._tasks[int(chosen[position])], np.random.default_rng([self._seed, step, position])
        return [draw_batch(task, rng, step, self._size) for _ in range(self._updates)]
