"""Checkpoint, network, stages and device as the public functions take them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..checkpoints import Checkpoint
from ..errors import InputError
from ..networks import as_network
from ..numeric import whole
from ..stages import Stages
from ..workflows.registrars import RegistrarOptions


def registrar_options(checkpoint: Any, network: Any, stages: Any, device: Any) -> RegistrarOptions:
    """What registers.

    Raises
    ------
    InputError
        A value is of another type, or a checkpoint or network is given that the stages do not use.
    """
    stages = Stages() if stages is None else stages
    if not isinstance(stages, Stages):
        raise InputError(f"stages: expected Stages, such as Stages(refine=0); got {stages!r:.80}.")
    given = [name for name, value in (("checkpoint", checkpoint), ("network", network)) if value is not None]
    if given and not stages.network:
        raise InputError(f"{given[0]}: expected None, since `stages` leaves the network out. Leave one of them out.")
    return RegistrarOptions(checked_checkpoint(checkpoint), checked_network(network), stages, checked_device(device))


def checked_checkpoint(checkpoint: Any) -> Path | str | Checkpoint | None:
    """A checkpoint by path, by name or as an object, or None."""
    if checkpoint is None or isinstance(checkpoint, (str, Path, Checkpoint)):
        return checkpoint
    raise InputError(
        f"checkpoint: expected a path, a name or a Checkpoint, got {type(checkpoint).__name__}."
        " A torch module is given as `network`."
    )


def checked_network(network: Any) -> Any:
    """A torch module, or None."""
    if network is not None:
        as_network(network)
    return network


def checked_device(device: Any) -> str:
    """The name of a device."""
    if isinstance(device, str) or type(device).__name__ == "device":
        return str(device)
    raise InputError(f"device: expected auto, cpu, cuda, cuda:N or mps, got {device!r}.")


@contextmanager
def random_numbers_kept() -> Iterator[None]:
    """Context after which torch's random numbers on the CPU go on as they were: new networks draw weights."""
    import torch

    with torch.random.fork_rng(devices=[]):
        yield


def whole_number(value: Any, name: str, least: int) -> int:
    """A whole number of at least `least`; NumPy's are taken too."""
    number = whole(value)
    if number is None or number < least:
        raise InputError(f"{name}: expected a whole number of at least {least}, got {value!r}.")
    return number
