"""The tables of the parts of a series over many eyes, as one table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..formats.output_folder import writing
from ..formats.written_files import WrittenFiles
from ..progress import Finished, Reader
from .eyes_resuming import EYES
from .eyes_run import tell_not_joined
from .merging import TASK, Part, in_order, merged_output, tell_missing
from .resuming import finished_rows
from .visits import EyesOutcome


def part_with_eyes(folder: Path, listed: WrittenFiles) -> Part:
    """The part of a folder of results of `series`, by its list of written files and its `eyes.csv`."""
    from ..visits.eyes_table import LEFT_OUT, read_eyes_table

    names = tuple(dict.fromkeys(name.partition("/")[0] for name in listed.run.items))
    rows = finished_rows(listed, EYES)
    table = [row for row in read_eyes_table(folder) if row["status"] == LEFT_OUT and row["eye"] not in rows]
    settings, part_of = (listed.last_note(key) or {} for key in ("values", "part_of"))
    return Part(folder, listed.run.kind, names, rows, {"left_out": table}, settings, part_of, EYES.word)


def merge_eyes(parts: Sequence[Part], output: Path, progress: Reader, replace: bool) -> EyesOutcome:
    """Write the tables over the eyes of several parts; the folders of the eyes stay where they are."""
    from ..visits.eyes_table import LEFT_OUT, EyeRow, eye_cells, write_eyes_tables
    from ..visits.output import eyes_tables

    planned = merged_output(parts, output, eyes_tables(output), replace)
    left_out = tell_missing(parts, progress)
    tables = {part.folder: {row["eye"]: row for row in part.left_out if row["eye"]} for part in parts}
    rows = [
        eye_cells(part.rows[name]) if name in part.rows else tables[part.folder].get(name, eye_cells(EyeRow(name)))
        for part, name in in_order(parts)
    ]
    known = {row["eye"] for row in rows}
    others = [row for row in left_out if "status" in row and row["eye"] not in known]
    missing = [
        eye_cells(EyeRow("", LEFT_OUT, reason=f"{row['eye']}: {row['reason']}"))
        for row in left_out
        if "status" not in row and row["eye"] not in known
    ]
    folders = {name: _folder(part, name) for part in parts for name in part.names}
    with writing(planned, progress):
        tell_not_joined(write_eyes_tables(output, [*rows, *others, *missing], folders), progress)
    done = [row for part in parts for row in part.rows.values()]
    names = [row["eye"] or row["reason"] for row in left_out] + [name for row in done for name in row.names_left_out]
    progress(Finished(TASK, output, {"eyes": len(done), "left_out": names}))
    return EyesOutcome(output, len(done), names)


def _folder(part: Part, name: str) -> Path:
    """The folder of the results of an eye; of one eye alone, that of the part."""
    return part.folder if (part.folder / "series.json").is_file() else part.folder / name
