"""VoxelMorph for 2D images: the registration network of the paper."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from .precision import without_autocast
from .registry import register_network


def _convolution(inputs: int, outputs: int, *, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1), nn.LeakyReLU(0.2, inplace=True))


def _doubled_and_joined(layer: nn.Sequential, deeper: Tensor, skip: Tensor) -> Tensor:
    """What `layer` makes of `deeper`, its pixels repeated to twice the resolution, joined with `skip`.

    Convolving joined features is adding two convolutions, and repeating pixels before a 3 x 3 convolution is one transposed
    convolution with a 4 x 4 kernel: the same sums from less than half the products, and neither the repeated nor the
    joined features are ever stored. A training step on a CPU takes about half as long.
    """
    convolution, activation = layer
    weight, channels = convolution.weight, deeper.shape[1]
    doubled = functional.conv_transpose2d(deeper, _doubling_kernel(weight[:, :channels]), stride=2, padding=1)
    return activation(doubled + functional.conv2d(skip, weight[:, channels:], convolution.bias, padding=1))


def _doubling_kernel(weight: Tensor) -> Tensor:
    """Kernel (in, out, 4, 4) whose transposed convolution of stride 2 doubles, then convolves with (out, in, 3, 3)."""
    padded = functional.pad(weight.transpose(0, 1), (1, 1, 1, 1))
    rows = padded[:, :, :-1] + padded[:, :, 1:]
    return (rows[..., :-1] + rows[..., 1:]).flip(-2, -1)


@register_network("voxelmorph")
class VoxelMorph(nn.Module):
    """U-Net with skip connections that maps two images to a displacement, about 100k parameters as it stands.

    The encoder halves the resolution once a level; the decoder doubles it back, each time joined by the features of the
    encoder at that resolution, the two images themselves at the last.

    Parameters
    ----------
    encoder : sequence of int
        Channels of each level of the encoder.
    decoder : sequence of int
        Channels of the decoder: one convolution before each doubling, then one more at half resolution.
    full_resolution : sequence of int
        Channels of the convolutions at full resolution, before the displacement; at least one.

    Notes
    -----
    The last layer starts near zero (normal, 1e-5), so that an untrained network returns almost no displacement. It works
    in float32 whatever the precision of the rest: bfloat16 has steps of a sixteenth of a pixel at 10 px.

    References
    ----------
    Balakrishnan et al., VoxelMorph, IEEE TMI 38(8), 2019 (its second architecture).
    """

    def __init__(
        self,
        encoder: Sequence[int] = (16, 32, 32, 32),
        decoder: Sequence[int] = (32, 32, 32, 32),
        full_resolution: Sequence[int] = (16, 16),
    ):
        super().__init__()
        if not encoder or len(decoder) != len(encoder):
            raise ValueError(
                f"VoxelMorph: expected as many decoder as encoder levels (at least one), got {decoder} and {encoder}"
            )
        if not full_resolution:
            raise ValueError("VoxelMorph: expected at least one convolution at full resolution, got none")
        self.encoder = nn.ModuleList()
        channels = [2]
        for width in encoder:
            self.encoder.append(_convolution(channels[-1], width, stride=2))
            channels.append(width)
        self.decoder = nn.ModuleList()
        current = channels[-1]
        skips = [0, *reversed(channels[1:-1])]  # nothing joins the deepest level
        for width, skip in zip(decoder, skips, strict=True):
            self.decoder.append(_convolution(current + skip, width))
            current = width
        self.before_full = _convolution(current, current)
        self.full_resolution = nn.ModuleList()
        current += 2
        for width in full_resolution:
            self.full_resolution.append(_convolution(current, width))
            current = width
        self.displacement = nn.Conv2d(current, 2, 3, padding=1)
        nn.init.normal_(self.displacement.weight, std=1e-5)
        nn.init.zeros_(self.displacement.bias)

    def forward(self, moving: Tensor, fixed: Tensor) -> Tensor:
        """Displacement (B, 2, H, W) in pixels, float32, for images (B, 1, H, W) of any size."""
        images = torch.cat((moving, fixed), dim=1)
        height, width = images.shape[-2:]
        features = self._features(self._padded(images))
        with without_autocast(features.device.type):
            return self.displacement(features.float())[..., :height, :width]

    def _padded(self, images: Tensor) -> Tensor:
        multiple = 2 ** len(self.encoder)
        below, right = -images.shape[-2] % multiple, -images.shape[-1] % multiple
        return functional.pad(images, (0, right, 0, below), mode="replicate") if below or right else images

    def _features(self, images: Tensor) -> Tensor:
        skips = [images]
        for level in self.encoder:
            skips.append(level(skips[-1]))
        current = self.decoder[0](skips.pop())
        for level in self.decoder[1:]:
            current = _doubled_and_joined(level, current, skips.pop())
        current = _doubled_and_joined(self.full_resolution[0], self.before_full(current), skips.pop())
        for layer in self.full_resolution[1:]:
            current = layer(current)
        return current
