"""Known warps of real image pairs: they tell how far a network contradicts itself, without landmarks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn

from ..simulation import RepeatSettings
from ..simulation.deformation import random_displacement
from ..spatial import compose, warp
from ..tasks import TaskPair
from .devices import as_batch


def known_warp(size: int, settings: RepeatSettings, rng: np.random.Generator) -> np.ndarray:
    """A smooth displacement (2, size, size) of the lengths that `settings` has, without the breaks of a scanner."""
    return random_displacement(size, replace(settings, saccade_probability=0.0), rng)


@torch.no_grad()
def transfer_error(network: nn.Module, pair: TaskPair, known_px: np.ndarray, device: torch.device) -> float:
    """How far a network contradicts itself on a pair, in pixels: it is no less wrong than half of that.

    The sum of two mean distances: of the field after a known warp w of the fixed image to w + u(x + w), u being the field
    before; and of the way there and back (moving to fixed, fixed to moving) to where it began. A network that finds the
    truth has neither; one that smooths too much does not recover the warp; one that matches noise does not find back.
    """
    moving, fixed = as_batch([pair.moving], device), as_batch([pair.fixed], device)
    known = torch.from_numpy(known_px)[None].to(device)
    before = _field(network, moving, fixed)
    after = _field(network, moving, warp(fixed, known, padding="border"))
    there_and_back = compose(before, _field(network, fixed, moving))
    return float(_length(after - compose(before, known)) + _length(there_and_back))


def _field(network: nn.Module, moving: Tensor, fixed: Tensor) -> Tensor:
    return network(moving, fixed).float()


def _length(field: Tensor) -> Tensor:
    return field.square().sum(1).sqrt().mean()
