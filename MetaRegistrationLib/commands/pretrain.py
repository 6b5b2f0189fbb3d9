"""`meta-registration pretrain`."""

from __future__ import annotations

import argparse

from ..progress import Reader
from ..workflows.training import start_on_tasks, train
from .options import positive_int
from .training_options import add_tasks, add_training, source_training_of

NAME = "pretrain"
HELP = "train a network on all source tasks mixed"
DESCRIPTION = (
    "Train a network from scratch (or further, with --checkpoint) on the tasks of a task set, all mixed: the\n"
    "pretraining of the paper. Writes best.pt, last.pt and log.csv into --output."
)
EXAMPLES = (
    "  meta-registration pretrain --tasks source_tasks.toml --output runs/pretrained\n"
    "  meta-registration pretrain --tasks source_tasks.toml --output runs/pretrained --resume"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_tasks(parser)
    add_training(parser, learning_rate=1e-4, validate_every="steps (default: 500)", start="a new network")
    parser.add_argument(
        "--steps", type=positive_int, default=6000, metavar="N", help="(default: %(default)s, the paper's)"
    )
    parser.add_argument("--decay", action="store_true", help="let the learning rate fall to zero along a half cosine")


def run(arguments: argparse.Namespace, progress: Reader) -> int:
    """Pretrain."""
    from ..training.devices import to_device
    from ..training.pretrain import Pretraining

    options = source_training_of(arguments)
    base, parent, tasks, step = start_on_tasks(options, progress)
    trainer = Pretraining(
        to_device(base.build(), step.device),
        tasks,
        step,
        steps=options.steps,
        learning_rate=options.learning_rate,
        batch=options.batch,
        seed=options.seed,
        decay=options.decay,
        workers=options.workers,
    )
    every = options.validate_every or 500
    train(options, trainer, tasks, step, base, parent, validate_every=every, progress=progress)
    return 0
