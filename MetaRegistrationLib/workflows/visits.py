"""All visits of eyes: aligned, checked, averaged, and what changed between two of them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..formats.units import unusual_visit_um
from ..progress import Finished, Item, Message, Reader, Silent, Started
from .eyes_engine import EyeDone, EyesSettings, EyesWork, in_processes
from .eyes_run import TASK, EyesRun, eyes_run
from .full_disk import stopped_by_the_disk
from .pair_work import none_done, one_thread
from .registrars import make_registrar
from .repeat_scans import RepeatScans, measured_repeats
from .run_options import wanted_jobs
from .visit_checks import checked, read_regions
from .visit_options import VisitsOptions, check_stages

if TYPE_CHECKING:
    from ..registration.registrar import Registrar
    from ..visits.eyes import Eye, Eyes
    from ..visits.eyes_table import EyeRow


@dataclass(frozen=True)
class EyesOutcome:
    """The outcome of several eyes.

    Attributes
    ----------
    output : Path
    done : int
        Eyes with results, those of an earlier run included if it was resumed.
    left_out : list of str
        Names of the eyes, visits and files that were not.
    """

    output: Path
    done: int
    left_out: list[str]


def align_eyes(
    eyes: Eyes,
    output: Path,
    options: VisitsOptions | None = None,
    progress: Reader | None = None,
) -> EyesOutcome:
    """Align, average and compare the visits of each eye into `output`.

    Of several eyes, each gets a folder in it, and there are tables over all of them.

    Parameters
    ----------
    eyes : Eyes
        As of `visits.sources`.
    output : Path
    options : VisitsOptions, optional
    progress : Reader, optional

    Raises
    ------
    InputError
        None of the eyes could be registered, a setting, checkpoint or folder cannot be used, or `output` is or holds an input or
        would lose files (`formats.output_folder`). Names that are in none of the eyes are refused before any registration.
    RunStopped
        With several eyes: the disk is full, or takes no files any more. What was finished before is whole.
    """
    from ..formats.files import writable_folder
    from ..formats.output_folder import check_output, writing

    progress, options = progress or Silent(), options or VisitsOptions()
    check_stages(options)
    jobs = wanted_jobs(options.run.jobs)
    eyes = checked(eyes, options)
    regions = read_regions(options)
    run = eyes_run(eyes, Path(output), options, progress)
    eyes, output = run.eyes, run.output
    if not (run.waiting or run.apart):  # nothing is written
        progress(Finished(TASK, output, {"eyes": run.done, "left_out": run.left_out}))
        return EyesOutcome(output, run.done, run.left_out)
    check_output(run.planned)
    registrar, record = make_registrar(options.registrar)
    output, first, total = writable_folder(output), run.done, len(eyes.eyes)
    progress(Started(TASK, total, first, device=record["device"], detail={"checkpoint": record["checkpoint"]}))
    _tell(eyes, progress)
    if options.spacing_um is not None and (note := unusual_visit_um(options.spacing_um, "{field}")):
        progress(Message.about("spacing_um", note, level="warning"))
    wanted = options.change.repeats if options.change.wanted and run.waiting else None
    repeats = _repeats(wanted, registrar, progress, options) if wanted else None
    work = EyesWork(registrar, record, EyesSettings(options, repeats, run.apart), regions)
    reasons: dict[str, str] = {}
    with (
        writing(run.planned, progress),
        _stopped(run),
        run.with_tables(),
        _outcomes(work, run, jobs, progress) as outcomes,
    ):
        for number, (eye, done) in enumerate(outcomes, first + 1):
            if done.row is None:
                run.leave_out(eye, done.reason, done.left_out)
                reasons[eye.name] = done.reason
                continue
            run.take(eye, done.row, done.inputs)
            progress(Item(number, total, eye.name, _shown(done.row)))
    if not run.done:
        raise none_done(f"None of the {total} eyes could be done", reasons)
    progress(Finished(TASK, output, {"eyes": run.done, "left_out": run.left_out}))
    return EyesOutcome(output, run.done, run.left_out)


def _stopped(run: EyesRun) -> AbstractContextManager:
    """The end of a run over several eyes by the disk; the error of one eye stays as it is."""
    if not run.apart:
        return nullcontext()
    return stopped_by_the_disk(run.output, lambda: run.done, len(run.eyes.eyes), "eye")


@contextmanager
def _outcomes(
    work: EyesWork, run: EyesRun, jobs: int | None, progress: Reader
) -> Iterator[Iterator[tuple[Eye, EyeDone]]]:
    """The outcomes of the eyes that are not done yet: one after another, or several at once if processes are asked for."""
    waiting = run.waiting
    here = ((eye, work(eye, run.folder(eye), progress)) for eye in waiting)
    if jobs is None or not run.apart:
        yield here
    elif min(jobs, len(waiting)) <= 1:
        with one_thread():
            yield here
    else:
        with in_processes(work.settings, min(jobs, len(waiting)), run.output, progress) as done:
            yield done(waiting)


def _repeats(folder: Path, registrar: Registrar, progress: Reader, options: VisitsOptions) -> RepeatScans:
    return measured_repeats(folder, registrar, progress, options.spacing_um, override_spacing=options.override_spacing)


def _shown(row: EyeRow) -> dict:
    """The values of an eye that its event has."""
    found = {name: getattr(row, name) for name in ("visits", "aligned", "used")}
    px = row.greatest_round_trip_px
    return found if math.isnan(px) else found | {"greatest_round_trip_px": px}


def _tell(eyes: Eyes, progress: Reader) -> None:
    """Say what the source left out and did not understand."""
    for note in eyes.notes:
        progress(Message(note, "warning"))
    for eye in eyes.eyes.values():
        if eye.side:
            progress(Message(f"{eye.name}: {eye.side} eye"))
    for item in eyes.left_out:
        progress(Message.of(item.error, f"left out: {item.start}"))
