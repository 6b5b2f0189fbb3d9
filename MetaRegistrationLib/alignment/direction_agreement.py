"""The agreement of directions of edges and ridges under a field. No stage optimises it, so it can check every stage."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from ..core.spatial import warp
from .blocks import DIRECTIONS
from .structure import Structure, structure

_SIZE = 200


class DirectionAgreement:
    """How well fields align a pair, by directions alone and over one region for all fields.

    Parameters
    ----------
    moving, fixed : float arrays (S, S)
        Images on network grids; S is at least 200.
    reference_px : float32 Tensor (1, 2, S, S)
        The field that defines the region: the pixels where it finds both images defined.
    inside_moving, inside_fixed : bool arrays (S, S), optional
    directions : str
        What these two contrasts have in common: one of `blocks.DIRECTIONS`.
    """

    def __init__(
        self,
        moving: np.ndarray,
        fixed: np.ndarray,
        reference_px: Tensor,
        *,
        inside_moving: np.ndarray | None = None,
        inside_fixed: np.ndarray | None = None,
        directions: str = "both",
    ):
        weight = np.ones_like(moving) if inside_moving is None else inside_moving.astype(np.float32)
        self._moving = torch.from_numpy(np.stack((moving * weight, weight)).astype(np.float32))[None].to(reference_px)
        weight = torch.ones_like(self._moving[:, 0]) if inside_fixed is None else torch.from_numpy(inside_fixed)[None]
        self._shrink = max(fixed.shape[-1] // _SIZE, 1)
        self._directions = directions
        fixed_weight = weight.to(self._moving).float()
        image = torch.from_numpy(np.asarray(fixed, dtype=np.float32)).to(self._moving)
        self._fixed = self._seen(torch.stack((image * fixed_weight[0], fixed_weight[0]))[None])
        self._last: tuple[Tensor, Structure] | None = None
        self._region = self._fixed.weight * self._moved(reference_px).weight

    def __call__(self, displacement_px: Tensor) -> float:
        """Mean cosine of the doubled angles between the two images' directions, -1 to 1, weighted by their strengths."""
        return self._agreement(displacement_px, self._directions)

    def of_all_directions(self, displacement_px: Tensor) -> float:
        """The same of edges and ridges together."""
        return self._agreement(displacement_px, "both")

    def _agreement(self, displacement_px: Tensor, directions: str) -> float:
        moved = self._moved(displacement_px)
        weights = self._region.new_tensor([weight for weight in DIRECTIONS[directions] for _ in range(2)])[
            :, None, None
        ]
        first, second = (image.vectors * self._region for image in (self._fixed, moved))
        energies = [(weights.abs() * vectors.square()).sum() for vectors in (first, second)]
        norm = (energies[0] * energies[1]).sqrt()
        return float((weights * first * second).sum() / norm) if float(norm) > 1e-9 else 0.0

    def _moved(self, displacement_px: Tensor) -> Structure:
        """The structure of the warped image; the last one is stored, because a field is often measured twice in a row."""
        if self._last is None or self._last[0] is not displacement_px:
            self._last = displacement_px, self._seen(warp(self._moving, displacement_px))
        return self._last[1]

    def _seen(self, stack: Tensor) -> Structure:
        """The structure of an image (1, 2, S, S) of values, zero where not defined, and weight."""
        values, weight = avg_pool2d(stack, self._shrink)[0]
        defined = (weight > 0.95).float()
        return structure(defined * values / weight.clamp(min=0.05), defined)
