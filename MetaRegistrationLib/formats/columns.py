"""Columns of tables under the names that people give them."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from ..errors import InputError
from .tables import Row

PIXEL_SIZES = {
    "spacing_um": ("spacing_um", "pixel_size_um"),
    "spacing": ("spacing", "spacing_mm", "pixel_size_mm"),
}
"""Columns of pixel sizes in micrometres and in millimetres."""


def pixel_size_um(row: Row, size: Callable[[str, float], float | None]) -> float | None:
    """The pixel size of a row with the columns of `PIXEL_SIZES`, micrometres; None where both cells are empty.

    Parameters
    ----------
    row : Row
    size : callable
        Takes a column and the micrometres in its unit; gives the checked size in micrometres, None for an empty cell.

    Raises
    ------
    InputError
        Both columns have a size, and the two differ.
    """
    own, of_mm = size("spacing_um", 1), size("spacing", 1000)
    if own is None or of_mm is None:
        return of_mm if own is None else own
    if not math.isclose(own, of_mm, rel_tol=1e-3):
        raise InputError(
            f"{row.place}: two pixel sizes, {own:g} um (spacing_um) and {of_mm / 1000:g} mm (spacing). Correct one, or leave it"
            " empty."
        )
    return own


def understood(
    rows: Sequence[Row], path: Path, columns: Mapping[str, Sequence[str]], silent: Collection[str] = ()
) -> tuple[list[Row], str]:
    """The rows with the columns that are understood, and a note that names the others; empty without others.

    Parameters
    ----------
    rows : sequence of Row
    path : Path
        The table, for messages.
    columns : mapping of str to sequence of str
        The columns, each with the names under which it is understood (in any case; blanks and - as _).
    silent : collection of str
        Columns that only describe and are not named.

    Raises
    ------
    InputError
        Two columns mean the same.
    """
    meaning = {name: column for column, names in columns.items() for name in names}
    found: dict[str, str] = {}
    others = []
    for column in dict.fromkeys(column for row in rows for column in row.cells):
        plain = re.sub(r"[\s_-]+", "_", column)
        key = meaning.get(plain)
        if key is None:
            others += [] if plain in silent else [column]
        elif key in found.values():
            other = next(name for name, used in found.items() if used == key)
            raise InputError(f"{path}, line 1: the columns {other!r} and {column!r} mean the same. Remove one.")
        else:
            found[column] = key
    cells = ({found[column]: text for column, text in row.cells.items() if column in found} for row in rows)
    return [replace(row, cells=each) for row, each in zip(rows, cells, strict=True)], _note(path, others)


def _note(path: Path, columns: Sequence[str]) -> str:
    if not columns:
        return ""
    named = ", ".join(map(repr, columns))
    words = f"column {named} is" if len(columns) == 1 else f"columns {named} are"
    return f"{path}: the {words} not understood, and not used"
