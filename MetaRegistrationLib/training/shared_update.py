"""One update of a network from the gradients of several processes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor, nn

from .batches import Batch
from .distributed import Group
from .flat import flat, like
from .step import OptimisationStep, StepValues, apply_gradients

_VALUES = 3
"""Loss, similarity and smoothness."""


class SharedUpdate:
    """Updates on batches of which each process of a group has a part.

    Gradients, running statistics and values are means over all pairs of the batch. The gradient is clipped after that.

    Parameters
    ----------
    network : nn.Module
        With the same weights in all processes, before and after.
    optimiser : torch.optim.Optimizer
    step : OptimisationStep
    group : Group
    """

    def __init__(self, network: nn.Module, optimiser: torch.optim.Optimizer, step: OptimisationStep, group: Group):
        self._network, self._optimiser, self._step, self._group = network, optimiser, step, group
        self._unclipped = replace(step, clip=None)
        self._parameters = [parameter for parameter in network.parameters() if parameter.requires_grad]
        self._buffers = [buffer for buffer in network.buffers() if buffer.is_floating_point()]

    def __call__(self, draw: Callable[[], Batch] | None, part: float) -> StepValues:
        """Update the network.

        Parameters
        ----------
        draw : callable or None
            Gives this process's pairs; None if it has none.
        part : float
            Share of the batch's pairs that is this process's.

        Raises
        ------
        NonFiniteLoss
            In all processes; no weight was changed.
        """
        self._optimiser.zero_grad(set_to_none=True)
        total = self._group.together(self._own_part, draw, part)
        self._group.sum(total)
        *means, values = like(total, [*self._parameters, *self._buffers, total[-_VALUES:]])
        for parameter, gradient in zip(self._parameters, means, strict=False):
            parameter.grad = gradient
        with torch.no_grad():
            for buffer, mean in zip(self._buffers, means[len(self._parameters) :], strict=True):
                buffer.copy_(mean)
        return apply_gradients(self._optimiser, torch.cat((values, self._step.clip_gradients(self._network)[None])))

    def _own_part(self, draw: Callable[[], Batch] | None, part: float) -> Tensor:
        if draw is None:
            length = sum(value.numel() for value in (*self._parameters, *self._buffers))
            return torch.zeros(length + _VALUES, dtype=torch.float32, device=self._step.device)
        batch = draw().to(self._step.device)
        seen = self._unclipped.gradients(self._network, batch.moving, batch.fixed, batch.truth_px)
        gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in self._parameters]
        return part * flat([*gradients, *self._buffers, seen[:_VALUES]])
