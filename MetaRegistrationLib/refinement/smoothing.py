"""Smoothing of images and of the field that a refinement starts from."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor

from ..core.banded import smoothed
from .splines import spline_weights

_NEIGHBOURHOOD_PX = 4.0  # over which a departure counts as one: less would keep single ripples


def blur(image: Tensor, sigma: float) -> Tensor:
    """Gaussian smoothing of (B, 1, H, W), edge values beyond the border; `sigma` in pixels, 0 for none."""
    if _radius(sigma) == 0:
        return image
    return smoothed(image, sigma, _radius(sigma))


def _radius(sigma: float) -> int:
    return int(3 * sigma + 0.5)


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
    (rows, of_rows), (columns, of_columns) = (
        tuple(matrix.to(displacement_px) for matrix in _fit(extent)) for extent in displacement_px.shape[-2:]
    )
    return rows @ (of_rows @ displacement_px @ of_columns.T) @ columns.T


@lru_cache(maxsize=8)
def _fit(extent: int) -> tuple[Tensor, Tensor]:
    """Values along an axis of cubic splines with two cells by their coefficients (extent, 5), and its least squares inverse."""
    with torch.inference_mode(False):
        weights = spline_weights(torch.arange(extent), extent - 1, 2)
        return weights, torch.linalg.pinv(weights)
