"""Files that are either whole or absent: written under a temporary name, then moved into place."""

from __future__ import annotations

import errno
import json
import os
import re
import uuid
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Protocol

from ..errors import InputError, RunStopped
from .links import is_broken_link, real_path
from .patience import patiently

_NO_FLUSH = {errno.EINVAL, errno.ENOSYS, errno.EROFS, getattr(errno, "ENOTSUP", errno.EINVAL), errno.EPERM}
_TEMPORARY = re.compile(r"\.[0-9a-f]{8}\.(.+)", re.DOTALL)
_GONE = {errno.ENOENT, getattr(errno, "ESTALE", errno.ENOENT)}
FULL_DISK = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}
_TAKES_NO_FILES = {*FULL_DISK, errno.EROFS, errno.EFBIG}


def disk_error(error: BaseException | None) -> OSError | None:
    """The error of a disk that is full or takes no files (of that size) any more, also as the cause of another; else None."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in _TAKES_NO_FILES:
            return error
        error = error.__cause__
    return None


@contextmanager
def replacing(path: str | os.PathLike) -> Iterator[Path]:
    """Yield a temporary path beside `path`; on success it replaces `path`, on failure it is removed.

    The temporary name keeps the suffix (writers such as SimpleITK choose the format by it) and starts with a dot.
    A reader therefore sees the old file or the new one, never half of one, whenever the process ends. The watcher of a folder
    above (`watching`) is told before, and may refuse.
    """
    path = Path(path)
    temporary = path.with_name(f".{uuid.uuid4().hex[:8]}.{path.name}")
    absolute = real_path(path.parent) / path.name
    watcher = _watcher_of(absolute)
    if watcher is not None:
        watcher.before(absolute)
    try:
        yield temporary
        patiently(_flush_to_disk, temporary)
        if watcher is not None:
            watcher.about_to_replace(absolute, temporary)
        patiently(os.replace, temporary, path)
    finally:
        with suppress(PermissionError):  # held by another program, as below; a dot file is no harm
            temporary.unlink(missing_ok=True)


def remove_leftovers(folder: str | os.PathLike, names: Collection[str]) -> None:
    """Remove the temporary files of `replacing` that a killed process left in a folder for files of some names."""
    with suppress(OSError):
        for path in list(Path(folder).iterdir()):
            found = _TEMPORARY.fullmatch(path.name)
            if found and found[1] in names:
                path.unlink(missing_ok=True)


def move_into_place(source: Path, path: str | os.PathLike) -> None:
    """Move a whole file, written elsewhere on the same disk, to `path`. The watcher is told as of `replacing`."""
    path = Path(path)
    absolute = real_path(path.parent) / path.name
    watcher = _watcher_of(absolute)
    if watcher is not None:
        watcher.before(absolute)
        watcher.about_to_replace(absolute, source)
    patiently(os.replace, source, path)


def note(folder: str | os.PathLike, line: dict) -> None:
    """Add a note to the list of written files of a folder, if it has a watcher."""
    watcher = _watcher_of(real_path(folder) / "any")
    if watcher is not None:
        watcher.note(line)


class Watcher(Protocol):
    """Is told of every file that is written into a folder; absolute paths."""

    def prepare(self) -> None:
        """A folder within it is about to be made, or a file to be written."""

    def before(self, path: Path) -> None:
        """A file is about to be written; an error here leaves all as it is."""

    def about_to_replace(self, path: Path, temporary: Path) -> None:
        """The file is whole under its temporary name, and about to be moved into place."""

    def note(self, line: dict) -> None:
        """Add a line to the list of written files."""


_watchers: list[tuple[Path, Watcher]] = []


@contextmanager
def watching(folder: str | os.PathLike, watcher: Watcher) -> Iterator[None]:
    """Tell `watcher` of all that this process writes into a folder, and into those within it."""
    entry = real_path(folder), watcher
    _watchers.append(entry)
    try:
        yield
    finally:
        _watchers.remove(entry)


def watched(folder: str | os.PathLike) -> bool:
    """Whether a folder, or one above it, has a watcher."""
    return _watcher_of(real_path(folder) / "any") is not None


def _watcher_of(path: Path) -> Watcher | None:
    return next((watcher for folder, watcher in reversed(_watchers) if folder in path.parents), None)


def _flush_to_disk(path: Path) -> None:
    # Opened for writing because Windows refuses to flush a read-only handle.
    with path.open("r+b") as stream:
        try:
            os.fsync(stream.fileno())
        except OSError as error:
            if error.errno not in _NO_FLUSH:  # what some shares answer, on which there is no better than to go on
                raise


@contextmanager
def sole_writer(folder: str | os.PathLike) -> Iterator[None]:
    """Hold a folder for this process, for as long as it writes its results there.

    The system releases it when the process ends, however it ends. Where a share knows no locks, nothing is held.

    Raises
    ------
    InputError
        Another process holds it.
    """
    path = Path(folder) / ".meta-registration.lock"
    stream = _locked(path)
    try:
        yield
    finally:
        if stream is not None:
            with suppress(OSError):
                # In a folder that has taken the place of this one, it is the file of another run.
                if os.name != "nt" and os.path.samestat(os.fstat(stream.fileno()), path.stat()):
                    path.unlink()
            stream.close()
            with suppress(OSError):
                if os.name == "nt":
                    path.unlink()


def _locked(path: Path) -> IO[bytes] | None:
    while True:
        try:
            stream = path.open("a+b")
        except OSError:
            return None  # the folder itself will say what is wrong with it
        try:
            _lock(stream)
        except OSError as error:
            stream.close()
            if error.errno in (errno.EACCES, errno.EAGAIN, errno.EDEADLK):
                raise InputError(
                    f"{path.parent}: another run is writing there at this moment.",
                    field="output",
                    advice="Wait for its end, or choose another {field}.",
                ) from error
            return None
        try:
            if os.name == "nt" or os.path.samestat(os.fstat(stream.fileno()), path.stat()):
                return stream
        except FileNotFoundError:
            pass
        stream.close()  # the run before took the file away in between


def _lock(stream: IO[bytes]) -> None:
    if os.name == "nt":
        import msvcrt

        msvcrt.locking(stream.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)


def write_text(path: str | os.PathLike, text: str) -> None:
    """Write `text` as UTF-8 with LF line ends, atomically."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def write_json(path: str | os.PathLike, value: object) -> None:
    """Write `value` as indented UTF-8 JSON, atomically."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def writable_folder(path: str | os.PathLike) -> Path:
    """Make `path` (with parents) and return it; an `InputError` says why when files cannot be made in it."""
    path = Path(path)
    _refuse_no_folder(path)
    watcher = _watcher_of(real_path(path) / "any")
    if watcher is not None:
        watcher.prepare()
    probe = path / f".{uuid.uuid4().hex[:8]}.probe"
    try:
        path.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as error:
        if error.errno in FULL_DISK:
            raise
        raise _no_folder(path, error.strerror or str(error)) from error
    return path


def folder_within(path: Path) -> Path:
    """As `writable_folder`, for a folder whose parent was made before: a run that is over is not written for.

    Raises
    ------
    RunStopped
        The parent is gone.
    """
    watcher = _watcher_of(real_path(path) / "any")
    if watcher is not None:
        watcher.prepare()
    try:
        path.mkdir(exist_ok=True)
    except FileExistsError:
        pass
    except OSError as error:
        if error.errno in _GONE:
            raise RunStopped(f"{path.parent}: this folder was moved or removed during the run.") from error
    return writable_folder(path)


def _refuse_no_folder(path: Path) -> None:
    """Raise an `InputError` where the name of a folder is that of a file, or of a link that leads to nothing."""
    if is_broken_link(path):
        raise _no_folder(path, "it is a link to a folder that is not there")
    if path.is_file():
        raise _no_folder(path, "it is a file")


def _no_folder(path: Path, reason: str) -> InputError:
    return InputError(f"Cannot write to the folder {path}: {reason}.", field="output", advice="Choose another {field}.")


def refuse_replacing(targets: Iterable[str | os.PathLike], inputs: Iterable[str | os.PathLike | None]) -> None:
    """Raise an `InputError` where a file that is about to be written is one of the inputs, by whatever name; None is no input."""
    # Most targets are new, and need no look at the inputs.
    there = [(target, found) for target in targets if (found := _found(target, follow=False)) is not None]
    if not there:
        return
    given = [Path(path) for path in inputs if path is not None]
    read = {form for path in given for form in _forms(path)}
    same = {(found.st_dev, found.st_ino) for path in given if (found := _found(path)) is not None and found.st_ino}
    for target, found in there:
        if (found.st_dev, found.st_ino) in same or not read.isdisjoint(_forms(target)):
            raise InputError(
                f"{target}: the result would replace this input.", field="output", advice="Choose another {field}."
            )


def _forms(path: str | os.PathLike) -> tuple[Path, Path]:
    """The file that a name leads to, and the name itself, which may be that of a link."""
    path = Path(path)
    return real_path(path), real_path(path.parent) / path.name


def _found(path: str | os.PathLike, follow: bool = True) -> os.stat_result | None:
    try:
        return Path(path).stat() if follow else Path(path).lstat()
    except (OSError, ValueError):  # a name that no file can have
        return None


def require_room(folder: str | os.PathLike, size: int) -> None:
    """Raise the `OSError` of a full disk (or quota) when `size` bytes cannot be written into `folder`."""
    probe = Path(folder) / f".{uuid.uuid4().hex[:8]}.probe"
    try:
        with probe.open("wb") as stream:
            stream.write(bytes(size))
            stream.flush()
            os.fsync(stream.fileno())
    finally:
        probe.unlink(missing_ok=True)
