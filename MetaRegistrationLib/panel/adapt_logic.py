"""Fine-tuning in a child process, and the checkpoints that it makes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..jobs.command_lines import finetune_arguments
from ..jobs.estimates import Estimate, estimate
from ..jobs.job import Job
from ..jobs.names import checked_name, same_name
from ..jobs.outcome import JobEnd
from ..jobs.record import RunRecord
from ..jobs.store import CheckpointStore
from ..pairs.folders import PairFolder
from ..training.holdout import choose_pairs
from . import checkpoint_texts, devices
from .devices import Device
from .requests import FineTuningRequest
from .texts import field_name, sentence
from .texts import tr as _


def adapted_field_name(field: str) -> str:
    """Names of fields in the section, which makes the folder of a run from the name of the checkpoint."""
    return _("Name") if field == "output" else field_name(field)


class AdaptLogic:
    """Starts fine-tuning and stores its results.

    Parameters
    ----------
    host : jobs.job.Host
    folder : path
        The user's folder of adapted checkpoints; made when it is first written to.
    """

    def __init__(self, host: Any, folder: Path) -> None:
        self._host = host
        self.store = CheckpointStore(folder)
        self._jobs: list[Job] = []

    def checkpoints(self) -> list[tuple[str, Path]]:
        """Label and path of each checkpoint, the shipped ones first and those of stopped runs last. The first is the default."""
        unfinished = [(name, self.store.path(name)) for name in self.store.unfinished()]
        stopped = [(_("{name} (unfinished)").format(name=name), path) for name, path in unfinished if path.is_file()]
        return self.store.choices(checkpoint_texts.shipped_label) + stopped

    def purpose(self, path: Path) -> str:
        """A sentence on the images that a checkpoint is for."""
        if self.is_own(path):
            return checkpoint_texts.own_purpose(self.store.describe(path.parent.name))
        return checkpoint_texts.purpose(path)

    def devices(self) -> list[Device]:
        """The devices that are known at once."""
        return devices.always_there()

    def find_gpus(self, on_found: Callable[[list[Device]], None]) -> object:
        """Ask for GPUs; hold the returned object until they are found."""
        return devices.ask_driver(self._host, on_found)

    def free_name(self, wish: str) -> str:
        """`wish`, or the first of `wish 2`, `wish 3` ... that is not taken; empty when it can be no name."""
        try:
            taken = [name for name in self.store.names() if same_name(name, wish) or name.startswith(f"{wish} ")]
            number, name = 1, checked_name(wish)
            while any(same_name(name, other) for other in taken):
                number += 1
                name = f"{wish} {number}"
            return name
        except InputError:
            return ""

    def resumable(self, name: str) -> bool:
        """Whether a training of this name was stopped and can be resumed."""
        try:
            return self.store.resumable(name)
        except InputError:
            return False

    def estimate(self, folder: PairFolder, epochs: int, device: str) -> Estimate:
        """How long a training takes."""
        try:
            pairs = len(choose_pairs(folder)[0])
        except InputError:
            pairs = 0
        return estimate(epochs, pairs, device, self.store)

    def start(
        self, request: FineTuningRequest, on_event: Callable[[dict], None], on_end: Callable[[JobEnd], None]
    ) -> Job:
        """Start training in a child process. When it has finished, the checkpoint is stored under its name.

        Raises
        ------
        InputError
            The name cannot be used, or the folder cannot be written to.
        """
        resume = self.store.resumable(request.name)
        arguments = finetune_arguments(
            pairs=request.folder,
            output=self.store.new_run(request.name),
            checkpoint=request.checkpoint,
            epochs=request.epochs,
            device=request.device,
            resume=resume,
            pixel_sizes=request.pixel_sizes.to_dict(),
            initial=request.initial,
        )
        record = RunRecord(str(request.checkpoint) if request.checkpoint else None)

        def take(event: dict) -> None:
            record(event)
            on_event(event)

        def finish(end: JobEnd) -> None:
            self._jobs = [other for other in self._jobs if other is not job]
            on_end(self._kept(request.name, end, record))

        job = Job(self._host, take, finish, translate=_, name_of=adapted_field_name)
        self._jobs.append(job)
        job.start(arguments)
        return job

    def delete(self, path: Path) -> None:
        """Delete an adapted checkpoint."""
        self.store.delete(path.parent.name)

    def is_own(self, path: Path | None) -> bool:
        """Whether a checkpoint is in the user's folder."""
        return path is not None and path.parent.parent == self.store.folder

    def close(self) -> None:
        """Stop all work at once."""
        for job in self._jobs:
            job.close()
        self._jobs = []

    def _kept(self, name: str, end: JobEnd, record: RunRecord) -> JobEnd:
        if end.status != "finished" or end.saved is None:
            return end
        try:
            path = self.store.keep(name, end.saved, record.to_dict())
        except InputError as error:
            return JobEnd("failed", sentence(error, adapted_field_name), end.saved, end.exit_code, end.log)
        message = _("Done. The adapted checkpoint {name} is saved and selected for registration.").format(name=name)
        return JobEnd("finished", message, str(path), end.exit_code, end.log)
