"""Image files on disk: which names are images, and whether a file is there and whole, before a decoder sees it."""

from __future__ import annotations

import os
import stat
from pathlib import Path, PurePath

from ..errors import InputError
from .links import is_broken_link
from .registry import Reader, image_suffixes, readers

_SYSTEM_FILES = ("thumbs.db", "desktop.ini", "__macosx")


def file_suffix(path: Path) -> str:
    """Suffix in lower case; double ones (`.nii.gz`, `.mrk.json`) count as one."""
    name = path.name.lower()
    if name.count(".") > 1:
        for suffix in (*image_suffixes(), ".mrk.json"):
            if suffix.count(".") > 1 and name.endswith(suffix):
                return suffix
    return path.suffix.lower()


def file_stem(path: Path) -> str:
    """Name without its `file_suffix`; a piece of a UID, in the name of a DICOM file, is none."""
    suffix = file_suffix(path)
    return path.name[: -len(suffix)] if suffix and not suffix[1:].isdigit() else path.name


def is_hidden(path: Path) -> bool:
    """Whether `path` is a dot file or one of the files that Windows and macOS leave in folders."""
    return path.name.startswith(".") or path.name.lower() in _SYSTEM_FILES


def is_image_file(path: Path) -> bool:
    """Whether `path` is a file that this library reads as an image, by its suffix or, for DICOM, by its content.

    A broken link counts by its suffix, so that the image is named where it is left out.
    """
    if path.is_file():
        return (reader_by_name(path) or _by_content(path)) is not None
    return reader_by_name(path) is not None and is_broken_link(path)


def reader_by_name(path: Path) -> Reader | None:
    """The reader of the suffix of `path`, which need not be there."""
    suffix = file_suffix(path)
    return next((reader for reader in readers() if suffix in reader.suffixes), None)


def reader_of(path: Path) -> Reader | None:
    """The reader of an image file: the one that recognises its content, else the one of its suffix."""
    return _by_content(path) or reader_by_name(path)


def _by_content(path: Path) -> Reader | None:
    return next((reader for reader in readers() if reader.recognises(path)), None)


def image_file(path: str | Path) -> tuple[Path, Reader]:
    """`path` and its reader, when it is an image file that is there and whole.

    Raises
    ------
    InputError
        The file is missing, empty, a folder, of an unknown kind, or ends too early.
    """
    path, reader = known_file(path)
    _refuse_truncated(path, reader)
    return path, reader


def known_file(path: str | Path) -> tuple[Path, Reader]:
    """`path` and its reader, when it is an image file that is there. `InputError` as of `image_file`; its end is not read."""
    path = existing_file(path, "image")
    reader = reader_of(path)
    if reader is None:
        kind = f"the suffix {path.suffix}" if path.suffix else "no suffix"
        *names, last = [reader.name for reader in readers()]
        raise InputError(f"{path}: a file with {kind} is not read as an image. Use {', '.join(names)} or {last}.")
    return path, reader


def is_text(path: Path) -> bool:
    """Whether a name is valid text; on Linux it may be any bytes, on which decoders end the whole program."""
    try:
        str(path).encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def as_text(path: PurePath) -> str:
    """A name that can be printed and written, whatever its bytes are."""
    return str(path).encode("utf-8", "backslashreplace").decode("utf-8")


def where_it_leads(link: Path) -> str:
    """Words on a broken link."""
    return f"a link that leads to nothing: {as_text(link.readlink())}. Fetch its target, or correct the link."


def as_file_path(value: object) -> Path:
    """The path of text or a path; an `InputError` for anything else."""
    if isinstance(value, str) or (isinstance(value, os.PathLike) and isinstance(os.fspath(value), str)):
        return Path(value)
    raise InputError(f"path: expected a path, got {value!r:.80}.")


def existing_file(path: str | Path, kind: str) -> Path:
    """Return `path` when it is a file with content; `kind` ("image", "table", ...) words the `InputError` otherwise."""
    path = Path(path)
    if not is_text(path):
        raise InputError(f"{as_text(path)}: the name of this {kind} file is not valid text (UTF-8). Rename it.")
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):  # no such file, or no name that a file can have
        mode = 0
    if stat.S_ISDIR(mode):
        raise InputError(f"{path} is a folder, but one file was expected ({kind}). Name a file in it.")
    if is_broken_link(path):
        raise InputError(f"{path}: {where_it_leads(path)}")
    if not stat.S_ISREG(mode):
        raise InputError(f"{path}: no such file ({kind}). Check the path.")
    try:
        with path.open("rb") as stream:
            empty = not stream.read(1)
    except OSError as error:
        raise InputError(f"{path}: the {kind} file cannot be read: {error.strerror or error}.") from error
    if empty:
        raise InputError(f"{path}: the {kind} file is empty (0 bytes). Copy or export it again.")
    return path


def _refuse_truncated(path: Path, reader: Reader) -> None:
    try:
        whole = reader.is_whole(path)
    except (InputError, MemoryError):
        raise
    except Exception:  # as many kinds as decoders have
        whole = False
    if not whole:
        raise InputError(f"{path}: the image file is damaged or ends too early. Copy or export it again.")
