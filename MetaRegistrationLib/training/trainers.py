"""What pretraining, Reptile and fine-tuning have in common as seen by a run."""

from __future__ import annotations

import math
from typing import Protocol

import torch
from torch import nn

from .batches import Batch
from .step import OptimisationStep, StepValues


class Trainer(Protocol):
    """A way of training; `run.py` calls it step by step, saves it and brings it back."""

    name: str
    network: nn.Module
    total_steps: int
    steps_per_epoch: int

    def advance(self, step: int) -> StepValues:
        """Do step number `step` (from 0); what it does depends on nothing but `step`, the settings and `state()`."""

    def state(self) -> dict:
        """Tensors and plain values that, with the network's weights, continue the training exactly."""

    def restore(self, state: dict) -> None:
        """Inverse of `state`; the network already has its weights."""

    def settings(self) -> dict:
        """Plain values that define the run; a resumed run must have the same ones."""


class OneOptimiser:
    """State of a trainer that has one optimiser, `_optimiser`, and nothing else to save."""

    _optimiser: torch.optim.Optimizer

    def state(self) -> dict:
        """The optimiser."""
        return {"optimiser": self._optimiser.state_dict()}

    def restore(self, state: dict) -> None:
        """Inverse of `state`."""
        self._optimiser.load_state_dict(state["optimiser"])


def fall_along_half_cosine(optimiser: torch.optim.Optimizer, learning_rate: float, part: float) -> None:
    """Set the learning rate that belongs to the `part` (0 to 1) of a training that has been done."""
    for group in optimiser.param_groups:
        group["lr"] = learning_rate * 0.5 * (1 + math.cos(math.pi * part))


def update(network: nn.Module, optimiser, step: OptimisationStep, batch: Batch) -> StepValues:
    """One optimisation step on a batch of pairs."""
    batch = batch.to(step.device)
    return step(network, optimiser, batch.moving, batch.fixed, batch.truth_px)
