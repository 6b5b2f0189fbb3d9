"""Pretraining: one network on all source tasks mixed (theta_pt of the paper)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from ..tasks import Task
from .batches import Batch, Drawn, draw_batch
from .step import OptimisationStep, StepValues
from .trainers import OneOptimiser, fall_along_half_cosine, update


class Pretraining(OneOptimiser):
    """Every step takes its batch from one source task, drawn anew with chances in proportion to the tasks' weights.

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
    workers : int
        Processes that draw pairs ahead; they change no pair.
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
        workers: int = 0,
    ):
        self.network, self._step = network, step
        self.total_steps, self.steps_per_epoch = steps, 0
        self._learning_rate, self._batch, self._seed, self._decay = learning_rate, batch, seed, decay
        self._draw = _MixedDraw(tasks, batch, seed)
        self._drawn = Drawn(self._draw, range(steps), workers=workers, pinned=step.device.type == "cuda")
        self._optimiser = torch.optim.Adam(network.parameters(), lr=learning_rate)

    def advance(self, step: int) -> StepValues:
        """One update on pairs of one task."""
        if self._decay:
            fall_along_half_cosine(self._optimiser, self._learning_rate, step / self.total_steps)
        return update(self.network, self._optimiser, self._step, self._drawn(step))

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
    """The batch of a step: pairs of one task, drawn with chances in proportion to the tasks' weights."""

    def __init__(self, tasks: Sequence[Task], size: int, seed: int):
        self._tasks, self._size, self._seed = list(tasks), size, seed
        weights = np.array([task.weight for task in self._tasks])
        self.chances = weights / weights.sum()

    def __call__(self, step: int) -> Batch:
        rng = np.random.default_rng([self._seed, step])
        task = self._tasks[int(rng.choice(len(self._tasks), p=self.chances))]
        return draw_batch(task, rng, step, self._size)
