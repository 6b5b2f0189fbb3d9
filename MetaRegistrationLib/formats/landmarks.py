"""Landmark files: CSV, Slicer `.mrk.json` and `.fcsv`, and which landmarks of two images belong together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..core.geometry import Geometry
from ..errors import InputError
from .image_files import file_suffix
from .label_matching import corresponding, decisive, meaningful, nested
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
    pairs = corresponding(moving.labels, fixed.labels)
    chosen, partners = [index for index, _ in pairs], [index for _, index in pairs]
    named = decisive(meaningful(moving.labels))
    labels = _numbered([moving.labels[index] if named else "" for index in chosen])
    return Landmarks(labels, moving.points[chosen]), Landmarks(labels, fixed.points[partners])


def unmatched_labels(moving: Landmarks, fixed: Landmarks) -> tuple[list[str], list[str]]:
    """Labels of the moving and of the fixed list that `match_landmarks` leaves without a partner."""
    keys = meaningful(moving.labels), meaningful(fixed.labels)
    if not all(map(decisive, keys)) or not nested(*keys):
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
