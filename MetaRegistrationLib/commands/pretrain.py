"""`meta-registration pretrain`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from ..progress import Message, Reader
from ..workflows.training import start_on_tasks, train
from .options import positive_int
from .processes import run_in_group
from .training_options import add_tasks, add_training, source_training_of

if TYPE_CHECKING:
    from ..training.distributed import Group

NAME = "pretrain"
HELP = "train a network on all source tasks mixed"
DESCRIPTION = (
    "Train a network from scratch (or further, with --checkpoint) on the tasks of a task set, all mixed: the\n"
    "pretraining of the paper. Writes best.pt, last.pt and log.csv into --output.\n"
    "Started by torchrun, several processes (and GPUs) share the pairs of each batch."
)
EXAMPLES = (
    "  meta-registration pretrain --tasks source_tasks.toml --output runs/pretrained\n"
    "  meta-registration pretrain --tasks source_tasks.toml --output runs/pretrained --resume\n"
    "  torchrun --nproc_per_node=2 -m MetaRegistrationLib pretrain --tasks source_tasks.toml --batch 8 --output runs/joint"
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
    return run_in_group(arguments, progress, _train)


def _train(arguments: argparse.Namespace, progress: Reader, group: Group) -> None:
    from ..training.devices import to_device
    from ..training.pretrain import Pretraining

    options = source_training_of(arguments)
    base, parent, tasks, step = group.together(start_on_tasks, options, progress)
    if group.size > options.batch:
        progress(
            Message(f"A batch has fewer pairs than there are processes ({group.size}): some will idle.", "warning")
        )
    trainer = Pretraining(
        to_device(base.build(), step.device),
        tasks,
        step,
        steps=options.steps,
        learning_rate=options.learning_rate,
        batch=options.batch,
        seed=options.seed,
        decay=options.decay,
        group=group,
        workers=options.workers,
    )
    every = options.validate_every or 500
    train(options, trainer, tasks, step, base, parent, validate_every=every, progress=progress, group=group)
