"""What the error predictor sees of an image: locally normalised grey values, and directions of edges and ridges."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

CELL = 4
"""Pixels of a cell's side; the predictor gives one value a cell."""
CHANNELS = 5
_CLIP = 2.5
_LEAST_ENERGY = 0.02
"""Share of the image's mean energy that is added to each local one, so that noise in flat areas stays small."""
_NOTHING = 1e-6


def seen(values: Tensor, weight: Tensor) -> Tensor:
    """Describe images so that their brightness and contrast do not matter.

    Parameters
    ----------
    values, weight : Tensor (B, 1, n, n)
        Grey values in [0, 1], and 1 where they are defined; n is a multiple of 4.

    Returns
    -------
    Tensor (B, 5, n, n)
        Grey value less its local mean over the local standard deviation; the doubled angle of edges (2) and of ridges (2)
        times their relative strength. All are zero where the image is not defined, and beside it.
    """
    inner = _inner(weight)
    mean = _spread(weight * values) / _spread(weight).clamp(min=1e-3)
    grey = (values - mean) * weight
    smooth = _binomial(torch.where(weight > 0.5, values, mean))
    down, right = _slope(smooth, 2), _slope(smooth, 3)
    length = (down.square() + right.square()).sqrt().clamp(min=1e-6)
    edges = torch.cat(((down.square() - right.square()) / length, 2 * down * right / length), dim=1)
    ridges = torch.cat((_slope(down, 2) - _slope(right, 3), 2 * _slope(down, 3)), dim=1)
    return torch.cat((_levelled(grey, weight), _levelled(edges, inner), _levelled(ridges, inner)), dim=1)


def _levelled(vectors: Tensor, weight: Tensor) -> Tensor:
    """Vectors over their local root mean square, cut off at some times of it."""
    energy = vectors.square().sum(1, keepdim=True) * weight
    whole = energy.sum((2, 3), keepdim=True) / weight.sum((2, 3), keepdim=True).clamp(min=1)
    local = _spread(energy) / _spread(weight).clamp(min=1e-3)
    vectors = vectors * (local + _LEAST_ENERGY * whole + _NOTHING**2).rsqrt() * weight
    length = vectors.square().sum(1, keepdim=True).sqrt().clamp(min=1e-6)
    return vectors * (length.clamp(max=_CLIP) / length)


def _spread(values: Tensor) -> Tensor:
    """A local mean over about 24 pixels."""
    small = functional.avg_pool2d(values, CELL)
    for _ in range(2):
        small = functional.avg_pool2d(small, 5, 1, 2, count_include_pad=False)
    return functional.interpolate(small, scale_factor=CELL, mode="bilinear", align_corners=False)


def _binomial(values: Tensor) -> Tensor:
    padded = functional.pad(values, (1, 1, 1, 1), mode="replicate")
    rows = padded[..., :-2, :] + 2 * padded[..., 1:-1, :] + padded[..., 2:, :]
    return (rows[..., :-2] + 2 * rows[..., 1:-1] + rows[..., 2:]) / 16


def _slope(values: Tensor, axis: int) -> Tensor:
    padded = functional.pad(values, (0, 0, 1, 1) if axis == 2 else (1, 1, 0, 0), mode="replicate")
    length = values.shape[axis]
    return 0.5 * (padded.narrow(axis, 2, length) - padded.narrow(axis, 0, length))


def _inner(weight: Tensor) -> Tensor:
    """1 where the image is defined and three pixels around too."""
    outside = 1 - (weight > 0.5).to(weight)
    return 1 - functional.max_pool2d(functional.max_pool2d(outside, (7, 1), 1, (3, 0)), (1, 7), 1, (0, 3))
