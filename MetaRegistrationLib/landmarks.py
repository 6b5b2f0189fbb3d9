"""Landmark files: CSV, Slicer `.mrk.json` and `.fcsv`, and which landmarks of two images belong together."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .errors import InputError
from .geometry import Geometry
from .image_files import file_suffix
from .markups import read_fcsv, read_mrk_json, write_fcsv, write_mrk_json
from .tables import Row, read_table, write_table

LANDMARK_SUFFIXES = (".csv", ".mrk.json", ".fcsv")
_LABEL_COLUMNS = ("label", "index", "name", "id")
_PAIR_COLUMNS = ("moving_x", "moving_y", "fixed_x", "fixed_y")


@dataclass(frozen=True, eq=False)
class Landmarks:
    """Named points of one image.

    Attributes
    ----------
    labels : tuple of str
        One label a point; empty strings where the file names none.
    points : np.ndarray
        (N, 2) float64, (row, column) in pixels, origin at the centre of the first pixel.
    """

    labels: tuple[str, ...]
    points: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)


def read_landmarks(path: str | Path, geometry: Geometry) -> Landmarks:
    """Read the landmarks of one image.

    Parameters
    ----------
    path : path
        CSV with a header and the columns x (pixel column), y (pixel row) and optionally label or index; or a point
        list of 3D Slicer, `.mrk.json` or `.fcsv`, in physical millimetres (points without a position are left out).
    geometry : Geometry
        Geometry of that image as its file gives it, by which physical positions become pixels. (A pixel size that the
        user adds later is unknown to the program in which the points were placed.)

    Raises
    ------
    InputError
        The file is missing or malformed (the message names line or field), or holds no point.
    """
    path, suffix = Path(path), _landmark_suffix(path)
    if suffix == ".csv":
        rows = read_table(path, ("x", "y"))
        landmarks = Landmarks(_labels(rows), _pixels(rows, "x", "y"))
    else:
        labels, positions = read_mrk_json(path) if suffix == ".mrk.json" else read_fcsv(path)
        landmarks = Landmarks(tuple(labels), geometry.to_pixels(positions))
    return _not_empty(landmarks, path)


def write_landmarks(path: str | Path, landmarks: Landmarks, geometry: Geometry) -> None:
    """Write the landmarks of one image as CSV (pixels), `.mrk.json` or `.fcsv` (LPS mm), by the suffix of `path`.

    Points without a label are numbered from 1.
    """
    path, suffix = Path(path), _landmark_suffix(path)
    labels = _numbered(landmarks.labels)
    if suffix == ".csv":
        rows = [(label, repr(x), repr(y)) for label, (y, x) in zip(labels, landmarks.points.tolist(), strict=True)]
        write_table(path, ("label", "x", "y"), rows)
    else:
        write = write_mrk_json if suffix == ".mrk.json" else write_fcsv
        write(path, labels, geometry.to_physical(landmarks.points))


def read_landmark_pairs(path: str | Path) -> tuple[Landmarks, Landmarks]:
    """Read corresponding landmarks (moving, fixed) from one CSV in pixels.

    Its columns are moving_x, moving_y, fixed_x, fixed_y (x = column, y = row) and optionally index or label.

    Raises
    ------
    InputError
        The file is missing or malformed (the message names the line), or holds no point.
    """
    path = Path(path)
    rows = read_table(path, _PAIR_COLUMNS)
    labels = _numbered(_labels(rows))
    moving = Landmarks(labels, _pixels(rows, "moving_x", "moving_y"))
    return _not_empty(moving, path), Landmarks(labels, _pixels(rows, "fixed_x", "fixed_y"))


def write_landmark_pairs(path: str | Path, moving: Landmarks, fixed: Landmarks) -> None:
    """Write matched landmarks of two images into one CSV in pixels; the labels are those of `moving`.

    The label column is called index when every label is a whole number.
    """
    if len(moving) != len(fixed):
        raise ValueError(f"write_landmark_pairs: {len(moving)} moving and {len(fixed)} fixed landmarks")
    labels = _numbered(moving.labels)
    name = "index" if all(label.isdecimal() for label in labels) else "label"
    points = np.hstack([moving.points[:, ::-1], fixed.points[:, ::-1]]).tolist()
    rows = [(label, *map(repr, row)) for label, row in zip(labels, points, strict=True)]
    write_table(path, (name, *_PAIR_COLUMNS), rows)


def match_landmarks(moving: Landmarks, fixed: Landmarks) -> tuple[Landmarks, Landmarks]:
    """Corresponding landmarks of two images, in the order of `moving`, with equal labels where a label decided.

    In this order:

    1. Labels that occur in both lists decide; landmarks in one list only are dropped.
    2. When no label occurs in both, the number at the end of each label decides: Slicer calls the points of two lists
       `MovingPoints-1` and `FixedPoints-1`.
    3. Labels that are empty, or that occur twice in a list, decide nothing: the order does, if the lists are equally
       long.

    Raises
    ------
    InputError
        None of these gives a correspondence.
    """
    keys = list(moving.labels), list(fixed.labels)
    if not all(map(_decisive, keys)):
        if len(moving) != len(fixed):
            raise InputError(
                f"Landmarks cannot be matched: {len(moving)} moving and {len(fixed)} fixed ones, with labels that are"
                " empty or repeated. Give corresponding landmarks equal, unique labels."
            )
        labels = _numbered(moving.labels if _decisive(moving.labels) else [""] * len(moving))
        return Landmarks(labels, moving.points), Landmarks(labels, fixed.points)
    if not set(keys[0]) & set(keys[1]):
        keys = [_last_number(label) for label in keys[0]], [_last_number(label) for label in keys[1]]
        if not all(map(_decisive, keys)) or not set(keys[0]) & set(keys[1]):
            raise InputError(
                f"Landmarks cannot be matched: no label occurs in both lists (moving: {_shown(moving.labels)}; fixed:"
                f" {_shown(fixed.labels)}). Give corresponding landmarks equal labels."
            )
    place = {key: index for index, key in enumerate(keys[1])}
    chosen = [index for index, key in enumerate(keys[0]) if key in place]
    labels = tuple(moving.labels[index] for index in chosen)
    partners = [place[keys[0][index]] for index in chosen]
    return Landmarks(labels, moving.points[chosen]), Landmarks(labels, fixed.points[partners])


def _landmark_suffix(path: str | Path) -> str:
    suffix = file_suffix(Path(path))
    if suffix not in LANDMARK_SUFFIXES:
        raise InputError(f"{path}: landmarks are read and written as {', '.join(LANDMARK_SUFFIXES)} only.")
    return suffix


def _labels(rows: Sequence[Row]) -> tuple[str, ...]:
    return tuple(next((row.text(column) for column in _LABEL_COLUMNS if row.text(column)), "") for row in rows)


def _pixels(rows: Sequence[Row], x: str, y: str) -> np.ndarray:
    """(N, 2) positions (row, column) from the columns `x` and `y`."""
    return np.reshape(np.array([(row.number(y), row.number(x)) for row in rows], dtype=np.float64), (-1, 2))


def _not_empty(landmarks: Landmarks, path: Path) -> Landmarks:
    if not len(landmarks):
        raise InputError(f"{path}: no landmark was found in the file. Mark at least one point, or leave the file out.")
    return landmarks


def _numbered(labels: Sequence[str]) -> tuple[str, ...]:
    return tuple(label or str(number) for number, label in enumerate(labels, 1))


def _decisive(labels: Sequence[str]) -> bool:
    return all(labels) and len(set(labels)) == len(labels)


def _last_number(label: str) -> str:
    number = re.search(r"(\d+)\D*$", label)
    return str(int(number.group(1))) if number else ""


def _shown(labels: Sequence[str]) -> str:
    return ", ".join(labels[:4]) + (", ..." if len(labels) > 4 else "")
