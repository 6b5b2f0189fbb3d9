"""Fine-tuning: a few epochs on the user's own pairs, without landmarks."""

from __future__ import annotations

import copy
from typing import Protocol

import numpy as np
import torch
from torch import nn

from ..checkpoints import cpu_weights
from ..simulation import RepeatSettings
from ..tasks import TaskPair
from .batches import Batch, Drawn
from .step import OptimisationStep, StepValues
from .trainers import OneOptimiser, update


class OwnPairs(Protocol):
    """The user's pairs, as fine-tuning needs them."""

    initial: str
    simulation: RepeatSettings

    def __len__(self) -> int: ...

    def pair(self, index: int) -> TaskPair:
        """Pair `index`, images only."""

    def repeat(self, index: int, rng: np.random.Generator) -> TaskPair:
        """A simulated repeat visit of one of the images of pair `index`, with its displacement."""


class FineTuning(OneOptimiser):
    """Each epoch passes once over all pairs, in an order of its own.

    Parameters
    ----------
    network : nn.Module
        On its device; it is trained in place.
    task : OwnPairs
    step : OptimisationStep
    epochs : int
    learning_rate : float
        Of Adam, 1e-4 in the paper.
    batch : int
        Pairs a step.
    seed : int
    simulated : float
        Chance that a step sees, instead of its pairs, a simulated repeat visit of one image of each; 0 in the paper.
    averaging : float
        Decay of the running mean of the weights, below 1. With it `network` of this object, the result, is that mean: it has
        less of the noise that single pairs leave in the weights, and needs no learning rate that falls with the length of
        the run. 0, the paper's, gives the trained weights themselves.
    threads : int
        Draw pairs ahead while the network computes, where another device than the processor does; they change no pair.
    """

    name = "finetune"

    def __init__(
        self,
        network: nn.Module,
        task: OwnPairs,
        step: OptimisationStep,
        *,
        epochs: int = 10,
        learning_rate: float = 1e-4,
        batch: int = 1,
        seed: int = 0,
        simulated: float = 0.0,
        averaging: float = 0.0,
        threads: int = 0,
    ):
        self._trained, self._task, self._step = network.train(), task, step
        self.network = copy.deepcopy(network) if averaging else network
        self.steps_per_epoch = -(-len(task) // batch)
        self.total_steps = epochs * self.steps_per_epoch
        self._epochs, self._learning_rate, self._batch, self._seed = epochs, learning_rate, batch, seed
        self._simulated, self._averaging = simulated, averaging
        self._drawn = Drawn(self._draw, range(self.total_steps), threads=threads)
        self._optimiser = torch.optim.Adam(network.parameters(), lr=learning_rate)

    def advance(self, step: int) -> StepValues:
        """One update on the next pairs of the epoch, or on simulated repeats of them."""
        values = update(self._trained, self._optimiser, self._step, self._drawn(step))
        if self._averaging:
            # At the start the mean reaches back over a part of the updates only, so that it leaves the first weights.
            _approach(self.network, self._trained, 1 - min(self._averaging, (1 + step) / (10 + step)))
        return values

    def _draw(self, step: int) -> Batch:
        epoch, position = divmod(step, self.steps_per_epoch)
        order = np.random.default_rng([self._seed, epoch]).permutation(len(self._task))
        chosen = [int(index) for index in order[position * self._batch : (position + 1) * self._batch]]
        rng = np.random.default_rng([self._seed, epoch, position])
        if rng.random() < self._simulated:
            return Batch.of([self._task.repeat(index, rng) for index in chosen])
        return Batch.of([self._task.pair(index) for index in chosen])

    def state(self) -> dict:
        """The optimiser, and the trained weights where the result is their mean."""
        return super().state() | ({"trained": cpu_weights(self._trained)} if self._averaging else {})

    def restore(self, state: dict) -> None:
        """Inverse of `state`."""
        super().restore(state)
        if self._averaging:
            self._trained.load_state_dict(state["trained"])

    def settings(self) -> dict:
        """Plain values that define the run."""
        return {
            "epochs": self._epochs,
            "pairs": len(self._task),
            "initial": self._task.initial,
            "learning_rate": self._learning_rate,
            "batch": self._batch,
            "simulated": self._simulated,
            "simulation": self._task.simulation.to_dict() if self._simulated else None,
            "averaging": self._averaging,
            "seed": self._seed,
        }


@torch.no_grad()
def _approach(mean: nn.Module, trained: nn.Module, part: float) -> None:
    """Move all floating-point weights and buffers of `mean` by `part` of their way to those of `trained`; copy others."""
    pairs = list(zip(mean.state_dict().values(), trained.state_dict().values(), strict=True))
    for value, new in pairs:
        if not value.is_floating_point():
            value.copy_(new)
    moved = [pair for pair in pairs if pair[0].is_floating_point()]
    torch._foreach_lerp_([value for value, _ in moved], [new for _, new in moved], part)  # one kernel for all of them
