"""The network that predicts the error of a displacement field from the images that it brings together."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..networks.correlation import local_correlation
from .seen import CELL, CHANNELS, seen

SIZE = 200
"""Pixels of a side at which the predictor sees both images."""
CELLS = SIZE // CELL
LARGEST_PX = 40.0
"""Errors beyond it are as bad as no correspondence at all; in pixels of a network grid of 400."""
_SMALLEST_PX = 0.05
_RANGE = (math.log(_SMALLEST_PX), 4.0)
_SHIFTS = ((0, 0), (1, 0), (-1, 0), (0, 1), (0, -1))
_RADII = {100: 1, 50: 3, 25: 3}


def _convolution(inputs: int, outputs: int, *, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1), nn.LeakyReLU(0.1, inplace=True))


@dataclass(frozen=True, eq=False)
class Predicted:
    """Predicted errors of cells, each (B, h, w), in pixels of a network grid of 400.

    Attributes
    ----------
    median, bound, mean : Tensor
        Median, 95 % bound and mean of the error.
    """

    median: Tensor
    bound: Tensor
    mean: Tensor


@dataclass(frozen=True, eq=False)
class Described:
    """Images as the predictor compares them: where they are defined, what is `seen` of them, and learned features."""

    weight: Tensor
    features: Tensor
    levels: tuple[Tensor, Tensor, Tensor]


class ErrorPredictor(nn.Module):
    """Predicts the remaining displacement error at every cell of 8 x 8 pixels of a network grid of 400.

    It sees the fixed and the warped image by features that contrast changes little (`seen`), their local correlation over small
    shifts at three resolutions, and the slopes of the field.

    Parameters
    ----------
    width : int
        Channels of the trunk.

    References
    ----------
    Eppenhof and Pluim, Error estimation of deformable image registration of pulmonary CT scans using convolutional neural
    networks, J. Med. Imaging 5, 2018.
    """

    def __init__(self, width: int = 48):
        super().__init__()
        self.width = width
        self.fine = nn.Sequential(_convolution(CHANNELS, 12, stride=2), _convolution(12, 16))
        self.middle = nn.Sequential(_convolution(16, 32, stride=2), _convolution(32, 32))
        self.coarse = nn.Sequential(_convolution(32, 32, stride=2), _convolution(32, 32))
        volumes = sum((2 * radius + 1) ** 2 for radius in _RADII.values())
        self.narrow = nn.Sequential(nn.Conv2d(volumes + 32 + _MEASURES, width, 1), nn.LeakyReLU(0.1, inplace=True))
        self.join = _convolution(width, width)
        self.down = nn.Sequential(_convolution(width, width, stride=2), _convolution(width, width))
        self.deep = nn.Sequential(_convolution(width, width, stride=2), _convolution(width, width))
        self.whole = nn.Linear(2 * width, width)
        self.up = _convolution(3 * width, width)
        self.out = nn.Conv2d(2 * width, 3, 3, padding=1)
        nn.init.zeros_(self.out.bias)

    def forward(self, fixed: Tensor, moved: Tensor, field_px: Tensor) -> Predicted:
        """Predict the errors of fields.

        Parameters
        ----------
        fixed : Tensor (B or 1, 2, 200, 200)
            Grey values in [0, 1], and 1 where they are defined.
        moved : Tensor (B, 2, 200, 200)
            The warped moving image, likewise.
        field_px : Tensor (B, 2, 50, 50)
            Means of the displacement over the cells, in pixels of a network grid of 400.
        """
        return self.compare(self.describe(fixed), self.describe(moved), field_px)

    def describe(self, image: Tensor) -> Described:
        """What is compared of images (B, 2, 200, 200): that of a fixed image serves all fields of its pair."""
        features = seen(*image.split(1, dim=1))
        fine = self.fine(features)
        middle = self.middle(fine)
        return Described(image[:, 1:], features, (fine, middle, self.coarse(middle)))

    def compare(self, fixed: Described, moved: Described, field_px: Tensor) -> Predicted:
        """Predict the errors of fields from described images, as `forward` does."""
        volumes = [self._volume(*levels) for levels in zip(fixed.levels, moved.levels, strict=True)]
        unlike = (fixed.levels[1] - moved.levels[1]).abs()
        shown = fixed.weight * moved.weight
        measures = _measures(fixed.features, moved.features, shown, field_px)
        joined = self.join(self.narrow(torch.cat((*volumes, unlike, measures), dim=1)))
        down = self.down(joined)
        deep = self.deep(down)
        seen_part = functional.adaptive_avg_pool2d(shown, deep.shape[-2:])
        mean = (deep * seen_part).sum((2, 3)) / seen_part.sum((2, 3)).clamp(min=1e-3)
        most = (deep - 1e3 * (seen_part < 0.5).to(deep)).amax((2, 3)).clamp(min=-10)
        whole = self.whole(torch.cat((mean, most), dim=1))[:, :, None, None].expand(-1, -1, *down.shape[-2:])
        up = self.up(torch.cat((down, _enlarged(deep, down), whole), dim=1))
        raw = self.out(torch.cat((joined, _enlarged(up, joined)), dim=1))
        median = raw[:, 0]
        bound = median + functional.softplus(raw[:, 1])
        return Predicted(_error(median), _error(bound), _error(raw[:, 2]))

    @staticmethod
    def _volume(fixed: Tensor, moved: Tensor) -> Tensor:
        side = fixed.shape[-1]
        found = local_correlation(fixed.expand(len(moved), -1, -1, -1), moved, _RADII[side])
        if side > CELLS:
            return functional.avg_pool2d(found, side // CELLS)
        if side == CELLS:
            return found
        return functional.interpolate(found, size=(CELLS, CELLS), mode="bilinear", align_corners=False)


def _error(raw: Tensor) -> Tensor:
    """Pixels, of any number: the logarithm of the error and a floor lies between limits that it nears smoothly."""
    lowest, highest = _RANGE
    return ((highest - lowest) * torch.sigmoid(raw) + lowest).exp() - _SMALLEST_PX


def logarithm(error_px: Tensor) -> Tensor:
    """The scale on which errors are predicted."""
    return (error_px + _SMALLEST_PX).log()


_MEASURES = 2 * (len(_SHIFTS) + 2) + 4 + 4 + 2 + 1


def _measures(first: Tensor, second: Tensor, shown: Tensor, field_px: Tensor) -> Tensor:
    """Correlations of grey values at small shifts and of directions at two sizes of neighbourhood, energies, slopes, cover."""
    products = [first[:, :1] * shown * _moved_by(second[:, :1], shift) for shift in _SHIFTS]
    for part in (slice(1, 3), slice(3, 5)):
        products.append((first[:, part] * second[:, part]).sum(1, keepdim=True) * shown)
    energies = [
        image[:, part].square().sum(1, keepdim=True) * shown
        for part in (slice(0, 1), slice(1, 3), slice(3, 5))
        for image in (first, second)
    ]
    products, energies, weight = _cells(torch.cat((*products, *energies, shown), 1)).split(
        (len(products), len(energies), 1), dim=1
    )
    found = []
    for side in (3, 9):
        near, power = _mean(products, side), _mean(energies, side)
        norms = [(power[:, 2 * index] * power[:, 2 * index + 1]).clamp(min=0).sqrt() + 1e-2 for index in range(3)]
        kinds = [0] * len(_SHIFTS) + [1, 2]
        found.append(torch.stack([near[:, number] / norms[kind] for number, kind in enumerate(kinds)], dim=1))
    levels = (_mean(energies[:, :4], 3) + 1e-2).log()
    slopes = torch.cat((_slope(field_px, 2), _slope(field_px, 3)), dim=1) / (2 * 2 * CELL)
    ripple = (field_px - _mean(field_px, 5)) / 4
    return torch.cat((*found, levels, 4 * slopes, ripple, weight), dim=1)


def _cells(values: Tensor) -> Tensor:
    return functional.avg_pool2d(values, CELL)


def _mean(values: Tensor, side: int) -> Tensor:
    return functional.avg_pool2d(values, side, 1, side // 2, count_include_pad=False)


def _slope(values: Tensor, axis: int) -> Tensor:
    padded = functional.pad(values, (0, 0, 1, 1) if axis == 2 else (1, 1, 0, 0), mode="replicate")
    length = values.shape[axis]
    return padded.narrow(axis, 2, length) - padded.narrow(axis, 0, length)


def _moved_by(image: Tensor, shift: tuple[int, int]) -> Tensor:
    if shift == (0, 0):
        return image
    return functional.pad(image, (max(shift[1], 0), max(-shift[1], 0), max(shift[0], 0), max(-shift[0], 0)))[
        ...,
        max(-shift[0], 0) : max(-shift[0], 0) + image.shape[-2],
        max(-shift[1], 0) : max(-shift[1], 0) + image.shape[-1],
    ]


def _enlarged(values: Tensor, like: Tensor) -> Tensor:
    return functional.interpolate(values, size=like.shape[-2:], mode="bilinear", align_corners=False)
