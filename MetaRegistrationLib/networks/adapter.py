"""Makes a foreign registration network answer as ours do."""

from __future__ import annotations

import inspect

import torch
from torch import Tensor, nn


class DisplacementAdapter(nn.Module):
    """Call any `torch.nn.Module` as ``network(moving, fixed) -> displacement_px``.

    A module with one required input gets moving and fixed concatenated (B, 2, H, W); of several outputs the last one with
    the shape of a displacement counts (MONAI's `VoxelMorph` returns warped image and displacement).

    Raises
    ------
    ValueError
        On the first call, when no output is a displacement (B, 2, H, W).
    """

    def __init__(self, module: nn.Module):
        super().__init__()
        self.module = module
        self._concatenated = _required_inputs(module) == 1

    def forward(self, moving: Tensor, fixed: Tensor) -> Tensor:
        """Displacement (B, 2, H, W) in pixels for images (B, 1, H, W)."""
        output = self.module(torch.cat((moving, fixed), dim=1)) if self._concatenated else self.module(moving, fixed)
        outputs = list(output) if isinstance(output, (tuple, list)) else [output]
        expected = (moving.shape[0], 2, *moving.shape[-2:])
        for candidate in reversed(outputs):
            if isinstance(candidate, Tensor) and tuple(candidate.shape) == expected:
                return candidate
        shapes = [tuple(c.shape) if isinstance(c, Tensor) else type(c).__name__ for c in outputs]
        raise ValueError(f"{type(self.module).__name__}: expected a displacement of shape {expected}, got {shapes}")


def _required_inputs(module: nn.Module) -> int:
    parameters = inspect.signature(module.forward).parameters.values()
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return sum(p.kind in positional and p.default is inspect.Parameter.empty for p in parameters)
