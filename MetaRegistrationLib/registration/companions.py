"""The networks whose fields are candidates: that of the checkpoint, and the shipped ones that suit its images."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import torch
from torch import Tensor, nn

from ..checkpoints import Checkpoint, load_checkpoint, same_weights
from ..resources import companion_checkpoints
from ..training.devices import to_device

OWN = "checkpoint"
"""What a network without a file is called."""


@dataclass(frozen=True, eq=False)
class NamedNetwork:
    """A network.

    Attributes
    ----------
    name : str
        What the record calls it; each network of a registration has another one.
    network : callable
        ``network(moving, fixed) -> displacement_px`` on tensors (1, 1, size, size) and (1, 2, size, size).
    second : bool
        Whether it is also run a second time, after the best field.
    """

    name: str
    network: Callable[[Tensor, Tensor], Tensor]
    second: bool = False


def networks_of(
    checkpoint: Checkpoint, network: Callable[[Tensor, Tensor], Tensor], device: torch.device
) -> list[NamedNetwork]:
    """The network of a checkpoint, then the shipped ones whose fields are candidates beside its own.

    Parameters
    ----------
    checkpoint : Checkpoint
    network : callable
        Its network, as of `NamedNetwork`.
    device : torch.device
        Where the others run.
    """
    others = companions(checkpoint, device)
    name = _name(checkpoint, [each.name for each in others])
    return [NamedNetwork(name, network, second=bool(others) and not any(each.second for each in others)), *others]


def _name(checkpoint: Checkpoint, taken: Collection[str]) -> str:
    """The name of a checkpoint's network; one of a file that is called as a shipped one of other weights is marked."""
    name = checkpoint.path.stem if checkpoint.path else OWN
    return f"{name} ({OWN})" if name in taken else name


def companions(checkpoint: Checkpoint, device: torch.device) -> list[NamedNetwork]:
    """The shipped networks whose fields are candidates beside that of a checkpoint.

    They have its architecture and see the same network grid. The same weights are not run twice.
    """
    own = checkpoint.build_preprocessing()
    found = []
    for path in companion_checkpoints():
        other, network = _shipped(path, device)
        preprocessing = other.build_preprocessing()
        alike = (own.size, own.equalise, own.bins) == (preprocessing.size, preprocessing.equalise, preprocessing.bins)
        if other.network["name"] == checkpoint.network["name"] and alike and not same_weights(other, checkpoint):
            found.append(NamedNetwork(path.stem, network, second=not other.knows_contrasts))
    return found


@lru_cache(maxsize=8)
def _shipped(path: Path, device: torch.device) -> tuple[Checkpoint, nn.Module]:
    checkpoint = load_checkpoint(path)
    return checkpoint, to_device(checkpoint.build(), device).eval()
