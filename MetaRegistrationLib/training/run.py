"""A training run: steps, validation, saves, resuming. Whatever stops it, its last save stays whole."""

from __future__ import annotations

import math
import os
import time
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch

from .. import calibration
from ..checkpoints import Checkpoint, cpu_weights, load_checkpoint, save_checkpoint
from ..errors import InputError, TrainingStopped
from ..formats.files import sole_writer
from ..progress import Epoch, Event, Finished, Message, Reader, ReaderGone, Saved, SecondsLeft, Silent, Started, Step
from ..versions import device_name, provenance
from .distributed import Group, ProcessLost
from .folder import BEST, LAST, LOG, check_folder
from .interruption import Interruption
from .log import TrainingLog
from .other_settings import other_settings
from .seeds import seeded
from .step import NonFiniteLoss, StepValues
from .trainers import Trainer
from .validation import Validator

_KEPT = "No epoch is expected to register the {pairs} better, so the result has the weights of the start."
_LENGTH = ("epochs", "steps")
_LEAST_GAIN = calibration.ADAPTATION_GAIN.value


@dataclass(frozen=True)
class RunSettings:
    """How a run validates and saves; none of it changes the weights.

    Attributes
    ----------
    validate_every : int
        Steps between validations.
    save_every : float
        Seconds between saves of the last state (validations save too).
    warn_of_start : str
        Warn when no epoch was better than the start on these pairs, in words; empty for no warning.
    """

    validate_every: int
    save_every: float = 30.0
    warn_of_start: str = ""


@dataclass
class _Position:
    """Where a run is: what a save holds beside weights and optimisers."""

    step: int = 0
    seconds: float = 0.0
    best: float | None = None
    best_step: int = 0
    since_validation: list[StepValues] = field(default_factory=list)


class TrainingRun:
    """Trains into a folder: `last.pt` (with all that resuming needs), `best.pt` (to use), `log.csv`.

    Parameters
    ----------
    trainer : Trainer
    base : Checkpoint
        Network, preprocessing and history that the run starts from; its weights are those of the trainer's network.
    folder : Path
    record : dict
        Plain values for the history: tasks, loss, precision, parent checkpoint. A resumed run must have the same.
    validator : Validator
    settings : RunSettings
    device : torch.device
    progress : Reader
    group : Group
        The processes that share the run, each with such an object. The first one validates, saves and reports.
    """

    def __init__(
        self,
        trainer: Trainer,
        base: Checkpoint,
        folder: Path,
        *,
        record: dict,
        validator: Validator,
        settings: RunSettings,
        device: torch.device,
        progress: Reader,
        group: Group | None = None,
    ):
        self._trainer, self._base, self._validator = trainer, base, validator
        self._folder, self._settings, self._device = Path(folder), settings, device
        self._group = group or Group()
        self._progress = progress if self._group.first else Silent()
        self._record = {"stage": trainer.name, **trainer.settings(), **record}
        self._log = TrainingLog(self._folder / LOG)
        self._at = _Position()
        self._saved_at = time.monotonic()
        self._gone: ReaderGone | None = None

    def __call__(self, *, resume: bool = False) -> Path:
        """Train to the end and return the folder's `best.pt`.

        Raises
        ------
        InputError
            The folder already holds a run and `resume` is not set, or holds one of other settings.
        TrainingStopped
            A full disk, a loss that is not finite or another process's death ended the run.
        KeyboardInterrupt
            The user stopped the run, or the reader of its progress is gone (`ReaderGone`); it is saved.
        """
        self._group.in_first(lambda: check_folder(self._folder, resume=resume))
        with ExitStack() as held:
            self._group.in_first(lambda: held.enter_context(sole_writer(self._folder)))
            return self._run(resume)

    def _run(self, resume: bool) -> Path:
        self._group.together(self._prepare, resume)
        total = self._trainer.total_steps
        detail = {"folder": str(self._folder)}
        self._tell(Started(self._trainer.name, total, self._at.step, os.getpid(), self._hardware(), detail))
        try:
            with Interruption() as interruption:
                self._train(interruption, SecondsLeft(total, self._at.step))
                self._group.in_first(self._save)
                if self._at.step < total:
                    raise self._gone or KeyboardInterrupt
        except ProcessLost as error:
            raise TrainingStopped(
                f"{error} {self._last_save()}", field="resume", advice="Continue with {field}."
            ) from error
        if self._settings.warn_of_start and self._at.best_step == 0 < self._at.step:
            self._tell(Message(_KEPT.format(pairs=self._settings.warn_of_start), "warning"))
        values = {"best_step": self._at.best_step, "seconds": self._at.seconds, "last": str(self._folder / LAST)}
        self._tell(Finished(self._trainer.name, self._folder / BEST, values))
        return self._folder / BEST

    def _prepare(self, resume: bool) -> None:
        path = self._folder / LAST
        if resume and path.exists():
            self._restore(load_checkpoint(path), path)

    def _restore(self, saved: Checkpoint, path: Path) -> None:
        state = saved.training
        if not {"record", "trainer", "position"} <= set(state):
            raise InputError(
                f"{path}: it holds no state of a run to resume.",
                field="checkpoint",
                advice="Give it as {field} instead.",
            )
        self._refuse_other_settings({**state["record"], "network": saved.network}, path)
        if state["position"]["step"] > self._trainer.total_steps:
            raise InputError(
                f"{path}: that run is already longer, at step {state['position']['step']}. Ask for more, or use its {BEST}."
            )
        self._require_best(state["position"])
        self._trainer.network.load_state_dict(saved.weights)
        self._trainer.restore(state["trainer"])
        position = dict(state["position"])
        position["since_validation"] = [StepValues(*values) for values in position["since_validation"]]
        self._at = _Position(**position)
        if self._group.first:
            self._log.continue_from(self._at.step)
            self._note_length(state["record"])

    def _require_best(self, position: dict) -> None:
        """Refuse to go on without the best weights so far, which no other file holds."""
        path = self._folder / BEST
        if position["best"] is not None and not path.is_file():
            raise InputError(
                f"{path} is missing. It holds the best weights so far, of step {position['best_step']}.",
                field="output",
                advice="Put it back, or choose another {field}.",
            )

    def _note_length(self, before: dict) -> None:
        """Of a run that is made longer, `best.pt` tells the new length, as after a run of that length."""
        length = {key: self._record[key] for key in _LENGTH if key in self._record}
        if self._at.best is None or all(before.get(key) == value for key, value in length.items()):
            return
        path = self._folder / BEST
        best = load_checkpoint(path)
        history = [*best.history[:-1], {**best.history[-1], **length}]
        self._write(lambda: save_checkpoint(path, replace(best, history=history)))

    def _refuse_other_settings(self, there: dict, path: Path) -> None:
        # A run may be made longer, unless its learning rate was planned for its length.
        free = () if self._record.get("learning_rate_decay") else _LENGTH
        changes = other_settings({**self._record, "network": self._base.network}, there, free)
        if changes:
            raise InputError(
                f"{path}: the run to resume had other settings ({'; '.join(changes)}).",
                field="output",
                advice="Give the same ones, or another {field}.",
            )

    def _train(self, interruption: Interruption, left: SecondsLeft) -> None:
        self._trainer.network.train()
        if self._at.step == 0:
            self._group.in_first(self._save)
            self._group.in_first(self._validate)
        self._saved_at = time.monotonic()
        # All processes stop at the same step, whichever of them was asked to.
        while self._at.step < self._trainer.total_steps and not self._group.any(
            interruption.requested or self._gone is not None
        ):
            began = time.monotonic()
            values = self._advance()
            self._at.step += 1
            self._at.seconds += time.monotonic() - began
            self._group.in_first(self._keep, values, left)

    def _keep(self, values: StepValues, left: SecondsLeft) -> None:
        """Tell, validate and save after a step, as far as it is time for it."""
        self._at.since_validation.append(values)
        self._report(values, left.after(self._at.step))
        if self._validation_due():
            self._validate()
        elif time.monotonic() - self._saved_at <= self._settings.save_every:
            return
        self._save()
        self._saved_at = time.monotonic()

    def _validation_due(self) -> bool:
        return self._at.step % self._settings.validate_every == 0 or self._at.step == self._trainer.total_steps

    def _advance(self) -> StepValues:
        try:
            with seeded([self._record.get("seed", 0), self._at.step], self._device):
                return self._trainer.advance(self._at.step)
        except NonFiniteLoss as error:
            raise TrainingStopped(
                f"Step {self._at.step + 1}: {error}, so the run was stopped before that update. {self._last_save()}",
                field="learning_rate",
                advice="Check the images, or start again with a smaller {field}.",
            ) from error

    def _report(self, values: StepValues, seconds_left: float | None) -> None:
        step, per_epoch = self._at.step, self._trainer.steps_per_epoch
        self._tell(
            Step(step, self._trainer.total_steps, values.loss, values.similarity, values.smoothness, seconds_left)
        )
        if per_epoch and step % per_epoch == 0 and not self._validation_due():
            self._tell(Epoch(step // per_epoch, self._trainer.total_steps // per_epoch, values.loss))

    def _validate(self) -> None:
        """Log a row; keep the weights as the best ones when nothing was better."""
        row: dict = {"step": self._at.step, "seconds": self._at.seconds}
        if self._trainer.steps_per_epoch:
            row["epoch"] = self._at.step / self._trainer.steps_per_epoch
        train_loss = float("nan")
        if self._at.since_validation:
            mean = StepValues.mean(self._at.since_validation)
            train_loss = mean.loss
            row |= {"train_loss": mean.loss, "train_similarity": mean.similarity, "train_smoothness": mean.smoothness}
        self._at.since_validation = []
        values = self._validator(self._trainer.network)
        self._write(lambda: self._log.add(row | {f"validation_{key}": value for key, value in values.items()}))
        score = self._score(values)
        if self._at.best is None or score < self._at.best:
            self._at.best, self._at.best_step = score, self._at.step
            if self._at.step == 0 and _by_prediction(values):
                self._at.best *= 1 - _LEAST_GAIN
            self._save_best(values)
        if self._at.step == 0 and not values:
            return
        per_epoch = self._trainer.steps_per_epoch or self._settings.validate_every
        self._tell(
            Epoch(
                self._at.step // per_epoch,
                -(-self._trainer.total_steps // per_epoch),
                train_loss,
                {**values, "step": self._at.step},
            )
        )

    def _score(self, values: dict[str, float]) -> float:
        """What is to be smallest: the distance of landmarks, else the predicted error, else the loss."""
        for key in ("distance_px", "error_px"):
            if key in values:
                return values[key]
        if "loss" in values:
            return values["loss"]
        # Without validation pairs, the end of the training is the best; with them, weights that give no
        # finite loss are the worst.
        return math.inf if self._validator else -float(self._at.step)

    def _save_best(self, values: dict) -> None:
        entry = {**self._record, "step": self._at.step, "seconds": round(self._at.seconds, 1), "validation": values}
        entry["device"] = self._hardware()
        best = replace(self._checkpoint(), history=[*self._base.history, entry])
        self._write(lambda: save_checkpoint(self._folder / BEST, best))
        self._tell(Saved(self._folder / BEST, "best", self._at.step))

    def _checkpoint(self) -> Checkpoint:
        return replace(self._base, weights=cpu_weights(self._trainer.network), provenance=provenance(), training={})

    def _save(self) -> None:
        """Write `last.pt`: weights and all that resuming needs."""
        position = vars(self._at) | {"since_validation": [list(vars(v).values()) for v in self._at.since_validation]}
        state = {"record": self._record, "trainer": self._trainer.state(), "position": position}
        entry = {
            **self._record,
            "step": self._at.step,
            "seconds": round(self._at.seconds, 1),
            "device": self._hardware(),
        }
        last = replace(self._checkpoint(), history=[*self._base.history, entry], training=state)
        self._write(lambda: save_checkpoint(self._folder / LAST, last))
        self._tell(Saved(self._folder / LAST, "last", self._at.step))

    def _write(self, write) -> None:
        try:
            write()
        except (OSError, InputError) as error:  # InputError: what was written could not be read back
            raise TrainingStopped(
                f"Could not write to {self._folder} at step {self._at.step}: {error}. {self._last_save()}",
                field="resume",
                advice="Free some space and continue with {field}.",
            ) from error

    def _hardware(self) -> str:
        name = device_name(self._device)
        return name if self._group.size == 1 else f"{self._group.size} processes, each on {name}"

    def _last_save(self) -> str:
        path = self._folder / LAST
        return f"The last save is whole: {path}." if path.exists() else "Nothing was saved before."

    def _tell(self, event: Event) -> None:
        """Report; a reader that is gone stops the run at the end of the step, as Ctrl-C does."""
        try:
            self._progress(event)
        except ReaderGone as gone:
            self._gone = gone


def _by_prediction(values: dict[str, float]) -> bool:
    """Whether predicted errors decide: there are no landmarks."""
    return "error_px" in values and "distance_px" not in values
