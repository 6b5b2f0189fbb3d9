"""Point lists of 3D Slicer: markups JSON (`.mrk.json`) and fiducial CSV (`.fcsv`), as labels and LPS positions."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..errors import InputError
from ..words import enumerated
from .files import write_json, write_text
from .image_files import existing_file
from .tables import finite_number, read_lines

_SCHEMA = (
    "https://raw.githubusercontent.com/slicer/slicer/master/Modules/Loadable/Markups/Resources/Schema/"
    "markups-schema-v1.0.3.json#"
)
_TO_LPS = {"LPS": (1.0, 1.0, 1.0), "1": (1.0, 1.0, 1.0), "RAS": (-1.0, -1.0, 1.0), "0": (-1.0, -1.0, 1.0)}
_PIXEL_SIZE = "imagePixelSize"
_POINT_TYPES = ("Fiducial", "Curve", "ClosedCurve", "Line", "Angle")
_FCSV_COLUMNS = "id,x,y,z,ow,ox,oy,oz,vis,sel,lock,label,desc,associatedNodeID"
_FCSV_LABEL, _FCSV_STATUS, _POSITION_DEFINED = 11, 14, "2"

Points = tuple[list[str], np.ndarray]


def read_mrk_json(path: Path) -> Points:
    """Labels and (N, 3) LPS positions in mm of the defined control points of the first markup in a `.mrk.json`.

    Raises
    ------
    InputError
        The file is missing, no JSON, no point list of Slicer, in other units than mm, or has a position that is not
        three numbers.
    """
    markup = _first_markup(path)
    _refuse_other_units(path, markup.get("coordinateUnits", "mm"))
    signs = _signs(path, str(markup.get("coordinateSystem", "LPS")))
    points = markup.get("controlPoints", [])
    if not isinstance(points, list) or not all(isinstance(point, dict) for point in points):
        raise InputError(f"{path}: the field 'controlPoints' must be a list of points.")
    return _read_control_points(path, points, signs)


def read_pixel_size(path: Path) -> tuple[float, float] | None:
    """Pixel size (x, y) in mm of the image on which a `.mrk.json` was written; None where it notes none.

    Slicer passes over the note and does not save it.

    Raises
    ------
    InputError
        The file is no point list, or the note is not two numbers above 0.
    """
    noted = _first_markup(path).get(_PIXEL_SIZE)
    if noted is None:
        return None
    place = f"{path}: the field {_PIXEL_SIZE!r}"
    if not isinstance(noted, list) or len(noted) != 2:
        raise InputError(f"{place} must be two numbers above 0, but it is {noted!r}.")
    x, y = (finite_number(value, path, _PIXEL_SIZE) for value in noted)
    if min(x, y) <= 0:
        raise InputError(f"{place} must be two numbers above 0, but it is {noted!r}.")
    return x, y


def _first_markup(path: Path) -> dict:
    try:
        content = json.loads(existing_file(path, "markups").read_text(encoding="utf-8-sig"))
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(f"{path}: no valid JSON ({error}). Save the markups again in 3D Slicer.") from error
    markups = content.get("markups") if isinstance(content, dict) else None
    if not isinstance(markups, list) or not markups or not isinstance(markups[0], dict):
        raise InputError(f"{path}: expected Slicer markups, but the field 'markups' is missing, empty or no list.")
    markup = markups[0]
    if markup.get("type") not in _POINT_TYPES:
        raise InputError(
            f"{path}: expected markups of the type Fiducial, but the field 'type' is {markup.get('type')!r}."
        )
    return markup


def ignored_lists(path: Path) -> tuple[str, ...]:
    """Notes on the lists of points that `read_mrk_json` does not read: those after the first. Each names the file."""
    markups = json.loads(existing_file(path, "markups").read_text(encoding="utf-8-sig"))["markups"]
    names = [
        str(markup.get("name") or f"number {number}")
        for number, markup in enumerate(markups[1:], 2)
        if isinstance(markup, dict) and markup.get("controlPoints")
    ]
    return (f"{path}: only the first of its lists of points is read; ignored: {enumerated(names)}",) if names else ()


def read_fcsv(path: Path) -> Points:
    """Labels and (N, 3) LPS positions in mm of a `.fcsv`, which is in RAS unless its header says LPS.

    Raises
    ------
    InputError
        The file is missing, its coordinate system is unknown, or a line lacks three numbers.
    """
    lines = read_lines(path, "fiducials")
    signs, versioned = _TO_LPS["RAS"], False
    labels, positions = [], []
    for number, line in enumerate(lines, 1):
        if line.startswith("#"):
            name, _, value = (part.strip() for part in line[1:].partition("="))
            versioned = versioned or name == "Markups fiducial file version"
            if name == "CoordinateSystem":
                signs = _signs(f"{path}, line {number}", value)
        elif line.strip():
            cells = next(csv.reader([line]))
            if cells[_FCSV_STATUS : _FCSV_STATUS + 1] not in ([], [""], [_POSITION_DEFINED]):
                continue
            place = f"{path}, line {number}"
            if len(cells) < 4:
                raise InputError(f"{place}: expected {_FCSV_COLUMNS}, but there are {len(cells)} cells.")
            positions.append([finite_number(cell, place, axis) for cell, axis in zip(cells[1:4], "xyz", strict=True)])
            # Slicer 3 wrote no version and the label first.
            label = cells[_FCSV_LABEL] if versioned and len(cells) > _FCSV_LABEL else "" if versioned else cells[0]
            labels.append(label.strip())
    return labels, np.reshape(np.array(positions, dtype=np.float64), (-1, 3)) * signs


def write_mrk_json(
    path: Path,
    labels: Sequence[str],
    positions: np.ndarray,
    *,
    kind: str = "Fiducial",
    pixel_size: tuple[float, float] | None = None,
) -> None:
    """Write labels and (N, 3) LPS positions in mm as a Slicer point list, or as the points of a curve ("ClosedCurve").

    `pixel_size` (x, y) in mm, that of the image on which the points lie, is noted for `read_pixel_size`.
    """
    points = [
        {
            "id": str(number),
            "label": label,
            "description": "",
            "associatedNodeID": "",
            "position": [float(value) for value in position],
            "orientation": [-1.0, 0.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0, 1.0],
            "selected": True,
            "locked": False,
            "visibility": True,
            "positionStatus": "defined",
        }
        for number, (label, position) in enumerate(zip(labels, positions, strict=True), 1)
    ]
    markup = {
        "type": kind,
        "coordinateSystem": "LPS",
        "coordinateUnits": "mm",
        "locked": False,
        "fixedNumberOfControlPoints": False,
        "labelFormat": "%N-%d",
        "lastUsedControlPointNumber": len(points),
        **({} if pixel_size is None else {_PIXEL_SIZE: list(pixel_size)}),
        "controlPoints": points,
    }
    write_json(path, {"@schema": _SCHEMA, "markups": [markup]})


def write_fcsv(path: Path, labels: Sequence[str], positions: np.ndarray) -> None:
    """Write labels and (N, 3) LPS positions in mm as fiducial CSV."""
    stream = io.StringIO()
    stream.write(f"# Markups fiducial file version = 5.0\n# CoordinateSystem = LPS\n# columns = {_FCSV_COLUMNS}\n")
    writer = csv.writer(stream, lineterminator="\n")
    for number, (label, position) in enumerate(zip(labels, positions, strict=True), 1):
        writer.writerow([number, *(repr(float(value)) for value in position), 0, 0, 0, 1, 1, 1, 0, label, "", ""])
    write_text(path, stream.getvalue())


def _read_control_points(path: Path, points: list[dict], signs: tuple[float, ...]) -> Points:
    labels, positions = [], []
    for number, point in enumerate(points, 1):
        if point.get("positionStatus", "defined") != "defined":
            continue
        place, position = f"{path}, control point {number}", point.get("position")
        if not isinstance(position, list) or len(position) != 3:
            raise InputError(f"{place}: the field 'position' must be three numbers, but it is {position!r}.")
        positions.append([finite_number(value, place, "position") for value in position])
        labels.append(str(point.get("label", "")).strip())
    return labels, np.reshape(np.array(positions, dtype=np.float64), (-1, 3)) * signs


def _signs(place: object, system: str) -> tuple[float, float, float]:
    if system not in _TO_LPS:
        raise InputError(f"{place}: the coordinate system must be LPS or RAS, but it is {system!r}.")
    return _TO_LPS[system]


def _refuse_other_units(path: Path, units: object) -> None:
    # A plain unit, or a coded entry: [value, scheme, meaning] in Slicer's schema.
    code = units.get("codeValue") if isinstance(units, dict) else units
    code = code[0] if isinstance(code, list) and code else code
    if code not in ("mm", "", None):
        raise InputError(f"{path}: coordinates must be in mm, but the field 'coordinateUnits' is {code!r}.")
