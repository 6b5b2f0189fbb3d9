"""Known warps of real image pairs: truth for a network that needs neither landmarks nor simulated noise."""

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
def warped_pair(teacher: nn.Module, pair: TaskPair, known_px: np.ndarray, device: torch.device) -> TaskPair:
    """`pair` with its fixed image warped by `known_px`, and the displacement that then takes moving to fixed.

    Both images keep the noise and the contrast of their own acquisition. If u takes moving to fixed, then w + u(x + w) takes
    it to the fixed image that w has warped; u is what `teacher` finds, w is known.
    """
    moving, fixed = as_batch([pair.moving], device), as_batch([pair.fixed], device)
    known = torch.from_numpy(known_px)[None].to(device)
    truth = compose(_field(teacher, moving, fixed), known)
    return TaskPair(
        pair.moving, warp(fixed, known, padding="border")[0, 0].cpu().numpy(), displacement_px=_array(truth)
    )


@torch.no_grad()
def transfer_error(network: nn.Module, pair: TaskPair, known_px: np.ndarray, device: torch.device) -> float:
    """How far a network contradicts itself on a pair, in pixels: it is no less wrong than half of that.

    The sum of two mean distances: of the field after a known warp of the fixed image to what that warp makes of the field
    before, and of the way there and back (moving to fixed, fixed to moving) to where it began. A network that finds the
    truth has neither; one that smooths too much does not recover the warp; one that matches noise does not find back.
    """
    warped = warped_pair(network, pair, known_px, device)
    moving, fixed = as_batch([pair.moving], device), as_batch([pair.fixed], device)
    truth = torch.from_numpy(warped.displacement_px)[None].to(device)
    found = _field(network, moving, as_batch([warped.fixed], device))
    there_and_back = compose(_field(network, moving, fixed), _field(network, fixed, moving))
    return float(_length(found - truth) + _length(there_and_back))


def _field(network: nn.Module, moving: Tensor, fixed: Tensor) -> Tensor:
    return network(moving, fixed).float()


def _array(field: Tensor) -> np.ndarray:
    return field[0].cpu().numpy()


def _length(field: Tensor) -> Tensor:
    return field.square().sum(1).sqrt().mean()
