"""`meta-registration finetune`."""

from __future__ import annotations

import argparse

from ..progress import Reader
from .folders import report_folder
from .options import add_epochs, add_initial, add_pairs, add_reading
from .training_options import add_training, optimisation, starting_checkpoint, train

NAME = "finetune"
HELP = "adapt a checkpoint to your own image pairs"
DESCRIPTION = (
    "Adapt a checkpoint to a folder of image pairs, without landmarks. Writes best.pt (the adapted checkpoint), last.pt\n"
    "(to resume) and log.csv into --output. Of a folder with splits, the pairs marked fine_tune (or train) are used and\n"
    "those marked test never are; those marked validation (or, of ten pairs and more, one in ten) are held out and\n"
    "choose the best epoch. The pairs are aligned first, as `register` does, and the network learns what remains."
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
    add_training(parser, learning_rate=1e-4, validate_every="epochs (default: 1)", scales=1, simulated=False)
    parser.add_argument("--split", metavar="NAME", help="train on the pairs of this split (default: see above)")
    parser.add_argument("--no-validation", action="store_true", help="hold out nothing; the last epoch is the result")


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
    )
    check_folder(arguments.output, resume=arguments.resume)  # before the time that it takes to align
    task.align(progress)
    every = (arguments.validate_every or 1) * trainer.steps_per_epoch
    train(arguments, trainer, [task], step, base, parent, validate_every=every, progress=progress)
    return 0
