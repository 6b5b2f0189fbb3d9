"""Memory that was freed stays with the process for a while."""

from __future__ import annotations

import ctypes
import os
import sys
from functools import cache

_TRIM, _MAP = -1, -3
"""M_TRIM_THRESHOLD and M_MMAP_THRESHOLD of glibc's malloc.h."""
_KEPT, _MAPPED = 64 << 20, 16 << 20


@cache
def keep_freed_memory() -> bool:
    """Let the C library keep up to 64 MB that was freed; whether it does.

    A registration takes and frees some thousand maps of about 1 MB. By default glibc gives such memory back to the system, asks
    for it again, and the system clears each page: a tenth of the time of a pair. What is larger than 16 MB is given back as
    ever. Whoever has set one of these limits (`MALLOC_TRIM_THRESHOLD_`, `MALLOC_MMAP_THRESHOLD_`) keeps it. On Windows and
    macOS nothing is done.
    """
    if sys.platform != "linux" or {"MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_"} & os.environ.keys():
        return False
    set_limit = getattr(ctypes.CDLL(None), "mallopt", None)  # other C libraries lack it
    return bool(set_limit and set_limit(_TRIM, _KEPT) and set_limit(_MAP, _MAPPED))
