"""What the error predictor sees of an image: locally normalised grey values, and directions of edges and ridges."""

from __future__ import annotations

from collections.abc import Sequence

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
    around, around_inner = _spread(torch.cat((weight, inner), dim=1)).clamp(min=1e-3).split(1, dim=1)
    mean = _spread(weight * values) / around
    grey = (values - mean) * weight
    smooth = _binomial(torch.where(weight > 0.5, values, mean))
    down, right = _slope(smooth, 2), _slope(smooth, 3)
    length = (down.square() + right.square()).sqrt().clamp(min=1e-6)
    edges = torch.cat(((down.square() - right.square()) / length, 2 * down * right / length), dim=1)
    ridges = torch.cat((_slope(down, 2) - _slope(right, 3), 2 * _slope(down, 3)), dim=1)
    energies = [_energy(grey, weight), _energy(edges, inner), _energy(ridges, inner)]
    levels = _spread(torch.cat(energies, dim=1)) / torch.cat((around, around_inner, around_inner), dim=1)
    levels = (levels + _floors(energies, (weight, inner, inner))).rsqrt().split(1, dim=1)
    parts = zip((grey, edges, ridges), levels, (weight, inner, inner), strict=True)
    return torch.cat([_cut_off(vectors * level * defined) for vectors, level, defined in parts], dim=1)


def _energy(vectors: Tensor, weight: Tensor) -> Tensor:
    return vectors.square().sum(1, keepdim=True) * weight


def _floors(energies: Sequence[Tensor], weights: Sequence[Tensor]) -> Tensor:
    """What is added to the local energies (B, 3, 1, 1)."""
    whole = [
        energy.sum((2, 3), keepdim=True) / weight.sum((2, 3), keepdim=True).clamp(min=1)
        for energy, weight in zip(energies, weights, strict=True)
    ]
    return _LEAST_ENERGY * torch.cat(whole, dim=1) + _NOTHING**2


def _cut_off(vectors: Tensor) -> Tensor:
    """Vectors of at most some times the local root mean square."""
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
    found = (weight > 0.5).to(weight)
    for axis in (2, 3):
        found = _least_of_seven(found, axis)
    return found


def _least_of_seven(values: Tensor, axis: int) -> Tensor:
    """The least of seven neighbours along an axis, those within the image. Far faster than pooling on a processor."""
    length = values.shape[axis]
    found = functional.pad(values, (0, 0, 3, 3) if axis == 2 else (3, 3, 0, 0), value=1.0)
    for step in (1, 2, 3):  # the least of 2, 4 and 7
        found = torch.minimum(
            found.narrow(axis, 0, found.shape[axis] - step), found.narrow(axis, step, found.shape[axis] - step)
        )
    return found.narrow(axis, 0, length)
