"""Pairs or eyes on several cores: one process a core, each with a registrar of its own and one thread."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client, Connection, Listener, wait
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..progress import Message
from .child import DOOR, ERROR, READY
from .pair_work import given_up

RETRIES = 3
"""How often a pair is tried again after a process that worked on it has died."""
_MOST = 60 if os.name == "nt" else None
"""Windows waits for 63 processes at most."""
_POLL_S = 0.2
_ENDING_S = 2.0


@dataclass
class Tries:
    """How often each pair or eye (`word`) was tried, and what is said when a worker dies."""

    word: str = "pair"
    deaths: dict[int, int] = field(default_factory=dict)

    def again(self, index: int) -> bool:
        """Count a death on a pair; whether the pair is tried again."""
        self.deaths[index] = self.deaths.get(index, 0) + 1
        return self.deaths[index] <= RETRIES

    def message(self, index: int, name: str, how: str) -> Message:
        """What is said of a death."""
        return Message(f"{name}: {how}. The {self.word} is tried again ({self.deaths[index]} of {RETRIES}).", "warning")


@dataclass(eq=False)
class _Worker:
    process: subprocess.Popen
    connection: Connection | None = None
    ready: bool = False
    pair: int | None = None

    def how_it_ended(self) -> str:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(_ENDING_S)
        code = self.process.returncode
        if code is not None and code < 0:
            with contextlib.suppress(ValueError):
                return f"the process that registered it was ended by {signal.Signals(-code).name} (too little memory?)"
        return f"the process that registered it ended with code {code}"

    def end(self) -> None:
        """Close the connection, at which the process ends itself. End the process if it does not."""
        if self.connection is not None:
            self.connection.close()
        self.process.terminate()
        try:
            self.process.wait(_ENDING_S)
        except subprocess.TimeoutExpired:
            self.process.kill()


class _Door:
    """Where new processes report: a pipe or a socket of this machine, with a key.

    Not the pipes of `multiprocessing`: inside Slicer, a launcher stands between, which passes no open files on.
    """

    def __init__(self) -> None:
        self._key = os.urandom(32)
        self._listener = Listener(backlog=64, authkey=self._key)
        self._came: queue.SimpleQueue[tuple[str, Connection]] = queue.SimpleQueue()
        self._open = True
        threading.Thread(target=self._accept, daemon=True).start()

    def environment(self, token: str) -> dict[str, str]:
        """What a new process needs to report here."""
        library = str(Path(__file__).resolve().parents[2])
        return {
            **os.environ,
            "OMP_NUM_THREADS": "1",
            "PYTHONPATH": os.pathsep.join([library, *(path for path in sys.path if path and path != library)]),
            "PYTHONSAFEPATH": "1",  # a user's file random.py in the working folder must not be imported
            DOOR: json.dumps([self._listener.address, self._key.hex(), token]),
        }

    def arrivals(self) -> Iterator[tuple[str, Connection]]:
        """The processes that have reported, by their token, and their connections."""
        while not self._came.empty():
            yield self._came.get()

    def close(self) -> None:
        """Let nobody in any more."""
        if not self._open:
            return
        self._open = False
        with contextlib.suppress(OSError, EOFError):
            Client(self._listener.address, authkey=self._key).close()  # ends the wait for the next one
        self._listener.close()

    def _accept(self) -> None:
        while self._open:
            try:
                connection = self._listener.accept()
                self._came.put((connection.recv(), connection))
            except (OSError, EOFError, AuthenticationError):
                continue


class Processes:
    """Works on pairs or eyes in several processes; a context manager.

    Parameters
    ----------
    settings : bytes
        As of `sending.sent`.
    count : int
        Number of processes; no more than 60 are started on Windows.
    word : str
        "pair" or "eye".
    given_up : callable
        Gives the outcome of an item whose process died too often, by its name, how it ended and how often.

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

    def __init__(
        self, settings: bytes, count: int, word: str = "pair", given_up: Callable[[str, str, int], Any] = given_up
    ) -> None:
        self._settings, self._word, self._given_up = settings, word, given_up
        self._count = count if _MOST is None else min(count, _MOST)
        self._workers: list[_Worker] = []
        self._tokens: dict[str, _Worker] = {}
        self._died_at_start = 0
        self.record: dict = {}

    def __enter__(self) -> Processes:
        self._door = _Door()
        try:
            self._workers = [self._started() for _ in range(self._count)]
            while not any(worker.ready for worker in self._workers):
                self._take()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def stop(self) -> None:
        """As of `engines.Engine`."""
        self._door.close()
        for worker in self._workers:
            if worker.connection is not None:
                worker.connection.close()
        for worker in self._workers:
            worker.end()
        self._workers = []

    def run(
        self, files: Sequence[Any], folder_of: Callable[[Any], Path | None], tell: Callable[[Message], None]
    ) -> Iterator[tuple[int, Any]]:
        """The outcomes of pairs or eyes with their positions, in the order in which they are done.

        Parameters
        ----------
        files : sequence of PairFiles or Eye
        folder_of : callable
            The folder for the files of an item; None for no files.
        tell : callable
            Takes a message on a process that died.
        """
        waiting, tries, left = deque(range(len(files))), Tries(self._word), len(files)
        while left:
            for worker in self._workers:
                if waiting and worker.ready and worker.pair is None:
                    index = waiting.popleft()
                    folder = folder_of(files[index])
                    worker.pair = index
                    with contextlib.suppress(OSError):  # a dead one is found below
                        worker.connection.send((files[index], folder))
            for index, outcome in self._take():
                if not isinstance(outcome, str):
                    left -= 1
                    yield index, outcome
                elif tries.again(index):
                    tell(tries.message(index, files[index].name, outcome))
                    waiting.appendleft(index)
                else:
                    left -= 1
                    yield index, self._given_up(files[index].name, outcome, RETRIES + 1)

    def _take(self) -> list[tuple[int, Any]]:
        """What has come within a moment: outcomes, or how the process of an item ended."""
        found = []
        for token, connection in self._door.arrivals():
            worker = self._tokens.pop(token, None)
            if worker is not None:
                worker.connection = connection
                connection.send((sys.path, self._settings))
        open_ones = {worker.connection: worker for worker in self._workers if worker.connection is not None}
        # Not longer at once: a request to stop that is no signal does not end the wait.
        if not open_ones:
            time.sleep(_POLL_S)
        for connection in wait(open_ones, _POLL_S):
            worker = open_ones[connection]
            try:
                kind, content = connection.recv()
            except (EOFError, OSError):
                if worker.pair is not None:
                    found.append((worker.pair, worker.how_it_ended()))
                self._replace(worker)
                continue
            if kind == ERROR:
                raise content
            if kind == READY:
                worker.ready, self.record = True, self.record or content
                self._died_at_start = 0
            else:
                found.append((worker.pair, content))
                worker.pair = None
        for worker in [each for each in self._workers if each.connection is None and each.process.poll() is not None]:
            self._replace(worker)
        return found

    def _replace(self, worker: _Worker) -> None:
        if not worker.ready:
            self._died_at_start += 1
            if self._died_at_start > RETRIES:
                how = worker.how_it_ended().replace(" that registered it", "")
                raise InputError(
                    f"{self._word.capitalize()}s cannot be registered in processes of their own: {how}.", field="jobs"
                )
        worker.end()
        self._workers[self._workers.index(worker)] = self._started()

    def _started(self) -> _Worker:
        # Inside Slicer, the running program may be Slicer itself.
        python, token = shutil.which("PythonSlicer") or sys.executable, uuid.uuid4().hex
        # Ctrl+C in a terminal is for this process alone.
        windows = getattr(subprocess, "CREATE_NO_WINDOW", 0) | getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
        process = subprocess.Popen(
            [python, "-m", "MetaRegistrationLib.workflows.child"],
            env=self._door.environment(token),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            creationflags=windows,
            start_new_session=os.name != "nt",
        )
        worker = _Worker(process)
        self._tokens[token] = worker
        return worker
