"""Where a header says that its pixels are."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ..errors import InputError


def require_pixels(path: Path, files: Iterable[Path]) -> None:
    """Refuse the header `path` if one of the files of its pixels is missing.

    Raises
    ------
    InputError
        It names the place where the file was looked for. That is beside a link, not beside what the link leads to.
    """
    missing = next((file for file in files if not _is_there(file)), None)
    if missing is None:
        return
    beside = ", beside the link" if path.is_symlink() else ""
    raise InputError(
        f"{path}: its pixels are missing: a file {missing} was expected{beside}. Put header and pixels together."
    )


def _is_there(file: Path) -> bool:
    try:
        return file.is_file()
    except (OSError, ValueError):  # no system has such names
        return False
