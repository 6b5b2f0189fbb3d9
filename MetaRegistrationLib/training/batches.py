"""Batches of pairs as tensors, drawn by number: here, or ahead of time by other processes while the network computes."""

from __future__ import annotations

import signal
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from ..errors import InputError, TrainingStopped
from ..tasks import Task, TaskPair

_AHEAD = 4
"""Draws that each process has ready."""

T = TypeVar("T")


@dataclass(frozen=True)
class Batch:
    """Pairs for one optimisation step.

    Attributes
    ----------
    moving, fixed : Tensor (B, 1, size, size)
        Float32.
    truth_px : Tensor (B, 2, size, size) or None
        The displacements that are known; NaN for pairs of which it is not, None when it is known of none.
    """

    moving: Tensor
    fixed: Tensor
    truth_px: Tensor | None

    @staticmethod
    def of(pairs: Sequence[TaskPair]) -> Batch:
        """The pairs as tensors in memory."""
        moving, fixed = (
            torch.from_numpy(np.stack(images).astype(np.float32, copy=False))[:, None]
            for images in zip(*((pair.moving, pair.fixed) for pair in pairs), strict=True)
        )
        if all(pair.displacement_px is None for pair in pairs):
            return Batch(moving, fixed, None)
        unknown = np.full((2, *moving.shape[-2:]), np.nan, np.float32)
        fields = [unknown if pair.displacement_px is None else pair.displacement_px for pair in pairs]
        return Batch(moving, fixed, torch.from_numpy(np.stack(fields).astype(np.float32, copy=False)))

    def _each(self, change: Callable[[Tensor], Tensor]) -> Batch:
        truth_px = None if self.truth_px is None else change(self.truth_px)
        return replace(self, moving=change(self.moving), fixed=change(self.fixed), truth_px=truth_px)

    def to(self, device: torch.device) -> Batch:
        """The batch on a device."""
        return self._each(lambda tensor: tensor.to(device, non_blocking=True))

    def pin_memory(self) -> Batch:
        """The batch in memory from which a GPU copies while it computes."""
        return self._each(Tensor.pin_memory)


def draw_batch(task: Task, rng: np.random.Generator, step: int, size: int) -> Batch:
    """`size` random training pairs of a task."""
    return Batch.of([task.training_pair(rng, step) for _ in range(size)])


class Drawn:
    """Numbered draws: made when they are asked for, or ahead of time by processes or threads. All give the same ones.

    Parameters
    ----------
    draw : callable
        Gives the draw of a number; it depends on nothing else. With workers it is sent to each of them (pickled).
    numbers : sequence of int
        All that will be asked for, rising; one that is out of turn makes the workers begin anew from there.
    workers : int
        Processes. Each holds what it has read of the tasks' files in a memory of its own.
    threads : int
        Threads instead of processes: they start at once and share the read images, for short trainings.
    pinned : bool
        Draws are wanted on a GPU.

    Raises
    ------
    TrainingStopped
        A worker died, for want of memory for example.
    """

    def __init__(
        self,
        draw: Callable[[int], T],
        numbers: Sequence[int],
        *,
        workers: int = 0,
        threads: int = 0,
        pinned: bool = False,
    ):
        self._draw, self._numbers, self._pinned = draw, numbers, pinned
        self._workers, self._threads = workers, threads
        self._ready: Iterator | None = None
        self._position = 0

    def __call__(self, number: int) -> T:
        """The draw of a number."""
        if not (self._workers or self._threads):
            return self._draw(number)
        if self._ready is None or self._numbers[self._position] != number:
            self._position = bisect_left(self._numbers, number)
            left = self._numbers[self._position :]
            self._ready = self._by_processes(left) if self._workers else _by_threads(self._draw, left, self._threads)
        drawn = next(self._ready)
        self._position = min(self._position + 1, len(self._numbers) - 1)
        return drawn

    def _by_processes(self, left: Sequence[int]) -> Iterator[T]:
        loader = DataLoader(
            _Numbered(self._draw),
            batch_size=None,
            sampler=left,
            num_workers=self._workers,
            prefetch_factor=_AHEAD,
            multiprocessing_context="spawn",  # as Windows has it; a forked copy of a GPU's process cannot be relied on
            worker_init_fn=_leave_ctrl_c_to_the_parent,
            pin_memory=self._pinned,
        )
        try:
            for drawn in loader:
                if isinstance(drawn, Exception):
                    raise drawn
                yield drawn
        except RuntimeError as error:
            raise TrainingStopped(
                f"A process that draws pairs was lost ({str(error).splitlines()[0]}).",
                field="workers",
                advice="Give fewer {field}.",
            ) from error


def _by_threads(draw: Callable[[int], T], left: Sequence[int], threads: int) -> Iterator[T]:
    """The draws of the numbers that are left, some of them made ahead; what a draw raises is raised when it is asked for."""
    with ThreadPoolExecutor(threads, thread_name_prefix="draws") as pool:
        ahead: deque = deque()
        numbers = iter(left)
        try:
            while True:
                while len(ahead) < 2 * threads and (number := next(numbers, None)) is not None:
                    ahead.append(pool.submit(draw, number))
                if not ahead:
                    return
                yield ahead.popleft().result()
        finally:
            for future in ahead:
                future.cancel()


class _Numbered(Dataset):
    """`draw` as a data set; an error for the user comes back as it is, not as a traceback in another process's words."""

    def __init__(self, draw: Callable[[int], T]):
        self._draw = draw

    def __getitem__(self, number: int) -> T | InputError:
        try:
            return self._draw(number)
        except InputError as error:
            return error


def _leave_ctrl_c_to_the_parent(worker: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the run ends its step and saves; it needs its draws for that
