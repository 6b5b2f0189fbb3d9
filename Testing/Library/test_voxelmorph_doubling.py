"""The network's shortcut for doubling and joining against the plain operations that define it."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from MetaRegistrationLib.networks.voxelmorph import VoxelMorph


def plain_forward(network: VoxelMorph, moving: torch.Tensor, fixed: torch.Tensor) -> torch.Tensor:
    """The displacement by repeating pixels, joining and convolving, for sizes that need no padding."""

    def joined(deeper: torch.Tensor, skip: torch.Tensor) -> torch.Tensor:
        return torch.cat((functional.interpolate(deeper, scale_factor=2, mode="nearest"), skip), dim=1)

    skips = [torch.cat((moving, fixed), dim=1)]
    for level in network.encoder:
        skips.append(level(skips[-1]))
    current = network.decoder[0](skips.pop())
    for level in network.decoder[1:]:
        current = level(joined(current, skips.pop()))
    current = joined(network.before_full(current), skips.pop())
    for layer in network.full_resolution:
        current = layer(current)
    return network.displacement(current)


@pytest.fixture
def network() -> VoxelMorph:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        made = VoxelMorph(encoder=(4, 6, 8), decoder=(8, 7, 5), full_resolution=(4, 3))
        torch.nn.init.normal_(made.displacement.weight)
    return made


def test_doubling_gives_the_displacement_and_gradients_of_the_plain_operations(network):
    generator = torch.Generator().manual_seed(1)
    moving, fixed, weights = (torch.rand(2, channels, 24, 40, generator=generator) for channels in (1, 1, 2))
    results = []
    for forward in (network, lambda *images: plain_forward(network, *images)):
        network.zero_grad()
        displacement = forward(moving, fixed)
        (displacement * weights).sum().backward()
        results.append([displacement.detach(), *(parameter.grad.clone() for parameter in network.parameters())])
    for ours, plain in zip(*results, strict=True):
        torch.testing.assert_close(ours, plain, rtol=1e-4, atol=1e-5 * float(plain.abs().max()))


def test_a_network_without_full_resolution_layers_is_refused():
    with pytest.raises(ValueError, match="full resolution"):
        VoxelMorph(full_resolution=())
