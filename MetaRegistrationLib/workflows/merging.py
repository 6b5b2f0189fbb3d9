"""The tables of the parts of a folder run, as one table. Needs no torch."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import InputError
from ..formats.output_folder import Output, check_output, writing
from ..formats.written_files import WrittenFiles
from ..progress import Finished, Message, Reader, Silent
from ..words import counted
from .registering import PairsOutcome

if TYPE_CHECKING:
    from ..registration.measures import PairMeasures

TASK = "merge"
_SHARDS = "shard_*_of_*"
_SAME = {"checkpoint_sha256": "checkpoint", "stages": "stages", "network": "network", "preprocessing": "preprocessing"}
_SHOWN = 10


@dataclass(frozen=True, eq=False)
class Part:
    """The results of one part.

    Attributes
    ----------
    folder : Path
    kind : str
        The command that wrote them.
    names : tuple of str
        All pairs of the part, in their order.
    rows : dict of str to PairMeasures
        The measures of those that are finished.
    record : dict
        Its `summary.json`.
    """

    folder: Path
    kind: str
    names: tuple[str, ...]
    rows: dict[str, PairMeasures]
    record: dict

    @property
    def shard(self) -> tuple[int, int] | None:
        """Number and count of the part, if it is one of an array."""
        found = re.fullmatch(r"shard_(\d+)_of_(\d+)", self.folder.name)
        return None if found is None else (int(found[1]), int(found[2]))

    @property
    def left_out(self) -> list[dict]:
        """Its pairs that are left out, with reasons."""
        return list(self.record.get("left_out", []))

    @property
    def not_done(self) -> list[str]:
        """Its pairs that are neither finished nor left out."""
        out = {each["pair"] for each in self.left_out}
        return [name for name in self.names if name not in self.rows and name not in out]


def merge(
    folders: Sequence[Path], output: Path | None = None, progress: Reader | None = None, *, replace: bool = False
) -> PairsOutcome:
    """Write the tables over the pairs of several folders of results; files of pairs stay where they are.

    Parameters
    ----------
    folders : sequence of Path
        Folders of results, or folders that hold those of the parts of an array.
    output : Path, optional
        For `metrics.csv` and `summary.json`; the folder itself if there is one.
    progress : Reader, optional
    replace : bool
        Replace other results in `output`.

    Returns
    -------
    PairsOutcome
        Rows in the order of the pairs of the whole folder. Parts and pairs that are missing are named, and in `left_out`.

    Raises
    ------
    InputError
        A folder holds no such results, parts do not belong together, or `output` would lose files.
    """
    from ..registration.file_names import table_files
    from ..registration.tables import write_tables

    progress = progress or Silent()
    if output is None:
        if len(folders) != 1:
            raise InputError("{field}: name a folder for the tables, since there are several inputs.", field="output")
        output = folders[0]
    parts = [part for folder in folders for part in parts_of(Path(folder))]
    _check_together(parts)
    parts.sort(key=lambda part: part.shard or (0, 0))
    missing = _missing_shards(parts)
    targets = table_files(Path(output))
    planned = Output(Path(output), TASK, {"tables": ("merged tables",)}, (), lambda: targets, replace)
    check_output(planned)
    rows = [part.rows[name] for part, name in _in_order(parts) if name in part.rows]
    if not rows:
        raise InputError(f"{folders[0]}: no pair is finished yet, so there are no tables to merge.")
    left_out = _tell_missing(parts, missing, progress)
    record = {
        key: value for key, value in parts[0].record.items() if key not in ("left_out", "shard", "pairs_not_done")
    }
    record |= {"merged": [str(part.folder) for part in parts]} | ({"left_out": left_out} if left_out else {})
    with writing(planned, progress) as folder:
        summary = write_tables(folder, rows, record)
    progress(Finished(TASK, folder, summary))
    return PairsOutcome(rows, summary, left_out, folder)


def parts_of(folder: Path) -> list[Part]:
    """The parts in a folder: those of an array within it, else the folder itself.

    Raises
    ------
    InputError
        There is none.
    """
    shards = sorted(path for path in folder.glob(_SHARDS) if path.is_dir())
    found = [part for part in map(_part, shards or [folder]) if part is not None]
    if not found:
        raise InputError(
            f"{folder}: results of register or evaluate were expected, or folders shard_K_of_N with such results; there are"
            " none."
        )
    return found


def _part(folder: Path) -> Part | None:
    from ..formats.tables import read_table
    from ..registration.measures import from_row
    from .resuming import PAIRS, finished_rows

    listed = WrittenFiles.read(folder.resolve())
    if listed is None or listed.run.kind not in ("register", "evaluate"):
        return None
    try:
        record = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
        table = [from_row(row.cells) for row in read_table(folder / "metrics.csv", ("pair",))]
    except FileNotFoundError:
        record, table = {}, []
    except (OSError, ValueError) as error:
        raise InputError(f"{folder}: its tables cannot be read ({error}).") from error
    names = tuple(listed.run.items)
    exact = finished_rows(listed, PAIRS)
    rows = {row.pair: exact.get(row.pair, row) for row in table}
    return Part(folder, listed.run.kind, names, {**rows, **exact}, record)


def _check_together(parts: Sequence[Part]) -> None:
    """Raise an `InputError` unless the parts are of one run."""
    first = next((part for part in parts if part.record), parts[0])
    for part in parts:
        different = [
            word for key, word in _SAME.items() if part.record and part.record.get(key) != first.record.get(key)
        ]
        if part.kind != first.kind:
            different.append("command")
        if part.shard and first.shard and part.shard[1] != first.shard[1]:
            different.append("number of parts")
        if different:
            raise InputError(
                f"{part.folder}: its {', '.join(different)} differ from those of {first.folder}, so the tables would mix two"
                " runs."
            )
    seen: dict[str, Path] = {}
    for part in parts:
        for name in part.names:
            if name in seen:
                raise InputError(f"{name}: this pair is in {seen[name]} and in {part.folder}.")
            seen[name] = part.folder


def _missing_shards(parts: Sequence[Part]) -> list[str]:
    numbers = {part.shard for part in parts if part.shard}
    counts = {count for _, count in numbers}
    return [f"{k}/{count}" for count in counts for k in range(1, count + 1) if (k, count) not in numbers]


def _in_order(parts: Sequence[Part]) -> list[tuple[Part, str]]:
    """The pairs of all parts in the order of the whole folder: the first part has the first one, the second part the next."""
    placed = []
    for position, part in enumerate(parts):
        for index, name in enumerate(part.names):
            turn = (index, part.shard[0]) if part.shard else (position, index)
            placed.append(((part.shard is None, *turn), part, name))
    return [(part, name) for _, part, name in sorted(placed, key=lambda each: each[0])]


def _tell_missing(parts: Sequence[Part], missing: Sequence[str], progress: Reader) -> list[dict]:
    left_out = [each for part in parts for each in part.left_out]
    if missing:
        progress(Message(f"missing parts: {', '.join(missing)}", "warning"))
        left_out += [{"pair": f"part {each}", "reason": "its results are missing"} for each in missing]
    for part in parts:
        names = part.not_done
        if names:
            more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
            text = f"{part.folder}: {counted(len(names), 'pair')} not done yet: {', '.join(names[:_SHOWN])}{more}"
            progress(Message(text, "warning"))
            left_out += [{"pair": name, "reason": "not done yet"} for name in names]
    return left_out
