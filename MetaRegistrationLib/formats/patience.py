"""Files that another program holds for a moment."""

from __future__ import annotations

import errno
import time
from collections.abc import Callable
from pathlib import Path

_FOR_A_MOMENT = {errno.EACCES, errno.EBUSY, errno.EIO, getattr(errno, "ETXTBSY", errno.EBUSY)}
_PAUSES = (0.05, 0.15, 0.3, 0.5, 1.0)


def patiently(work: Callable[..., object], *paths: Path) -> None:
    """Do it, again after a moment if another program (a virus scanner, a share) blocks it.

    Raises
    ------
    OSError
        It still does after two seconds; the words say what it may be.
    """
    for pause in (*_PAUSES, None):
        try:
            work(*paths)
            return
        except OSError as error:
            if error.errno not in _FOR_A_MOMENT:
                raise
            if pause is None:
                reason = f"{error.strerror or error} (does another program, such as a virus scanner, hold the file?)"
                raise type(error)(error.errno, reason, str(paths[-1])) from error
            time.sleep(pause)
