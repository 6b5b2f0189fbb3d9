"""A table of visits: `visits.csv` and tables like it, with the names of columns that people give."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from ..errors import InputError
from ..eye_length import possible_length
from ..formats.columns import PIXEL_SIZES, pixel_size_um, understood
from ..formats.folder_listing import TablePaths
from ..formats.image_files import file_stem
from ..formats.tables import Row, read_table
from ..formats.units import possible_visit_um, unusual_visit_um
from .eyes import Draft, Listing
from .sides import is_side, side_of_cell

TABLE_NAME = "visits.csv"
COLUMNS = {
    "image": ("image", "file", "path", "filename", "image_file", "image_path"),
    "patient": ("patient", "patient_id", "subject", "subject_id", "participant", "participant_id"),
    "eye": ("eye", "eye_id"),
    "visit": ("visit", "visit_name", "visit_id", "name", "session", "timepoint", "time_point"),
    "date": ("date", "visit_date", "date_of_visit", "exam_date", "scan_date", "acquisition_date", "study_date"),
    "time": ("time", "visit_time", "scan_time", "acquisition_time"),
    "side": ("side", "laterality", "eye_side"),
    "landmarks": ("landmarks",),
    "mask": ("mask",),
    **PIXEL_SIZES,
    "slice": ("slice",),
    "centre_x": ("centre_x", "center_x", "fovea_x"),
    "centre_y": ("centre_y", "center_y", "fovea_y"),
    "axial_length_mm": ("axial_length_mm", "axial_length", "al_mm"),
}
"""The columns of a table of visits, each with the names under which it is understood (in any case; blanks and - as _)."""


def list_table(path: Path) -> Listing:
    """The visits of a table. A row that cannot be understood is left out; a column that is not understood is named.

    Raises
    ------
    InputError
        The table cannot be read, has no column with images, or two columns of one meaning.
    """
    listing = Listing()
    known = [(form,) for name in COLUMNS["image"] for form in dict.fromkeys(name.replace("_", sign) for sign in "_ -")]
    rows, note = understood(read_table(path, *known), path, COLUMNS)
    listing.notes += [note] if note else []
    paths = TablePaths(path.parent)
    for row in rows:
        try:
            draft = _draft(row, paths)
            listing.drafts.append(draft)
            if draft.spacing_um is not None and (note := unusual_visit_um(draft.spacing_um, row.place)):
                listing.notes.append(note)
        except InputError as error:
            listing.leave_out(row.place, error)
    return listing


def _draft(row: Row, paths: TablePaths) -> Draft:
    if not row.text("image"):
        raise InputError(f"{row.place}: the column 'image' is empty. Name the file of that visit.")
    image = paths.find(row.text("image"))
    landmarks, mask = (paths.find(row.text(name)) if row.text(name) else None for name in ("landmarks", "mask"))
    for path in (landmarks, mask):
        if path is not None and not path.is_file():
            raise InputError(f"{row.place}: there is no file {path}.")
    patient, eye, side = (row.text(name) for name in ("patient", "eye", "side"))
    if is_side(eye):
        if side and side_of_cell(side, row.place) != side_of_cell(eye, row.place):
            raise InputError(f"{row.place}: the eye is {eye}, but the side is {side}. Correct one of them.")
        side = side or eye
    names = [name for name in (patient, eye or side_of_cell(side, row.place)) if name]
    return Draft(
        eye="/".join(names) or "eye",
        name=row.text("visit") or file_stem(image),
        path=image,
        place=row.place,
        names=() if is_side(eye) else (eye,),
        date=row.text("date"),
        clock=row.text("time"),
        side=side,
        own_eye=bool(eye or side),
        landmarks=landmarks,
        mask=mask,
        spacing_um=pixel_size_um(row, partial(_size, row)),
        slice_index=_slice(row),
        centre_xy=_centre(row),
        axial_length_mm=_axial_length(row),
    )


def _size(row: Row, column: str, factor: float) -> float | None:
    """A pixel size, micrometres; None where the cell is empty."""
    return possible_visit_um(row.number(column) * factor, row.place) if row.text(column) else None


def _axial_length(row: Row) -> float | None:
    if not row.text("axial_length_mm"):
        return None
    return possible_length(row.number("axial_length_mm"), row.place)


def _slice(row: Row) -> int | None:
    if not row.text("slice"):
        return None
    index = row.number("slice")
    if index < 0 or index != int(index):
        raise InputError(f"{row.place}: slice must be a whole number from 0, but it is {row.text('slice')}.")
    return int(index)


def _centre(row: Row) -> tuple[float, float] | None:
    given = [column for column in ("centre_x", "centre_y") if row.text(column)]
    if len(given) == 1:
        raise InputError(f"{row.place}: the centre needs centre_x and centre_y; only {given[0]} is given.")
    return (row.number("centre_x"), row.number("centre_y")) if given else None
