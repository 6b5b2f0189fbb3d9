"""Measuring a checkpoint on the pairs of a folder."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import InputError
from ..formats.output_folder import Output, check_output, refuse_inputs_inside, writing
from ..progress import Finished as FinishedEvent
from ..progress import Message, Reader, Silent
from ..words import counted, enumerated
from .engines import engine
from .folder_run import FolderRun
from .folders import PairSelection, find_selected
from .pair_work import WorkSettings
from .registering import PairsOutcome, resumed, shard_entry
from .registrars import RegistrarOptions
from .resuming import run_settings
from .run_options import RunOptions

if TYPE_CHECKING:
    from ..pairs.files import PairFiles

TASK = "evaluate"


def evaluate(
    selection: PairSelection,
    output: Path | None = None,
    options: RegistrarOptions | None = None,
    progress: Reader | None = None,
    *,
    replace: bool = False,
    run: RunOptions | None = None,
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
    run : RunOptions, optional
        Processes, resuming, a part of the pairs.

    Raises
    ------
    InputError
        The folder holds no pair that can be used, none of its pairs has landmarks, none of them could be registered, or
        `output` cannot be written to or would lose files (`formats.output_folder`).
    """
    from ..registration.file_names import table_files

    progress, run, options = progress or Silent(), run or RunOptions(), options or RegistrarOptions()
    if output is not None:
        refuse_inputs_inside(Path(output), [selection.folder])  # before the pairs are read
        output = Path(output) if run.shard is None else run.shard.folder(Path(output))
    elif run.resume or run.shard is not None:
        raise InputError("{field}: it says where the tables are, so it is needed.", field="output")
    selected = find_selected(selection, progress, run.shard)
    folder, files = selected.folder, selected.files
    _require_landmarks(folder.root, files, progress)
    several = len(files) > 1 or run.shard is not None
    extra = {"pairs_folder": folder.root, "layout": folder.layout, "split": selection.split, **shard_entry(run)}
    settings = run_settings(options, None, run.batch) if several else {}
    out = selected.left_out
    work = FolderRun(
        TASK,
        files,
        settings,
        progress,
        output,
        own_files=False,
        extra=extra,
        left_out_before=out,
        part_note=selected.note,
    )
    planned = None
    if output is not None:
        finished, targets = None, table_files(output)
        if run.resume:
            work = resumed(work, {})
            finished = work.earlier.finished([path.name for path in targets])
        items = {pair.name: (pair.moving, pair.fixed) for pair in files}
        others = [selection.folder, *(path for pair in files for path in pair.paths())]
        planned = Output(output, TASK, items, others, lambda: targets, replace, finished=finished)
        check_output(planned)
    held = nullcontext() if planned is None else writing(planned, progress)
    work_settings = WorkSettings(options, None, several, with_inputs=several and output is not None)
    with engine(work_settings, run, len(work.waiting), progress) as made, held:
        work.work(made)
        result = work.tables(made.record)
    progress(FinishedEvent(TASK, output, result))
    return PairsOutcome(work.rows, result, work.left_out, output)


def _require_landmarks(root: Path, files: Sequence[PairFiles], progress: Reader) -> None:
    """Name the pairs without landmarks; refuse a folder in which no pair has some."""
    without = [pair.name for pair in files if not pair.has_landmark_pairs]
    if len(without) == len(files):
        raise InputError(
            f"{root}: no pair has landmarks in both images, so the distances cannot be measured. Add landmark files."
        )
    if without:
        pairs = counted(len(without), "pair")
        progress(Message(f"{pairs} without landmarks, whose distance is not measured: {enumerated(without)}"))
