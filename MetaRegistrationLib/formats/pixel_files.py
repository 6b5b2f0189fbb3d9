"""The files of an image: most are one file, some a header and its pixels beside it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ..errors import InputError
from .image_files import as_text, reader_by_name


def with_pixels(path: Path) -> tuple[Path, ...]:
    """`path`, and the further files that hold its pixels as far as they are there.

    Parameters
    ----------
    path : Path
        An image, or any other file, which stands alone.
    """
    reader = reader_by_name(path)
    if reader is None:
        return (path,)
    try:
        further = reader.pixel_files(path)
    except (InputError, OSError, ValueError):  # the reading of the image says what is wrong with it
        return (path,)
    return (path, *(each for each in further if each.is_file()))


def by_role(paths: Mapping[str, Path | None]) -> dict[str, Path]:
    """Files by their role, those of pixels by role and name; None is no file."""
    found = {}
    for role, path in paths.items():
        if path is not None:
            own, *further = with_pixels(path)
            found |= {role: own} | {f"{role} {_name(each, path.parent)}": each for each in further}
    return found


def _name(path: Path, folder: Path) -> str:
    return as_text(path.relative_to(folder) if path.is_relative_to(folder) else path).replace("\\", "/")
