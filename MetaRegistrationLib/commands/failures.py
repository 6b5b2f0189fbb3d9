"""What a failed run says, and its exit code."""

from __future__ import annotations

import errno
from dataclasses import dataclass, replace
from pathlib import Path

from ..errors import InputError, RunStopped, UserError, told
from ..formats.files import FULL_DISK
from ..formats.output_folder import EarlierResultsError
from ..progress import Event, Message, ReaderGone

WRONG_USE = 2
STOPPED = 3
SOME_LEFT_OUT = 4  # done, but for pairs that the messages and summary.json name
INTERRUPTED = 130


@dataclass(frozen=True)
class Failure:
    """An exit code, and problem, field and advice for the user; `word` says what happened in one word."""

    code: int
    problem: str
    word: str = "error"
    field: str | None = None
    advice: str = ""
    hint: str = ""

    @property
    def message(self) -> str:
        """Problem and advice with the option's name, and a hint of the command line."""
        text = told(self.problem, self.field, self.advice, name_of=option)
        return f"{text} {self.hint}" if self.hint else text


def option(field: str) -> str:
    """The option that sets a field: `--spacing-um` for spacing_um."""
    return "--" + field.replace("_", "-")


def in_options(item: Event) -> Event:
    """A message on a field with the option's name in its text; any other event as it is."""
    if not isinstance(item, Message) or item.field is None:
        return item
    return replace(item, text=told(item.problem, item.field, item.advice, name_of=option))


def sentence(error: BaseException) -> str:
    """What an error says, with the option's name for its field."""
    if isinstance(error, UserError):
        return told(error.problem, error.field, error.advice, name_of=option)
    return str(error)


_REPLACE = "--replace replaces them, and no other file."
_OUT_OF_MEMORY = Failure(
    WRONG_USE, "Out of memory.", field="device", advice="Close other programs or choose another {field}."
)
_OUT_OF_MEMORY_ANYWHERE = Failure(WRONG_USE, "Out of memory.", advice="Close other programs.")


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
        The last checkpoint of the run, named if the user can resume from it.
    has_device : bool
        Whether the command has the option --device.
    """
    if isinstance(error, InputError):
        hint = _REPLACE if isinstance(error, EarlierResultsError) else ""
        return Failure(WRONG_USE, error.problem, field=error.field, advice=error.advice, hint=hint)
    if isinstance(error, RunStopped):
        return Failure(STOPPED, error.problem, "stopped", error.field, error.advice)
    if isinstance(error, (ReaderGone, BrokenPipeError)):
        return _resumable(Failure(INTERRUPTED, "the reader of the output is gone.", "stopped"), saved)
    if isinstance(error, KeyboardInterrupt):
        return _resumable(Failure(INTERRUPTED, "interrupted.", "stopped"), saved)
    if _out_of_memory(error):
        return _resumable(_OUT_OF_MEMORY if has_device else _OUT_OF_MEMORY_ANYWHERE, saved)
    if isinstance(error, OSError) and error.errno == errno.EFBIG:
        problem = f"Could not write {error.filename or output or 'a file'}: it is larger than the limit for files."
        return _resumable(Failure(STOPPED, problem, "stopped", advice="Raise the limit for the size of files."), saved)
    if isinstance(error, OSError) and error.errno in FULL_DISK:
        place = error.filename or output or "a file"
        problem = f"The disk is full: could not write {place}."
        return _resumable(Failure(STOPPED, problem, "stopped", advice="Free some space."), saved)
    if isinstance(error, PermissionError) and error.filename:
        problem = f"{error.filename}: permission denied."
        return Failure(WRONG_USE, problem, advice="Check the file's rights or choose another one.")
    return None


def _resumable(failure: Failure, saved: Path | str | None) -> Failure:
    """The failure with advice to resume from the last save, if there is one. Its field is then that of resuming."""
    if saved is None:
        return failure
    whole = told(failure.problem, failure.field, failure.advice)
    problem = f"{whole} The last save is {saved}."
    return replace(failure, problem=problem, field="resume", advice="The same run with {field} continues from there.")


def _out_of_memory(error: BaseException) -> bool:
    # torch is not imported here, so its error is known by name; on a CPU and on MPS torch has only words for it.
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    words = ("DefaultCPUAllocator", "out of memory")
    return isinstance(error, RuntimeError) and any(word in str(error) for word in words)
