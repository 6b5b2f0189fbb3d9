"""Foveal avascular zones in files: outlines that 3D Slicer loads, and zones that were corrected by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..core.geometry import Geometry
from ..errors import InputError
from ..formats.files import sole_writer
from ..formats.markups import write_mrk_json
from ..formats.tables import read_table, write_table
from ..octa.faz import Faz

CORRECTED = "faz_corrected.csv"
CORRECTED_COLUMNS = ("eye", "visit", "date", "region", "measure", "value", "unit", "axial_length_mm", "note")
BY_HAND = "corrected by hand"
_EVERY = 3  # of 96 points: few enough to be moved by hand, and a smooth curve goes through all


@dataclass(frozen=True)
class CorrectedFaz:
    """A zone that was corrected by hand.

    Attributes
    ----------
    eye, visit, date : str
    zone : Faz
        Measured on the scale of the eye.
    axial_length_mm : float or None
        By which it was scaled.
    """

    eye: str
    visit: str
    date: str
    zone: Faz
    axial_length_mm: float | None = None

    def rows(self) -> list[list[str]]:
        """The cells of `CORRECTED_COLUMNS`, a row a measure."""
        length = "" if self.axial_length_mm is None else f"{self.axial_length_mm:g}"
        values = (
            ("faz_area", self.zone.area_mm2, "mm2"),
            ("faz_perimeter", self.zone.perimeter_mm, "mm"),
            ("faz_circularity", self.zone.circularity, ""),
        )
        return [
            [self.eye, self.visit, self.date, "whole", measure, f"{value:.6g}", unit, length, BY_HAND]
            for measure, value, unit in values
        ]


def faz_file(visit: str) -> str:
    """The name of the file with the outline of a visit's zone."""
    return f"faz_{visit}.mrk.json"


def write_outlines(folder: Path, zones: Mapping[str, Faz | None], geometry: Geometry) -> list[Path]:
    """Write the zones that were found, each as a closed curve on the reference's pixels, LPS mm.

    Parameters
    ----------
    folder : Path
    zones : mapping of str to Faz or None
        By visit, outlines in pixels of the reference.
    geometry : Geometry
        Of the reference. It is not scaled by an axial length, as images are not.
    """
    written = []
    for visit, zone in zones.items():
        if zone is not None:
            points = geometry.to_physical(zone.outline[::_EVERY])
            written.append(folder / faz_file(visit))
            write_mrk_json(written[-1], [""] * len(points), points, kind="ClosedCurve")
    return written


def keep_corrected(folder: Path, found: CorrectedFaz) -> Path:
    """Write a corrected zone into `faz_corrected.csv` of a folder of results; rows of other visits and eyes stay.

    Raises
    ------
    InputError
        There is such a file with other columns, or another process writes into the folder.
    """
    path = folder / CORRECTED
    with sole_writer(folder):
        others = [row for row in _rows(path) if (row[0], row[1]) != (found.eye, found.visit)]
        write_table(path, CORRECTED_COLUMNS, others + found.rows())
    return path


def _rows(path: Path) -> list[list[str]]:
    """The cells of an earlier table; none without one."""
    if not path.exists():
        return []
    rows = read_table(path, CORRECTED_COLUMNS)
    if any(set(row.cells) != set(CORRECTED_COLUMNS) for row in rows):
        raise InputError(f"{path}: it has other columns than this program writes. Move it away, and go on.")
    return [[row.text(column) for column in CORRECTED_COLUMNS] for row in rows]
