"""Frames made comparable: without background and shading, of unit local contrast, at a lower resolution."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate

_BACKGROUND = 0.05
"""Standard deviation of what counts as a neighbourhood, as a part of the frame: 20 pixels of 400."""
_BLACK = 0.01
_LEAST_LIT = 0.05
_COARSE = 50


@dataclass(frozen=True, eq=False)
class Level:
    """A normalised frame at one resolution.

    Attributes
    ----------
    values : Tensor (n, n)
        About zero mean and unit variance in every neighbourhood; zero where `weight` is.
    weight : Tensor (n, n)
        1 where the image is defined, 0 elsewhere.
    """

    values: Tensor
    weight: Tensor

    @property
    def size(self) -> int:
        """Pixels of a side."""
        return self.values.shape[-1]

    @property
    def blank(self) -> bool:
        """Whether there is no structure at all."""
        return not bool((self.values != 0).any())

    def to(self, device: torch.device) -> Level:
        """The same on another device."""
        return Level(self.values.to(device), self.weight.to(device))


def normalised_levels(
    frame: np.ndarray, inside: np.ndarray | None, sizes: tuple[int, ...], *, blur: float = 0.7
) -> list[Level]:
    """Normalise a frame at several resolutions, on the CPU.

    Parameters
    ----------
    frame : array (S, S)
        Values of any range.
    inside : bool array (S, S), optional
        Where the frame is defined; everywhere when left out. Patches that are black through and through (the corners
        that a turned scan leaves) are taken out as well.
    sizes : tuple of int
        Pixels of a side of each level, at most S; the centres of its pixels lie at ``(p + 0.5) * S / n - 0.5``.
    blur : float
        Standard deviation of a light blur, in pixels of the level.
    """
    values = torch.as_tensor(np.array(frame, dtype=np.float32))
    defined = torch.ones_like(values) if inside is None else torch.as_tensor(np.array(inside, dtype=np.float32))
    defined = defined * _lit(values, defined)
    stack = torch.stack((values * defined, defined))[None]
    return [_level(stack, size, blur) for size in sizes]


def _lit(values: Tensor, defined: Tensor) -> Tensor:
    """1 but for patches that are black through and through, (S, S)."""
    side = values.shape[-1]
    coarse = min(4 * _COARSE // 2, side)
    bright = ((values > values.min()) * defined)[None, None]
    share = _smoothed(_resized(bright, coarse), coarse, _BLACK * coarse)
    return interpolate((share > _LEAST_LIT).float(), size=(side, side), mode="nearest-exact")[0, 0]


def _level(stack: Tensor, size: int, blur: float) -> Level:
    values, share = _smoothed(_resized(stack, size), size, blur)[0]
    weight = (share > 0.5).float()
    values = weight * values / share.clamp(min=1e-3)
    values = weight * (values - _local_mean(values, weight))
    # Noise alone must not be blown up to the contrast of vessels, nor rounding errors to that of an image.
    floor = 0.2 * (values.square().sum() / weight.sum().clamp(min=1)).sqrt() + 1e-4
    return Level(values / (_local_mean(values.square(), weight).clamp(min=0).sqrt() + floor), weight)


def _local_mean(values: Tensor, weight: Tensor) -> Tensor:
    """Mean over the neighbourhood of each pixel, (n, n); smooth, so that a coarse grid holds it."""
    size = len(values)
    coarse = min(_COARSE, size)
    total, area = _smoothed(torch.stack((values * weight, weight))[None], coarse, _BACKGROUND * size)[0]
    mean = total / area.clamp(min=1e-3)
    return interpolate(mean[None, None], size=(size, size), mode="bilinear", align_corners=False)[0, 0]


def _resized(images: Tensor, size: int) -> Tensor:
    if images.shape[-1] == size:
        return images
    return interpolate(images, size=(size, size), mode="bilinear", align_corners=False, antialias=True)


def _smoothed(images: Tensor, size: int, sigma: float) -> Tensor:
    """Gaussian blur of (..., S, S) by `sigma` of its pixels, read at the centres of `size` pixels a side.

    Zeros lie beyond the image. The two products of matrices are faster than convolutions here.
    """
    side = images.shape[-1]
    centres = (np.arange(size)[:, None] + 0.5) * (side / size) - 0.5
    weights = np.exp(-0.5 * ((np.arange(side) - centres) / sigma) ** 2)
    around = np.arange(-int(5 * sigma) - 1, int(5 * sigma) + 2)
    total = np.exp(-0.5 * (around / sigma) ** 2).sum()
    kernel = torch.as_tensor(weights / total, dtype=torch.float32)
    return kernel @ images @ kernel.T
