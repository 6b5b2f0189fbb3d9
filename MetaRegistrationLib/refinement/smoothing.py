"""Smoothing of images and of the field that a refinement starts from."""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor

from .splines import spline_weights

_NEIGHBOURHOOD_PX = 4.0  # over which a departure counts as one: less would keep single ripples


def blur(image: Tensor, sigma: float) -> Tensor:
    """Gaussian smoothing of (B, 1, H, W), edge values beyond the border; `sigma` in pixels, 0 for none."""
    if _radius(sigma) == 0:
        return image
    rows, columns = (_gaussian(extent, sigma).to(image) for extent in image.shape[-2:])
    return rows @ image @ columns.T  # faster on a CPU than convolutions of one channel


def _radius(sigma: float) -> int:
    return int(3 * sigma + 0.5)


@cache
def _gaussian(extent: int, sigma: float) -> Tensor:
    """Matrix (extent, extent) that smooths along an axis, float64."""
    offsets = torch.arange(-_radius(sigma), _radius(sigma) + 1)
    kernel = torch.exp(-0.5 * (offsets.float() / sigma).double().square())
    neighbours = (torch.arange(extent)[:, None] + offsets).clamp(0, extent - 1)
    weights = torch.zeros(extent, extent, dtype=torch.float64)
    return weights.scatter_add_(1, neighbours, (kernel / kernel.sum()).expand(extent, -1))


def smooth_start(displacement_px: Tensor, sigma: float, keep_px: float) -> Tensor:
    """A displacement (1, 2, H, W) without the ripples that a network leaves, but with its jumps.

    It is smoothed with a Gaussian of `sigma` pixels where it departs from the smooth version by less than `keep_px`
    (locally, root mean square), not at all where by more than twice that, and partly between. Global parts (affine, and a
    slow bend) pass unchanged.
    """
    if sigma == 0:
        return displacement_px
    local = displacement_px - _global_part(displacement_px)
    ripples = local - blur(local.transpose(0, 1), sigma).transpose(0, 1)
    departure = blur(ripples.square().sum(dim=1, keepdim=True), _NEIGHBOURHOOD_PX).sqrt()
    return displacement_px - ripples * (2 - departure / keep_px).clamp(0, 1)


def _global_part(displacement_px: Tensor) -> Tensor:
    """Least squares fit of cubic splines with two cells an axis: smoothing across the border would bend these."""
    projections = []
    for extent in displacement_px.shape[-2:]:
        weights = spline_weights(torch.arange(extent), extent - 1, 2)
        projections.append((weights @ torch.linalg.pinv(weights)).to(displacement_px))
    return projections[0] @ displacement_px @ projections[1]  # a projection is its own transpose
