"""Where and how precisely a network computes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from ..errors import InputError
from ..words import counted

_DRAWING_THREADS = 8
"""A simulated repeat visit takes a core some 35 ms, a step on a fast GPU 3 to 6."""


def choose_device(name: str = "auto") -> torch.device:
    """The device of a name: auto (CUDA, else the CPU), cpu, cuda, cuda:N or mps.

    Raises
    ------
    InputError
        There is no such device here.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise InputError(f"{{field}} {name}: expected auto, cpu, cuda, cuda:N or mps.", field="device") from error
    if device.type == "cuda" and not torch.cuda.is_available():
        raise InputError(
            f"{{field}} {name}: this PyTorch ({torch.__version__}) sees no CUDA GPU.",
            field="device",
            advice="Use {field} cpu.",
        )
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        found = counted(torch.cuda.device_count(), "CUDA GPU")
        raise InputError(
            f"{{field}} {name}: this machine has {found}, counted from 0.", field="device", advice="Choose another one."
        )
    if device.type == "mps" and not torch.backends.mps.is_available():
        raise InputError(
            "{field} mps: this machine or PyTorch has no Apple GPU.", field="device", advice="Use {field} cpu."
        )
    return device


def mixed_precision_available(device: torch.device) -> bool:
    """Whether the device computes convolutions in bfloat16 faster than in float32."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported()
    if device.type == "cpu":
        return any(
            getattr(torch.cpu, probe, lambda: False)()
            for probe in ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
        )
    return False


@contextmanager
def precision_context(device: torch.device, mixed: bool) -> Iterator[None]:
    """Context in which a network runs in bfloat16 where it pays (`mixed`), else in float32."""
    kind = device.type if device.type != "mps" else "cpu"
    # PyTorch keeps bfloat16 copies of weights until the outermost autocast ends. A caller's may last for all steps.
    torch.clear_autocast_cache()
    try:
        with torch.autocast(kind, dtype=torch.bfloat16, enabled=mixed, cache_enabled=True):
            yield
    finally:
        torch.clear_autocast_cache()


def to_device(network: nn.Module, device: torch.device) -> nn.Module:
    """Move a network to the device, in the memory format in which its 2D convolutions are fastest."""
    return network.to(device, memory_format=torch.channels_last)


def drawing_threads(device: torch.device) -> int:
    """Threads that draw pairs ahead while the device computes; none where that is the processor itself."""
    return 0 if device.type == "cpu" else max(1, min(_DRAWING_THREADS, (os.cpu_count() or 1) - 1))


def as_batch(images: list, device: torch.device) -> Tensor:
    """Arrays (H, W) as one tensor (B, 1, H, W), float32."""
    return torch.stack([torch.as_tensor(image, dtype=torch.float32, device=device) for image in images])[:, None]
