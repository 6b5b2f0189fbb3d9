"""Products of matrices in full float32, whatever the caller has set with `torch.set_float32_matmul_precision`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

import torch

_FULL = "highest"


class FullPrecision:
    """Gives contexts in which torch's setting is "highest". The caller's is back when the last one ends.

    The setting belongs to the whole process: threads share it.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._within = 0
        self._callers: str | None = None

    @contextmanager
    def __call__(self) -> Iterator[None]:
        """The context."""
        self._enter()
        try:
            yield
        finally:
            self._leave()

    def _enter(self) -> None:
        with self._lock:
            self._within += 1
            found = _setting()
            if found != _FULL:
                self._callers = found
                torch.set_float32_matmul_precision(_FULL)

    def _leave(self) -> None:
        with self._lock:
            self._within -= 1
            if self._within == 0 and self._callers is not None:
                if _setting() == _FULL:  # otherwise another thread has set it meanwhile
                    torch.set_float32_matmul_precision(self._callers)
                self._callers = None


def _setting() -> str:
    try:
        return str(torch.get_float32_matmul_precision())
    except RuntimeError:  # set for one kind of device, which torch does not read as one setting; it stays
        return _FULL


full_precision = FullPrecision()
