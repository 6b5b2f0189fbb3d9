"""SIGTERM, by which batch systems, containers and `kill` end a program, stops a command as Ctrl-C does."""

from __future__ import annotations

import signal
import threading
from types import FrameType

from ..training.interruption import Repeats


class Termination:
    """Context in which SIGTERM stops the work exactly as Ctrl-C does.

    `requested` says whether that happened. A program that handles or ignores SIGTERM itself keeps its way, and so do processes
    that the command starts. Outside the main thread signals cannot be caught, and the context does nothing.
    """

    def __init__(self) -> None:
        self.requested = False
        self._installed = False
        self._repeats = Repeats()

    def __enter__(self) -> Termination:
        in_main = threading.current_thread() is threading.main_thread()
        if in_main and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
            signal.signal(signal.SIGTERM, self._stop)
            self._installed = True
        return self

    def __exit__(self, *exception: object) -> None:
        if self._installed:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        if not self._repeats(number):  # one more would end what puts files and processes away
            self.requested = True
            raise KeyboardInterrupt
