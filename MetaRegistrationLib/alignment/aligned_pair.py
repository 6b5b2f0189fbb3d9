"""A prepared pair after its initial alignment: the input of network and refinement, in registration and in training."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..preparation import PreparedPair
from .aligned import hides_tissue, seen_by_network, total_displacement
from .reframing import Reframed, reframed
from .result import Alignment


@dataclass(frozen=True, eq=False)
class AlignedPair:
    """The images of a pair on their network grids, neither of them moved, and the transform between the grids.

    Attributes
    ----------
    moving, fixed : float32 arrays (size, size) in [0, 1]
    inside_moving, inside_fixed : bool arrays (size, size)
        Tissue masks of the grids.
    alignment : Alignment or None
        From the fixed grid to the moving one; None if none was asked for.
    drawn_border : bool
        As of `PreparedPair`.
    view : Reframed or None
        The moving grid, if it differs from that of the prepared pair.
    """

    moving: np.ndarray
    fixed: np.ndarray
    inside_moving: np.ndarray
    inside_fixed: np.ndarray
    alignment: Alignment | None
    drawn_border: bool
    view: Reframed | None = None

    @classmethod
    def of(cls, pair: PreparedPair, alignment: Alignment | None) -> AlignedPair:
        """The aligned pair, the moving image on a grid that suits the alignment (`reframing`)."""
        moving = pair.moving
        view = reframed(moving.seen, moving.tissue, moving.grid, alignment, pair.preprocessing)
        if view is None:
            return cls.on_its_grid(pair, alignment)
        return cls(
            view.moving, pair.fixed.on_grid, view.inside, pair.fixed.inside, view.alignment, pair.drawn_border, view
        )

    @classmethod
    def on_its_grid(cls, pair: PreparedPair, alignment: Alignment | None) -> AlignedPair:
        """The aligned pair on the prepared grids."""
        return cls(*pair.on_grid, *pair.inside, alignment, pair.drawn_border)

    def overlap(self, known: float) -> float:
        """Share of the smaller image's tissue that both images show.

        Parameters
        ----------
        known : float
            Share of the fixed grid that both show.
        """
        scale = 1.0 if self.alignment is None else abs(np.linalg.det(self.alignment.matrix[:, :2]))
        moving = self.inside_moving.mean() if self.view is None else self.view.tissue
        areas = self.inside_fixed.mean(), moving / max(scale, 1e-9)  # both on the fixed grid
        return float(known / max(min(areas), 1e-9))

    def network_images(self, *, continued: bool) -> tuple[np.ndarray, np.ndarray]:
        """The aligned moving image and the fixed one, float32 (size, size) each, as a network gets them.

        Parameters
        ----------
        continued : bool
            Continue both images beyond their common tissue, so that the network sees no edge of a drawn border
            (`seen_by_network`).
        """
        border = (self.inside_moving, self.inside_fixed) if continued else None
        return seen_by_network(self.moving, self.fixed, self.alignment, border)

    def hides_tissue(self, residual_px: Tensor) -> bool:
        """Whether continuing the images would hide tissue that a residual (1, 2, size, size) finds in both."""
        return hides_tissue(residual_px, self.alignment, (self.inside_moving, self.inside_fixed))

    def total(self, residual_px: Tensor) -> Tensor:
        """The displacement (1, 2, size, size) of alignment and residual together."""
        return total_displacement(self.alignment, residual_px)

    def start(self, device: torch.device) -> Tensor:
        """The displacement (1, 2, size, size) of the alignment alone; zero where there is none."""
        return self.total(torch.zeros(1, 2, *self.fixed.shape, dtype=torch.float32, device=device))

    def on_prepared_grid(self, displacement_px: Tensor) -> Tensor:
        """A displacement (1, 2, size, size) as one into the moving grid of the prepared pair."""
        return displacement_px if self.view is None else self.view.displacement_of_former(displacement_px)
