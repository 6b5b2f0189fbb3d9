"""Loss and gradients as CUDA graphs: the GPU repeats a recorded step, instead of launching each of its hundreds of kernels.

Only the network, the loss, the backward pass and the clipping are recorded. The optimiser stays outside (on a GPU it is a few
kernels for all parameters at once), so that a loss that is not finite is still seen before anything is updated, and that
Reptile can begin each task with a fresh Adam.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, fields

import torch
from torch import Tensor, nn

from ..progress import Message, Reader
from .step import OptimisationStep

_WARM_UP = 3

Gradients = Callable[..., Tensor]


class CapturedGradients:
    """`OptimisationStep.gradients` for images of one shape, recorded and repeated on a CUDA device.

    Parameters
    ----------
    compute : callable
        `OptimisationStep.gradients`.
    network : nn.Module
        Its parameters must stay where they are; their values may change.
    moving, fixed, truth_px : Tensor
        A batch, as `compute` takes it.

    Raises
    ------
    RuntimeError
        Something in the step cannot be recorded, or the recorded step gives other values.
    """

    def __init__(self, compute: Gradients, network: nn.Module, moving: Tensor, fixed: Tensor, truth_px: Tensor | None):
        self._parameters = list(network.parameters())
        self._inputs = [None if tensor is None else tensor.clone() for tensor in (moving, fixed, truth_px)]
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.device(moving.device):
            stream = torch.cuda.Stream()
            stream.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(stream):  # libraries choose their algorithms and allocate before the recording
                for _ in range(_WARM_UP):
                    network.zero_grad(set_to_none=True)
                    expected = compute(network, *self._inputs)
            torch.cuda.current_stream().wait_stream(stream)
            expected = expected.tolist()
            network.zero_grad(set_to_none=True)  # so that the recorded step makes gradients instead of adding to these
            # Only calls of this thread may break the recording, not those of the thread that watches over NCCL.
            with torch.cuda.graph(self._graph, stream=stream, capture_error_mode="thread_local"):
                self._values = compute(network, *self._inputs)
        self._gradients = [parameter.grad for parameter in self._parameters]
        check_alike(self(moving, fixed, truth_px).tolist(), expected)

    def __call__(self, moving: Tensor, fixed: Tensor, truth_px: Tensor | None) -> Tensor:
        """Gradients and values for a batch of the recorded shape; both are overwritten by the next call."""
        for recorded, tensor in zip(self._inputs, (moving, fixed, truth_px), strict=True):
            if recorded is not None:
                recorded.copy_(tensor)
        with torch.cuda.device(moving.device):
            self._graph.replay()
        for parameter, gradient in zip(self._parameters, self._gradients, strict=True):
            parameter.grad = gradient
        return self._values


def check_alike(recorded: list[float], expected: list[float]) -> None:
    """Raise `RuntimeError` unless a recorded step gave the values that it gives without recording.

    They may differ by as much as sums in any order do, in bfloat16 too. Values that are not finite pass: the step itself
    refuses them.
    """
    if not all(math.isfinite(value) for value in expected):
        return
    if not all(math.isclose(a, b, rel_tol=0.02, abs_tol=1e-4) for a, b in zip(recorded, expected, strict=True)):
        raise RuntimeError(f"it gives {recorded} instead of {expected}")


@dataclass(frozen=True)
class GraphedStep(OptimisationStep):
    """`OptimisationStep` that records each shape of a batch when it first comes; what cannot be recorded runs as ever.

    Attributes
    ----------
    progress : Reader
        Called with a message if nothing can be recorded.
    capture : callable
        Makes a recorded step: `CapturedGradients`, but for tests.
    """

    progress: Reader = field(kw_only=True)
    capture: Callable[..., Gradients] = CapturedGradients
    _recorded: dict = field(default_factory=dict, init=False, repr=False, compare=False)

    def gradients(self, network: nn.Module, moving: Tensor, fixed: Tensor, truth_px: Tensor | None = None) -> Tensor:
        """As `OptimisationStep.gradients`."""
        batch = (moving, fixed, truth_px)
        recorded = self._recorded_for(network, batch)
        return recorded(*batch) if recorded else super().gradients(network, *batch)

    def _recorded_for(self, network: nn.Module, batch: tuple[Tensor | None, ...]) -> Gradients | None:
        if None in self._recorded:  # it failed once
            return None
        key = (network, *(None if tensor is None else tensor.shape for tensor in batch))
        if key not in self._recorded:
            try:
                self._recorded[key] = self.capture(super().gradients, network, *batch)
            except RuntimeError as error:
                self._recorded.clear()
                self._recorded[None] = None
                network.zero_grad(set_to_none=True)
                reason = str(error).splitlines()[0] if str(error) else type(error).__name__
                text = f"The training step cannot be recorded as a CUDA graph ({reason}); it runs without."
                self.progress(Message(text, "warning"))
                return None
        return self._recorded[key]


def with_cuda_graph(step: OptimisationStep, choice: str, *, own_network: bool, progress: Reader) -> OptimisationStep:
    """The step with CUDA graphs, where `choice` and the device are for it.

    Parameters
    ----------
    step : OptimisationStep
    choice : {"auto", "off"}
    own_network : bool
        Whether the network is one of this library. Others may decide by the values of their images what they compute,
        which a recording would not notice.
    progress : Reader
    """
    if choice == "off" or step.device.type != "cuda" or not own_network:
        return step
    return GraphedStep(**{item.name: getattr(step, item.name) for item in fields(step)}, progress=progress)
