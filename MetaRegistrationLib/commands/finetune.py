"""`meta-registration finetune`."""

from __future__ import annotations

import argparse

from ..progress import Reader
from ..training.adaptation import GUIDED, PLAIN, Recipe
from ..workflows.finetuning import FinetuneOptions, finetune_folder
from .failures import SOME_LEFT_OUT
from .options import add_epochs, add_initial, add_pairs, add_reading, selection_of, share
from .training_options import add_cuda_graph, add_training, training_of

NAME = "finetune"
HELP = "adapt a checkpoint to your own image pairs"
DESCRIPTION = (
    "Adapt a checkpoint to a folder of image pairs, without landmarks. Writes best.pt (the adapted checkpoint), last.pt\n"
    "(to resume) and log.csv into --output. If the folder has splits, the pairs marked fine_tune (or train) are used.\n"
    "Those marked test are used only if --split names them. The pairs marked validation (or one in ten, of ten pairs and\n"
    "more) are held out, and choose the best epoch by their landmarks. Without landmarks, or with none held out, the\n"
    "predicted error chooses it. If no epoch is better than the start, the start is the result, with a warning.\n"
    "The pairs are aligned first, as `register` does. The network learns what remains: from the pairs by Eq. (1) and, if\n"
    "they look like OCTA, from simulated visits whose displacement is known.\n"
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
    split = "train on the pairs of this split (default: see above); test pairs give a warning"
    parser.add_argument("--split", metavar="NAME", help=split)
    parser.add_argument("--no-validation", action="store_true", help="hold out nothing; the last epoch is the result")


def _add_recipe(parser: argparse.ArgumentParser) -> None:
    """Options of the recipes besides those of every training; None: the value of the chosen recipe."""
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


def run(arguments: argparse.Namespace, progress: Reader) -> int:
    """Fine-tune."""
    options = training_of(arguments, FinetuneOptions, hold_out=not arguments.no_validation)
    outcome = finetune_folder(selection_of(arguments), options, progress)
    return SOME_LEFT_OUT if outcome.left_out else 0
