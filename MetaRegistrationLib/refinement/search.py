"""The ascent: Adam on all control grids at once, keeping the best that was seen."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from .objective import Objective
from .settings import RefinementSettings

_RETURNS = 3


def ascend(objective: Objective, settings: RefinementSettings, start: list[Tensor]) -> tuple[int, list[Tensor]]:
    """Steps taken, and the control displacements of all levels of the best measure seen; `start` is one.

    After `settings.patience` steps without gain it goes back to the best and on at half the rate; the third time in a row
    it stops.
    """
    best, best_levels = -math.inf, start
    climber, rate, waited, returns = _Adam(best_levels), settings.learning_rate, 0, 0
    for step in range(settings.steps + 1):
        with torch.enable_grad():
            measure = objective(climber.levels)
        value = float(measure)
        if not math.isfinite(value):
            break
        waited, returns = (0, 0) if value > best + settings.least_gain else (waited + 1, returns)
        if value > best:
            best, best_levels = value, [level.detach().clone() for level in climber.levels]
        if waited >= settings.patience:
            # -1: the best itself is measured once more, without gain.
            climber, rate, waited, returns = _Adam(best_levels), rate / 2, -1, returns + 1
            if returns == _RETURNS:
                break
            continue
        if step == settings.steps:
            break
        climber.step(torch.autograd.grad(measure, climber.levels), rate * _decay(step / settings.steps))
    return step, best_levels


class _Adam:
    """Adam upwards on copies of control displacements, each level at half the rate of the one before.

    Written out because the first use of `torch.optim` loads torch's compiler, which takes seconds: the user would wait them
    out at the first pair.
    """

    _first, _second, _epsilon = 0.9, 0.99, 1e-8

    def __init__(self, levels: list[Tensor]):
        sizes = [level.numel() for level in levels]
        self._values = torch.cat([level.flatten() for level in levels])  # few large steps in place of many small ones
        self._rates = torch.cat([torch.full((size,), 0.5**index) for index, size in enumerate(sizes)]).to(self._values)
        parts = self._values.split(sizes)
        self.levels = [part.view_as(level).requires_grad_() for part, level in zip(parts, levels, strict=True)]
        self._mean, self._square = torch.zeros_like(self._values), torch.zeros_like(self._values)
        self._steps = 0

    @torch.no_grad()
    def step(self, gradients: Sequence[Tensor], rate: float) -> None:
        self._steps += 1
        by_mean, by_square = 1 - self._first**self._steps, 1 - self._second**self._steps
        gradient = torch.cat([each.flatten() for each in gradients])
        self._mean.lerp_(gradient, 1 - self._first)
        self._square.mul_(self._second).addcmul_(gradient, gradient, value=1 - self._second)
        spread = (self._square / by_square).sqrt_().add_(self._epsilon)
        self._values.addcdiv_(self._mean * self._rates, spread, value=rate / by_mean)


def _decay(progress: float) -> float:
    """From 1 to 0 along a cosine."""
    return 0.5 + 0.5 * math.cos(math.pi * progress)
