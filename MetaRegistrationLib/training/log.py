"""The CSV log of a training run."""

from __future__ import annotations

import csv
from pathlib import Path

from ..formats.tables import write_table


class TrainingLog:
    """Rows of a run, one at each validation; the file is rewritten whole, so that it is never torn.

    Columns appear in the order in which they were first seen; the first is `step`.
    """

    def __init__(self, path: Path):
        self.path = path
        self._rows: list[dict] = []

    def continue_from(self, step: int) -> None:
        """Take up the rows of the file up to `step`; later ones belong to work that was lost.

        A run that comes back at step 0 validates first, and so writes that row again.
        """
        if step == 0 or not self.path.exists():
            return
        with self.path.open(encoding="utf-8", newline="") as stream:
            self._rows = [row for row in csv.DictReader(stream) if int(row["step"]) <= step]

    def add(self, row: dict) -> None:
        """Append a row (it holds `step`) and write the file."""
        self._rows.append({key: f"{value:.6g}" if isinstance(value, float) else value for key, value in row.items()})
        columns = list(dict.fromkeys(key for row in self._rows for key in row))
        write_table(self.path, columns, [[row.get(column, "") for column in columns] for row in self._rows])
