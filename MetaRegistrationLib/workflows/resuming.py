"""Which pairs of an earlier run are finished: by the content of their files, and by the settings of the run."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from .. import __version__
from ..formats.output_folder import Finished
from ..formats.written_files import WrittenFiles
from ..progress import Message, Reader, plain
from ..words import counted, enumerated
from .pair_work import PairDone, input_states
from .registrars import RegistrarOptions

if TYPE_CHECKING:
    from ..pairs.files import PairFiles
    from ..registration.measures import PairMeasures

_READERS = 8


@dataclass(frozen=True, eq=False)
class Earlier:
    """What an earlier run has finished.

    Attributes
    ----------
    rows : dict of str to PairMeasures
        The measures of the pairs that are not done again, by name.
    notes : tuple of dict
        Their notes in the list of written files.
    again : dict of str to str
        Why each other finished pair is done again.
    changed : tuple of str
        The result files of the pairs that are not done again that have another size than they were written with.
    """

    rows: dict[str, PairMeasures] = field(default_factory=dict)
    notes: tuple[dict, ...] = ()
    again: dict[str, str] = field(default_factory=dict)
    changed: tuple[str, ...] = ()

    def finished(self, tables: Collection[str]) -> Finished:
        """What stays in the output folder."""
        return Finished(frozenset(self.rows), self.notes, frozenset(tables))

    def report(self, pairs: int, progress: Reader) -> None:
        """Report how many pairs are finished, and which pairs are done again for which reason."""
        if not (self.rows or self.again):
            return
        progress(Message(f"resumed: {len(self.rows)} of {counted(pairs, 'pair')} are finished"))
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
    return {"settings": _key(settings), "values": settings}


def pair_note(done: PairDone, files: PairFiles, settings: dict) -> dict:
    """The note of a finished pair."""
    from ..registration.measures import MEASURES

    return {
        "pair": done.name,
        "with": _key(settings),
        "reading": files.reading(),
        "inputs": {role: state.blake2b for role, state in done.inputs.items()},
        "row": {each.key: each.exact(done.measures[each.key]) for each in MEASURES},
    }


def earlier_results(output: Path, kind: str, files: Sequence[PairFiles], settings: dict, needed: Mapping) -> Earlier:
    """What an earlier run of the same kind has finished in a folder.

    Parameters
    ----------
    output : Path
    kind : str
        The command.
    files : sequence of PairFiles
        The pairs of the present run.
    settings : dict
        As of `run_settings`.
    needed : mapping of str to sequence of str
        The result files of each pair by its name, relative to the output folder.
    """
    listed = WrittenFiles.read(output.resolve())
    if listed is None or listed.run.kind != kind:
        return Earlier()
    values = {note["settings"]: note["values"] for note in listed.notes if "settings" in note}
    notes = {note["pair"]: note for note in listed.notes if "pair" in note}
    candidates = [pair for pair in files if pair.name in notes]
    written = _files_by_pair(listed)

    def found(pair: PairFiles) -> tuple[str, list[str]]:
        resized = [name for name in written.get(pair.name, ()) if listed.resized(name)]
        different = _difference(pair, notes[pair.name], values, settings)
        return different or _lost(listed, needed.get(pair.name, ()), resized), resized

    rows, again, changed = {}, {}, []
    with ThreadPoolExecutor(_READERS) as readers:
        for pair, (different, resized) in zip(candidates, readers.map(found, candidates), strict=True):
            if different:
                again[pair.name] = different
            else:
                rows[pair.name] = _row(notes[pair.name])
                changed += resized
    kept = [settings_note(settings)] if rows else []
    return Earlier(rows, (*kept, *(notes[name] for name in rows)), again, tuple(changed))


def _files_by_pair(listed: WrittenFiles) -> dict[str, list[str]]:
    """The listed files in the folder of each pair."""
    found: dict[str, list[str]] = {}
    for name in listed.states:
        folder, inside, _ = name.partition("/")
        if inside:
            found.setdefault(folder, []).append(name)
    return found


def _lost(listed: WrittenFiles, needed: Sequence[str], resized: Sequence[str]) -> str:
    """What is lost of the result files of a pair, as the end of a sentence; empty if nothing is."""
    if not all((listed.folder / name).is_file() for name in needed):
        return "result files are missing"
    return "result files end too early" if any(map(listed.damaged, resized)) else ""


def finished_rows(listed: WrittenFiles) -> dict[str, PairMeasures]:
    """The measures of the finished pairs of a list, by name."""
    return {note["pair"]: _row(note) for note in listed.notes if "pair" in note}


def _difference(files: PairFiles, note: dict, values: Mapping[str, dict], settings: dict) -> str:
    """What has changed since a pair was finished, as the end of a sentence; empty if nothing has."""
    if note["with"] != _key(settings):
        before = values.get(note["with"], {})
        changed = [name for name in {**settings, **before} if before.get(name) != settings.get(name)]
        return f"{_named(changed)} changed" if changed else "the settings changed"
    if note["reading"] != files.reading():
        return "the pixel size or the slice to read changed"
    try:
        present = {role: state.blake2b for role, state in input_states(files).items()}
    except OSError as error:
        return f"a file cannot be read ({error.strerror or error})"
    changed = [role for role in {**note["inputs"], **present} if note["inputs"].get(role) != present.get(role)]
    return f"{_named([_ROLES.get(role, role) for role in changed])} changed" if changed else ""


_ROLES = {
    "moving": "the moving image",
    "fixed": "the fixed image",
    "landmarks": "the landmarks",
    "moving_landmarks": "the moving landmarks",
    "fixed_landmarks": "the fixed landmarks",
    "moving_mask": "the moving mask",
    "fixed_mask": "the fixed mask",
}


def _named(names: Sequence[str]) -> str:
    return ", ".join(names)


def _row(note: dict) -> PairMeasures:
    from ..registration.measures import MEASURES, PairMeasures

    found = note["row"]
    return PairMeasures(**{each.key: each.parse(found[each.key]) for each in MEASURES if each.key in found})


def _key(settings: dict) -> str:
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
