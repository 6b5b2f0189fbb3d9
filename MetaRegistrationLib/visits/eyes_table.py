"""The tables over several eyes: `eyes.csv`, and the measures of all eyes. Needs no torch."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from ..formats.files import replacing
from ..formats.tables import read_table, write_table
from ..progress import plain
from ..registration.schema import GRID_PX, Measure
from .measure_files import CHANGE_COLUMNS, CHANGES, MEASUREMENT_COLUMNS, MEASUREMENTS, TREND_COLUMNS, TRENDS

DONE, LEFT_OUT, NOT_DONE = "done", "left out", "not done"
EYES = "eyes.csv"
_JOINED = ((MEASUREMENTS, MEASUREMENT_COLUMNS), (CHANGES, CHANGE_COLUMNS), (TRENDS, TREND_COLUMNS))


@dataclass(frozen=True)
class EyeRow:
    """The outcome of an eye.

    Attributes
    ----------
    eye : str
        Its name; empty for a file that belongs to no eye that is known.
    status : str
        `DONE`, `LEFT_OUT` or `NOT_DONE`.
    visits, aligned, used : int or None
        Number of visits that were read, that were aligned with confidence, and that are averaged and compared.
    reference : str
    greatest_round_trip_px : float
    left_out : tuple of (str, str)
        Visits, and other results, that are left out, with reasons.
    reason : str
        Why the eye is left out.
    """

    eye: str
    status: str = NOT_DONE
    visits: int | None = None
    aligned: int | None = None
    used: int | None = None
    reference: str = ""
    greatest_round_trip_px: float = math.nan
    left_out: tuple[tuple[str, str], ...] = ()
    reason: str = ""

    @property
    def names_left_out(self) -> list[str]:
        """The names of what is left out: visits of the eye, and the eye itself."""
        return [*(name for name, _ in self.left_out), *([self.eye] if self.status == LEFT_OUT else [])]

    def to_dict(self) -> dict:
        """Plain values, from which `of` makes the row."""
        return plain(asdict(self))

    @classmethod
    def of(cls, values: Mapping) -> EyeRow:
        """The row of plain values."""
        found = {**values, "left_out": tuple((name, reason) for name, reason in values["left_out"])}
        if found["greatest_round_trip_px"] is None:
            found["greatest_round_trip_px"] = math.nan
        return cls(**found)


EYE_COLUMNS = (
    Measure(
        "eye",
        "eye",
        lambda row: row.eye,
        kind=str,
        note="The folder of its results. Empty for a file, or a row of a table of visits, that could not be used",
    ),
    Measure("status", "status", lambda row: row.status, kind=str, note="`done`, `left out`, or `not done` yet"),
    Measure(
        "visits",
        "visits",
        lambda row: row.visits,
        kind=int,
        note="Number of visits that were read; of an eye that is left out, number of its files",
    ),
    Measure("aligned", "aligned", lambda row: row.aligned, kind=int, note="Visits that were aligned with confidence"),
    Measure("used", "used", lambda row: row.used, kind=int, note="Visits that are averaged and compared"),
    Measure("reference", "reference", lambda row: row.reference, kind=str, note="The visit that stays in place"),
    Measure(
        "greatest_round_trip_px",
        "greatest round-trip error",
        lambda row: row.greatest_round_trip_px,
        unit=GRID_PX,
        note="Over the visits; empty with two visits",
    ),
    Measure(
        "left_out",
        "left out",
        lambda row: "; ".join(f"{name}: {reason}" for name, reason in row.left_out),
        kind=str,
        note="Visits, a change map or regions of an eye that are left out, each with its reason",
    ),
    Measure("reason", "reason", lambda row: row.reason, kind=str, note="Why the eye, the file or the row is left out"),
)
"""The columns of `eyes.csv`, in their order."""


def eye_cells(row: EyeRow) -> dict[str, str]:
    """The cells of a row of `eyes.csv` by column, empty where nothing is known."""
    values = {column.key: column.cell(column.of(row)) for column in EYE_COLUMNS}
    return {key: "" if value is None else str(value) for key, value in values.items()}


def read_eyes_table(folder: Path) -> list[dict[str, str]]:
    """The cells of `eyes.csv` of a folder; none if there is no such table."""
    path = folder / EYES
    return [row.cells for row in read_table(path, ("eye", "status"))] if path.is_file() else []


def write_eyes_tables(folder: Path, rows: Sequence[Mapping[str, str]], folders: Mapping[str, Path]) -> list[Path]:
    """Write `eyes.csv`, and the measures of all eyes that are done, in the order of the rows.

    Parameters
    ----------
    folder : Path
    rows : sequence of mapping
        As of `eye_cells`.
    folders : mapping of str to Path
        The folder of the results of each eye.

    Returns
    -------
    list of Path
        The tables of eyes with other columns, whose rows are left out.
    """
    columns = [column.key for column in EYE_COLUMNS]
    write_table(folder / EYES, columns, [[row.get(column, "") for column in columns] for row in rows])
    done = [folders[row["eye"]] for row in rows if row["status"] == DONE]
    return [
        table for name, columns in _JOINED for table in _join(folder / name, columns, [each / name for each in done])
    ]


def _join(path: Path, columns: Sequence[str], tables: Sequence[Path]) -> list[Path]:
    """Write one table of the rows of several, one after another; the tables with other columns, which are left out.

    A table that is not there has no rows.
    """
    others = []
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream, lineterminator="\n").writerow(columns)
        for table in filter(Path.is_file, tables):
            rows = _rows(table, columns)
            if rows is None:
                others.append(table)
            else:
                stream.write(rows if rows.endswith("\n") or not rows else f"{rows}\n")
    return others


def _rows(table: Path, columns: Sequence[str]) -> str | None:
    """The rows of a table as text; None if it has other columns."""
    try:
        header, _, body = table.read_text(encoding="utf-8-sig").partition(
            "\n"
        )  # a spreadsheet may begin it with a mark
    except UnicodeDecodeError:
        return None
    return body if header == ",".join(columns) else None
