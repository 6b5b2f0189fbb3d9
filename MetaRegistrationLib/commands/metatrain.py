"""`meta-registration metatrain`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from ..progress import Message, Reader
from ..workflows.training import start_on_tasks, train
from .options import positive_float, positive_int
from .processes import run_in_group
from .training_options import add_tasks, add_training, source_training_of

if TYPE_CHECKING:
    from ..training.distributed import Group

NAME = "metatrain"
HELP = "meta-learn an initialisation over source tasks (Reptile)"
DESCRIPTION = (
    "Train a network by Reptile over the tasks of a task set, usually from a pretrained --checkpoint, so that a few\n"
    "epochs of fine-tuning adapt it to a new task. Writes best.pt, last.pt and log.csv into --output.\n"
    "Started by torchrun, several processes (and GPUs) share the tasks of each step."
)
EXAMPLES = (
    "  meta-registration metatrain --tasks source_tasks.toml --checkpoint runs/pretrained/best.pt --output runs/meta\n"
    "  meta-registration metatrain --tasks source_tasks.toml --checkpoint runs/pretrained/best.pt --output runs/meta --resume\n"
    "  torchrun --nproc_per_node=3 -m MetaRegistrationLib metatrain --tasks source_tasks.toml --output runs/shared"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_tasks(parser)
    add_training(parser, learning_rate=1e-4, validate_every="meta-steps (default: 50)", start="a new network")
    group = parser.add_argument_group("Reptile (Eq. 2)")
    group.add_argument(
        "--steps", type=positive_int, default=23000, metavar="N", help="meta-steps (default: %(default)s)"
    )
    group.add_argument(
        "--tasks-per-step", type=positive_int, default=3, metavar="M", help="m, drawn a meta-step (default: 3)"
    )
    group.add_argument(
        "--inner-updates", type=positive_int, default=10, metavar="K", help="k, updates on each task (default: 10)"
    )
    group.add_argument(
        "--outer-learning-rate", type=positive_float, default=1e-4, metavar="R", help="of the outer Adam, or alpha"
    )
    group.add_argument(
        "--outer-optimiser",
        choices=("adam", "sgd"),
        default="adam",
        help="adam: as the paper's implementation; sgd: Eq. (2) as it is written (default: adam)",
    )
    group.add_argument(
        "--decay", action="store_true", help="let the outer learning rate fall to zero along a half cosine"
    )
    group.add_argument(
        "--keep-moments",
        action="store_true",
        help="each task's Adam begins with the second moments of the meta-step before; without: with none, as the paper's",
    )


def run(arguments: argparse.Namespace, progress: Reader) -> int:
    """Meta-train."""
    return run_in_group(arguments, progress, _train)


def _train(arguments: argparse.Namespace, progress: Reader, group: Group) -> None:
    from ..training.devices import to_device
    from ..training.reptile import Reptile

    options = source_training_of(arguments)
    base, parent, tasks, step = group.together(start_on_tasks, options, progress)
    if group.size > min(arguments.tasks_per_step, len(tasks)):
        progress(Message(f"A step has fewer tasks than there are processes ({group.size}): some will idle.", "warning"))
    trainer = Reptile(
        to_device(base.build(), step.device),
        tasks,
        step,
        steps=arguments.steps,
        tasks_per_step=arguments.tasks_per_step,
        inner_updates=arguments.inner_updates,
        inner_learning_rate=arguments.learning_rate,
        outer_learning_rate=arguments.outer_learning_rate,
        outer_optimiser=arguments.outer_optimiser,
        decay=arguments.decay,
        workers=arguments.workers,
        keep_moments=arguments.keep_moments,
        batch=arguments.batch,
        seed=arguments.seed,
        group=group,
    )
    every = arguments.validate_every or 50
    train(options, trainer, tasks, step, base, parent, validate_every=every, progress=progress, group=group)
