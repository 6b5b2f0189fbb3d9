"""Where jobs run: in Qt's event loop, or in a plain loop for programs and tests without Qt."""

from __future__ import annotations

import heapq
import itertools
import time
from collections.abc import Callable, Mapping
from types import ModuleType

from .subprocess_process import SubprocessProcess


class QtHost:
    """Processes and timers of Qt.

    Parameters
    ----------
    qt : module
        Slicer's `qt`.
    """

    def __init__(self, qt: ModuleType) -> None:
        self._qt = qt

    def process(self, environment: Mapping[str, str]) -> object:
        """A new QProcess."""
        variables = self._qt.QProcessEnvironment()
        for name, value in environment.items():
            variables.insert(name, value)
        process = self._qt.QProcess()
        process.setProcessEnvironment(variables)
        return process

    def single_shot(self, milliseconds: int, function: Callable[[], None]) -> None:
        """Call `function` once, later."""
        self._qt.QTimer.singleShot(milliseconds, function)


class PlainHost:
    """Processes of `subprocess`, and timers, that live while `run_until` runs."""

    _POLL_S = 0.01

    def __init__(self) -> None:
        self._processes: list[SubprocessProcess] = []
        self._timers: list[tuple[float, int, Callable[[], None]]] = []
        self._count = itertools.count()

    def process(self, environment: Mapping[str, str]) -> SubprocessProcess:
        """A new process."""
        process = SubprocessProcess()
        process.setProcessEnvironment(environment)
        self._processes.append(process)
        return process

    def single_shot(self, milliseconds: int, function: Callable[[], None]) -> None:
        """Call `function` once, later."""
        heapq.heappush(self._timers, (time.monotonic() + milliseconds / 1000, next(self._count), function))

    def poll(self) -> None:
        """Make the calls that are due."""
        while self._timers and self._timers[0][0] <= time.monotonic():
            heapq.heappop(self._timers)[2]()
        for process in tuple(self._processes):
            process.poll()

    def run_until(self, condition: Callable[[], bool], timeout_s: float) -> bool:
        """Work until `condition()` holds (True) or the time is over (False)."""
        end = time.monotonic() + timeout_s
        while not condition():
            if time.monotonic() > end:
                return False
            self.poll()
            time.sleep(self._POLL_S)
        return True
