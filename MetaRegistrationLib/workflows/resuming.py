"""Which pairs or eyes of an earlier run are finished: by the content of their files, and by the settings of the run."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

from .. import __version__
from ..formats.links import real_path
from ..formats.output_folder import Finished
from ..formats.written_files import State, WrittenFiles
from ..progress import Message, Reader, plain
from ..words import counted, enumerated
from .pair_work import PairDone, input_states
from .registrars import RegistrarOptions

if TYPE_CHECKING:
    from ..pairs.files import PairFiles
    from ..registration.measures import PairMeasures

_READERS = 8
_Row = TypeVar("_Row")


@dataclass(frozen=True, eq=False)
class Items(Generic[_Row]):
    """What a run goes over, and how its finished items are noted.

    Attributes
    ----------
    word : str
        "pair" or "eye": the key of its notes, and what people read.
    reading : callable
        Gives what is stated for an item (pixel sizes, slices, dates), each value under its name.
    states : callable
        The content of the files of an item, by their role.
    row : callable
        The outcome, from its plain values in a note.
    misread : str
        The words for another reading; empty for the names of the values.
    """

    word: str
    reading: Callable[..., dict]
    states: Callable[..., Mapping[str, State]]
    row: Callable[[dict], _Row]
    misread: str = ""


@dataclass(frozen=True, eq=False)
class Earlier(Generic[_Row]):
    """What an earlier run has finished.

    Attributes
    ----------
    rows : dict of str to PairMeasures or EyeRow
        The outcomes of the items that are not done again, by name.
    notes : tuple of dict
        Their notes in the list of written files.
    again : dict of str to str
        Why each other finished item is done again.
    word : str
        As of `Items`.
    changed : tuple of str
        The result files of the pairs or eyes that are not done again that have another size than they were written with.
    """

    rows: dict[str, _Row] = field(default_factory=dict)
    notes: tuple[dict, ...] = ()
    again: dict[str, str] = field(default_factory=dict)
    word: str = "pair"
    changed: tuple[str, ...] = ()

    def finished(self, tables: Collection[str]) -> Finished:
        """What stays in the output folder."""
        return Finished(frozenset(self.rows), self.notes, frozenset(tables))

    def report(self, total: int, progress: Reader) -> None:
        """Report how many of all items are finished, and which are done again for which reason."""
        if not (self.rows or self.again):
            return
        verb = "is" if total == 1 else "are"
        progress(Message(f"resumed: {len(self.rows)} of {counted(total, self.word)} {verb} finished"))
        for reason in dict.fromkeys(self.again.values()):
            names = [name for name, why in self.again.items() if why == reason]
            progress(Message(f"done again, because {reason}: {enumerated(names)}"))
        if self.changed:
            progress(Message(f"changed since they were written, and kept as they are: {enumerated(self.changed)}"))


def run_settings(options: RegistrarOptions, parts: Collection[str] | None, batch: int = 1) -> dict:
    """What all pairs of a run share and what changes their results, as plain values.

    `batch` is the number of pairs that go through the networks at once; sums over a batch round differently.
    """
    settings = {
        "checkpoint": _checkpoint_sha256(options) if options.stages.network else None,
        "stages": options.stages.to_dict(),
        "written parts": None if parts is None else sorted(parts),
        "version": __version__,
    }
    if batch > 1 and options.stages.network:
        settings["batch"] = batch
    return plain(settings)


def settings_note(settings: dict) -> dict:
    """The note of the settings, before the notes of pairs that refer to it."""
    return {"settings": key_of(settings), "values": settings}


def pair_note(done: PairDone, files: PairFiles, settings: dict) -> dict:
    """The note of a finished pair."""
    from ..registration.measures import MEASURES

    row = {each.key: each.exact(done.measures[each.key]) for each in MEASURES}
    return item_note(PAIRS, done.name, files.reading(), done.inputs, row, settings)


def item_note(
    of: Items, name: str, reading: dict, inputs: Mapping[str, State], row: Mapping[str, object], settings: dict
) -> dict:
    """The note of a finished item, all of whose files are in place."""
    return {
        of.word: name,
        "with": key_of(settings),
        "reading": reading,
        "inputs": {role: state.blake2b for role, state in inputs.items()},
        "row": row,
    }


def earlier_results(
    output: Path,
    kind: str,
    items: Sequence,
    settings: dict,
    found: Callable[[WrittenFiles, str], Found],
    of: Items[_Row],
) -> Earlier[_Row]:
    """What an earlier run of the same kind has finished in a folder.

    Parameters
    ----------
    output : Path
    kind : str
        The command.
    items : sequence
        The pairs or eyes of the present run.
    settings : dict
        As of `run_settings`.
    found : callable
        The state of the result files of an item, by the list of written files and its name.
    of : Items
        What the items are.
    """
    listed = WrittenFiles.read(real_path(output))
    if listed is None or listed.run.kind != kind:
        return Earlier(word=of.word)
    values = {note["settings"]: note["values"] for note in listed.notes if "settings" in note}
    notes = {note[of.word]: note for note in listed.notes if of.word in note}
    candidates = [item for item in items if item.name in notes]
    rows, again, changed = {}, {}, []
    with ThreadPoolExecutor(_READERS) as readers:
        differences = readers.map(lambda item: _difference(item, notes[item.name], values, settings, of), candidates)
        for item, different in zip(candidates, differences, strict=True):
            files = Found(different) if different else found(listed, item.name)
            if files.problem:
                again[item.name] = files.problem
            else:
                rows[item.name] = of.row(notes[item.name]["row"])
                changed += files.resized
    kept = [settings_note(settings)] if rows else []
    return Earlier(rows, (*kept, *(notes[name] for name in rows)), again, of.word, tuple(changed))


def files_by_folder(listed: WrittenFiles) -> dict[str, list[str]]:
    """The listed files in the folder of each item."""
    found: dict[str, list[str]] = {}
    for name in listed.states:
        folder, inside, _ = name.partition("/")
        if inside:
            found.setdefault(folder, []).append(name)
    return found


def finished_rows(listed: WrittenFiles, of: Items[_Row]) -> dict[str, _Row]:
    """The outcomes of the finished items of a list, by name."""
    return {note[of.word]: of.row(note["row"]) for note in listed.notes if of.word in note}


def _difference(item: object, note: dict, values: Mapping[str, dict], settings: dict, of: Items) -> str:
    """What has changed since an item was finished, as the end of a sentence; empty if nothing has."""
    if note["with"] != key_of(settings):
        before = values.get(note["with"], {})
        changed = [name for name in {**settings, **before} if before.get(name) != settings.get(name)]
        return f"{_named(changed)} changed" if changed else "the settings changed"
    before, now = note["reading"], of.reading(item)
    if before != now:
        changed = [name for name in {**before, **now} if before.get(name) != now.get(name)]
        return f"{of.misread or _named(changed)} changed"
    try:
        present = {role: state.blake2b for role, state in of.states(item).items()}
    except OSError as error:
        return f"a file cannot be read ({error.strerror or error})"
    changed = [role for role in {**note["inputs"], **present} if note["inputs"].get(role) != present.get(role)]
    return f"{_named([_role(role) for role in changed])} changed" if changed else ""


_ROLES = {
    "moving": "the moving image",
    "fixed": "the fixed image",
    "landmarks": "the landmarks",
    "moving_landmarks": "the moving landmarks",
    "fixed_landmarks": "the fixed landmarks",
    "moving_mask": "the moving mask",
    "fixed_mask": "the fixed mask",
}


def _role(role: str) -> str:
    """The files of a role in words; those of pixels by their name, and the image to which they belong."""
    word, _, name = role.partition(" ")
    if word not in _ROLES:
        return role
    return f"{name} of {_ROLES[word]}" if name else _ROLES[word]


MISSING = "result files are missing"


@dataclass(frozen=True)
class Found:
    """The state of the result files of an item.

    Attributes
    ----------
    problem : str
        Why the item is done again; empty if it is finished.
    resized : tuple of str
        The files that have another size than they were written with.
    """

    problem: str = ""
    resized: tuple[str, ...] = ()


def found_files(listed: WrittenFiles, needed: Collection[str], written: Collection[str]) -> Found:
    """The state of the result files of an item: some are missing, end too early, or have another size.

    Parameters
    ----------
    listed : WrittenFiles
    needed : collection of str
        The files that must be there.
    written : collection of str
        The listed files of the item.
    """
    sizes = {name: _size(listed.folder / name) for name in {**dict.fromkeys(needed), **dict.fromkeys(written)}}
    if any(sizes[name] is None for name in needed):
        return Found(MISSING)
    resized = tuple(name for name in written if sizes[name] is not None and not listed.had_size(name, sizes[name]))
    return Found("result files end too early" if any(map(listed.damaged, resized)) else "", resized)


def _size(path: Path) -> int | None:
    """The size of a file; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_size if stat.S_ISREG(found.st_mode) else None


def files_of_pairs(needed: Mapping[str, Sequence[str]]) -> Callable[[WrittenFiles, str], Found]:
    """The state of the result files of pairs. `needed` names those that must be there, relative to the output folder."""
    written: dict[str, list[str]] = {}

    def found(listed: WrittenFiles, name: str) -> Found:
        if not written:
            written.update(files_by_folder(listed))
        return found_files(listed, needed.get(name, ()), written.get(name, ()))

    return found


def _named(names: Sequence[str]) -> str:
    return ", ".join(names)


def _measures(row: dict) -> PairMeasures:
    from ..registration.measures import MEASURES, PairMeasures

    return PairMeasures(**{each.key: each.parse(row[each.key]) for each in MEASURES if each.key in row})


PAIRS = Items("pair", lambda files: files.reading(), input_states, _measures, "the pixel size or the slice to read")
"""The pairs of a folder."""


def key_of(settings: object) -> str:
    """A short hash of plain values."""
    text = json.dumps(settings, sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def _checkpoint_sha256(options: RegistrarOptions) -> str:
    from ..resources import default_checkpoint
    from .registrars import find_checkpoint

    named = options.checkpoint
    if options.network is None and (named is None or isinstance(named, (str, os.PathLike))):
        path = default_checkpoint() if named is None else find_checkpoint(named)
        return hashlib.sha256(path.read_bytes()).hexdigest()
    from .registrars import checkpoint_sha256, open_checkpoint

    content, path = open_checkpoint(named, options.network)
    return checkpoint_sha256(content, path)


def in_order(rows: Mapping[str, PairMeasures], files: Sequence[PairFiles]) -> Iterator[PairMeasures]:
    """The measures in the order of the pairs."""
    return (rows[pair.name] for pair in files if pair.name in rows)
