"""A run over several pairs or eyes stops on a disk that is full, or takes no files any more: every later one would fail too."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import InputError, RunStopped
from ..formats.files import disk_error
from ..words import counted


def raise_if_full(error: BaseException) -> None:
    """Raise an error of the disk behind `error` as a plain one, which a process can send; do nothing for other errors.

    Raises
    ------
    OSError
        The disk is full, or takes no files any more.
    """
    full = disk_error(error)
    if full is not None:
        raise OSError(full.errno, full.strerror) from error


@contextmanager
def stopped_by_the_disk(output: Path, finished: Callable[[], int], total: int, word: str) -> Iterator[None]:
    """Stop the run on a disk that is full or takes no files any more, with advice on how it goes on.

    Parameters
    ----------
    output : Path
    finished : callable
        Gives how many items are finished.
    total : int
        Number of all items.
    word : str
        "pair" or "eye".

    Raises
    ------
    RunStopped
        What was finished before is whole.
    """
    try:
        yield
    except (OSError, InputError) as error:
        full = disk_error(error)
        if full is None:
            raise
        verb = "is" if total == 1 else "are"
        problem = (
            f"Could not write to {output}: {full.strerror}. {finished()} of {counted(total, word)} {verb} finished."
        )
        raise _stopped(problem, full.errno) from error


def _stopped(problem: str, code: int | None) -> RunStopped:
    if code == errno.EROFS:
        return RunStopped(problem, field="resume", advice="Make the folder writable and continue with {field}.")
    if code == errno.EFBIG:
        return RunStopped(
            problem, field="resume", advice="Raise the limit for the size of files and continue with {field}."
        )
    return RunStopped(problem, field="resume", advice="Free some space and continue with {field}.")
