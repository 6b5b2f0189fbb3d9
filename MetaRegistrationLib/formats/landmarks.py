"""Landmark files: CSV, Slicer `.mrk.json` and `.fcsv`, and which landmarks of two images belong together."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..core.geometry import Geometry
from ..errors import InputError
from .image_files import file_suffix
from .markups import read_fcsv, read_mrk_json, read_pixel_size, write_fcsv, write_mrk_json
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
        Geometry of that image in the program that wrote the points, by which physical positions become pixels.

    Raises
    ------
    InputError
        The file is missing or malformed (the message names line or field), or holds no point.
    """
    path = Path(path)
    if not is_physical(path):
        rows = read_table(path, ("x", "y"))
        landmarks = Landmarks(_labels(rows), _pixels(rows, "x", "y"))
    else:
        labels, positions = read_positions(path)
        landmarks = Landmarks(labels, geometry.to_pixels(positions))
    return _not_empty(landmarks, path)


def is_physical(path: str | Path) -> bool:
    """Whether a landmark file is one of 3D Slicer, whose points are in physical millimetres."""
    return _landmark_suffix(path) != ".csv"


def read_positions(path: str | Path) -> tuple[tuple[str, ...], np.ndarray]:
    """Labels and (N, 3) LPS positions in mm of a point list of 3D Slicer.

    Raises
    ------
    InputError
        As of `read_landmarks`, but the list may be empty.
    """
    path = Path(path)
    labels, positions = read_mrk_json(path) if _landmark_suffix(path) == ".mrk.json" else read_fcsv(path)
    return tuple(labels), positions


def noted_pixel_size(path: str | Path) -> tuple[float, float] | None:
    """Pixel size (row, column) in mm of the image on which `write_landmarks` wrote the points; None where none is noted."""
    noted = read_pixel_size(Path(path)) if _landmark_suffix(path) == ".mrk.json" else None
    return None if noted is None else (noted[1], noted[0])


def is_imagej_table(path: str | Path) -> bool:
    """Whether a CSV of points has columns of ImageJ's Results, whose X and Y are in the unit of the image."""
    if _landmark_suffix(path) != ".csv":
        return False
    rows = read_table(path, ("x", "y"), _PAIR_COLUMNS)
    return bool(rows) and bool({"area", "mean", "min", "max"} & set(rows[0].cells))


def write_landmarks(path: str | Path, landmarks: Landmarks, geometry: Geometry) -> None:
    """Write the landmarks of one image as CSV (pixels), `.mrk.json` or `.fcsv` (LPS mm), by the suffix of `path`.

    Points without a label are numbered from 1. A `.mrk.json` notes the pixel size of `geometry`, for `noted_pixel_size`.
    """
    path, suffix = Path(path), _landmark_suffix(path)
    labels = _numbered(landmarks.labels)
    if suffix == ".csv":
        rows = [(label, repr(x), repr(y)) for label, (y, x) in zip(labels, landmarks.points.tolist(), strict=True)]
        write_table(path, ("label", "x", "y"), rows)
    elif suffix == ".mrk.json":
        rows, columns = geometry.spacing
        write_mrk_json(path, labels, geometry.to_physical(landmarks.points), pixel_size=(columns, rows))
    else:
        write_fcsv(path, labels, geometry.to_physical(landmarks.points))


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

    Labels decide only where they leave no doubt. In this order:

    1. Each label once in a list, and the labels of one list are all in the other: equal labels belong together.
       (`unmatched_labels` names those without a partner.)
    2. Each list has one name of its own with numbers (Slicer's `MovingPoints-1` and `FixedPoints-1`), and both have the
       same numbers: equal numbers belong together.
    3. No list has labels that mean anything (empty, or the coordinates that ImageJ's ROI Manager writes), one has none,
       or both have the same labels in the same order, some repeated: the order decides, if the lists are equally long.

    Raises
    ------
    InputError
        None of these gives a correspondence; both lists of labels are shown.
    """
    keys = _keys(moving.labels), _keys(fixed.labels)
    if all(map(_decisive, keys)):
        if _nested(*keys):
            return _matched(moving, fixed, *keys)
        numbers = _numbers(keys[0]), _numbers(keys[1])
        if all(map(_decisive, numbers)) and set(numbers[0]) == set(numbers[1]):
            return _matched(moving, fixed, *numbers)
        shared = set(keys[0]) & set(keys[1])
        raise InputError(
            f"Landmarks cannot be matched: {'only some labels occur' if shared else 'no label occurs'} in both lists"
            f" {_both(moving, fixed)}. Give corresponding landmarks equal labels, and take out those without a partner."
        )
    ordered = keys[0] == keys[1] or not any(keys[0]) or not any(keys[1])
    if not ordered or len(moving) != len(fixed):
        raise InputError(
            f"Landmarks cannot be matched: {len(moving)} moving and {len(fixed)} fixed ones, with labels that are empty"
            f" or repeated {_both(moving, fixed)}. Give corresponding landmarks equal, unique labels."
        )
    labels = _numbered(moving.labels if _decisive(keys[0]) else [""] * len(moving))
    return Landmarks(labels, moving.points), Landmarks(labels, fixed.points)


def unmatched_labels(moving: Landmarks, fixed: Landmarks) -> tuple[list[str], list[str]]:
    """Labels of the moving and of the fixed list that `match_landmarks` leaves without a partner."""
    keys = _keys(moving.labels), _keys(fixed.labels)
    if not all(map(_decisive, keys)) or not _nested(*keys):
        return [], []
    return [key for key in keys[0] if key not in keys[1]], [key for key in keys[1] if key not in keys[0]]


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


def _keys(labels: Sequence[str]) -> list[str]:
    """The labels; all empty where they name no point.

    That is: coordinates (`0068-0104`), by which ImageJ's ROI Manager names points, or one label for all of several.
    """
    coordinates = bool(labels) and all(re.search(r"(^|\D)\d{3,}-\d{3,}$", label) for label in labels)
    one_for_all = len(labels) > 1 and len(set(labels)) == 1
    return [""] * len(labels) if coordinates or one_for_all else list(labels)


def _nested(moving: Sequence[str], fixed: Sequence[str]) -> bool:
    return set(moving) <= set(fixed) or set(fixed) <= set(moving)


def _numbers(labels: Sequence[str]) -> list[str]:
    """The number at the end of each label, if all labels of the list begin equally; else empty strings."""
    parts = [re.fullmatch(r"(.*?)(\d+)", label) for label in labels]
    if not all(parts) or len({part.group(1) for part in parts}) != 1:
        return [""] * len(labels)
    return [str(int(part.group(2))) for part in parts]


def _matched(
    moving: Landmarks, fixed: Landmarks, moving_keys: Sequence[str], fixed_keys: Sequence[str]
) -> tuple[Landmarks, Landmarks]:
    place = {key: index for index, key in enumerate(fixed_keys)}
    chosen = [index for index, key in enumerate(moving_keys) if key in place]
    labels = tuple(moving.labels[index] for index in chosen)
    partners = [place[moving_keys[index]] for index in chosen]
    return Landmarks(labels, moving.points[chosen]), Landmarks(labels, fixed.points[partners])


def _both(moving: Landmarks, fixed: Landmarks) -> str:
    return f"(moving: {_shown(moving.labels)}; fixed: {_shown(fixed.labels)})"


def _shown(labels: Sequence[str]) -> str:
    shown = [label or "without a label" for label in labels[:12]]
    return ", ".join(shown) + (", ..." if len(labels) > 12 else "")
