"""Keys of what the files of a bed hold, so that rows and alignments of other files are not taken over."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from ..errors import InputError
from ..formats.files import write_json
from ..formats.pixel_files import with_pixels
from ..formats.written_files import digest
from ..pairs.files import PairFiles
from ..workflows.pair_work import input_states
from ..workflows.resuming import key_of

SOURCE = "source.json"
"""In the folder of simulated pairs: the files that they were made from, each with the hash of its content."""


def pair_key(pair: PairFiles) -> str:
    """Key of the images, masks and landmarks of a pair, and of how they are read."""
    return key_of([{role: state.blake2b for role, state in input_states(pair).items()}, pair.reading()])


def pairs_key(pairs: Iterable[PairFiles]) -> str:
    """Key of several pairs with their names and splits."""
    return key_of([[pair.name, pair.split, pair_key(pair)] for pair in pairs])


def write_sources(folder: Path, data: Path, files: Iterable[Path]) -> None:
    """Write from which files, all below `data`, the pairs in a folder are made."""
    there = (path for path in _with_pixels(files) if path.is_file())
    write_json(folder / SOURCE, {"files": {_name(path, data): digest(path) for path in there}})


def missing_sources(folder: Path, data: Path, files: Iterable[Path]) -> int:
    """How many of the files that the pairs in a folder were made from are gone.

    Parameters
    ----------
    folder, data : Path
    files : iterable of Path
        The files that the pairs would be made from now.

    Raises
    ------
    InputError
        A file has changed since or is new.
    """
    made_from = _sources(folder)
    there = {name: data / name for name in made_from if (data / name).is_file()}
    changed = any(digest(path) != made_from[name] for name, path in there.items())
    if changed or not made_from or any(_name(path, data) not in made_from for path in _with_pixels(files)):
        raise InputError(
            f"{folder}: these pairs were simulated from other images than those in the data folder.",
            field="output",
            advice="Choose another {field}, or delete that folder to simulate them anew.",
        )
    return len(made_from) - len(there)


def _with_pixels(files: Iterable[Path]) -> Iterator[Path]:
    return (part for path in files for part in with_pixels(path))


def _name(path: Path, data: Path) -> str:
    return (path.relative_to(data) if path.is_relative_to(data) else path).as_posix()


def _sources(folder: Path) -> dict[str, str]:
    try:
        return dict(json.loads((folder / SOURCE).read_text(encoding="utf-8"))["files"])
    except (OSError, ValueError, KeyError, TypeError):
        return {}
