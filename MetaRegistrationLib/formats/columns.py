"""Columns of tables under the names that people give them."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from ..errors import InputError
from .tables import Row

PIXEL_SIZES = {
    "spacing_um": ("spacing_um", "pixel_size_um"),
    "spacing": ("spacing", "spacing_mm", "pixel_size_mm"),
}
"""Columns of pixel sizes in micrometres and in millimetres."""


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
