"""Pairs on several cores: one process a core, each with a registrar of its own and one thread."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import pickle
import shutil
import signal
import sys
import threading
import types
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import InputError
from ..progress import Message
from .child import ERROR, READY, serve
from .pair_work import PairDone, WorkSettings, given_up

if TYPE_CHECKING:
    from ..pairs.files import PairFiles

RETRIES = 3
"""How often a pair is tried again after a process that worked on it has died."""
_POLL_S = 0.2
_ENDING_S = 2.0


def portable(settings: WorkSettings) -> bytes | None:
    """The settings as bytes that another process understands; None for objects that live in this one alone."""
    options = settings.registrar
    if options.network is not None or "__main__" in str(getattr(options.checkpoint, "network", "")):
        return None
    try:
        return pickle.dumps(settings)
    except (pickle.PicklingError, AttributeError, TypeError):
        return None


@dataclass
class Tries:
    """How often each pair was tried, and what is said when a worker dies."""

    deaths: dict[int, int] = field(default_factory=dict)

    def again(self, index: int) -> bool:
        """Count a death on a pair; whether the pair is tried again."""
        self.deaths[index] = self.deaths.get(index, 0) + 1
        return self.deaths[index] <= RETRIES

    def message(self, index: int, name: str, how: str) -> Message:
        """What is said of a death."""
        return Message(f"{name}: {how}. The pair is tried again ({self.deaths[index]} of {RETRIES}).", "warning")


@dataclass(eq=False)
class _Worker:
    process: BaseProcess
    connection: Connection
    ready: bool = False
    pair: int | None = None

    def how_it_ended(self) -> str:
        self.process.join(_ENDING_S)
        code = self.process.exitcode
        if code is not None and code < 0:
            with contextlib.suppress(ValueError):
                return f"the process that registered it was ended by {signal.Signals(-code).name} (too little memory?)"
        return f"the process that registered it ended with code {code}"


class Processes:
    """Works on pairs in several processes; a context manager.

    Parameters
    ----------
    settings : bytes
        As of `portable`.
    count : int
        Number of processes.

    Attributes
    ----------
    record : dict
        Of the registrar, from the process that is ready first.

    Raises
    ------
    Exception
        Whatever the registrar of a process raises as it is made.
    """

    staged = True
    """Whether files are written into folders from which they are moved into place."""

    def __init__(self, settings: bytes, count: int) -> None:
        self._settings, self._count = settings, count
        self._workers: list[_Worker] = []
        self._died_at_start = 0
        self.record: dict = {}

    def __enter__(self) -> Processes:
        try:
            self._workers = [_started(self._settings) for _ in range(self._count)]
            while not any(worker.ready for worker in self._workers):
                self._take()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        for worker in self._workers:
            worker.connection.close()
        for worker in self._workers:
            worker.process.terminate()
        for worker in self._workers:
            worker.process.join(_ENDING_S)
            if worker.process.is_alive():
                worker.process.kill()
        self._workers = []

    def run(
        self, files: Sequence[PairFiles], folder_of: Callable[[PairFiles], Path | None], tell: Callable[[Message], None]
    ) -> Iterator[tuple[int, PairDone]]:
        """The outcomes of pairs with their positions, in the order in which they are done.

        Parameters
        ----------
        files : sequence of PairFiles
        folder_of : callable
            The folder for the files of a pair; None for no files.
        tell : callable
            Takes a message on a process that died.
        """
        waiting, tries, left = deque(range(len(files))), Tries(), len(files)
        while left:
            for worker in self._workers:
                if waiting and worker.ready and worker.pair is None:
                    index = waiting.popleft()
                    worker.pair = index
                    with contextlib.suppress(OSError):  # a dead one is found below
                        worker.connection.send((files[index], folder_of(files[index])))
            for index, outcome in self._take():
                if isinstance(outcome, PairDone):
                    left -= 1
                    yield index, outcome
                elif tries.again(index):
                    tell(tries.message(index, files[index].name, outcome))
                    waiting.appendleft(index)
                else:
                    left -= 1
                    yield index, given_up(files[index].name, outcome, RETRIES + 1)

    def _take(self) -> list[tuple[int, PairDone | str]]:
        """What has come within a moment: outcomes of pairs, or how the process of a pair ended."""
        found = []
        # Not longer at once: a request to stop that is no signal does not end the wait.
        come = wait([worker.connection for worker in self._workers], _POLL_S)
        for position, worker in enumerate(self._workers):
            if worker.connection not in come:
                continue
            try:
                kind, content = worker.connection.recv()
            except (EOFError, OSError):
                if worker.pair is not None:
                    found.append((worker.pair, worker.how_it_ended()))
                self._replace(position, worker)
                continue
            if kind == ERROR:
                raise content
            if kind == READY:
                worker.ready, self.record = True, self.record or content
                self._died_at_start = 0
            else:
                found.append((worker.pair, content))
                worker.pair = None
        return found

    def _replace(self, position: int, worker: _Worker) -> None:
        if not worker.ready:
            self._died_at_start += 1
            if self._died_at_start > RETRIES:
                how = worker.how_it_ended().replace(" that registered it", "")
                raise InputError(f"Pairs cannot be registered in processes of their own: {how}.", field="jobs")
        worker.connection.close()
        self._workers[position] = _started(self._settings)


def _started(settings: bytes) -> _Worker:
    context = multiprocessing.get_context("spawn")
    python = shutil.which("PythonSlicer")
    if python:  # inside Slicer, sys.executable may be Slicer itself
        context.set_executable(python)
    ours, theirs = context.Pipe()
    process = context.Process(target=serve, args=(theirs, settings), daemon=True)
    with _without_main(), _one_thread_each(), _interrupts_ignored():
        process.start()
    theirs.close()
    return _Worker(process, ours)


@contextlib.contextmanager
def _without_main() -> Iterator[None]:
    """Let new processes not run the main module again, which may be a script without a guard."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = types.ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


@contextlib.contextmanager
def _one_thread_each() -> Iterator[None]:
    before = os.environ.get("OMP_NUM_THREADS")
    os.environ["OMP_NUM_THREADS"] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ["OMP_NUM_THREADS"]
        else:
            os.environ["OMP_NUM_THREADS"] = before


@contextlib.contextmanager
def _interrupts_ignored() -> Iterator[None]:
    """New processes inherit that they ignore Ctrl+C, so that none is interrupted while it begins."""
    if os.name == "nt" or threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.SIG_DFL if before is None else before)
