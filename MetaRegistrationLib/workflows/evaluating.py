"""Measuring a checkpoint on the pairs of a folder."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import InputError
from ..formats.output_folder import Output, check_output, refuse_inputs_inside, writing
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
    *,
    replace: bool = False,
) -> PairsOutcome:
    """Register the pairs of a folder and measure them; the tables go into `output` where it is given.

    Parameters
    ----------
    selection : PairSelection
    output : Path, optional
        Folder for `metrics.csv` and `summary.json`.
    options : RegistrarOptions, optional
    progress : Reader, optional
    replace : bool
        Replace the results of other inputs in `output`.

    Raises
    ------
    InputError
        The folder holds no pair that can be used, none of its pairs has landmarks, none of them could be registered, or
        `output` cannot be written to or would lose files (`formats.output_folder`).
    """
    from ..registration.file_names import table_files
    from ..registration.measures import summary
    from ..registration.results import write_tables

    progress = progress or Silent()
    if output is not None:
        refuse_inputs_inside(Path(output), [selection.folder])  # before the pairs are read
    folder, files = find_selected(selection, progress)
    _require_landmarks(folder.root, files, progress)
    planned = None
    if output is not None:
        items, targets = {pair.name: (pair.moving, pair.fixed) for pair in files}, table_files(Path(output))
        others = [selection.folder, *(path for pair in files for path in pair.paths())]
        planned = Output(Path(output), TASK, items, others, lambda: targets, replace)
        check_output(planned)
    registrar, record = make_registrar(options or RegistrarOptions())
    with nullcontext() if planned is None else writing(planned, progress):
        rows = [done.measures for done in register_pairs(registrar, files, TASK, progress, record)]
        record |= {"pairs_folder": folder.root, "layout": folder.layout, "split": selection.split}
        result = summary(rows) if output is None else write_tables(output, rows, record)
    progress(Finished(TASK, output, result))
    return PairsOutcome(rows, result, record.get("left_out", []), output)


def _require_landmarks(root: Path, files: Sequence[PairFiles], progress: Reader) -> None:
    """Name the pairs without landmarks; refuse a folder in which no pair has some."""
    without = [pair.name for pair in files if not pair.has_landmark_pairs]
    if len(without) == len(files):
        raise InputError(
            f"{root}: no pair has landmarks in both images, so the distances cannot be measured. Add landmark files."
        )
    if without:
        names = ", ".join(without[:_SHOWN]) + (f" and {len(without) - _SHOWN} more" if len(without) > _SHOWN else "")
        progress(Message(f"{counted(len(without), 'pair')} without landmarks, whose distance is not measured: {names}"))
