"""Tables in CSV files: read with the line of every row, so that errors can name it."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import InputError
from ..numeric import AmbiguousNumber, from_text
from .files import write_text
from .image_files import existing_file


@dataclass(frozen=True)
class Row:
    """One row: its file and line (for messages) and its cells by lower-case column name, without outer blanks."""

    path: Path
    line: int
    cells: dict[str, str]
    decimal_comma: bool = False

    @property
    def place(self) -> str:
        """File and line, for messages."""
        return f"{self.path}, line {self.line}"

    def text(self, column: str) -> str:
        """Cell of `column`; empty when the table has no such column."""
        return self.cells.get(column, "")

    def number(self, column: str) -> float:
        """Finite number of `column`; `InputError` names file, line and column otherwise."""
        text = self.text(column)
        if self.decimal_comma:
            return finite_number(text.replace(",", "."), self.place, column)
        try:
            return finite_number(from_text(text), self.place, column)
        except AmbiguousNumber as error:
            raise InputError(f"{self.place}: {column} is {text!r}: {error}.") from error
        except ValueError:
            return finite_number(text, self.place, column)


def finite_number(text: object, place: str, field: str) -> float:
    """`text` as a finite float; the `InputError` otherwise starts with `place` and names `field`."""
    try:
        value = float(text)
    except (TypeError, ValueError, OverflowError):
        value = math.nan
    if not math.isfinite(value):
        shown = repr(text) if text != "" else "nothing"
        raise InputError(f"{place}: {field} must be a number, but it is {shown}. Correct that entry.")
    return value


def read_lines(path: str | Path, kind: str) -> list[str]:
    """Lines of a text file in UTF-8 (with or without mark) or, as older Excel saves, Windows-1252."""
    path = existing_file(path, kind)
    data = path.read_bytes()
    if b"\0" in data:
        raise InputError(f"{path}: a text file ({kind}) was expected, but it holds binary data. Save it as UTF-8 text.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("cp1252", "replace")
    return text.splitlines()


def read_table(path: str | Path, *alternatives: Sequence[str]) -> list[Row]:
    """Read a CSV file with a header row; comma, semicolon (Excel in much of Europe) or tab between columns.

    Parameters
    ----------
    path : path
        The CSV file.
    alternatives : sequences of str
        Sets of lower-case columns, of which the table must have at least one in full.

    Raises
    ------
    InputError
        The file is missing, no text, lacks the columns, or has a row with more cells than the header.
    """
    path = Path(path)
    lines = read_lines(path, "CSV table")
    if lines and re.fullmatch(r"sep=.", lines[0].strip(), re.IGNORECASE):  # Excel's own first line
        lines[0] = ""
    header_line = next((line for line in lines if line.strip()), "")
    delimiter = max(",;\t", key=header_line.count)
    numbered = _numbered_rows(path, lines, delimiter)
    columns = [cell.strip().lower() for cell in numbered[0][1]] if numbered else []
    if not any(set(wanted) <= set(columns) for wanted in alternatives):
        expected = " or ".join(",".join(wanted) for wanted in alternatives)
        found = ",".join(columns) or "nothing"
        raise InputError(f"{path}, line 1: expected a header with the columns {expected}, but found: {found[:200]}.")
    if len(set(columns) - {""}) < len([column for column in columns if column]):
        raise InputError(
            f"{path}, line 1: a column name occurs twice: {','.join(columns)[:200]}. Rename or remove one."
        )
    table = []
    for number, row in numbered[1:]:
        if any(cell.strip() for cell in row[len(columns) :]):
            raise InputError(
                f"{path}, line {number}: {len(row)} cells under {len(columns)} columns. Quote cells that hold a comma."
            )
        cells = {column: cell.strip() for column, cell in zip(columns, row, strict=False) if column}
        table.append(Row(path, number, cells, decimal_comma=delimiter != ","))
    return table


def _numbered_rows(path: Path, lines: list[str], delimiter: str) -> list[tuple[int, list[str]]]:
    """Line number and cells of every row that is not blank."""
    reader = csv.reader(io.StringIO("\n".join(lines)), delimiter=delimiter)
    try:
        return [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise InputError(f"{path}, line {reader.line_num}: no valid CSV ({error}). Save it as CSV again.") from error


def write_table(path: str | Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a CSV file with a header row."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    write_text(path, stream.getvalue())
