"""The tables over pairs: `metrics.csv` and `summary.json`. Needs no torch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..formats.files import writable_folder, write_json
from ..formats.tables import write_table
from ..progress import plain
from .measures import PairMeasures, as_row, summary


def write_tables(folder: Path, rows: Sequence[PairMeasures], record: dict) -> dict:
    """Write `metrics.csv` (one row a pair) and `summary.json` into `folder`; return the summary."""
    writable_folder(folder)
    cells = [as_row(row) for row in rows]
    write_table(folder / "metrics.csv", list(cells[0]), [list(row.values()) for row in cells])
    result = plain({**record, **summary(rows)})
    write_json(folder / "summary.json", result)
    return result
