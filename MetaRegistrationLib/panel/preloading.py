"""PyTorch is imported in the background once the module is open and idle: the first registration then does not wait for it."""

from __future__ import annotations

import importlib
import logging
import sys
import threading
from collections.abc import Callable
from typing import Any

_IDLE_MS = 1500
_TURN_MS, _TURN_S = 5, 0.01  # the window's time between two turns of the thread, and a turn


class Preloading:
    """Imports torch in a thread.

    Slicer's event loop holds Python's lock, so that a thread would stand still. A timer gives it turns that are too short to be
    noticed. Code that needs torch meanwhile waits for the rest of the import, by the rules of Python's import system.

    Parameters
    ----------
    host : jobs.job.Host
        Gives the timers.
    is_there : callable
        Whether torch is installed.
    load : callable, optional
        What the thread does.
    """

    def __init__(self, host: Any, is_there: Callable[[], bool], load: Callable[[], object] | None = None) -> None:
        self._host, self._is_there = host, is_there
        self._load = load or _import_torch
        self._thread: threading.Thread | None = None
        self._waiting = self._closed = False

    @property
    def running(self) -> bool:
        """Whether the thread works."""
        return self._thread is not None and self._thread.is_alive()

    def start_when_idle(self, is_open: Callable[[], bool]) -> None:
        """Begin after a while, if `is_open()` holds then: the module was opened."""
        if not (self._waiting or self._closed or self._thread is not None):
            self._waiting = True
            self._host.single_shot(_IDLE_MS, lambda: self._begin(is_open))

    def close(self) -> None:
        """The module goes away. An import that has begun is awaited: Python must not end amid one."""
        self._closed = True
        if self._thread is not None:
            self._thread.join()

    def _begin(self, is_open: Callable[[], bool]) -> None:
        self._waiting = False
        if self._closed or "torch" in sys.modules or not is_open() or not self._is_there():
            return
        self._thread = threading.Thread(target=self._work, name="MetaRegistration: import of PyTorch")
        self._thread.start()
        self._give_turns()

    def _work(self) -> None:
        try:
            self._load()
        except Exception as error:  # the same import says it where it is needed
            logging.getLogger(__name__).info("PyTorch was not imported in the background: %s", error)

    def _give_turns(self) -> None:
        if self.running and not self._closed:
            self._thread.join(_TURN_S)
            self._host.single_shot(_TURN_MS, self._give_turns)


def _import_torch() -> None:
    importlib.import_module("torch")
