"""Results of rows on disk: a table of its pairs for each, and a record, written last, that marks it as done."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import InputError
from ..formats.files import writable_folder, write_json
from ..formats.tables import write_table
from ..progress import plain
from ..registration.measures import PairMeasures, as_row, from_row, summary
from .plan import Row, Setting


@dataclass(frozen=True)
class Result:
    """A row that is done: its record, and the measures of its pairs."""

    row: Row
    record: dict
    pairs: tuple[PairMeasures, ...]

    def by_pair(self, measure: str) -> dict[str, float]:
        """One measure of all pairs, by the pair's name."""
        return {pair.pair: pair[measure] for pair in self.pairs}


def write_result(folder: Path, row: Row, pairs: Sequence[PairMeasures], record: dict) -> None:
    """Write `NAME.csv`, then `NAME.json`, into the row's folder."""
    writable_folder(folder)
    cells = [as_row(pair) for pair in pairs]
    write_table(folder / f"{row.file}.csv", list(cells[0]), [list(cell.values()) for cell in cells])
    write_json(folder / f"{row.file}.json", plain({**record, "summary": summary(pairs)}))


def read_result(output: Path, row: Row, settings: dict | None = None) -> Result | None:
    """The result of a row; None when it is not done.

    Raises
    ------
    InputError
        It was made with other settings than `settings`.
    """
    path = output / row.folder / f"{row.file}.json"
    if not path.is_file():
        return None
    record = json.loads(path.read_text(encoding="utf-8"))
    if settings is not None and record["settings"] != plain(settings):
        found = record["settings"]
        differing = sorted(_words(key) for key, value in plain(settings).items() if found.get(key) != value)
        raise InputError(
            f"{path}: this row was made with other settings ({', '.join(differing)}).",
            field="output",
            advice="Give the same ones, choose another {field}, or delete that folder to make the row anew.",
        )
    return Result(row, record, _read_pairs(path.with_suffix(".csv")))


def _words(setting: str) -> str:
    return "images, masks or landmarks" if setting == "bed_files" else setting


def read_results(output: Path) -> list[Result]:
    """All rows that are done, whichever call made them."""
    paths = sorted(output.glob("runs/*/*/*/*/*.json"))
    rows = [Row.from_dict(json.loads(path.read_text(encoding="utf-8"))["settings"]["row"]) for path in paths]
    return [result for result in (read_result(output, row) for row in rows) if result is not None]


def read_log(output: Path, row: Row) -> list[dict[str, float]]:
    """What was watched while a row trained, a dict of numbers for each time; empty when there is nothing."""
    path = output / row.folder / "log.csv"
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as stream:
        lines = list(csv.DictReader(stream))
    return [{key: float(value) for key, value in line.items() if value} for line in lines]


def settings_of(results: Sequence[Result]) -> list[Setting]:
    """The settings that occur, ordered."""
    return sorted({r.row.setting for r in results}, key=lambda s: (s.bed, s.initial != "none", s.network))


def _read_pairs(path: Path) -> tuple[PairMeasures, ...]:
    with path.open(encoding="utf-8", newline="") as stream:
        return tuple(map(from_row, csv.DictReader(stream)))
