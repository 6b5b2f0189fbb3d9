"""Trains one row in a folder of its own, or resumes it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import torch

from ..checkpoints import Checkpoint, cpu_weights, file_sha256, load_checkpoint, save_checkpoint
from ..core.losses import RegistrationLoss
from ..core.preprocessing import Preprocessing
from ..errors import InputError
from ..networks import build_network
from ..progress import Finished, Reader
from ..training.adaptation import Recipe
from ..training.devices import to_device
from ..training.other_settings import other_settings
from ..training.pretrain import Pretraining
from ..training.run import RunSettings, TrainingRun
from ..training.seeds import seeded
from ..training.step import OptimisationStep
from ..workflows.finetuning import FinetuneOptions, make_trainer
from ..workflows.training import graphed
from .beds import Bed, BedTask
from .measures import Watch, spread_over
from .plan import ADAPTED, FROM_SCRATCH, STARTS, Budget, Row


@dataclass(frozen=True)
class Start:
    """A checkpoint to start from."""

    path: Path
    checkpoint: Checkpoint = field(repr=False)
    sha256: str

    @classmethod
    def read(cls, path: Path, network: str, field: str) -> Start:
        """Read a checkpoint of `network`; an `InputError` on `field` says when it is one of another."""
        checkpoint = load_checkpoint(path)
        if checkpoint.network["name"] != network:
            raise InputError(
                f"{{field}} {network}={path}: this is a checkpoint of the network {checkpoint.network['name']}.",
                field=field,
            )
        return cls(path, checkpoint, file_sha256(path))


@dataclass(frozen=True)
class Laboratory:
    """What all rows share.

    Attributes
    ----------
    output : Path
    budget : Budget
    starts : dict of (network, "pretrained" or "meta") to Start
    preprocessing : Preprocessing
    device : torch.device
    mixed : bool
        Whether networks train in bfloat16; they are always measured in float32.
    save_every : float
        Seconds between saves of a training.
    """

    output: Path
    budget: Budget
    starts: dict[tuple[str, str], Start]
    preprocessing: Preprocessing
    device: torch.device
    mixed: bool = False
    save_every: float = 30.0

    def folder(self, row: Row) -> Path:
        """Folder of a row."""
        return self.output / row.folder

    def start(self, row: Row) -> Start | None:
        """The checkpoint that a row starts from; None from scratch."""
        return self.starts[row.setting.network, STARTS[row.method]] if row.method in STARTS else None

    def description(self, network: str) -> dict:
        """Network and settings of the models from scratch: those of its checkpoints, else the defaults."""
        known = [start.checkpoint.network for (name, _), start in self.starts.items() if name == network]
        return known[0] if known else {"name": network, "settings": {}}


def row_settings(row: Row, bed: Bed, lab: Laboratory) -> dict:
    """All that a row's result depends on, as plain values; a result of other settings is not taken over."""
    start = lab.start(row)
    settings = {
        "row": row.to_dict(),
        "bed": bed.describe(),
        "bed_files": bed.files_key,
        "preprocessing": lab.preprocessing.to_dict(),
        "start_sha256": start.sha256 if start else None,
    }
    if row.method in ADAPTED + FROM_SCRATCH:
        settings["training"] = {
            "loss": _loss(row, lab).to_dict(),
            **(
                _adapting(lab.budget.recipe(row.setting.network))
                if row.method in ADAPTED
                else _from_scratch(lab.budget)
            ),
            "precision": "bfloat16" if lab.mixed else "float32",
        }
    return settings


def trained(row: Row, bed: Bed, lab: Laboratory, progress: Reader) -> Checkpoint | None:
    """The checkpoint of a row, trained as far as it has to be; None for Not deformed.

    A row that stopped resumes from its last save. The longer rows of Fine-tune and Ours continue where the shorter ones ended.
    The result of each length is stored beside the run, as `at_10_epochs.pt` and the like.

    Raises
    ------
    InputError
        The folder holds a run of other settings.
    TrainingStopped
        The loss was not finite, or the disk is full.
    KeyboardInterrupt
        The user stopped the run; it is saved.
    """
    if row.method == "not_deformed":
        return None
    start = lab.start(row)
    if row.method == "transfer":
        return start.checkpoint
    kept, task = lab.folder(row) / f"{row.file}.pt", bed.training_task(with_test_images=row.method == "seen")
    if not kept.is_file():
        save_checkpoint(kept, load_checkpoint(_train(row, bed, task, lab, progress)))
    checkpoint = load_checkpoint(kept)
    _refuse_other_training(kept, checkpoint, _record(row, bed, task, lab))
    return checkpoint


def _record(row: Row, bed: Bed, task: BedTask, lab: Laboratory) -> dict:
    """What the training of a row depends on, for its history."""
    start = lab.start(row)
    training = row_settings(row, bed, lab)["training"]
    return {"tasks": [task.describe()], **training, "parent_sha256": start.sha256 if start else None}


def _refuse_other_training(path: Path, checkpoint: Checkpoint, record: dict) -> None:
    there = checkpoint.history[-1]
    changes = other_settings(record, {key: there.get(key) for key in record})
    if changes:
        raise InputError(
            f"{path}: this row was trained with other settings ({'; '.join(changes)}).",
            field="output",
            advice="Give the same ones, choose another {field}, or delete that folder to make the row anew.",
        )


def _train(row: Row, bed: Bed, task: BedTask, lab: Laboratory, progress: Reader) -> Path:
    start, settings = lab.start(row), row_settings(row, bed, lab)["training"]
    base = start.checkpoint if start else _new(row, lab)
    options = _options(row, lab, settings["learning_rate"])
    step = graphed(options, OptimisationStep(_loss(row, lab), lab.device, lab.mixed, settings["clip"]), base, progress)
    network = to_device(base.build(), lab.device)
    if row.method in ADAPTED:
        trainer = make_trainer(network, task, step, options)
    else:
        rate, seed = options.learning_rate, options.seed
        trainer = Pretraining(network, [task], step, steps=row.length, decay=True, learning_rate=rate, seed=seed)
    run = TrainingRun(
        trainer,
        base,
        lab.folder(row),
        record=_record(row, bed, task, lab),
        validator=Watch(spread_over(bed.test, lab.budget.watched_pairs), lab.device),
        settings=RunSettings(_watch_steps(row, trainer.steps_per_epoch, lab.budget), lab.save_every),
        device=lab.device,
        # The end of one row is not the end of the command.
        progress=lambda event: None if isinstance(event, Finished) else progress(event),
    )
    return run(resume=True)


def _options(row: Row, lab: Laboratory, learning_rate: float) -> FinetuneOptions:
    """What the fine-tuning of a row is told; of a row from scratch, rate, seed and folder count."""
    recipe = lab.budget.recipe(row.setting.network)
    return FinetuneOptions(
        output=lab.folder(row),
        epochs=row.length,
        learning_rate=learning_rate,
        seed=row.seed,
        simulated=recipe.simulated,
        averaging=recipe.averaging,
    )


def _new(row: Row, lab: Laboratory) -> Checkpoint:
    """A new network, its weights from the row's seed."""
    description = lab.description(row.setting.network)
    with seeded([row.seed], torch.device("cpu")):
        network = build_network(description["name"], description.get("settings"))
    return Checkpoint(description, cpu_weights(network), lab.preprocessing.to_dict())


def _loss(row: Row, lab: Laboratory) -> RegistrationLoss:
    if row.method in FROM_SCRATCH:
        return RegistrationLoss(scales=lab.budget.scratch_scales)
    recipe = lab.budget.recipe(row.setting.network)
    return RegistrationLoss(recipe.smoothness, scales=recipe.scales, supervision_weight=recipe.supervision)


def _adapting(recipe: Recipe) -> dict:
    names = ("learning_rate", "clip", "simulated", "averaging")
    return {name: getattr(recipe, name) for name in names}


def _from_scratch(budget: Budget) -> dict:
    return {"learning_rate": budget.scratch_learning_rate, "clip": budget.scratch_clip}


def _watch_steps(row: Row, steps_per_epoch: int, budget: Budget) -> int:
    if row.method in FROM_SCRATCH:
        return max(row.length // 10, 1)
    quick = row.length <= budget.epochs(row.setting.bed)[0]
    return (budget.watch_every if quick else budget.watch_every_later) * steps_per_epoch
