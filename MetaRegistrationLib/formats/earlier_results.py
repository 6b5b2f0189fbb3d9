"""Folders of results, recognised when they are given as input."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable
from pathlib import Path

from .written_files import NAME, Run, WrittenFiles

_MADE_TO_BE_READ = "simulate"
_KEYS = {
    "series.json": ("series", ""),
    "registration.json": ("register", "measures"),
    "summary.json": ("register or evaluate", "pairs"),
}
"""Files at the end of a run: the command that writes each, and a key that is in it; "" where the name is enough."""
_OF_A_TRAINING = ("best.pt", "log.csv")
_WEIGHTS = ("best.pt", "last.pt")
_FILM = "film"
MARKS = frozenset({NAME, *_KEYS, *_OF_A_TRAINING})
"""Names of files of which one is in every folder of results."""


def results_of(folder: str | Path) -> str | None:
    """What results a folder holds, in words, such as "results of series, written on 2026-01-31"; None if it holds none.

    Simulated images are no results in this sense: they are made to be read. The folder of a film belongs to its series.
    """
    folder = Path(folder)
    found = WrittenFiles.read(folder)
    if found is not None:
        return None if found.run.kind == _MADE_TO_BE_READ else kind_in_words(found.run)
    for name, (kind, key) in _KEYS.items():
        if _holds(folder / name, key):
            return f"results of {kind}, written on {_day(folder / name)}"
    if all((folder / name).is_file() for name in _OF_A_TRAINING):
        return f"a training run, written on {_day(folder / _OF_A_TRAINING[0])}"
    if folder.name == _FILM and (folder.parent / "series.json").is_file():
        return results_of(folder.parent)
    return None


def training_of(folder: Path) -> str | None:
    """The training whose weights a folder holds, in words, also one that was stopped; None if it holds none."""
    held = [folder / name for name in _WEIGHTS if (folder / name).is_file()]
    return f"a training run, written on {_day(held[0])}" if held else None


def may_hold_results(folder: Path, names: Iterable[str]) -> bool:
    """Whether `results_of` is worth asking about a folder that holds files of these names."""
    return folder.name == _FILM or not MARKS.isdisjoint(names)


def kind_in_words(run: Run) -> str:
    """The results of a run, in words."""
    return f"results of {run.kind}, written on {run.date}"


def _holds(path: Path, key: str) -> bool:
    if not key:
        return path.is_file()
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(record, dict) and key in record


def _day(path: Path) -> str:
    return datetime.date.fromtimestamp(path.stat().st_mtime).isoformat()
