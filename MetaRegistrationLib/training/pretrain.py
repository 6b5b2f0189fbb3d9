"""Pretraining: one network on all source tasks mixed (theta_pt of the paper)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import torch
from torch import nn

from ..tasks import Task
from .batches import Batch, Drawn
from .distributed import Group
from .shared_update import SharedUpdate
from .step import OptimisationStep, StepValues
from .trainers import OneOptimiser, fall_along_half_cosine, update


class Pretraining(OneOptimiser):
    """Every step takes its batch from one source task, drawn anew with chances in proportion to the tasks' weights.

    A pair depends on the seed, the step and its position in the batch. The processes of a group share the pairs of each batch
    and add up their gradients: together they make the updates of one process, up to rounding. Only the supervision counts
    differently, as a mean over the pixels of one process's pairs instead of those of the batch.

    Parameters
    ----------
    network : nn.Module
        On its device.
    tasks : sequence of Task
    step : OptimisationStep
    steps : int
        Length of the training.
    learning_rate : float
    batch : int
        Pairs a step.
    seed : int
    decay : bool
        Let the learning rate fall to zero along a half cosine.
    group : Group
        The processes that share each batch; by default this one does it all.
    workers : int
        Processes that draw pairs ahead for this one; they change no pair.
    """

    name = "pretrain"

    def __init__(
        self,
        network: nn.Module,
        tasks: Sequence[Task],
        step: OptimisationStep,
        *,
        steps: int,
        learning_rate: float = 1e-4,
        batch: int = 1,
        seed: int = 0,
        decay: bool = False,
        group: Group | None = None,
        workers: int = 0,
    ):
        self.network, self._step, self._group = network, step, group or Group()
        self.total_steps, self.steps_per_epoch = steps, 0
        self._learning_rate, self._batch, self._seed, self._decay = learning_rate, batch, seed, decay
        self._draw = _MixedDraw(tasks, self._group.share(batch), seed)
        self._drawn = Drawn(self._draw, range(steps), workers=workers, pinned=step.device.type == "cuda")
        self._optimiser = torch.optim.Adam(network.parameters(), lr=learning_rate)
        shared = self._group.size > 1
        self._shared = SharedUpdate(network, self._optimiser, step, self._group) if shared else None

    def advance(self, step: int) -> StepValues:
        """One update on pairs of one task."""
        if self._decay:
            fall_along_half_cosine(self._optimiser, self._learning_rate, step / self.total_steps)
        if self._shared is None:
            return update(self.network, self._optimiser, self._step, self._drawn(step))
        own = len(self._group.share(self._batch))
        return self._shared(partial(self._drawn, step) if own else None, own / self._batch)

    def settings(self) -> dict:
        """Plain values that define the run."""
        return {
            "steps": self.total_steps,
            "learning_rate": self._learning_rate,
            "learning_rate_decay": self._decay,
            "batch": self._batch,
            "chances": [round(float(chance), 4) for chance in self._draw.chances],
            "seed": self._seed,
        }


class _MixedDraw:
    """The pairs of a step at the given positions of its batch, all of one task, drawn by the tasks' weights."""

    def __init__(self, tasks: Sequence[Task], positions: Sequence[int], seed: int):
        self._tasks, self._positions, self._seed = list(tasks), positions, seed
        weights = np.array([task.weight for task in self._tasks])
        self.chances = weights / weights.sum()

    def __call__(self, step: int) -> Batch:
        rng = np.random.default_rng([self._seed, step])
        task = self._tasks[int(rng.choice(len(self._tasks), p=self.chances))]
        of_pairs = [np.random.default_rng([self._seed, step, place]) if place else rng for place in self._positions]
        return Batch.of([task.training_pair(own, step) for own in of_pairs])
