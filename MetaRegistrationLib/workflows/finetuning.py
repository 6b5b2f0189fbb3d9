"""Adapting a checkpoint to a folder of pairs."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import InputError
from ..formats.output_folder import refuse_inputs_inside
from ..progress import Message, Reader, Silent
from ..stages import Stages
from ..training.adaptation import PLAIN, Recipe, guided
from ..words import counted
from .folders import PairSelection, left_out_entries, report_folder
from .kept_start import holds_start, keep_start, remove_start
from .training import TrainingOptions, graphed, optimisation, starting_checkpoint, train

if TYPE_CHECKING:
    import torch
    from torch import nn

    from ..checkpoints import Checkpoint
    from ..pairs.folders import PairFolder
    from ..tasks import PairTask, TaskPair
    from ..training.finetune import FineTuning
    from ..training.pair_kinds import PairKind
    from ..training.step import OptimisationStep
    from ..training.validation import Validator

TASK = "finetune"
_JUDGED = 8
"""Most pairs used to choose the recipe and, if none is held out, the epoch."""


@dataclass(frozen=True, kw_only=True, eq=False)
class FinetuneOptions(TrainingOptions):
    """The settings of a fine-tuning, besides those of every training.

    Learning rate, clip, loss, `simulated` and `averaging` have the values of the recipe if they are None.

    Attributes
    ----------
    network : torch.nn.Module or None
        A network in place of the one that the checkpoint names; with a checkpoint, it gets the checkpoint's weights.
    epochs : int
        Passes over the pairs.
    initial : str
        Initial alignment: none, translation, rigid or affine.
    hold_out : bool
        Hold out some pairs to choose the epoch. Without it the last epoch is the result.
    plain : bool
        The paper's recipe, Eq. (1) alone.
    simulated : float or None
        Share of the updates made on simulated repeat visits.
    averaging : float or None
        Decay of the running mean of the weights, which is the result.
    """

    network: torch.nn.Module | None = None
    epochs: int = 10
    initial: str = Stages.initial
    hold_out: bool = True
    plain: bool = False
    simulated: float | None = None
    averaging: float | None = None


@dataclass(frozen=True)
class Finetuned:
    """The outcome of a fine-tuning.

    Attributes
    ----------
    best : Path
        `best.pt`, the adapted checkpoint, in the folder of the run.
    left_out : list of dict
        The pairs that were to be trained on or held out and cannot be used: `pair` and `reason`.
    """

    best: Path
    left_out: list[dict]


def finetune_folder(selection: PairSelection, options: FinetuneOptions, progress: Reader | None = None) -> Finetuned:
    """Adapt a checkpoint to the pairs of a folder, without landmarks.

    Parameters
    ----------
    selection : PairSelection
        The folder; of a folder with splits, `choose_pairs` says which pairs train and which are held out.
    options : FinetuneOptions
    progress : Reader, optional
        Receives the events.

    Returns
    -------
    Finetuned

    Raises
    ------
    InputError
        A checkpoint, folder, device or setting cannot be used, or `options.output` is or holds an input.
    TrainingStopped
        The run ended early; its last save is whole.
    """
    progress = progress or Silent()
    refuse_inputs_inside(Path(options.output), [selection.folder])
    base, parent = _start(options)
    folder = selection.find()
    report_folder(folder, progress)
    return _finetune(folder, selection.split, base, parent, options, progress)


def finetune_pairs(folder: PairFolder, options: FinetuneOptions, progress: Reader | None = None) -> Finetuned:
    """As `finetune_folder`, with pairs that are already found or made."""
    base, parent = _start(options)
    return _finetune(folder, None, base, parent, options, progress or Silent())


def _start(options: FinetuneOptions) -> tuple[Checkpoint, str | None]:
    """Checkpoint and its SHA-256; invalid options are refused before any file is read."""
    base, parent = starting_checkpoint(options.checkpoint, options.network)
    recipe = PLAIN if options.plain else guided(base.network["name"])
    optimisation(completed(options, recipe), base)
    return base, parent


def _finetune(
    folder: PairFolder,
    split: str | None,
    base: Checkpoint,
    parent: str | None,
    options: FinetuneOptions,
    progress: Reader,
) -> Finetuned:
    from ..training.holdout import left_out_of

    best = _best(folder, split, base, parent, options, progress)
    return Finetuned(best, left_out_entries(left_out_of(folder, split=split, hold_out=options.hold_out)))


def _best(
    folder: PairFolder,
    split: str | None,
    base: Checkpoint,
    parent: str | None,
    options: FinetuneOptions,
    progress: Reader,
) -> Path:
    from ..training.devices import choose_device, to_device
    from ..training.folder import check_folder

    device = choose_device(options.device)
    task = _task(folder, split, base, options, device)
    _warn_of_test_pairs(task, progress)
    refuse_inputs_inside(Path(options.output), [path for pair in folder.pairs for path in pair.paths()])
    output = Path(options.output)
    kept = options.resume and holds_start(output, base)
    if not kept:
        check_folder(output, resume=options.resume)  # before the time that it takes to align
    task.align(progress)
    network = to_device(base.build(), device)
    recipe, kind = PLAIN, None
    if not options.plain:
        kind = _look(task, network, base, progress)
        if _misled(kind, options):
            return keep_start(output, base, TASK, progress)
        recipe = guided(base.network["name"], octa=kind.octa, smooth=kind.smooth)
    options = completed(options, recipe)
    step = graphed(options, optimisation(options, base), base, progress)
    judge = None if kind is None else _judge(options, task, step)
    trainer = make_trainer(network, task, step, options)
    every = (options.validate_every or 1) * trainer.steps_per_epoch
    if kept:
        remove_start(output)
    return train(
        options,
        trainer,
        [task],
        step,
        base,
        parent,
        validate_every=every,
        progress=progress,
        judge=judge,
    )


def _task(
    folder: PairFolder, split: str | None, base: Checkpoint, options: FinetuneOptions, device: torch.device
) -> PairTask:
    from ..tasks import PairTask
    from ..training.holdout import choose_pairs

    training, held_out = choose_pairs(folder, split=split, hold_out=options.hold_out)
    preprocessing = base.build_preprocessing()
    return PairTask(folder.root.name, training, held_out, preprocessing, initial=options.initial, device=device)


def _warn_of_test_pairs(task: PairTask, progress: Reader) -> None:
    from ..training.holdout import marked_test

    chosen = marked_test(task.pairs)
    if chosen:
        progress(Message(_TEST_PAIRS.format(pairs=counted(len(chosen), "pair")), "warning"))


_TEST_PAIRS = (
    "Training on {pairs} marked test, as asked. Measure the result on other pairs: on these it looks better than it is."
)


def make_trainer(network: nn.Module, task: PairTask, step: OptimisationStep, options: FinetuneOptions) -> FineTuning:
    """The trainer of a fine-tuning whose options are complete.

    Parameters
    ----------
    network : nn.Module
        On the device of `step`; it is trained.
    task : PairTask
        Or what has its `pair`, `repeat` and length.
    step : OptimisationStep
    options : FinetuneOptions
        As `completed` gives them.
    """
    from ..training.devices import drawing_threads
    from ..training.finetune import FineTuning

    return FineTuning(
        network,
        task,
        step,
        epochs=options.epochs,
        learning_rate=options.learning_rate,
        batch=options.batch,
        seed=options.seed,
        simulated=options.simulated,
        averaging=options.averaging,
        threads=drawing_threads(step.device),
    )


def completed(options: FinetuneOptions, recipe: Recipe) -> FinetuneOptions:
    """The options, completed from the recipe."""
    missing = {name: value for name, value in vars(recipe).items() if getattr(options, name) is None}
    options = dataclasses.replace(options, **missing)
    if options.averaging == 1:
        raise InputError("{field}: expected a number below 1, got 1: nothing would be learned.", field="averaging")
    return options


def _look(task: PairTask, network: nn.Module, base: Checkpoint, progress: Reader) -> PairKind:
    """The kind of the pairs."""
    from ..training.pair_kinds import kind_of_pairs

    device = next(network.parameters()).device
    found = kind_of_pairs(network, _some(task), device, smooth_below=base.build_calibration().smooth_below)
    measures = (
        f"grain {found.grain:.2f}, roughness {found.roughness:.4f}, contrast similarity {found.contrast_similarity:.2f}"
    )
    unlike = task.initial != "none" and not found.alike
    kind = "as if their contrasts were unlike" if unlike else _KINDS[found.octa, found.smooth]
    progress(Message(f"The pairs look {kind} ({measures})."))
    if not unlike:
        progress(Message(f"What to expect: {_EXPECTED[found.octa, found.smooth]}"))
    return found


_KINDS = {
    (True, True): "like repeat visits of OCTA",
    (False, True): "unlike OCTA, with little left to deform",
    (False, False): "unlike OCTA, with much left to deform",
}

# Measured on other pairs of the same set: Documentation/Notebook/Accuracy.md, "Ten epochs on the user's own pairs".
_MUCH_LEFT = (
    "ten epochs on 5 pairs of stained tissue lowered the error from 4.90 to 4.02 px, or from 3.86 to 3.57 px; "
    "on 8 pairs of brains the Dice overlap changed from 0.643 to 0.678, or from 0.721 to 0.715."
)
_EXPECTED = {
    (True, True): "ten epochs on 22 pairs of this kind lowered the error from 0.315 to 0.310 px.",
    (False, True): "ten epochs on 6 pairs of this kind changed nothing: 0.318 to 0.318 px; the start was kept.",
    (False, False): _MUCH_LEFT,
}


def _misled(kind: PairKind, options: FinetuneOptions) -> bool:
    """Whether correlation would mislead: unlike contrasts, unless the user sets the smoothness or resumes a training."""
    from ..training.folder import LAST

    resumes = options.resume and (Path(options.output) / LAST).is_file()
    # Without an alignment, the directions differ because the images are not aligned.
    unlike = options.initial != "none" and not kind.alike
    return unlike and options.smoothness is None and not resumes


def _some(task: PairTask) -> list[TaskPair]:
    return [task.pair(index) for index in range(0, len(task), -(-len(task) // _JUDGED))]


def _judge(options: FinetuneOptions, task: PairTask, step: OptimisationStep) -> Validator:
    """The validator that chooses the epoch: on the held-out pairs or, if there are none, on some of the training pairs."""
    from ..error_map.judge import shipped_judge
    from ..training.validation import Validator

    pairs = task.validation_pairs()
    held_out = bool(pairs)
    if not pairs and options.hold_out:
        pairs = _some(task)
    return Validator({task.name: pairs}, step.loss, step.device, shipped_judge(step.device), held_out)
