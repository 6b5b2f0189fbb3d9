"""The stages of a registration on a pair of frames: initial alignment, network, refinement."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from .aligned import aligned_image, total_displacement
from .alignment import Alignment, align
from .alignment.affine import IDENTITY
from .losses import RegistrationLoss
from .refinement import Refinement, RefinementSettings, refine
from .spatial import warp
from .stages import Stages
from .training.devices import as_batch

# Correlation of the alignment's own kind above which it is not doubted: aligned repeat scans have 0.44 to 0.84.
_WELL_ALIGNED = 0.45
_MATCH = RegistrationLoss(scales=4)


@dataclass(frozen=True, eq=False)
class StagedField:
    """The field of all stages.

    Attributes
    ----------
    displacement_px : float32 array (2, size, size)
        Pull field in frame pixels, channels (row, column).
    alignment, refinement
        What these stages found; None where they were off.
    seconds : dict of str to float
        Time of each stage that ran, by its name in `Stages`.
    """

    displacement_px: np.ndarray
    alignment: Alignment | None
    refinement: Refinement | None
    seconds: dict[str, float]


def register_frames(
    moving: np.ndarray,
    fixed: np.ndarray,
    network: Callable[[Tensor, Tensor], Tensor] | None,
    stages: Stages,
    device: torch.device,
    *,
    inside_moving: np.ndarray | None = None,
    inside_fixed: np.ndarray | None = None,
) -> StagedField:
    """Register a pair of preprocessed frames.

    Parameters
    ----------
    moving, fixed : float32 arrays (size, size) in [0, 1]
    network : callable
        ``network(moving, fixed) -> displacement_px`` on tensors (1, 1, size, size) of `device`; it gets the aligned moving
        image. Not needed where `stages` leaves it out.
    stages : Stages
    device : torch.device
    inside_moving, inside_fixed : bool arrays (size, size), optional
        Where the images are defined.
    """
    seconds: dict[str, float] = {}
    alignment = refinement = None
    if stages.initial != "none":
        with _timed(seconds, "initial"):
            alignment = align(
                moving, fixed, stages.initial, inside_moving=inside_moving, inside_fixed=inside_fixed, device=device
            )
    fixed_batch = as_batch([fixed], device)
    if stages.network:
        with _timed(seconds, "network"), torch.no_grad():
            alignment, displacement = _network_field(moving, fixed_batch, network, alignment)
    else:
        displacement = total_displacement(alignment, fixed_batch.new_zeros(1, 2, *fixed.shape))
    if stages.refine:
        with _timed(seconds, "refine"):
            refinement = refine(
                as_batch([moving], device),
                fixed_batch,
                displacement,
                RefinementSettings(steps=stages.refine),
                inside_moving=_mask(inside_moving, device),
                inside_fixed=_mask(inside_fixed, device),
            )
        displacement = refinement.displacement_px
    return StagedField(displacement[0].float().cpu().numpy(), alignment, refinement, seconds)


def _mask(inside: np.ndarray | None, device: torch.device) -> Tensor | None:
    return None if inside is None else torch.from_numpy(inside)[None, None].to(device)


def _network_field(
    moving: np.ndarray, fixed: Tensor, network: Callable[[Tensor, Tensor], Tensor], alignment: Alignment | None
) -> tuple[Alignment | None, Tensor]:
    """The network's total field behind the alignment, or, where that matches better, without it."""
    displacement = _behind(moving, fixed, network, alignment)
    if alignment is None or alignment.kind == "none" or alignment.correlation >= _WELL_ALIGNED:
        return alignment, displacement
    # Strong local deformation can lead a global transform astray, where the network finds its way from the images as they lie.
    alone = _behind(moving, fixed, network, None)
    image = as_batch([moving], fixed.device)
    matches = [float(_MATCH.similarity(fixed, warp(image, field))) for field in (displacement, alone)]
    if matches[1] <= matches[0]:
        return alignment, displacement
    reason = f"the network matches the images better without it ({matches[1]:.3f} against {matches[0]:.3f})"
    dropped = replace(alignment, kind="none", matrix=IDENTITY, correlation=alignment.correlation_before, reason=reason)
    return dropped, alone


def _behind(
    moving: np.ndarray, fixed: Tensor, network: Callable[[Tensor, Tensor], Tensor], alignment: Alignment | None
) -> Tensor:
    residual = network(as_batch([aligned_image(moving, alignment)], fixed.device), fixed).float()
    return total_displacement(alignment, residual)


@contextmanager
def _timed(seconds: dict[str, float], name: str) -> Iterator[None]:
    began = time.perf_counter()
    yield
    seconds[name] = time.perf_counter() - began
