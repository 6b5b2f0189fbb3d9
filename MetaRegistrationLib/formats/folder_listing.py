"""Folders as people fill them: hidden files, landmarks and masks beside images, accents and separators of other systems."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from pathlib import Path

from .image_files import file_stem, file_suffix, is_hidden
from .landmarks import LANDMARK_SUFFIXES

_MASK = re.compile(r"(?P<image>.+?)[ ._-]*(?:mask|masks|label|labels|seg|segmentation|roi)", re.IGNORECASE)


def listed(folder: Path) -> list[Path]:
    """Entries of a folder that are not hidden, in the order of their names."""
    return sorted(path for path in folder.iterdir() if not is_hidden(path))


def name_key(name: str) -> str:
    """A name without the difference of case and of composed or decomposed accents."""
    return unicodedata.normalize("NFC", name).casefold()


def file_key(path: Path) -> str:
    """`name_key` of a file's name without its suffix."""
    return name_key(file_stem(path))


def landmark_files(entries: Iterable[Path]) -> dict[str, Path]:
    """Landmark files by `file_key`; of several with one key, the first in the order of `LANDMARK_SUFFIXES`."""
    ranked = [path for path in entries if path.is_file() and file_suffix(path) in LANDMARK_SUFFIXES]
    ranked.sort(key=lambda path: LANDMARK_SUFFIXES.index(file_suffix(path)), reverse=True)
    return {file_key(path): path for path in ranked}


def landmarks_beside(image: Path, files: Mapping[str, Path]) -> Path | None:
    """The landmark file of an image: X.csv or X_landmarks.csv beside X.png."""
    return files.get(file_key(image)) or files.get(f"{file_key(image)}_landmarks")


def image_of_mask(path: Path, keys: Iterable[str]) -> str | None:
    """The key, among those of images, of which this file is a mask by its name (X_mask.png beside X.png); None if of none."""
    match = _MASK.fullmatch(file_stem(path))
    key = None if match is None else name_key(match["image"])
    return key if key in set(keys) else None


def path_in(folder: Path, text: str) -> Path:
    """A path of a table, seen from the table's folder, as the system here writes it.

    Backslashes, accents in their other form, and other capital letters are found too. Where nothing is found, the path is
    as it was given.
    """
    path = folder / text
    if _is_there(path):
        return path
    return _by_key(folder, Path(text)) or _by_key(folder, Path(text.replace("\\", "/"))) or path


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # no name that a file can have
        return False


def _by_key(folder: Path, wanted: Path) -> Path | None:
    """The entry with these names by `name_key`, level by level; None without one."""
    found = folder
    for part in wanted.parts:
        below = found / part
        if not _is_there(below):
            try:
                same = [path for path in found.iterdir() if name_key(path.name) == name_key(part)]
            except OSError:
                return None
            if len(same) != 1:
                return None
            below = same[0]
        found = below
    return found
