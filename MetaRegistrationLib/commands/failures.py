"""What a failed run says, and its exit code."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..errors import InputError, TrainingStopped
from ..formats.files import FULL_DISK
from ..progress import ReaderGone

WRONG_USE = 2
STOPPED = 3
SOME_LEFT_OUT = 4  # done, but for pairs that the messages and summary.json name
INTERRUPTED = 130


@dataclass(frozen=True)
class Failure:
    """An exit code and a message for the user; `word` says what happened in one word."""

    code: int
    message: str
    word: str = "error"


def explain(
    error: BaseException, output: Path | None = None, saved: Path | str | None = None, *, has_device: bool = True
) -> Failure | None:
    """The failure that `error` stands for, or None when it is a bug that deserves its traceback.

    Parameters
    ----------
    error : BaseException
        What a command raised.
    output : Path, optional
        Folder that the command writes to, named when the error itself names no file.
    saved : path, optional
        The last checkpoint of the run, named when the user can go on from it.
    has_device : bool
        Whether the command has the option --device.
    """
    if isinstance(error, InputError):
        return Failure(WRONG_USE, str(error))
    if isinstance(error, TrainingStopped):
        return Failure(STOPPED, str(error), "stopped")
    if isinstance(error, (ReaderGone, BrokenPipeError)):
        return Failure(INTERRUPTED, "nobody reads the output any more." + _go_on(saved), "stopped")
    if isinstance(error, KeyboardInterrupt):
        return Failure(INTERRUPTED, "interrupted." + _go_on(saved), "stopped")
    if _out_of_memory(error):
        advice = "Close other programs" + (" or choose another --device." if has_device else ".")
        return Failure(WRONG_USE, f"Out of memory. {advice}" + _go_on(saved))
    if isinstance(error, OSError) and error.errno in FULL_DISK:
        place = error.filename or output or "a file"
        return Failure(
            STOPPED, f"The disk is full: could not write {place}. Free some space." + _go_on(saved), "stopped"
        )
    if isinstance(error, PermissionError) and error.filename:
        return Failure(
            WRONG_USE, f"{error.filename}: permission denied. Check the file's rights or choose another one."
        )
    return None


def _go_on(saved: Path | str | None) -> str:
    return "" if saved is None else f" The last save is {saved}; the same command with --resume goes on from there."


def _out_of_memory(error: BaseException) -> bool:
    # torch is not imported here, so its error is known by name; on a CPU and on MPS torch has only words for it.
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    words = ("DefaultCPUAllocator", "out of memory")
    return isinstance(error, RuntimeError) and any(word in str(error) for word in words)
