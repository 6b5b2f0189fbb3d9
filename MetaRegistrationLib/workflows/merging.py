"""The tables of the parts of a run over pairs or eyes, as one table. Pairs need no torch."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import InputError
from ..formats.output_folder import Output, check_output, writing
from ..formats.written_files import WrittenFiles
from ..progress import Finished, Message, Reader, Silent
from ..words import counted
from .registering import PairsOutcome

if TYPE_CHECKING:
    from .visits import EyesOutcome

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
        All pairs or eyes of the part, in their order.
    rows : dict of str to PairMeasures or EyeRow
        The outcomes of those that are finished.
    record : dict
        Its `summary.json`; of eyes, what they are left out for.
    same : mapping
        What parts of one run have in common; empty if that is not known yet.
    word : str
        "pair" or "eye".
    """

    folder: Path
    kind: str
    names: tuple[str, ...]
    rows: dict[str, Any]
    record: dict
    same: Mapping[str, object] = field(default_factory=dict)
    word: str = "pair"

    @property
    def shard(self) -> tuple[int, int] | None:
        """Number and count of the part, if it is one of an array."""
        found = re.fullmatch(r"shard_(\d+)_of_(\d+)", self.folder.name)
        return None if found is None else (int(found[1]), int(found[2]))

    @property
    def left_out(self) -> list[dict]:
        """What is left out of it, with reasons."""
        return list(self.record.get("left_out", []))

    @property
    def not_done(self) -> list[str]:
        """What is neither finished nor left out of it."""
        out = {each[self.word] for each in self.left_out}
        return [name for name in self.names if name not in self.rows and name not in out]


def merge(
    folders: Sequence[Path], output: Path | None = None, progress: Reader | None = None, *, replace: bool = False
) -> PairsOutcome | EyesOutcome:
    """Write the tables over the pairs or eyes of several folders of results; their files stay where they are.

    Parameters
    ----------
    folders : sequence of Path
        Folders of results, or folders that hold those of the parts of an array.
    output : Path, optional
        For the tables; the folder itself if there is one.
    progress : Reader, optional
    replace : bool
        Replace other results in `output`.

    Returns
    -------
    PairsOutcome or EyesOutcome
        Rows are in the order of the pairs of the whole folder. Parts, pairs and eyes that are missing are named, and in
        `left_out`.

    Raises
    ------
    InputError
        A folder holds no such results, parts do not belong together, or `output` would lose files.
    """
    progress = progress or Silent()
    if output is None:
        if len(folders) != 1:
            raise InputError("{field}: name a folder for the tables, since there are several inputs.", field="output")
        output = folders[0]
    parts = [part for folder in folders for part in parts_of(Path(folder))]
    _check_together(parts)
    parts.sort(key=lambda part: part.shard or (0, 0))
    if parts[0].word == "eye":
        from .merging_eyes import merge_eyes

        return merge_eyes(parts, Path(output), progress, replace)
    return _merge_pairs(parts, Path(output), progress, replace)


def _merge_pairs(parts: Sequence[Part], output: Path, progress: Reader, replace: bool) -> PairsOutcome:
    from ..registration.file_names import table_files
    from ..registration.tables import write_tables

    planned = merged_output(parts, output, table_files(output), replace)
    rows = [part.rows[name] for part, name in in_order(parts) if name in part.rows]
    left_out = tell_missing(parts, progress)
    record = {
        key: value for key, value in parts[0].record.items() if key not in ("left_out", "shard", "pairs_not_done")
    }
    record |= {"merged": [str(part.folder) for part in parts]} | ({"left_out": left_out} if left_out else {})
    with writing(planned, progress) as folder:
        summary = write_tables(folder, rows, record)
    progress(Finished(TASK, folder, summary))
    return PairsOutcome(rows, summary, left_out, folder)


def merged_output(parts: Sequence[Part], output: Path, targets: Sequence[Path], replace: bool) -> Output:
    """The merged tables, as results in a folder.

    Raises
    ------
    InputError
        Nothing is finished yet, or `output` would lose files.
    """
    planned = Output(output, TASK, {"tables": ("merged tables",)}, (), lambda: targets, replace)
    check_output(planned)
    if not any(part.rows for part in parts):
        raise InputError(f"{parts[0].folder}: no {parts[0].word} is finished yet, so there are no tables to merge.")
    return planned


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
            f"{folder}: results of register, evaluate or series were expected, or folders shard_K_of_N with such results;"
            " there are none."
        )
    return found


def _part(folder: Path) -> Part | None:
    from ..formats.tables import read_table
    from ..registration.measures import from_row
    from .resuming import PAIRS, finished_rows

    listed = WrittenFiles.read(folder.resolve())
    if listed is not None and listed.run.kind == "series":
        from .merging_eyes import part_with_eyes

        return part_with_eyes(folder, listed)
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
    same = {word: record.get(key) for key, word in _SAME.items()} if record else {}
    return Part(folder, listed.run.kind, names, {**rows, **exact}, record, same)


def _check_together(parts: Sequence[Part]) -> None:
    """Raise an `InputError` unless the parts are of one run."""
    first = next((part for part in parts if part.same), parts[0])
    for part in parts:
        different = [word for word, value in part.same.items() if first.same.get(word) != value]
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
                raise InputError(f"{name}: this {part.word} is in {seen[name]} and in {part.folder}.")
            seen[name] = part.folder


def _missing_shards(parts: Sequence[Part]) -> list[str]:
    numbers = {part.shard for part in parts if part.shard}
    counts = {count for _, count in numbers}
    return [f"{k}/{count}" for count in counts for k in range(1, count + 1) if (k, count) not in numbers]


def in_order(parts: Sequence[Part]) -> list[tuple[Part, str]]:
    """The pairs or eyes of all parts in the order of the whole: the first part has the first one, the second part the next."""
    placed = []
    for position, part in enumerate(parts):
        for index, name in enumerate(part.names):
            turn = (index, part.shard[0]) if part.shard else (position, index)
            placed.append(((part.shard is None, *turn), part, name))
    return [(part, name) for _, part, name in sorted(placed, key=lambda each: each[0])]


def tell_missing(parts: Sequence[Part], progress: Reader) -> list[dict]:
    """Say which parts are missing, and what is not done yet; all that is left out, with reasons."""
    left_out, missing = [each for part in parts for each in part.left_out], _missing_shards(parts)
    if missing:
        progress(Message(f"missing parts: {', '.join(missing)}", "warning"))
        left_out += [{parts[0].word: f"part {each}", "reason": "its results are missing"} for each in missing]
    for part in parts:
        names = part.not_done
        if names:
            more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
            text = f"{part.folder}: {counted(len(names), part.word)} not done yet: {', '.join(names[:_SHOWN])}{more}"
            progress(Message(text, "warning"))
            left_out += [{part.word: name, "reason": "not done yet"} for name in names]
    return left_out
