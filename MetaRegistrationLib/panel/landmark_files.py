"""Which landmark file belongs to which image."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..errors import InputError
from ..formats.image_files import file_stem, file_suffix
from ..formats.landmarks import Landmarks, read_landmark_pairs, read_landmarks
from ..formats.tables import read_lines
from ..frames.geometry import Geometry
from .texts import tr as _


def read(
    paths: Sequence[Path], moving: Geometry, fixed: Geometry, *, has_moving: bool = False
) -> tuple[Landmarks | None, Landmarks | None]:
    """Landmarks of the moving and of the fixed image; None for an image that no file is about.

    One file: a CSV with both images; else the fixed image's when its name says so, or when there are moving landmarks
    already and its name does not say moving. Two files: the one whose name says fixed, else the second, is the fixed
    image's.

    Raises
    ------
    InputError
        More than two files, or one that cannot be read.
    """
    if len(paths) > 2:
        raise InputError(_("{count} landmark files were chosen: choose one or two.").format(count=len(paths)))
    if len(paths) == 2:
        first, second = paths
        if _says(first, "fixed") and not _says(second, "fixed"):
            first, second = second, first
        return read_landmarks(first, moving), read_landmarks(second, fixed)
    path = paths[0]
    if _is_of_both(path):
        return read_landmark_pairs(path)
    if _says(path, "fixed") or (has_moving and not _says(path, "moving")):
        return None, read_landmarks(path, fixed)
    return read_landmarks(path, moving), None


def beside(path: Path, side: str) -> Path:
    """`points.mrk.json` becomes `points_moving.mrk.json`; a name that says the side stays."""
    stem, suffix = file_stem(path), file_suffix(path)
    return path if _says(path, side) else path.with_name(f"{stem}_{side}{suffix}")


def _says(path: Path, word: str) -> bool:
    return word in path.name.lower()


def _is_of_both(path: Path) -> bool:
    if file_suffix(path) != ".csv":
        return False
    lines = read_lines(path, "landmarks")
    return bool(lines) and "moving_x" in lines[0].lower()
