"""Stopping at the end of a step when the user asks, so that no update is torn."""

from __future__ import annotations

import signal
import threading
import time
from types import FrameType

_ONE_REQUEST_S = 5.0


class Repeats:
    """Tells the signals of one request from those of further ones.

    `timeout` and batch systems send SIGTERM to a program and to its group, which it belongs to: it gets two at once.
    """

    def __init__(self) -> None:
        self._first: tuple[int, float] | None = None

    def __call__(self, number: int) -> bool:
        """Whether a signal that came now is a SIGTERM within 5 s of a first one."""
        if self._first is None:
            self._first = number, time.monotonic()
            return False
        first, since = self._first
        return first == number == signal.SIGTERM and time.monotonic() - since < _ONE_REQUEST_S


class Interruption:
    """Context in which Ctrl-C (and termination, where the system has it) is remembered instead of raised.

    `requested` says whether the user asked to stop. A second request stops at once. Outside the main thread signals
    cannot be caught, and the context does nothing.
    """

    _SIGNALS = ("SIGINT", "SIGTERM", "SIGBREAK")

    def __init__(self) -> None:
        self.requested = False
        self._previous: dict[int, object] = {}
        self._repeats = Repeats()

    def __enter__(self) -> Interruption:
        if threading.current_thread() is threading.main_thread():
            for name in self._SIGNALS:
                number = getattr(signal, name, None)
                if number is not None:
                    self._previous[number] = signal.signal(number, self._remember)
        return self

    def __exit__(self, *exception: object) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def _remember(self, number: int, frame: FrameType | None) -> None:
        if self._repeats(number):
            return
        if self.requested:
            raise KeyboardInterrupt
        self.requested = True
