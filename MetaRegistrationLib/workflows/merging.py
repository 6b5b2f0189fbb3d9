"""The tables of the parts of a run over pairs or eyes, as one table. Pairs need no torch."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import InputError
from ..formats.links import real_path
from ..formats.output_folder import Output, check_output, writing
from ..formats.written_files import NAME as LIST
from ..formats.written_files import WrittenFiles
from ..progress import Finished, Message, Reader, Silent
from ..words import counted, enumerated
from .registering import PairsOutcome
from .run_options import Shard

if TYPE_CHECKING:
    from .visits import EyesOutcome

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
        The pairs or eyes that it reads, in their order.
    rows : dict of str to PairMeasures or EyeRow
        The outcomes of those that are finished.
    record : dict
        Its `summary.json`; of eyes, what is left out.
    settings : dict
        As of `resuming.run_settings`; empty if it notes none.
    part_of : dict
        What its note says of the whole list (`folders.SelectedPairs`); empty if it has no such note.
    word : str
        "pair" or "eye".
    """

    folder: Path
    kind: str
    inputs: tuple[str, ...]
    rows: dict[str, Any]
    record: dict
    settings: dict = field(default_factory=dict)
    part_of: dict = field(default_factory=dict)
    word: str = "pair"

    @property
    def shard(self) -> tuple[int, int] | None:
        """Number and count of the part, if it is one of an array."""
        found = re.fullmatch(r"shard_(\d+)_of_(\d+)", self.folder.name)
        return None if found is None else (int(found[1]), int(found[2]))

    @cached_property
    def whole_list(self) -> tuple[str, ...]:
        """The names of all pairs or eyes that it saw, those of other parts too; empty if it does not note them."""
        return tuple(self.part_of.get(f"{self.word}s", ())) if self.shard else ()

    @cached_property
    def names(self) -> tuple[str, ...]:
        """All pairs or eyes of the part, in their order."""
        return tuple(Shard(*self.shard).of_items(self.whole_list)) if self.whole_list else self.inputs

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
    left_out = _without_rows(tell_missing(parts, progress), {row.pair for row in rows})
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
    # A pair may be called shard_1_of_2: its results are on the list of the folder, and have none of their own.
    shards = sorted(path for path in folder.glob(_SHARDS) if (path / LIST).is_file())
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

    listed = WrittenFiles.read(real_path(folder))
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
    exact = finished_rows(listed, PAIRS)
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
                why = f" {_other_lists(part.word)}" if len(_lists(parts)) > 1 else ""
                raise InputError(f"{name}: this {part.word} is in {seen[name]} and in {part.folder}.{why}")
            seen[name] = part.folder


def _other_lists(word: str) -> str:
    return (
        f"The parts did not see the same list of {word}s. Run all parts again with the present list, and resume them."
    )


def _different_notes(part: Part, parts: Sequence[Part]) -> list[str]:
    """In what the settings and the reading of a part differ from those of the first part that notes them, in words."""
    different = []
    if part.settings:
        first = next(each.settings for each in parts if each.settings)
        words = _SAME_SETTINGS if part.word == "pair" else {key: key for key in part.settings}
        different += [word for key, word in words.items() if part.settings.get(key) != first.get(key)]
    if part.whole_list:
        whole = next(each.part_of for each in parts if each.whole_list)
        different += ["split"] if part.part_of.get("split") != whole.get("split") else []
        reading, other = part.part_of.get("reading", {}), whole.get("reading", {})
        different += [word for key, word in _SAME_READING.items() if reading.get(key) != other.get(key)]
    return different


def _lists(parts: Sequence[Part]) -> list[tuple[str, ...]]:
    """The different lists of pairs that the parts saw."""
    return list(dict.fromkeys(part.whole_list for part in parts if part.whole_list))


def _in_no_part(parts: Sequence[Part], missing: Sequence[Shard]) -> list[str]:
    """The pairs of the lists that belong to no part, because the parts saw other lists."""
    found = {name for part in parts for name in part.names}
    lists = _lists(parts)
    lost = {name for names in lists for shard in missing for name in shard.of_items(names)}
    return [name for name in dict.fromkeys(name for names in lists for name in names) if name not in found | lost]


def _missing_shards(parts: Sequence[Part]) -> list[Shard]:
    numbers = {part.shard for part in parts if part.shard}
    counts = {count for _, count in numbers}
    return [Shard(k, count) for count in counts for k in range(1, count + 1) if (k, count) not in numbers]


def in_order(parts: Sequence[Part]) -> list[tuple[Part, str]]:
    """The pairs or eyes of all parts in the order of the whole: the first part has the first one, the second part the next."""
    placed = []
    for position, part in enumerate(parts):
        for index, name in enumerate(part.names):
            turn = (index, part.shard[0]) if part.shard else (position, index)
            placed.append(((part.shard is None, *turn), part, name))
    return [(part, name) for _, part, name in sorted(placed, key=lambda each: each[0])]


def tell_missing(parts: Sequence[Part], progress: Reader) -> list[dict]:
    """Name the missing parts and the items that are not done yet. Returns all items that are left out, with reasons."""
    left_out, missing = [each for part in parts for each in part.left_out], _missing_shards(parts)
    word = parts[0].word
    if missing:
        progress(Message(f"missing parts: {', '.join(f'{each.number}/{each.count}' for each in missing)}", "warning"))
        left_out += [_missing_part(shard, parts) for shard in missing]
    for part in parts:
        names = part.not_done
        if names:
            text = f"{part.folder}: {counted(len(names), word)} not done yet: {enumerated(names)}"
            progress(Message(text, "warning"))
            left_out += [{word: name, "reason": "not done yet"} for name in names]
    nowhere = _in_no_part(parts, missing)
    if nowhere:
        progress(
            Message(f"{counted(len(nowhere), word)} in no part: {enumerated(nowhere)}. {_other_lists(word)}", "warning")
        )
        left_out += [{word: name, "reason": f"it is in no part. {_other_lists(word)}"} for name in nowhere]
    return left_out


def _missing_part(shard: Shard, parts: Sequence[Part]) -> dict:
    """The entry of a part without results, with the names of its pairs or eyes as far as the other parts note them."""
    names = list(dict.fromkeys(name for each in _lists(parts) for name in shard.of_items(each)))
    pairs = f": {enumerated(names)}" if names else ""
    return {parts[0].word: f"part {shard.number}/{shard.count}", "reason": f"its results are missing{pairs}"}


def _without_rows(left_out: Sequence[dict], rows: Collection[str]) -> list[dict]:
    """The entries of pairs that have no row, one for each pair."""
    found: dict[str, dict] = {}
    for each in left_out:
        if each["pair"] not in rows:
            found.setdefault(each["pair"], each)
    return list(found.values())
