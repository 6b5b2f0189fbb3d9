"""What the refinement maximises: correlation of the images less roughness of what is added."""

from __future__ import annotations

from copy import copy

import torch
from torch import Tensor
from torch.nn import functional

from ..core.banded import summed
from ..core.losses import smoothness
from ..core.spatial import identity_grid, sample_grid, warp
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
        self._moving, self._base = moving, base
        size = tuple(fixed.shape[-2:])
        self.grid = SplineGrid(size, settings.cells(max(size)), settings.levels, like=fixed)
        self._use(
            settings,
            _averaged(_defined(base, inside_moving, inside_fixed), settings.shrink),
            _reduced(fixed, settings),
            _reduced(warp(moving, base, padding="border"), settings),
        )

    def _use(self, settings: RefinementSettings, defined: Tensor, fixed: Tensor, warped: Tensor) -> None:
        self._settings, self._share_defined, self._fixed, self._warped = settings, defined, fixed, warped
        self._rows, self._columns = self.grid.sampler(settings.shrink)
        self._correlation = LocalCorrelation(fixed, (defined > 0.999).float(), window=settings.window)
        # Of positions as `sample_grid` takes them, columns first: steps of a grid pixel, and the pixels' own.
        size = torch.tensor(warped.shape[-2:]).to(fixed).view(1, 2, 1, 1)
        pixel = 2 / (size - 1).clamp_min(1)
        self._steps = (pixel / settings.shrink).flip(1)
        self._own = (identity_grid(*warped.shape[-2:], like=fixed) * pixel - 1).flip(1)

    def coarser(self, settings: RefinementSettings) -> Objective:
        """The same of images that are averaged over squares of a whole number of these pixels."""
        factor = settings.shrink // self._settings.shrink
        other = copy(self)
        images = (self._share_defined, self._fixed, self._warped)
        other._use(settings, *(_averaged(image, factor) for image in images))
        return other

    def __call__(self, levels: list[Tensor]) -> Tensor:
        """The measure (scalar, differentiable) of control displacements, on the moving image as the base warps it."""
        total = self.grid.total(levels)
        positions = self._own + self._rows @ (total.flip(1) * self._steps) @ self._columns.T
        warped = sample_grid(self._warped, positions.permute(0, 2, 3, 1), padding="border")
        return self._correlation(warped) - self._settings.smoothness_weight * self.grid.roughness(total)

    def of_start(self, start: Tensor) -> float:
        """The measure of the field that the base was made from."""
        return self._of(start, smoothness(start - self._base))

    def of_field(self, displacement_px: Tensor, total: Tensor) -> float:
        """The measure of a whole field (1, 2, H, W), the base with `total` added, on the moving image itself."""
        return self._of(displacement_px, self.grid.roughness(total))

    def _of(self, displacement_px: Tensor, roughness: Tensor) -> float:
        warped = _reduced(warp(self._moving, displacement_px, padding="border"), self._settings)
        return float(self._correlation(warped) - self._settings.smoothness_weight * roughness)

    def displacement(self, total: Tensor) -> Tensor:
        """The finest grid's control displacements as a displacement (1, 2, H, W) of the network grid."""
        rows, columns = self.grid.sampler()
        return rows @ total @ columns.T


def _reduced(image: Tensor, settings: RefinementSettings) -> Tensor:
    return _averaged(blur(image, settings.blur_px), settings.shrink)


def _averaged(image: Tensor, factor: int) -> Tensor:
    return functional.avg_pool2d(image, factor) if factor > 1 else image


def _defined(base: Tensor, inside_moving: Tensor | None, inside_fixed: Tensor | None) -> Tensor:
    """(1, 1, H, W): 1 where the fixed image is defined and the base points well into the moving one, else 0."""
    moving = torch.ones_like(base[:, :1]) if inside_moving is None else inside_moving.to(base)
    defined = (warp(moving, base) > 0.999).float()
    defined = (summed(1 - defined, _MARGIN_PX) < 0.5).float()
    return defined if inside_fixed is None else defined * inside_fixed.to(base)
