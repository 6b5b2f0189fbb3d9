"""All rows in their order: what is done is passed over, and after each row the tables are up to date."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from ..errors import InputError, TrainingStopped
from ..formats.files import writable_folder
from ..networks import count_parameters
from ..progress import Message, Reader
from ..training.devices import to_device
from ..training.step import NonFiniteLoss
from ..versions import device_name, provenance
from ..words import counted
from .beds import Bed
from .figures import panel, write_picture
from .measures import example, measure_pairs, register
from .plan import ADAPTED, Row, Setting
from .report import write_report
from .results import read_result, write_result
from .rows import Laboratory, row_settings, trained

OpenBed = Callable[[Setting], Bed]


class Experiment:
    """The rows of a plan.

    Parameters
    ----------
    rows : sequence of Row
        In the order in which they are made.
    lab : Laboratory
    open_bed : callable
        Gives the bed of a setting; the pairs of one bed at a time are kept in memory.
    progress : Reader
    """

    def __init__(self, rows: Sequence[Row], lab: Laboratory, open_bed: OpenBed, progress: Reader):
        self._rows, self._lab, self._progress = list(rows), lab, progress
        self._open_bed = open_bed
        self._beds: dict[tuple[str, str], Bed] = {}
        self._loaded: Bed | None = None

    def __call__(self) -> list[Row]:
        """Make all rows; return those that were made now.

        Raises
        ------
        InputError
            A row was made before with other settings, or a file cannot be used.
        TrainingStopped
            The disk is full; or, after all other rows, the loss of some was not finite.
        KeyboardInterrupt
            The user stopped it; the same call resumes.
        """
        todo = [row for row in self._rows if not self._done(row)]
        done = len(self._rows) - len(todo)
        self._progress(Message(f"{counted(len(self._rows), 'row')}, {done} of them done before"))
        write_report(self._lab.output, self._lab.budget, self._progress)
        failures = []
        for number, row in enumerate(todo, start=done + 1):
            self._progress(Message(f"Row {number} of {len(self._rows)}: {row.title}"))
            try:
                self._make(row)
            except TrainingStopped as error:
                # A full disk stops everything; a loss that is not finite is a result of that row alone.
                if not isinstance(error.__cause__, NonFiniteLoss):
                    raise
                self._progress(Message.of(error, f"left out: {row.title}: "))
                failures.append(row.title)
            write_report(self._lab.output, self._lab.budget, self._progress)
        if failures:
            raise TrainingStopped(f"These rows could not be trained, all others are done: {'; '.join(failures)}.")
        return todo

    def _done(self, row: Row) -> bool:
        return read_result(self._lab.output, row, row_settings(row, self._bed(row.setting), self._lab)) is not None

    def _bed(self, setting: Setting) -> Bed:
        key = setting.bed, setting.initial
        if key not in self._beds:
            self._beds[key] = self._open_bed(setting)
        return self._beds[key]

    def _make(self, row: Row) -> None:
        lab, bed = self._lab, self._bed(row.setting)
        if bed is not self._loaded:
            if self._loaded is not None:
                self._loaded.forget()
            self._loaded = bed
            bed.prepare(self._progress)
        folder = writable_folder(lab.folder(row))
        checkpoint = trained(row, bed, lab, self._progress)
        began = time.monotonic()
        network = to_device(checkpoint.build(), lab.device) if checkpoint else None
        pairs = measure_pairs(network, bed.test, lab.device)
        shown = example(bed.test)
        write_picture(folder / f"{row.file}.png", panel(register(network, shown, lab.device), shown))
        seconds = checkpoint.history[-1]["seconds"] if row.unit else None
        record = {
            "settings": row_settings(row, bed, lab),
            "budget": lab.budget.to_dict(),
            "network": checkpoint.network if checkpoint else None,
            "parameters": count_parameters(network) if network else 0,
            "training_seconds": seconds,
            "own_training_seconds": seconds and seconds - self._seconds_before(row),
            "trained_on": checkpoint.history[-1]["device"] if row.unit else None,
            "measuring_seconds": round(time.monotonic() - began, 1),
            "pictured": shown.images.name,
            "device": device_name(lab.device),
            "versions": provenance(),
        }
        write_result(folder, row, pairs, record)

    def _seconds_before(self, row: Row) -> float:
        """Training time of the longest shorter row that this one continues."""
        shorter = [
            read_result(self._lab.output, Row(row.setting, row.method, epochs, row.seed))
            for epochs in self._lab.budget.epochs(row.setting.bed)
            if row.method in ADAPTED and epochs < row.length
        ]
        return max([result.record["training_seconds"] for result in shorter if result], default=0.0)


def check_preprocessing(lab: Laboratory) -> None:
    """Refuse checkpoints whose images are prepared differently: their rows would be measured on different pairs."""
    for (network, kind), start in lab.starts.items():
        if start.checkpoint.build_preprocessing() != lab.preprocessing:
            raise InputError(
                f"--{kind} {network}={start.path}: its images are prepared otherwise ({start.checkpoint.preprocessing}) "
                f"than those of the other checkpoints ({lab.preprocessing.to_dict()}). Give checkpoints of one kind."
            )
