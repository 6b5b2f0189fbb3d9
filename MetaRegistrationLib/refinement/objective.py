"""What the refinement maximises: correlation of the reduced images less roughness of what is added."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from ..spatial import identity_grid, sample, warp
from .correlation import LocalCorrelation
from .settings import RefinementSettings
from .splines import SplineGrid

_MARGIN = 1  # reduced pixels kept away from where the moving image ends: what is added moves that edge


class Objective:
    """The measure of one pair and start, as a function of control displacements or of a whole field.

    Parameters
    ----------
    moving, fixed : float32 Tensor (1, 1, H, W)
    start : float32 Tensor (1, 2, H, W)
    settings : RefinementSettings
    inside_moving, inside_fixed : bool Tensor (1, 1, H, W), optional
    """

    def __init__(
        self,
        moving: Tensor,
        fixed: Tensor,
        start: Tensor,
        settings: RefinementSettings,
        *,
        inside_moving: Tensor | None = None,
        inside_fixed: Tensor | None = None,
    ):
        self._moving, self._settings = moving, settings
        self.grid = SplineGrid(tuple(fixed.shape[-2:]), settings.cells, settings.levels, like=fixed)
        self._rows, self._columns = self.grid.sampler(settings.shrink)
        defined = _defined(start, inside_moving, inside_fixed)
        defined = (functional.avg_pool2d(defined, settings.shrink) > 0.999).float()
        defined = 1 - functional.max_pool2d(1 - defined, 2 * _MARGIN + 1, 1, _MARGIN)
        self._correlation = LocalCorrelation(self._reduced(fixed), defined, window=settings.window)
        self._warped = self._reduced(warp(moving, start, padding="border"))
        self._positions = identity_grid(*self._warped.shape[-2:], like=fixed)

    def __call__(self, levels: list[Tensor]) -> Tensor:
        """The measure (scalar, differentiable) of control displacements, on the moving image as the start warps it."""
        total = self.grid.total(levels)
        added = self._rows @ total @ self._columns.T / self._settings.shrink
        warped = sample(self._warped, self._positions + added, padding="border")
        return self._correlation(warped) - self._settings.smoothness_weight * self.grid.roughness(total)

    def of_field(self, displacement_px: Tensor) -> float:
        """The correlation alone, of a whole field (1, 2, H, W) on the moving image itself."""
        return float(self._correlation(self._reduced(warp(self._moving, displacement_px, padding="border"))))

    def penalty(self, total: Tensor) -> float:
        """What the roughness of the finest grid's control displacements takes from the measure."""
        return float(self._settings.smoothness_weight * self.grid.roughness(total))

    def displacement(self, total: Tensor) -> Tensor:
        """The finest grid's control displacements as a displacement (1, 2, H, W) of the frame."""
        rows, columns = self.grid.sampler()
        return rows @ total @ columns.T

    def _reduced(self, image: Tensor) -> Tensor:
        return functional.avg_pool2d(blur(image, self._settings.blur_px), self._settings.shrink)


def _defined(start: Tensor, inside_moving: Tensor | None, inside_fixed: Tensor | None) -> Tensor:
    """(1, 1, H, W): 1 where the fixed image is defined and the start points into the moving one, else 0."""
    moving = torch.ones_like(start[:, :1]) if inside_moving is None else inside_moving.to(start)
    defined = (warp(moving, start) > 0.999).float()
    return defined if inside_fixed is None else defined * inside_fixed.to(start)


def blur(image: Tensor, sigma: float) -> Tensor:
    """Gaussian smoothing of (1, 1, H, W), edge values beyond the border; `sigma` in pixels, 0 for none."""
    radius = int(3 * sigma + 0.5)
    if radius == 0:
        return image
    offsets = torch.arange(-radius, radius + 1).to(image)
    kernel = torch.exp(-0.5 * (offsets / sigma).square())
    kernel = kernel / kernel.sum()
    padded = functional.pad(image, (radius, radius, radius, radius), mode="replicate")
    return functional.conv2d(functional.conv2d(padded, kernel.view(1, 1, -1, 1)), kernel.view(1, 1, 1, -1))
