"""What the refinement maximises: correlation of the images less roughness of what is added."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from ..frames.losses import smoothness
from ..frames.spatial import identity_grid, sample, warp
from .correlation import LocalCorrelation
from .settings import RefinementSettings
from .smoothing import blur
from .splines import SplineGrid

_MARGIN_PX = 2  # kept away from where the moving image ends: what is added moves that edge


class Objective:
    """The measure of one pair, as a function of control displacements or of a whole field.

    Parameters
    ----------
    moving, fixed : float32 Tensor (1, 1, H, W)
    base : float32 Tensor (1, 2, H, W)
        The smoothed start: what is added to it is held smooth.
    settings : RefinementSettings
    inside_moving, inside_fixed : bool Tensor (1, 1, H, W), optional
    """

    def __init__(
        self,
        moving: Tensor,
        fixed: Tensor,
        base: Tensor,
        settings: RefinementSettings,
        *,
        inside_moving: Tensor | None = None,
        inside_fixed: Tensor | None = None,
    ):
        self._moving, self._base, self._settings = moving, base, settings
        size = tuple(fixed.shape[-2:])
        self.grid = SplineGrid(size, settings.cells(max(size)), settings.levels, like=fixed)
        self._rows, self._columns = self.grid.sampler(settings.shrink)
        defined = _defined(base, inside_moving, inside_fixed)
        defined = (functional.avg_pool2d(defined, settings.shrink) > 0.999).float()
        self._correlation = LocalCorrelation(self._reduced(fixed), defined, window=settings.window)
        self._warped = self._reduced(warp(moving, base, padding="border"))
        self._positions = identity_grid(*self._warped.shape[-2:], like=fixed)

    def __call__(self, levels: list[Tensor]) -> Tensor:
        """The measure (scalar, differentiable) of control displacements, on the moving image as the base warps it."""
        total = self.grid.total(levels)
        added = self._rows @ total @ self._columns.T / self._settings.shrink
        warped = sample(self._warped, self._positions + added, padding="border")
        return self._correlation(warped) - self._settings.smoothness_weight * self.grid.roughness(total)

    def of_start(self, start: Tensor) -> float:
        """The measure of the field that the base was made from."""
        return self._of(start, smoothness(start - self._base))

    def of_field(self, displacement_px: Tensor, total: Tensor) -> float:
        """The measure of a whole field (1, 2, H, W), the base with `total` added, on the moving image itself."""
        return self._of(displacement_px, self.grid.roughness(total))

    def _of(self, displacement_px: Tensor, roughness: Tensor) -> float:
        warped = self._reduced(warp(self._moving, displacement_px, padding="border"))
        return float(self._correlation(warped) - self._settings.smoothness_weight * roughness)

    def displacement(self, total: Tensor) -> Tensor:
        """The finest grid's control displacements as a displacement (1, 2, H, W) of the frame."""
        rows, columns = self.grid.sampler()
        return rows @ total @ columns.T

    def _reduced(self, image: Tensor) -> Tensor:
        return functional.avg_pool2d(blur(image, self._settings.blur_px), self._settings.shrink)


def _defined(base: Tensor, inside_moving: Tensor | None, inside_fixed: Tensor | None) -> Tensor:
    """(1, 1, H, W): 1 where the fixed image is defined and the base points well into the moving one, else 0."""
    moving = torch.ones_like(base[:, :1]) if inside_moving is None else inside_moving.to(base)
    defined = (warp(moving, base) > 0.999).float()
    defined = 1 - functional.max_pool2d(1 - defined, 2 * _MARGIN_PX + 1, 1, _MARGIN_PX)
    return defined if inside_fixed is None else defined * inside_fixed.to(base)
