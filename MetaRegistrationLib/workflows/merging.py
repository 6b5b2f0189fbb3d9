"""The tables of the parts of a folder run, as one table. Needs no torch."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import InputError
from ..formats.output_folder import Output, check_output, writing
from ..formats.written_files import WrittenFiles
from ..progress import Finished, Message, Reader, Silent
from ..words import counted, enumerated
from .registering import PairsOutcome
from .run_options import Shard

if TYPE_CHECKING:
    from ..registration.measures import PairMeasures

TASK = "merge"
_SHARDS = "shard_*_of_*"
_SAME = {"checkpoint_sha256": "checkpoint", "stages": "stages", "network": "network", "preprocessing": "preprocessing"}
_SAME_SETTINGS = {"version": "version of the program", "batch": "batch"}
_SAME_READING = {
    "spacing_um": "pixel size",
    "moving_spacing_um": "pixel size of the moving images",
    "fixed_spacing_um": "pixel size of the fixed images",
    "override_spacing": "choice to override the pixel sizes of files",
    "slice_index": "slice",
}


@dataclass(frozen=True, eq=False)
class Part:
    """The results of one part.

    Attributes
    ----------
    folder : Path
    kind : str
        The command that wrote them.
    inputs : tuple of str
        The pairs that it reads, in their order.
    rows : dict of str to PairMeasures
        The measures of those that are finished.
    record : dict
        Its `summary.json`.
    settings : dict
        As of `resuming.run_settings`; empty if it notes none.
    part_of : dict
        What its note says of the whole list (`folders.SelectedPairs`); empty if it has no such note.
    """

    folder: Path
    kind: str
    inputs: tuple[str, ...]
    rows: dict[str, PairMeasures]
    record: dict
    settings: dict = field(default_factory=dict)
    part_of: dict = field(default_factory=dict)

    @property
    def shard(self) -> tuple[int, int] | None:
        """Number and count of the part, if it is one of an array."""
        found = re.fullmatch(r"shard_(\d+)_of_(\d+)", self.folder.name)
        return None if found is None else (int(found[1]), int(found[2]))

    @cached_property
    def whole_list(self) -> tuple[str, ...]:
        """The names of all pairs that it saw, those of other parts too; empty if it does not note them."""
        return tuple(self.part_of.get("pairs", ())) if self.shard else ()

    @cached_property
    def names(self) -> tuple[str, ...]:
        """All pairs of the part, in their order."""
        return tuple(Shard(*self.shard).of_pairs(self.whole_list)) if self.whole_list else self.inputs

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
    left_out = _without_rows(_tell_missing(parts, missing, progress), {row.pair for row in rows})
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
    from .resuming import finished_rows

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
    exact = finished_rows(listed)
    rows = {row.pair: exact.get(row.pair, row) for row in table}
    settings, part_of = (listed.last_note(key) or {} for key in ("values", "part_of"))
    return Part(folder, listed.run.kind, tuple(listed.run.items), {**rows, **exact}, record, settings, part_of)


def _check_together(parts: Sequence[Part]) -> None:
    """Raise an `InputError` unless the parts are of one run."""
    first = next((part for part in parts if part.record), parts[0])
    for part in parts:
        different = [
            word for key, word in _SAME.items() if part.record and part.record.get(key) != first.record.get(key)
        ]
        different += _different_notes(part, parts)
        if part.kind != first.kind:
            different.append("command")
        if part.shard and first.shard and part.shard[1] != first.shard[1]:
            different.append("number of parts")
        if different:
            raise InputError(
                f"{part.folder}: it differs from {first.folder} in {', '.join(different)}, so the tables would mix two runs."
            )
    seen: dict[str, Path] = {}
    for part in parts:
        for name in part.names:
            if name in seen:
                why = f" {_OTHER_LISTS}" if len(_lists(parts)) > 1 else ""
                raise InputError(f"{name}: this pair is in {seen[name]} and in {part.folder}.{why}")
            seen[name] = part.folder


_OTHER_LISTS = (
    "The parts did not see the same list of pairs. Run all parts again with the present list, and resume them."
)


def _different_notes(part: Part, parts: Sequence[Part]) -> list[str]:
    """In what the settings and the reading of a part differ from those of the first part that notes them, in words."""
    different = []
    if part.settings:
        first = next(each.settings for each in parts if each.settings)
        different += [word for key, word in _SAME_SETTINGS.items() if part.settings.get(key) != first.get(key)]
    if part.whole_list:
        whole = next(each.part_of for each in parts if each.whole_list)
        different += ["split"] if part.part_of["split"] != whole["split"] else []
        reading, other = part.part_of["reading"], whole["reading"]
        different += [word for key, word in _SAME_READING.items() if reading.get(key) != other.get(key)]
    return different


def _lists(parts: Sequence[Part]) -> list[tuple[str, ...]]:
    """The different lists of pairs that the parts saw."""
    return list(dict.fromkeys(part.whole_list for part in parts if part.whole_list))


def _in_no_part(parts: Sequence[Part], missing: Sequence[Shard]) -> list[str]:
    """The pairs of the lists that belong to no part, because the parts saw other lists."""
    found = {name for part in parts for name in part.names}
    lists = _lists(parts)
    lost = {name for names in lists for shard in missing for name in shard.of_pairs(names)}
    return [name for name in dict.fromkeys(name for names in lists for name in names) if name not in found | lost]


def _missing_shards(parts: Sequence[Part]) -> list[Shard]:
    numbers = {part.shard for part in parts if part.shard}
    counts = {count for _, count in numbers}
    return [Shard(k, count) for count in counts for k in range(1, count + 1) if (k, count) not in numbers]


def _in_order(parts: Sequence[Part]) -> list[tuple[Part, str]]:
    """The pairs of all parts in the order of the whole folder: the first part has the first one, the second part the next."""
    placed = []
    for position, part in enumerate(parts):
        for index, name in enumerate(part.names):
            turn = (index, part.shard[0]) if part.shard else (position, index)
            placed.append(((part.shard is None, *turn), part, name))
    return [(part, name) for _, part, name in sorted(placed, key=lambda each: each[0])]


def _tell_missing(parts: Sequence[Part], missing: Sequence[Shard], progress: Reader) -> list[dict]:
    left_out = [each for part in parts for each in part.left_out]
    if missing:
        progress(Message(f"missing parts: {', '.join(f'{each.number}/{each.count}' for each in missing)}", "warning"))
        left_out += [_missing_part(shard, parts) for shard in missing]
    for part in parts:
        names = part.not_done
        if names:
            text = f"{part.folder}: {counted(len(names), 'pair')} not done yet: {enumerated(names)}"
            progress(Message(text, "warning"))
            left_out += [{"pair": name, "reason": "not done yet"} for name in names]
    nowhere = _in_no_part(parts, missing)
    if nowhere:
        progress(
            Message(f"{counted(len(nowhere), 'pair')} in no part: {enumerated(nowhere)}. {_OTHER_LISTS}", "warning")
        )
        left_out += [{"pair": name, "reason": f"it is in no part. {_OTHER_LISTS}"} for name in nowhere]
    return left_out


def _missing_part(shard: Shard, parts: Sequence[Part]) -> dict:
    """The entry of a part without results, with the names of its pairs as far as the other parts note them."""
    names = list(dict.fromkeys(name for each in _lists(parts) for name in shard.of_pairs(each)))
    pairs = f": {enumerated(names)}" if names else ""
    return {"pair": f"part {shard.number}/{shard.count}", "reason": f"its results are missing{pairs}"}


def _without_rows(left_out: Sequence[dict], rows: Collection[str]) -> list[dict]:
    """The entries of pairs that have no row, one for each pair."""
    found: dict[str, dict] = {}
    for each in left_out:
        if each["pair"] not in rows:
            found.setdefault(each["pair"], each)
    return list(found.values())
