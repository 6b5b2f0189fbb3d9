"""Displacements on tensors: warp, compose, Jacobian determinant.

Everywhere `displacement_px` is a tensor (B, 2, H, W), channels (row, column), in pixels of the grid that it lies on, and a
*pull* field: ``warped(x) = moving(x + displacement_px(x))``.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from .inverse import invert_points

__all__ = [
    "check_displacement",
    "compose",
    "exponential",
    "identity_grid",
    "invert_points",
    "jacobian_determinant",
    "sample",
    "sample_grid",
    "warp",
]


def check_displacement(displacement_px: Tensor, function: str) -> None:
    """Raise `ValueError` naming `function` unless `displacement_px` is (B, 2, H, W)."""
    if displacement_px.ndim != 4 or displacement_px.shape[1] != 2:
        raise ValueError(
            f"{function}: expected a displacement of shape (B, 2, H, W), got {tuple(displacement_px.shape)}"
        )


def identity_grid(height: int, width: int, *, like: Tensor) -> Tensor:
    """Pixel positions (1, 2, H, W), channels (row, column), on the device of `like`, in float32 or wider."""
    dtype = torch.promote_types(like.dtype, torch.float32)
    rows = torch.arange(height, device=like.device, dtype=dtype)
    columns = torch.arange(width, device=like.device, dtype=dtype)
    return torch.stack(torch.meshgrid(rows, columns, indexing="ij"))[None]


def sample(image: Tensor, positions: Tensor, *, padding: str = "zeros", mode: str = "bilinear") -> Tensor:
    """Values of `image` at pixel positions.

    Parameters
    ----------
    image : Tensor (B, C, H, W)
    positions : Tensor (B, 2, h, w)
        (row, column) in pixels of `image`, origin at the centre of the first pixel.
    padding : {"zeros", "border"}
        What lies beyond the image: zeros (fading over one pixel), or its edge values.
    mode : {"bilinear", "bicubic", "nearest"}

    Returns
    -------
    Tensor (B, C, h, w)
    """
    height, width = image.shape[-2:]
    rows = positions[:, 0] * (2.0 / max(height - 1, 1)) - 1.0
    columns = positions[:, 1] * (2.0 / max(width - 1, 1)) - 1.0
    return sample_grid(image, torch.stack((columns, rows), dim=1).permute(0, 2, 3, 1), padding=padding, mode=mode)


def sample_grid(image: Tensor, grid: Tensor, *, padding: str = "zeros", mode: str = "bilinear") -> Tensor:
    """As `sample`, at positions (B, h, w, 2) as `torch.nn.functional.grid_sample` takes them.

    They are (column, row), from -1 at the centre of the first pixel to 1 at that of the last one.
    """
    if padding == "border" and _lacks_border(grid.device):
        # Just below 1: at 1 itself the gradient would be that of the fading zeros.
        grid, padding = grid.clamp(-1, 1 - 2**-24), "zeros"
    return functional.grid_sample(image.to(grid.dtype), grid, mode=mode, padding_mode=padding, align_corners=True)


def _lacks_border(device: torch.device) -> bool:
    return device.type == "mps"  # Apple GPUs, before torch 2.13


def warp(image: Tensor, displacement_px: Tensor, *, padding: str = "zeros", mode: str = "bilinear") -> Tensor:
    """The spatial transformer: ``warped(x) = image(x + displacement_px(x))``.

    Parameters
    ----------
    image : Tensor (B, C, H, W)
    displacement_px : Tensor (B, 2, H, W)
    padding, mode
        As in `sample`.

    Returns
    -------
    Tensor (B, C, H, W), float32 or wider

    References
    ----------
    Jaderberg et al., Spatial transformer networks, NeurIPS 2015.
    """
    check_displacement(displacement_px, "warp")
    if image.shape[-2:] != displacement_px.shape[-2:]:
        raise ValueError(
            f"warp: expected image and displacement of one size, got {tuple(image.shape)} and {tuple(displacement_px.shape)}"
        )
    rows, columns = displacement_px.to(torch.promote_types(displacement_px.dtype, torch.float32)).unbind(1)
    (own_rows, row), (own_columns, column) = (_normalised(extent, like=rows) for extent in image.shape[-2:])
    # One step for each axis, where the sum of positions and displacement would take three; apart, for faster copies and reads.
    grid = (torch.add(own_columns, columns, alpha=column), torch.add(own_rows[:, None], rows, alpha=row))
    return sample_grid(image, torch.stack(grid, dim=1).permute(0, 2, 3, 1), padding=padding, mode=mode)


def _normalised(extent: int, *, like: Tensor) -> tuple[Tensor, float]:
    """Positions of pixels along an axis, from -1 to 1, and the length of a pixel."""
    pixel = 2.0 / max(extent - 1, 1)
    return torch.arange(extent, device=like.device, dtype=like.dtype) * pixel - 1.0, pixel


def compose(first: Tensor, second: Tensor) -> Tensor:
    """The one displacement that warps as `first` and then `second` do: ``second(x) + first(x + second(x))``.

    Both are (B, 2, H, W). Beyond the grid `first` keeps its edge value.
    """
    check_displacement(first, "compose")
    check_displacement(second, "compose")
    return second + warp(first, second, padding="border")


def exponential(velocity_px: Tensor, squarings: int) -> Tensor:
    """Displacement of the flow along a stationary velocity (B, 2, H, W) for unit time, by scaling and squaring.

    The velocity is divided by ``2 ** squarings`` and the small displacement composed with itself so many times.
    ``exponential(-velocity_px, n)`` is the inverse.

    References
    ----------
    Arsigny et al., A log-Euclidean framework for statistics on diffeomorphisms, MICCAI 2006.
    """
    displacement_px = velocity_px / 2**squarings
    for _ in range(squarings):
        displacement_px = compose(displacement_px, displacement_px)
    return displacement_px


def jacobian_determinant(displacement_px: Tensor) -> Tensor:
    """Determinant (B, H-1, W-1) of the Jacobian of ``x + displacement_px(x)``, by forward differences.

    A value at or below zero means folding.
    """
    check_displacement(displacement_px, "jacobian_determinant")
    down = displacement_px[:, :, 1:, :-1] - displacement_px[:, :, :-1, :-1]
    right = displacement_px[:, :, :-1, 1:] - displacement_px[:, :, :-1, :-1]
    return (1 + down[:, 0]) * (1 + right[:, 1]) - right[:, 0] * down[:, 1]
