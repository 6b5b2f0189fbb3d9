"""Makes a foreign registration network answer as ours do."""

from __future__ import annotations

import inspect

import torch
from torch import Tensor, nn

from ..errors import InputError

_OUT_OF_MEMORY = ("DefaultCPUAllocator", "out of memory")
_ADVICE = (
    "Choose a network that maps (moving, fixed), or both as two channels, to a displacement (B, 2, H, W), or other"
    " settings of it."
)


class DisplacementAdapter(nn.Module):
    """Call any `torch.nn.Module` as ``network(moving, fixed) -> displacement_px``.

    A module with one required input gets moving and fixed concatenated (B, 2, H, W); of several outputs the last one with
    the shape of a displacement counts (MONAI's `VoxelMorph` returns warped image and displacement).

    Raises
    ------
    InputError
        The module does not take two images, or no output is a displacement (B, 2, H, W).
    """

    def __init__(self, module: nn.Module):
        super().__init__()
        self.module = module
        self._concatenated = _required_inputs(module) == 1
        self._answered = False
        self._name = f"The network {type(module).__name__}"

    def forward(self, moving: Tensor, fixed: Tensor) -> Tensor:
        """Displacement (B, 2, H, W) in pixels for images (B, 1, H, W)."""
        output = self._answer(moving, fixed)
        outputs = list(output) if isinstance(output, (tuple, list)) else [output]
        expected = (moving.shape[0], 2, *moving.shape[-2:])
        for candidate in reversed(outputs):
            if isinstance(candidate, Tensor) and tuple(candidate.shape) == expected:
                return candidate
        shapes = [tuple(c.shape) if isinstance(c, Tensor) else type(c).__name__ for c in outputs]
        raise InputError(f"{self._name}: expected a displacement of shape {expected}, got {shapes}. {_ADVICE}")

    def _answer(self, moving: Tensor, fixed: Tensor) -> object:
        inputs = (torch.cat((moving, fixed), dim=1),) if self._concatenated else (moving, fixed)
        try:
            output = self.module(*inputs)
        # What modules raise for inputs that they were not made for; once one has answered, an error is something else.
        except (TypeError, ValueError, RuntimeError, LookupError, AttributeError, AssertionError) as error:
            words = " ".join(str(error).split())
            if self._answered or any(part in words for part in _OUT_OF_MEMORY):
                raise
            shapes = [tuple(tensor.shape) for tensor in inputs]
            raise InputError(
                f"{self._name}: it does not take images of shape {shapes} ({words[:200]}). {_ADVICE}"
            ) from error
        self._answered = True
        return output


def _required_inputs(module: nn.Module) -> int:
    try:
        parameters = inspect.signature(module.forward).parameters.values()
    except ValueError:  # compiled by TorchScript
        return 2
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return sum(p.kind in positional and p.default is inspect.Parameter.empty for p in parameters)
