"""Measuring a checkpoint on the pairs of a folder."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import InputError
from ..progress import Finished, Message, Reader, Silent
from ..words import counted
from .folders import PairSelection, find_selected
from .registering import PairsOutcome, register_pairs
from .registrars import RegistrarOptions, make_registrar

if TYPE_CHECKING:
    from ..pairs.files import PairFiles

TASK = "evaluate"
_SHOWN = 10


def evaluate(
    selection: PairSelection,
    output: Path | None = None,
    options: RegistrarOptions | None = None,
    progress: Reader | None = None,
) -> PairsOutcome:
    """Register the pairs of a folder and measure them; the tables go into `output` where it is given.

    Parameters
    ----------
    selection : PairSelection
    output : Path, optional
        Folder for `metrics.csv` and `summary.json`.
    options : RegistrarOptions, optional
    progress : Reader, optional

    Raises
    ------
    InputError
        The folder holds no pair that can be used, none of its pairs has landmarks, none of them could be registered, or
        `output` cannot be written to.
    """
    from ..formats.files import sole_writer, writable_folder
    from ..registration.measures import summary
    from ..registration.results import write_tables

    progress = progress or Silent()
    folder, files = find_selected(selection, progress)
    _require_landmarks(folder.root, files, progress)
    registrar, record = make_registrar(options or RegistrarOptions())
    output = None if output is None else writable_folder(output)
    with nullcontext() if output is None else sole_writer(output):
        rows = [done.measures for done in register_pairs(registrar, files, TASK, progress, record)]
        record |= {"pairs_folder": folder.root, "layout": folder.layout, "split": selection.split}
        result = summary(rows) if output is None else write_tables(output, rows, record)
    progress(Finished(TASK, output, result))
    return PairsOutcome(rows, result, record.get("left_out", []), output)


def _require_landmarks(root: Path, files: Sequence[PairFiles], progress: Reader) -> None:
    """Name the pairs without landmarks; refuse a folder in which no pair has some."""
    without = [pair.name for pair in files if not pair.has_landmarks]
    if len(without) == len(files):
        raise InputError(
            f"{root}: no pair has landmarks in both images, so the distances cannot be measured. Add landmark files."
        )
    if without:
        names = ", ".join(without[:_SHOWN]) + (f" and {len(without) - _SHOWN} more" if len(without) > _SHOWN else "")
        progress(Message(f"{counted(len(without), 'pair')} without landmarks, whose distance is not measured: {names}"))
