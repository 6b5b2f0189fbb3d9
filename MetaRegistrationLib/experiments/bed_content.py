"""Keys of what the files of a bed hold, so that rows and alignments of other files are not taken over."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ..errors import InputError
from ..formats.files import write_json
from ..formats.written_files import digest
from ..pairs.files import PairFiles
from ..workflows.pair_work import input_states
from ..workflows.resuming import key_of

SOURCE = "source.json"
"""In the folder of simulated pairs: the key of the images that they were made from."""


def pair_key(pair: PairFiles) -> str:
    """Key of the images, masks and landmarks of a pair, and of how they are read."""
    return key_of([{role: state.blake2b for role, state in input_states(pair).items()}, pair.reading()])


def pairs_key(pairs: Iterable[PairFiles]) -> str:
    """Key of several pairs with their names and splits."""
    return key_of([[pair.name, pair.split, pair_key(pair)] for pair in pairs])


def sources_key(files: Iterable[Path]) -> str:
    """Key of the files that pairs are simulated from."""
    return key_of([[path.name, digest(path) if path.is_file() else ""] for path in files])


def write_source(folder: Path, key: str) -> None:
    """Write from which images the pairs in a folder are made."""
    write_json(folder / SOURCE, {"source": key})


def refuse_other_source(folder: Path, key: str) -> None:
    """Raise an `InputError` if the pairs in a folder were made from other images."""
    path = folder / SOURCE
    found = path.read_text(encoding="utf-8") if path.is_file() else ""
    if key not in found:
        raise InputError(
            f"{folder}: these pairs were simulated from other images than those in the data folder.",
            field="output",
            advice="Choose another {field}, or delete that folder to simulate them anew.",
        )
