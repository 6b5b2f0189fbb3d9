"""Registering pairs one after another, and a pair or a folder of pairs into a folder of results."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import InputError
from ..formats.output_folder import Finished, Output, check_output, refuse_inputs_inside, writing
from ..progress import Finished as FinishedEvent
from ..progress import Item, Message, Reader, Silent, Started
from .engines import engine
from .folder_run import FolderRun, needed_files
from .folders import PairSelection, find_selected
from .pair_work import (
    NOT_MIRRORED,
    PairWork,
    Registered,
    WorkSettings,
    left_out_message,
    none_done,
    pair_record,
    reason_of,
    register_pair,
)
from .registrars import RegistrarOptions
from .resuming import PAIRS, earlier_results, files_of_pairs, run_settings
from .run_options import RunOptions

if TYPE_CHECKING:
    from ..pairs.folders import PairFiles
    from ..registration.measures import PairMeasures
    from ..registration.registrar import Registrar

__all__ = [
    "NOT_MIRRORED",
    "PairsOutcome",
    "Registered",
    "pair_record",
    "pairs_output",
    "register_files",
    "register_folder",
    "register_pair",
    "register_pairs",
]

TASK = "register"


@dataclass(frozen=True, eq=False)
class PairsOutcome:
    """The outcome of registering pairs.

    Attributes
    ----------
    rows : list of PairMeasures
        One for each pair that was registered, in order.
    summary : dict
        Mean, standard deviation and median of the measures, as in `summary.json`.
    left_out : list of dict
        The pairs that could not be read, registered or written: `pair` and `reason`.
    output : Path or None
        Where the results are; None where nothing was written.
    """

    rows: list[PairMeasures]
    summary: dict
    left_out: list[dict] = field(default_factory=list)
    output: Path | None = None


def register_folder(
    selection: PairSelection,
    output: Path,
    options: RegistrarOptions | None = None,
    progress: Reader | None = None,
    *,
    replace: bool = False,
    run: RunOptions | None = None,
) -> PairsOutcome:
    """Register the pairs of a folder into `output`: a folder of results for each pair, and tables over all pairs.

    Parameters
    ----------
    selection : PairSelection
        The folder, and which of its pairs.
    output : Path
    options : RegistrarOptions, optional
        Checkpoint, network, stages and device.
    progress : Reader, optional
        Receives the events.
    replace : bool
        Replace the results of other inputs in `output`.
    run : RunOptions, optional
        Processes, resuming, a part of the pairs, the files that are written.

    Raises
    ------
    InputError
        The folder holds no pair that can be used, none of them could be registered, or `output` cannot be written to or would
        lose files (`formats.output_folder`).
    """
    progress, run = progress or Silent(), run or RunOptions()
    refuse_inputs_inside(Path(output), [selection.folder])  # before the pairs are read
    selected, source = find_selected(selection, progress, run.shard), selection.folder
    return register_files(
        selected.files,
        output,
        options,
        progress,
        source=source,
        replace=replace,
        run=run,
        left_out_before=selected.left_out,
        part_note=selected.note,
    )


def register_files(
    files: Sequence[PairFiles],
    output: Path,
    options: RegistrarOptions | None = None,
    progress: Reader | None = None,
    *,
    source: Path | None = None,
    replace: bool = False,
    run: RunOptions | None = None,
    left_out_before: Sequence[dict] = (),
    part_note: dict | None = None,
) -> PairsOutcome:
    """Register pairs of files into `output`, as `register_folder`; `source` is the folder or table that names them.

    `left_out_before` are its pairs that could not be read, with reasons. `part_note` is as of `folders.SelectedPairs`.
    """
    from ..registration.file_names import DEFAULT_PARTS, table_files

    progress, run, options = progress or Silent(), run or RunOptions(), options or RegistrarOptions()
    output = Path(output) if run.shard is None else run.shard.folder(Path(output))
    parts = DEFAULT_PARTS if run.parts is None else run.parts
    several = len(files) > 1 or run.shard is not None
    settings = run_settings(options, parts, run.batch) if several else {}
    extra = shard_entry(run)
    work = FolderRun(
        TASK,
        files,
        settings,
        progress,
        output,
        extra=extra,
        left_out_before=left_out_before,
        part_note=part_note or {},
    )
    planned = pairs_output(files, output, source, replace=replace, parts=parts)
    if run.resume:
        work = resumed(work, needed_files(files, parts))
        done = work.earlier.finished([path.name for path in table_files(output)])
        planned = pairs_output(files, output, source, replace=replace, parts=parts, finished=done)
    check_output(planned)
    work_settings = WorkSettings(options, parts, several, with_inputs=several)
    with engine(work_settings, run, len(work.waiting), progress) as made, writing(planned, progress):
        work.work(made)
        summary = work.tables(made.record)
    progress(FinishedEvent(TASK, output, summary))
    return PairsOutcome(work.rows, summary, work.left_out, output)


def resumed(work: FolderRun, needed: dict) -> FolderRun:
    """The run with what an earlier one has finished, which is said."""
    earlier = earlier_results(work.output, work.task, work.files, work.settings, files_of_pairs(needed), PAIRS)
    earlier.report(len(work.files), work.progress)
    return replace(work, earlier=earlier)


def shard_entry(run: RunOptions) -> dict:
    """What the summary of a part of the pairs says of it."""
    return {} if run.shard is None else {"shard": [run.shard.number, run.shard.count]}


def pairs_output(
    files: Sequence[PairFiles],
    output: Path,
    source: Path | None = None,
    *,
    replace: bool = False,
    parts: Collection[str] | None = None,
    finished: Finished | None = None,
) -> Output:
    """The results of registering pairs, as results in a folder; those of `finished` pairs stay."""
    from ..registration.file_names import DEFAULT_PARTS, result_files, table_files

    wanted = DEFAULT_PARTS if parts is None else parts
    waiting = [pair for pair in files if finished is None or pair.name not in finished.names]

    def targets() -> list[Path]:
        folders = (result_files(output / pair.name, landmarks=pair.has_landmarks, parts=wanted) for pair in waiting)
        return [*(target for targets in folders for target in targets), *table_files(output)]

    others = [path for pair in files for path in pair.paths()] + ([] if source is None else [source])
    # The images alone tell whether a run is the same: other landmarks and masks of a pair are a better run of it.
    items = {pair.name: (pair.moving, pair.fixed) for pair in files}
    return Output(output, TASK, items, others, targets, replace, finished=finished)


def register_pairs(
    registrar: Registrar, files: Sequence[PairFiles], task: str, progress: Reader, record: dict
) -> Iterator[Registered]:
    """Register pairs one by one. If one of several cannot be read or registered, it is named and the others continue.

    Such a pair and its reason are in `record["left_out"]` afterwards.

    Raises
    ------
    InputError
        None of the pairs could be registered.
    """
    from ..alignment.aligned import other_initial_message
    from ..registration.measures import shown_values
    from ..registration.schema import SUMMARY

    progress(Started(task, len(files), device=record["device"], detail={"checkpoint": record["checkpoint"]}))
    message = other_initial_message(record["adapted_initial"], record["stages"]["initial"])
    if message:
        progress(message)
    several, any_done = len(files) > 1, False
    work = PairWork(registrar, record, WorkSettings(RegistrarOptions(), several=several))
    for index, pair_files in enumerate(files, start=1):
        messages: list[Message] = []
        try:
            done = work.registered(pair_files, messages.append)
        except (InputError, OSError, RuntimeError, MemoryError) as error:
            if not several:
                raise
            progress(left_out_message(pair_files, error))
            record.setdefault("left_out", []).append({"pair": pair_files.name, "reason": reason_of(error)})
            continue
        for message in messages:
            progress(message)
        any_done = True
        progress(Item(index, len(files), pair_files.name, shown_values(done.measures, SUMMARY)))
        yield done
    if not any_done:
        raise none_done("No pair could be registered", {each["pair"]: each["reason"] for each in record["left_out"]})
