"""One training step of each library, as a function without arguments, for `step_time.py`.

Every method gets the same pair of images (batch 1), Adam at 1e-4 in PyTorch's default form, local cross-correlation in a
9 x 9 window plus the squared gradient of the displacement with weight 1, no integration of a velocity, the warp at full
resolution, and reads its loss back each step, as the libraries' training scripts do. The networks of the others have the
16 channels at full resolution that both libraries start with, and the widths elsewhere that bring them nearest to the
parameter count of ours; a network of four halvings is the deepest that 400 pixels allow.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from MetaRegistrationLib.core.losses import RegistrationLoss
from MetaRegistrationLib.networks.registry import count_parameters
from MetaRegistrationLib.networks.voxelmorph import VoxelMorph
from MetaRegistrationLib.training.devices import mixed_precision_available, precision_context, to_device
from MetaRegistrationLib.training.step import OptimisationStep

LEARNING_RATE = 1e-4


@dataclass(frozen=True)
class Method:
    """A training step and what it is."""

    name: str
    settings: str
    parameters: int
    step: Callable[[], float]


def ours(moving: Tensor, fixed: Tensor) -> Method:
    """MetaRegistration as its commands train: channels last, bfloat16 where the processor has it."""
    mixed = mixed_precision_available(moving.device)
    network = to_device(VoxelMorph(), moving.device)
    return _ours("MetaRegistration", network, moving, fixed, mixed)


def ours_plain(moving: Tensor, fixed: Tensor) -> Method:
    """The same in float32 and PyTorch's default memory format."""
    return _ours("MetaRegistration, plain", VoxelMorph().to(moving.device), moving, fixed, mixed=False)


def _ours(name: str, network: VoxelMorph, moving: Tensor, fixed: Tensor, mixed: bool) -> Method:
    optimiser = torch.optim.Adam(network.parameters(), lr=LEARNING_RATE)
    step = OptimisationStep(RegistrationLoss(), moving.device, mixed)
    channels_last = network.displacement.weight.is_contiguous(memory_format=torch.channels_last)
    settings = f"{'bfloat16' if mixed else 'float32'}, {'channels last' if channels_last else 'contiguous'}"
    return Method(name, settings, count_parameters(network), lambda: step(network, optimiser, moving, fixed).loss)


def voxelmorph(moving: Tensor, fixed: Tensor) -> Method:
    """voxelmorph's pairwise network, NCC and gradient penalty (the latter two live in its companion neurite).

    Raises
    ------
    ImportError
        voxelmorph is not installed.
    """
    import neurite
    import voxelmorph as vxm

    network = vxm.nn.models.VxmPairwise(
        ndim=2, source_channels=1, target_channels=1, nb_features=(16, 32, 32, 44), integration_steps=0
    ).to(moving.device)
    similarity = neurite.nn.modules.NCC(window_size=9, keepdims=False)
    penalty = neurite.nn.modules.SpatialGradient("l2")

    def loss() -> Tensor:
        displacement, warped = network(moving, fixed, return_warped_source=True)
        return -similarity(fixed, warped) + penalty(displacement)

    return Method("voxelmorph", "float32, contiguous", count_parameters(network), _plain_step(network, loss))


def monai(moving: Tensor, fixed: Tensor) -> Method:
    """MONAI's VoxelMorph, local cross-correlation and diffusion penalty.

    Raises
    ------
    ImportError
        MONAI is not installed.
    """
    from monai.losses import DiffusionLoss, LocalNormalizedCrossCorrelationLoss
    from monai.networks.nets import VoxelMorph as MonaiVoxelMorph
    from monai.networks.nets import VoxelMorphUNet

    backbone = VoxelMorphUNet(
        spatial_dims=2,
        in_channels=2,
        unet_out_channels=16,
        channels=(16, 32, 32, 32, 32, 32, 32, 32),
        final_conv_channels=(16, 16),
    )
    with warnings.catch_warnings():  # that it falls back on PyTorch's own grid_sample, as everybody's does
        warnings.simplefilter("ignore")
        network = MonaiVoxelMorph(backbone, integration_steps=0, half_res=False, spatial_dims=2).to(moving.device)
    similarity = LocalNormalizedCrossCorrelationLoss(spatial_dims=2, kernel_size=9).to(moving.device)
    penalty = DiffusionLoss()

    def loss() -> Tensor:
        warped, displacement = network(moving, fixed)
        return similarity(warped, fixed) + penalty(displacement)

    return Method("MONAI", "float32, contiguous", count_parameters(network), _plain_step(network, loss))


def _plain_step(network: torch.nn.Module, loss: Callable[[], Tensor]) -> Callable[[], float]:
    """The training loop of tutorials: loss, backward, Adam."""
    optimiser = torch.optim.Adam(network.parameters(), lr=LEARNING_RATE)

    def step() -> float:
        value = loss()
        optimiser.zero_grad()
        value.backward()
        optimiser.step()
        return value.item()

    return step


def parts_of_ours(moving: Tensor, fixed: Tensor, clock: Callable[[], float]) -> Callable[[], dict[str, float]]:
    """A function that runs one step of `ours` and returns the seconds of its parts.

    Parameters
    ----------
    moving, fixed : Tensor (1, 1, H, W)
    clock : callable
        Seconds, once the device has done all it was given.
    """
    device = moving.device
    mixed = mixed_precision_available(device)
    network, loss = to_device(VoxelMorph(), device), RegistrationLoss()
    optimiser = torch.optim.Adam(network.parameters(), lr=LEARNING_RATE)

    def step() -> dict[str, float]:
        times = [clock()]
        with precision_context(device, mixed):
            displacement_px = network(moving, fixed)
        times.append(clock())
        total = loss(moving, fixed, displacement_px).total
        times.append(clock())
        # In two halves: the gradient of the displacement first, the network's from there.
        gradient = torch.autograd.grad(total, displacement_px)[0]
        times.append(clock())
        optimiser.zero_grad(set_to_none=True)
        displacement_px.backward(gradient)
        times.append(clock())
        optimiser.step()
        times.append(clock())
        names = ("forward", "loss", "loss, backward", "network, backward", "optimiser")
        return {name: after - before for name, before, after in zip(names, times, times[1:], strict=False)}

    return step
