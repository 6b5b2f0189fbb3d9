"""Several processes, as torchrun starts them, that share one training."""

from __future__ import annotations

import atexit
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import TypeVar

import torch
import torch.distributed as dist
from torch import Tensor

from ..errors import InputError, TrainingStopped
from ..words import counted
from .step import NonFiniteLoss

_PATIENCE = timedelta(hours=1)
"""How long a process waits for one that lives: the first one validates while the others wait."""

T = TypeVar("T")


class ProcessLost(TrainingStopped):
    """Another process of the run ended without a word, or cannot be reached any more."""


class Group:
    """The processes that share a training; as it stands, this one alone.

    All processes must call `sum`, `gather`, `any`, `together` and `in_first` in one order.

    Parameters
    ----------
    rank : int
        This process's number, from 0.
    size : int
        Number of processes.
    """

    def __init__(self, rank: int = 0, size: int = 1):
        self.rank, self.size = rank, size

    @property
    def first(self) -> bool:
        """Whether this is the process that validates, saves and reports."""
        return self.rank == 0

    def share(self, count: int) -> range:
        """Which of `count` pieces of work are this process's."""
        return range(self.rank, count, self.size)

    def sum(self, tensor: Tensor) -> None:
        """Replace a tensor by its sum over all processes."""

    def gather(self, value: object) -> list:
        """The value of each process, in the order of their ranks."""
        return [value]

    def any(self, wanted: bool) -> bool:
        """Whether any process wants it; the same answer for all."""
        votes = torch.tensor([float(wanted)])
        self.sum(votes)
        return bool(votes)

    def together(self, work: Callable[..., T], *arguments: object) -> T:
        """Result of `work(*arguments)`; what it raises in one process is raised in all, so that none waits in vain."""
        result, failure = None, None
        try:
            result = work(*arguments)
        except Exception as error:
            failure = error
        if self.any(failure is not None):
            told = self.gather(self._portable(failure))
            raise failure or next(error for error in told if error is not None)
        return result

    def in_first(self, work: Callable[..., object], *arguments: object) -> None:
        """Do it in the first process while the others wait; what it raises there is raised in all."""
        self.together(lambda: work(*arguments) if self.first else None)

    def _portable(self, failure: Exception | None) -> Exception | None:
        if failure is None or isinstance(failure, (InputError, TrainingStopped, NonFiniteLoss)):
            return failure
        return TrainingStopped(f"Process {self.rank} of the run failed: {type(failure).__name__}: {failure}")

    def leave(self) -> None:
        """Let this process end; torchrun takes one that ends early for one that failed, so the others wait for the first."""


class TorchGroup(Group):
    """The processes of `torch.distributed`'s default group."""

    def sum(self, tensor: Tensor) -> None:
        """Replace a tensor by its sum over all processes."""
        with _told_when_lost():
            dist.all_reduce(tensor)

    def gather(self, value: object) -> list:
        """The value of each process, in the order of their ranks."""
        values = [None] * self.size
        with _told_when_lost():
            dist.all_gather_object(values, value)
        return values

    def leave(self) -> None:
        """Wait until the first process has said its last word and is gone."""
        if not self.first:
            with suppress(RuntimeError):  # it never sends anything; its end closes the connection
                dist.recv(torch.zeros(1), src=0)


@contextmanager
def _told_when_lost() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        raise ProcessLost("Another process of the run was lost, so the run was stopped.") from error


def started_in_group() -> bool:
    """Whether torchrun, or a program like it, started this process together with others."""
    return {"RANK", "LOCAL_RANK", "MASTER_ADDR"} <= os.environ.keys() and int(os.environ.get("WORLD_SIZE", "1")) > 1


def join(device: str) -> tuple[Group, str]:
    """The group that this process was started in (itself alone without torchrun), and which device it is to use.

    Parameters
    ----------
    device : str
        auto, cpu, cuda, cuda:N or mps. Of several processes on one machine each gets a CUDA GPU of its own.

    Raises
    ------
    InputError
        There are more processes than GPUs, or this PyTorch cannot join processes.
    """
    if not started_in_group():
        return Group(), device
    if not (dist.is_available() and dist.is_gloo_available()):
        raise InputError(f"This PyTorch ({torch.__version__}) cannot join processes (no gloo). Start without torchrun.")
    device = own_device(device, int(os.environ["LOCAL_RANK"]))
    backend = "gloo"
    if device != "cpu":
        torch.cuda.set_device(device)
        # What the processes agree on goes through gloo, which notices at once when one of them dies.
        backend = "cpu:gloo,cuda:nccl" if dist.is_nccl_available() else backend
    dist.init_process_group(backend, timeout=_PATIENCE)
    atexit.register(_end)
    return TorchGroup(dist.get_rank(), dist.get_world_size()), device


def _end() -> None:
    with suppress(RuntimeError):
        dist.destroy_process_group()


def own_device(device: str, local_rank: int) -> str:
    """The device of process number `local_rank` of this machine: its own CUDA GPU, or the CPU."""
    if device not in ("auto", "cuda", "cpu"):
        raise InputError(
            f"{{field}} {device}: of several processes each takes its own GPU.",
            field="device",
            advice="Say auto, cuda or cpu.",
        )
    if device == "cpu" or (device == "auto" and not torch.cuda.is_available()):
        return "cpu"
    found = torch.cuda.device_count()
    if local_rank >= found:
        raise InputError(
            f"torchrun started at least {local_rank + 1} processes here, and this machine has "
            f"{counted(found, 'CUDA GPU')}.",
            field="device",
            advice="Start as many (torchrun's nproc_per_node) as there are GPUs, or use {field} cpu.",
        )
    return f"cuda:{local_rank}"
