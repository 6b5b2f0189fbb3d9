"""The ascent: Adam on all control grids at once, keeping the best that was seen."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from .objective import Objective
from .settings import RefinementSettings


def ascend(objective: Objective, settings: RefinementSettings) -> tuple[int, Tensor]:
    """Steps taken, and the finest grid's control displacements (1, 2, n, n) of the best measure seen; zero at the start."""
    levels = [level.requires_grad_() for level in objective.grid.zeros()]
    optimiser = torch.optim.Adam(levels, lr=settings.learning_rate, betas=(0.9, 0.99), maximize=True)
    best, best_levels, last_gain = -math.inf, objective.grid.zeros(), 0
    for step in range(settings.steps + 1):
        with torch.enable_grad():
            measure = objective(levels)
        value = float(measure)
        if not math.isfinite(value):
            break
        if value > best:
            last_gain = step if value > best + settings.least_gain else last_gain
            best, best_levels = value, [level.detach().clone() for level in levels]
        if step == settings.steps or step - last_gain >= settings.patience:
            break
        optimiser.zero_grad()
        measure.backward()
        optimiser.param_groups[0]["lr"] = settings.learning_rate * _decay(step / settings.steps)
        optimiser.step()
    return step, objective.grid.total(best_levels)


def _decay(progress: float) -> float:
    """From 1 to 0 along a cosine."""
    return 0.5 + 0.5 * math.cos(math.pi * progress)
