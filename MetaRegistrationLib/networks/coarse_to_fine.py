"""The coarse-to-fine registration network: shared encoder, local correlation, residual fields composed level by level."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..core.spatial import compose, exponential, warp
from .correlation import local_correlation
from .precision import without_autocast
from .registry import register_network


def _convolution(inputs: int, outputs: int, *, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1), nn.LeakyReLU(0.1, inplace=True))


class _Estimator(nn.Module):
    """Residual velocity of one level from correlation, fixed features and the field so far."""

    def __init__(self, inputs: int, widths: Sequence[int]):
        super().__init__()
        channels = [inputs, *widths]
        self.layers = nn.Sequential(*(_convolution(a, b) for a, b in pairwise(channels)))
        self.residual = nn.Conv2d(channels[-1], 2, 3, padding=1)
        nn.init.normal_(self.residual.weight, std=1e-3)
        nn.init.zeros_(self.residual.bias)

    def forward(self, features: Tensor) -> Tensor:
        """Velocity (B, 2, h, w), float32, in pixels of the level."""
        features = self.layers(features)
        with without_autocast(features.device.type):  # bfloat16 rounds a displacement of 10 px to a sixteenth
            return self.residual(features.float())


@register_network("coarse_to_fine")
class CoarseToFine(nn.Module):
    """Maps two images to a displacement, from the coarsest level to half resolution.

    One encoder sees both images. At each level the field so far is doubled, the moving features are warped by it and
    correlated with the fixed ones over all shifts within a radius, and three convolutions turn that into a residual field,
    which is composed with the field: ``u(x) = r(x) + u(x + r(x))``. The field of half resolution, doubled, is the result.

    Parameters
    ----------
    encoder : sequence of int
        Channels of each level, from half resolution down; each halves the resolution.
    radii : sequence of int
        Radius of the correlation at each level, in its pixels, in the order of `encoder`.
    estimator : sequence of int
        Channels of the convolutions that make a residual field, at all levels but half resolution.
    finest : sequence of int
        The same at half resolution.
    velocity_steps : int
        Each residual is a stationary velocity, integrated by this many squarings, so that it is a diffeomorphism with an
        inverse (`fields`); 0 takes the residual as a displacement.

    References
    ----------
    Sun et al., PWC-Net, CVPR 2018 (pyramid, warping, cost volume); Ashburner, A fast diffeomorphic image registration
    algorithm, NeuroImage 38, 2007 (scaling and squaring).
    """

    def __init__(
        self,
        encoder: Sequence[int] = (16, 24, 32, 32, 32),
        radii: Sequence[int] = (1, 3, 3, 3, 3),
        estimator: Sequence[int] = (48, 32, 24),
        finest: Sequence[int] = (32, 24, 16),
        velocity_steps: int = 3,
    ):
        super().__init__()
        if not encoder or len(radii) != len(encoder):
            raise ValueError(
                f"CoarseToFine: expected one radius a level (at least one level), got {encoder} and {radii}"
            )
        if not estimator or not finest or min(radii) < 0 or velocity_steps < 0:
            raise ValueError(
                "CoarseToFine: expected channels for the estimators, and radii and velocity_steps of at least 0"
            )
        self.radii, self.velocity_steps = tuple(radii), velocity_steps
        channels = [1, *encoder]
        self.encoder = nn.ModuleList(
            nn.Sequential(_convolution(a, b, stride=2), _convolution(b, b)) for a, b in pairwise(channels)
        )
        self.estimators = nn.ModuleList(
            _Estimator((2 * radius + 1) ** 2 + width + 2, estimator if level else finest)
            for level, (radius, width) in enumerate(zip(radii, encoder, strict=True))
        )

    def forward(self, moving: Tensor, fixed: Tensor) -> Tensor:
        """Displacement (B, 2, H, W) in pixels, float32, for images (B, 1, H, W) of any size."""
        return self.fields(moving, fixed, inverse=False)[0]

    def fields(self, moving: Tensor, fixed: Tensor, *, inverse: bool = True) -> tuple[Tensor, Tensor | None]:
        """Displacement and its inverse, both (B, 2, H, W) in pixels; the inverse only for a network of velocities.

        The inverse is composed of the inverses of the residual fields: exact up to the interpolation between pixels.
        """
        if inverse and not self.velocity_steps:
            raise ValueError("CoarseToFine: velocity_steps is 0, so the fields have no inverse of their own")
        pyramid = self._pyramid(torch.cat((moving, fixed)))
        field = backward = None
        for level in reversed(range(len(pyramid))):
            moving_features, fixed_features = pyramid[level].chunk(2)
            size = fixed_features.shape[-2:]
            field, backward = _doubled(field, size), _doubled(backward, size)
            velocity = self._velocity(level, moving_features, fixed_features, field)
            field = _composed(field, self._integrated(velocity))
            if inverse:
                backward = _composed(self._integrated(-velocity), backward)
        size = fixed.shape[-2:]
        return _doubled(field, size), _doubled(backward, size)

    def _pyramid(self, images: Tensor) -> list[Tensor]:
        levels = []
        for level in self.encoder:
            images = level(images)
            levels.append(images)
        return levels

    def _velocity(self, level: int, moving: Tensor, fixed: Tensor, field: Tensor | None) -> Tensor:
        radius = self.radii[level]
        if field is None:
            field = fixed.new_zeros(fixed.shape[0], 2, *fixed.shape[-2:], dtype=torch.float32)
            warped = moving.float()
        else:
            warped = warp(moving.float(), field)
        correlation = local_correlation(fixed, warped, radius)
        features = torch.cat((correlation.to(fixed.dtype), fixed, field.to(fixed.dtype)), dim=1)
        return self.estimators[level](features.contiguous(memory_format=torch.channels_last))

    def _integrated(self, velocity: Tensor) -> Tensor:
        return exponential(velocity, self.velocity_steps) if self.velocity_steps else velocity


def _composed(first: Tensor | None, second: Tensor | None) -> Tensor:
    if first is None or second is None:
        return second if first is None else first
    return compose(first, second)


def _doubled(field: Tensor | None, size: Sequence[int]) -> Tensor | None:
    """A field on a grid of twice the resolution, in its pixels; `size` may be one less than twice the old one."""
    if field is None:
        return None
    return (
        2
        * functional.interpolate(field, scale_factor=2, mode="bilinear", align_corners=False)[..., : size[0], : size[1]]
    )
