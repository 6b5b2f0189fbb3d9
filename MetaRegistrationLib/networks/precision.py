"""Which parts of a network stay in float32 in mixed precision."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch


def without_autocast(device_type: str) -> AbstractContextManager:
    """Context in which a part of a network runs in the precision of its inputs."""
    # Apple GPUs, which never run in mixed precision here, are unknown to autocast before torch 2.5.
    return torch.autocast(device_type, enabled=False) if device_type in ("cpu", "cuda") else nullcontext()
