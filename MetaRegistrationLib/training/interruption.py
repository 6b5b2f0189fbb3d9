"""Stopping at the end of a step when the user asks, so that no update is torn."""

from __future__ import annotations

import signal
import threading
from types import FrameType


class Interruption:
    """Context in which Ctrl-C (and termination, where the system has it) is remembered instead of raised.

    `requested` says whether the user asked to stop. A second Ctrl-C stops at once. Outside the main thread signals
    cannot be caught, and the context does nothing.
    """

    _SIGNALS = ("SIGINT", "SIGTERM", "SIGBREAK")

    def __init__(self) -> None:
        self.requested = False
        self._previous: dict[int, object] = {}

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
        if self.requested:
            raise KeyboardInterrupt
        self.requested = True
