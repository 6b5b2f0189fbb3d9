"""`--watch-stdin`: a parent program stops a command by closing its standard input, on every system."""

from __future__ import annotations

import _thread
import argparse
import os
import signal
import sys
import threading
from collections.abc import Callable

_ASK_AGAIN_S = 10.0
_POLL_S = 0.1


def add_watch_stdin(parser: argparse.ArgumentParser) -> None:
    """`--watch-stdin`; main adds it to every command. It is for programs, so `--help` does not show it."""
    parser.add_argument("--watch-stdin", action="store_true", help=argparse.SUPPRESS)


class StdinWatch:
    """Context in which the end of standard input, or a line `cancel` in it, stops the work exactly as Ctrl-C does.

    `requested` says whether that happened.
    """

    def __init__(self) -> None:
        self.requested = False
        self._ended = threading.Event()
        self._lock = threading.Lock()

    def __enter__(self) -> StdinWatch:
        _let_interrupts_through()
        if sys.stdin is not None:
            threading.Thread(target=self._watch, args=(sys.stdin.fileno(),), daemon=True).start()
        return self

    def __exit__(self, *exception: object) -> None:
        with self._lock:
            self._ended.set()

    def _watch(self, descriptor: int) -> None:
        wait_for_cancel(descriptor, self._ended.is_set)
        # Asked again after a while, because Python drops an interrupt that lands in a destructor or a callback.
        while self._ask():
            self._ended.wait(_ASK_AGAIN_S)

    def _ask(self) -> bool:
        with self._lock:
            if self._ended.is_set():
                return False
            self.requested = True
            _thread.interrupt_main(signal.SIGINT)
            return True


def wait_for_cancel(descriptor: int, ended: Callable[[], bool] = lambda: False) -> None:
    """Return when the file `descriptor` is at its end or brought a line `cancel`, or when `ended()` is true."""
    unread = b""
    while not ended():
        if not _would_return_at_once(descriptor):
            threading.Event().wait(_POLL_S)
            continue
        try:
            # Not sys.stdin: a thread that waits in it keeps its lock, and Python then aborts at its exit.
            chunk = os.read(descriptor, 4096)
        except OSError:
            return
        *lines, unread = (unread + chunk).split(b"\n")
        unread = unread[:4096]  # a longer line is none of ours; its end is not kept
        if not chunk or any(line.strip() == b"cancel" for line in lines):
            return


def _would_return_at_once(descriptor: int) -> bool:
    """Whether a read may be begun.

    On Windows a read that waits on a pipe holds up everybody who asks for that pipe's type, as the C libraries inside
    NumPy and torch do while they load: the import would hang. The pipe is therefore checked before it is read.
    """
    if os.name != "nt":
        return True
    import ctypes
    import msvcrt

    available = ctypes.c_ulong(0)
    handle = ctypes.c_void_p(msvcrt.get_osfhandle(descriptor))
    checked = ctypes.windll.kernel32.PeekNamedPipe(handle, None, 0, None, ctypes.byref(available), None)
    # A closed pipe, a file and a console cannot be checked; reading them is harmless.
    return not checked or available.value > 0


def _let_interrupts_through() -> None:
    """Undo an inherited "ignore Ctrl-C" (a program started in the background has it), which would swallow requests."""
    if threading.current_thread() is threading.main_thread() and not callable(signal.getsignal(signal.SIGINT)):
        signal.signal(signal.SIGINT, signal.default_int_handler)
