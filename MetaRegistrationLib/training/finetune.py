"""Fine-tuning: a few epochs on the user's own pairs, without landmarks."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from ..tasks import PairTask
from .step import OptimisationStep, StepValues
from .trainers import OneOptimiser, update


class FineTuning(OneOptimiser):
    """Each epoch passes once over all pairs, in an order of its own.

    Parameters
    ----------
    network : nn.Module
        On its device.
    task : PairTask
    step : OptimisationStep
    epochs : int
    learning_rate : float
        Of Adam, 1e-4 in the paper.
    batch : int
        Pairs a step.
    seed : int
    """

    name = "finetune"

    def __init__(
        self,
        network: nn.Module,
        task: PairTask,
        step: OptimisationStep,
        *,
        epochs: int = 10,
        learning_rate: float = 1e-4,
        batch: int = 1,
        seed: int = 0,
    ):
        self.network, self._task, self._step = network, task, step
        self.steps_per_epoch = -(-len(task) // batch)
        self.total_steps = epochs * self.steps_per_epoch
        self._epochs, self._learning_rate, self._batch, self._seed = epochs, learning_rate, batch, seed
        self._optimiser = torch.optim.Adam(network.parameters(), lr=learning_rate)

    def advance(self, step: int) -> StepValues:
        """One update on the next pairs of the epoch."""
        epoch, position = divmod(step, self.steps_per_epoch)
        order = np.random.default_rng([self._seed, epoch]).permutation(len(self._task))
        chosen = order[position * self._batch : (position + 1) * self._batch]
        return update(self.network, self._optimiser, self._step, [self._task.pair(int(index)) for index in chosen])

    def settings(self) -> dict:
        """Plain values that define the run."""
        return {
            "epochs": self._epochs,
            "pairs": len(self._task),
            "initial": self._task.initial,
            "learning_rate": self._learning_rate,
            "batch": self._batch,
            "seed": self._seed,
        }
