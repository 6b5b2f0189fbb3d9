"""Limits repeated work during a run, such as writing tables, to 2 % of the time."""

from __future__ import annotations

import time
from collections.abc import Callable

_SHARE = 0.02  # of the time of a run


class NowAndThen:
    """Does work if it is due: some seconds after the last time, and later if the work takes long.

    Parameters
    ----------
    every_s : float
        The least seconds between.
    """

    def __init__(self, every_s: float) -> None:
        self._every_s = every_s
        self._due = time.monotonic() + every_s

    def __call__(self, work: Callable[[], object]) -> None:
        """Do it if it is due."""
        if time.monotonic() < self._due:
            return
        began = time.monotonic()
        work()
        ended = time.monotonic()
        self._due = ended + max(self._every_s, (ended - began) / _SHARE)
