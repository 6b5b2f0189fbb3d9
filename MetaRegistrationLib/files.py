"""Files that are either whole or absent: written under a temporary name, then moved into place."""

from __future__ import annotations

import errno
import json
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import InputError

FULL_DISK = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}


@contextmanager
def replacing(path: str | os.PathLike) -> Iterator[Path]:
    """Yield a temporary path beside `path`; on success it replaces `path`, on failure it is removed.

    The temporary name keeps the suffix (writers such as SimpleITK choose the format by it) and starts with a dot.
    A reader therefore sees the old file or the new one, never half of one, whenever the process ends.
    """
    path = Path(path)
    temporary = path.with_name(f".{uuid.uuid4().hex[:8]}.{path.name}")
    try:
        yield temporary
        _flush_to_disk(temporary)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _flush_to_disk(path: Path) -> None:
    # Opened for writing because Windows refuses to flush a read-only handle.
    with path.open("r+b") as stream:
        os.fsync(stream.fileno())


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
    probe = path / f".{uuid.uuid4().hex[:8]}.probe"
    try:
        path.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as error:
        if error.errno in FULL_DISK:
            raise
        raise InputError(
            f"Cannot write to the folder {path}: {error.strerror or error}. Choose another --output."
        ) from error
    return path


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
