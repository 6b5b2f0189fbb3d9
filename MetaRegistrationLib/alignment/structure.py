"""Directions of edges and ridges, which two images of one thing share whatever their contrasts."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from ..core.banded import smoothed, summed

_EDGE_SIGMA, _RIDGE_SIGMA = 1.2, 1.5
_NEIGHBOURHOOD = 8.0
_CLIP = 2.5
_MARGIN = 3  # pixels beside what is not defined, whose derivatives are those of the border
_FLOOR = 0.1
_NOTHING = 1e-9  # rounding errors of values up to 1
_REACH = 5.0  # standard deviations at which a window ends


@dataclass(frozen=True, eq=False)
class Structure:
    """Directions in an image, as doubled-angle vectors, which contrast does not change but for the sign of ridges.

    Attributes
    ----------
    vectors : float32 Tensor (4, n, n)
        Edges (cosine and sine of twice the angle from the row axis towards the column axis, times a length), ridges
        likewise. The lengths are relative to the neighbourhood; zero where `weight` is.
    weight : float32 Tensor (n, n)
        1 where the image is defined, 0 elsewhere, between at borders after pooling.
    """

    vectors: Tensor
    weight: Tensor

    @property
    def size(self) -> int:
        """Pixels of a side."""
        return self.weight.shape[-1]

    @property
    def blank(self) -> bool:
        """Whether there is no structure at all."""
        return not bool((self.vectors != 0).any())

    def pooled(self, factor: int) -> Structure:
        """The same at a coarser resolution: directions are averaged, so that thin lines keep theirs."""
        stack = functional.avg_pool2d(torch.cat((self.vectors, self.weight[None]))[None], factor)[0]
        return Structure(stack[:4], stack[4])


def structure(values: Tensor, weight: Tensor) -> Structure:
    """Find the directions in an image.

    Parameters
    ----------
    values : float32 Tensor (n, n)
        Grey values of any range.
    weight : float32 Tensor (n, n)
        1 where they are defined, else 0.
    """
    values = _filled(values, weight)
    weight = _well_inside(weight)
    edges = _edges(_gaussian(values, _EDGE_SIGMA))
    ridges = _ridges(_gaussian(values, _RIDGE_SIGMA))
    return Structure(torch.cat((_levelled(edges, weight), _levelled(ridges, weight))), weight)


def _well_inside(weight: Tensor) -> Tensor:
    """1 where all pixels within the margin are defined, else 0."""
    inside = (weight > 0.5).float()
    return (summed(1 - inside, _MARGIN) < 0.5).float()


def _filled(values: Tensor, weight: Tensor) -> Tensor:
    """Values, the undefined ones filled with the local mean, so that the end of an image is no edge."""
    if bool((weight > 0.5).all()):
        return values
    inside = (weight > 0.5).float()
    total = _gaussian(torch.stack((values * inside, inside)), 6.0)
    mean = (values * inside).sum() / inside.sum().clamp(min=1)
    near = torch.where(total[1] > 0.01, total[0] / total[1].clamp(min=0.01), mean)
    return torch.where(inside > 0, values, near)


def _edges(values: Tensor) -> Tensor:
    down, right = _derivative(values, 0), _derivative(values, 1)
    length = torch.sqrt(down.square() + right.square()).clamp(min=1e-9)
    return torch.stack(((down.square() - right.square()) / length, 2 * down * right / length))


def _ridges(values: Tensor) -> Tensor:
    down, right = _derivative(values, 0), _derivative(values, 1)
    return torch.stack(
        (_derivative(down, 0) - _derivative(right, 1), 2 * _derivative(down, 1)),
    )


def _derivative(values: Tensor, axis: int) -> Tensor:
    padding = (0, 0, 1, 1) if axis == 0 else (1, 1, 0, 0)
    padded = functional.pad(values[None, None], padding, mode="replicate")[0, 0]
    return 0.5 * ((padded[2:] - padded[:-2]) if axis == 0 else (padded[:, 2:] - padded[:, :-2]))


def _levelled(vectors: Tensor, weight: Tensor) -> Tensor:
    """Lengths over their local root mean square, without the mean direction of the whole image."""
    energy = vectors.square().sum(dim=0)
    total = _gaussian(torch.stack((energy * weight, weight)), _NEIGHBOURHOOD)
    local = (total[0] / total[1].clamp(min=1e-3)).clamp(min=0)
    mean = (energy * weight).sum() / weight.sum().clamp(min=1)
    if float(mean) < _NOTHING:
        return torch.zeros_like(vectors)
    floor = _FLOOR * mean
    vectors = vectors / (local + floor).sqrt()
    length = torch.sqrt(vectors.square().sum(dim=0)).clamp(min=1e-9)
    vectors = vectors * (length.clamp(max=_CLIP) / length) * weight
    mean = vectors.sum(dim=(1, 2)) / weight.sum().clamp(min=1)
    return (vectors - mean[:, None, None]) * weight


def _gaussian(values: Tensor, sigma: float) -> Tensor:
    """Gaussian blur of (..., n, n); edge values beyond the image."""
    return smoothed(values, sigma, math.ceil(_REACH * sigma))
