"""Folders as people fill them: hidden files, landmarks and masks beside images, accents and separators of other systems."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from functools import cached_property
from pathlib import Path

from .image_files import file_stem, file_suffix, is_hidden, is_image_file
from .landmarks import LANDMARK_SUFFIXES
from .links import is_broken_link
from .registry import image_suffixes

_MASK = re.compile(r"(?P<image>.+?)[ ._-]*(?:mask|masks|label|labels|seg|segmentation|roi)", re.IGNORECASE)


def listed(folder: Path) -> list[Path]:
    """Entries of a folder that are not hidden, in the order of their names."""
    # as paths compare, and several times faster for thousands of files
    return sorted(
        (path for path in folder.iterdir() if not is_hidden(path)), key=lambda path: os.path.normcase(path.name)
    )


def name_key(name: str) -> str:
    """A name without the difference of case and of composed or decomposed accents."""
    return unicodedata.normalize("NFC", name).casefold()


def file_key(path: Path) -> str:
    """`name_key` of a file's name without its suffix."""
    return name_key(file_stem(path))


def landmark_files(entries: Iterable[Path]) -> dict[str, Path]:
    """Landmark files by `file_key`; of several with one key, the first in the order of `LANDMARK_SUFFIXES`.

    A broken link is among them if no file has its key, so that it is named where it is left out.
    """
    named = [path for path in entries if file_suffix(path) in LANDMARK_SUFFIXES]
    named.sort(key=lambda path: LANDMARK_SUFFIXES.index(file_suffix(path)), reverse=True)
    broken = {file_key(path): path for path in named if is_broken_link(path)}
    return broken | {file_key(path): path for path in named if path.is_file()}


def landmarks_beside(image: Path, files: Mapping[str, Path]) -> Path | None:
    """The landmark file of an image: X.csv or X_landmarks.csv beside X.png."""
    return files.get(file_key(image)) or files.get(f"{file_key(image)}_landmarks")


def masked_name(stem: str) -> str | None:
    """`name_key` of the image of which a name without suffix is that of a mask (`X` of `X_mask`); None where it is of none."""
    match = _MASK.fullmatch(stem)
    return None if match is None else name_key(match["image"])


def masks_among(images: Collection[Path]) -> dict[Path, str]:
    """Images that are masks of others by their names (X_mask.png beside X.png), each with the `file_key` of its image."""
    keys = {file_key(path) for path in images}
    found = {path: masked_name(file_stem(path)) for path in images}
    return {path: key for path, key in found.items() if key in keys}


class ListedFolder:
    """A folder, listed once.

    Attributes
    ----------
    path : Path
    entries : list of Path
        As of `listed`.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.entries = path, listed(path)

    @cached_property
    def masks(self) -> dict[Path, str]:
        """As of `masks_among`."""
        return masks_among(self._all_images)

    @cached_property
    def images(self) -> list[Path]:
        """Images that are no masks of others."""
        return [path for path in self._all_images if path not in self.masks]

    @cached_property
    def landmarks(self) -> dict[str, Path]:
        """As of `landmark_files`."""
        return landmark_files(self.entries)

    @cached_property
    def broken(self) -> list[Path]:
        """Broken links that are neither images nor landmarks by their suffix. They may have led to folders."""
        claimed = {*image_suffixes(), *LANDMARK_SUFFIXES}
        return [path for path in self.entries if file_suffix(path) not in claimed and is_broken_link(path)]

    @cached_property
    def _all_images(self) -> list[Path]:
        return [path for path in self.entries if is_image_file(path)]


class TablePaths:
    """Files that a table names, as the system here writes them.

    Backslashes, accents in their other form, and other capital letters are understood. A folder is listed once, whatever
    the number of names.

    Parameters
    ----------
    folder : Path
        The folder of the table.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._names: dict[Path, dict[str, list[Path]]] = {}

    def find(self, text: str) -> Path:
        """The path of a cell, seen from the table's folder; as it was given where nothing, or more than one file, is found."""
        path = self._folder / text
        if _is_there(path):
            return path
        return self._by_key(Path(text)) or self._by_key(Path(text.replace("\\", "/"))) or path

    def _by_key(self, wanted: Path) -> Path | None:
        """The entry with these names by `name_key`, level by level; None without one."""
        found = self._folder
        for part in wanted.parts:
            below = found / part
            if not _is_there(below):
                same = self._listed(found).get(name_key(part), [])
                if len(same) != 1:
                    return None
                below = same[0]
            found = below
        return found

    def _listed(self, folder: Path) -> dict[str, list[Path]]:
        if folder not in self._names:
            names: dict[str, list[Path]] = {}
            try:
                for path in folder.iterdir():
                    names.setdefault(name_key(path.name), []).append(path)
            except OSError:
                names = {}
            self._names[folder] = names
        return self._names[folder]


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # no name that a file can have
        return False
