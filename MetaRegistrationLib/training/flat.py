"""Tensors as one vector, which processes can add up at once."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def flat(tensors: Sequence[Tensor]) -> Tensor:
    """All values in one vector, without their gradients."""
    return torch.cat([tensor.detach().reshape(-1) for tensor in tensors])


def like(vector: Tensor, tensors: Sequence[Tensor]) -> list[Tensor]:
    """Inverse of `flat`, for tensors of the same shapes."""
    parts = vector.split([tensor.numel() for tensor in tensors])
    return [part.view(tensor.shape).to(tensor.dtype) for part, tensor in zip(parts, tensors, strict=True)]


def fill(tensors: Sequence[Tensor], vector: Tensor) -> None:
    """Copy a vector of `flat` into the tensors."""
    with torch.no_grad():
        for tensor, value in zip(tensors, like(vector, tensors), strict=True):
            tensor.copy_(value)
