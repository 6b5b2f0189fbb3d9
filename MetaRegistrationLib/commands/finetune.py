"""`meta-registration finetune`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from ..errors import InputError
from ..progress import Finished, Message, Reader
from ..training.adaptation import GUIDED, PLAIN, Recipe, guided
from .folders import report_folder
from .options import add_epochs, add_initial, add_pairs, add_reading, pixel_sizes, share
from .training_options import add_cuda_graph, add_training, graphed, optimisation, starting_checkpoint, train

if TYPE_CHECKING:
    from torch import nn

    from ..checkpoints import Checkpoint
    from ..tasks import PairTask, TaskPair
    from ..training.likeness import Likeness
    from ..training.step import OptimisationStep
    from ..training.validation import Validator

_JUDGED = 8
"""Pairs that are looked at to choose the recipe and, where none is held out, the epoch."""

NAME = "finetune"
HELP = "adapt a checkpoint to your own image pairs"
DESCRIPTION = (
    "Adapt a checkpoint to a folder of image pairs, without landmarks. Writes best.pt (the adapted checkpoint), last.pt\n"
    "(to resume) and log.csv into --output. Of a folder with splits, the pairs marked fine_tune (or train) are used and\n"
    "those marked test never are; those marked validation (or, of ten pairs and more, one in ten) are held out and\n"
    "choose the best epoch by their landmarks. Without landmarks, or with none held out, NCC chooses it or, where little is\n"
    "left to deform, the loss. Where no epoch is better than the start, the start is kept, with a warning.\n"
    "The pairs are aligned first, as `register` does, and the network learns what remains: from the pairs by Eq. (1), and\n"
    "where they look like OCTA, from simulated visits whose displacement is known.\n"
    "--plain is the paper's fine-tuning, by Eq. (1) alone."
)
EXAMPLES = (
    "  meta-registration finetune --pairs my_pairs --output runs/adapted\n"
    "  meta-registration finetune --pairs my_pairs --output runs/adapted --epochs 600 --device cuda --resume"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_pairs(parser)
    add_reading(parser)
    add_epochs(parser)
    add_initial(parser)
    add_training(parser, validate_every="epochs (default: 1)")
    add_cuda_graph(parser)
    _add_recipe(parser)
    parser.add_argument("--split", metavar="NAME", help="train on the pairs of this split (default: see above)")
    parser.add_argument("--no-validation", action="store_true", help="hold out nothing; the last epoch is the result")


def _add_recipe(parser: argparse.ArgumentParser) -> None:
    """What tells the recipes apart beside the options of every training; None: as the chosen recipe has it."""
    group = parser.add_argument_group("adaptation")
    group.add_argument(
        "--plain",
        action="store_true",
        help=f"the paper's fine-tuning as the default of all these: {_summary(PLAIN)}; without it: {_summary(GUIDED)}"
        " (with --smoothness 5 for the coarse-to-fine network where little is left to deform, and --simulated 0 where the images"
        " do not look like OCTA)",
    )
    group.add_argument(
        "--simulated",
        type=share,
        metavar="SHARE",
        help="part of the updates made on simulated repeat visits of the same images, with the noise of OCTA",
    )
    group.add_argument(
        "--averaging",
        type=share,
        metavar="DECAY",
        help="decay of the running mean of the weights, which is the result; 0: the weights as they are trained",
    )


def _summary(recipe: Recipe) -> str:
    parts = {f"--{name}": value for name, value in vars(recipe).items() if value is not None}
    return " ".join(f"{name.replace('_', '-')} {value:g}" for name, value in parts.items())


def _complete(arguments: argparse.Namespace, recipe: Recipe) -> argparse.Namespace:
    """The options with what was not given from the recipe."""
    given = {name: value for name, value in vars(arguments).items() if value is not None}
    arguments = argparse.Namespace(**{**vars(arguments), **vars(recipe), **given})
    if arguments.averaging == 1:
        raise InputError("--averaging: expected a number below 1, got 1: nothing would be learned.")
    return arguments


def _look(task: PairTask, network: nn.Module, base: Checkpoint, progress: Reader) -> Likeness:
    """What the pairs look like."""
    from ..training.likeness import likeness

    device = next(network.parameters()).device
    found = likeness(network, _some(task), device, knows_contrasts=base.knows_contrasts)
    measures = f"grain {found.grain:.2f}, roughness {found.roughness:.4f}, alikeness {found.alikeness:.2f}"
    unlike = task.initial != "none" and not found.alike
    kind = "as if their contrasts were unlike" if unlike else _KINDS[found.octa, found.smooth]
    progress(Message(f"The pairs look {kind} ({measures})."))
    return found


_KINDS = {
    (True, True): "like repeat visits of OCTA",
    (False, True): "unlike OCTA, with little left to deform",
    (False, False): "unlike OCTA, with much left to deform",
}


def _keep_start(arguments: argparse.Namespace, base: Checkpoint, progress: Reader) -> int:
    """Write the start as the result: correlation would only lead it away."""
    from ..checkpoints import save_checkpoint

    best = arguments.output / "best.pt"
    save_checkpoint(best, base)
    progress(Message(_UNLIKE, "warning"))
    progress(Finished(NAME, best))
    return 0


_UNLIKE = (
    "Fine-tuning goes by the correlation of grey values, which misleads where contrasts are unlike (two modalities, two stains): "
    "nothing was trained, the start was kept, and best.pt holds its weights. --plain or --smoothness trains all the same."
)


def _some(task: PairTask) -> list[TaskPair]:
    return [task.pair(index) for index in range(0, len(task), -(-len(task) // _JUDGED))]


def _judge(arguments: argparse.Namespace, task: PairTask, step: OptimisationStep) -> Validator:
    """What chooses the epoch: the held-out pairs, or up to some of the pairs themselves where none is held out."""
    from ..training.validation import Validator

    pairs = task.validation_pairs()
    if not pairs and not arguments.no_validation:
        pairs = _some(task)
    return Validator({task.name: pairs}, step.loss, step.device)


def run(arguments: argparse.Namespace, progress: Reader) -> int:
    """Fine-tune."""
    from ..pairs.folders import find_pairs
    from ..resources import default_checkpoint
    from ..tasks import PairTask
    from ..training.devices import drawing_threads, place
    from ..training.finetune import FineTuning
    from ..training.folder import check_folder
    from ..training.holdout import choose_pairs

    if arguments.checkpoint is None:
        arguments.checkpoint = default_checkpoint()
    base, parent = starting_checkpoint(arguments)
    recipe = PLAIN if arguments.plain else guided(base.network["name"])
    step = optimisation(_complete(arguments, recipe), base)
    folder = find_pairs(arguments.pairs, **pixel_sizes(arguments), slice_index=arguments.slice)
    report_folder(folder, progress)
    training, held_out = choose_pairs(folder, split=arguments.split, hold_out=not arguments.no_validation)
    task = PairTask(
        folder.root.name,
        training,
        held_out,
        base.build_preprocessing(),
        initial=arguments.initial,
        device=step.device,
    )
    check_folder(arguments.output, resume=arguments.resume)  # before the time that it takes to align
    task.align(progress)
    network = place(base.build(), step.device)
    judge, by_ncc = None, False
    if not arguments.plain:
        look = _look(task, network, base, progress)
        # Without an alignment the directions differ because the images do not lie in place.
        if arguments.initial != "none" and not look.alike and arguments.smoothness is None and not arguments.resume:
            return _keep_start(arguments, base, progress)
        recipe = guided(base.network["name"], octa=look.octa, smooth=look.smooth)
    arguments = _complete(arguments, recipe)
    step = graphed(arguments, optimisation(arguments, base), base, progress)
    if not arguments.plain:
        judge, by_ncc = _judge(arguments, task, step), not look.smooth
    trainer = FineTuning(
        network,
        task,
        step,
        epochs=arguments.epochs,
        learning_rate=arguments.learning_rate,
        batch=arguments.batch,
        seed=arguments.seed,
        simulated=arguments.simulated,
        averaging=arguments.averaging,
        threads=drawing_threads(step.device),
    )
    every = (arguments.validate_every or 1) * trainer.steps_per_epoch
    told = {"validate_every": every, "progress": progress}
    train(arguments, trainer, [task], step, base, parent, **told, judge=judge, by_ncc=by_ncc)
    return 0
