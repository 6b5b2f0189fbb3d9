"""`meta-registration finetune`."""

from __future__ import annotations

import argparse

from ..errors import InputError
from ..progress import Reader
from ..training.adaptation import GUIDED, PLAIN, Recipe, guided
from .folders import report_folder
from .options import add_epochs, add_initial, add_pairs, add_reading, share
from .training_options import add_training, optimisation, starting_checkpoint, train

NAME = "finetune"
HELP = "adapt a checkpoint to your own image pairs"
DESCRIPTION = (
    "Adapt a checkpoint to a folder of image pairs, without landmarks. Writes best.pt (the adapted checkpoint), last.pt\n"
    "(to resume) and log.csv into --output. Of a folder with splits, the pairs marked fine_tune (or train) are used and\n"
    "those marked test never are; those marked validation (or, of ten pairs and more, one in ten) are held out and\n"
    "choose the best epoch. The pairs are aligned first, as `register` does, and the network learns what remains: from the\n"
    "pairs by Eq. (1), and from simulated repeat visits of the same images, whose displacement is known. --plain is the\n"
    "paper's fine-tuning, by Eq. (1) alone."
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
        " (--smoothness 5 for the coarse-to-fine network)",
    )
    group.add_argument(
        "--simulated",
        type=share,
        metavar="SHARE",
        help="part of the updates made on simulated repeat visits of the same images (made for OCTA: 0 for other images)",
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


def _complete(arguments: argparse.Namespace, network: str) -> None:
    """Fill in what was not given, from the recipe."""
    for name, value in vars(PLAIN if arguments.plain else guided(network)).items():
        if getattr(arguments, name) is None:
            setattr(arguments, name, value)
    if arguments.averaging == 1:
        raise InputError("--averaging: expected a number below 1, got 1: nothing would be learned.")


def run(arguments: argparse.Namespace, progress: Reader) -> int:
    """Fine-tune."""
    from ..pairs import find_pairs
    from ..resources import default_checkpoint
    from ..tasks import PairTask
    from ..training.devices import place
    from ..training.finetune import FineTuning
    from ..training.folder import check_folder
    from ..training.holdout import choose_pairs

    if arguments.checkpoint is None:
        arguments.checkpoint = default_checkpoint()
    base, parent = starting_checkpoint(arguments)
    _complete(arguments, base.network["name"])
    folder = find_pairs(arguments.pairs, spacing_um=arguments.spacing_um, slice_index=arguments.slice)
    report_folder(folder, progress)
    training, held_out = choose_pairs(folder, split=arguments.split, hold_out=not arguments.no_validation)
    step = optimisation(arguments, base)
    task = PairTask(
        folder.root.name,
        training,
        held_out,
        base.build_preprocessing(),
        initial=arguments.initial,
        device=step.device,
    )
    trainer = FineTuning(
        place(base.build(), step.device),
        task,
        step,
        epochs=arguments.epochs,
        learning_rate=arguments.learning_rate,
        batch=arguments.batch,
        seed=arguments.seed,
        simulated=arguments.simulated,
        averaging=arguments.averaging,
    )
    check_folder(arguments.output, resume=arguments.resume)  # before the time that it takes to align
    task.align(progress)
    every = (arguments.validate_every or 1) * trainer.steps_per_epoch
    train(arguments, trainer, [task], step, base, parent, validate_every=every, progress=progress)
    return 0
