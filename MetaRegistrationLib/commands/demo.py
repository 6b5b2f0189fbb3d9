"""`meta-registration demo`: the main job from end to end, on sample pairs that ship with the program."""

from __future__ import annotations

import argparse

from ..progress import Reader
from ..workflows.demo import REGISTERED, DemoOptions, run_demo
from .measures_text import metrics_table, summary_line
from .options import (
    add_checkpoint,
    add_device,
    add_epochs,
    add_output,
    add_replace,
    add_seed,
    add_stages,
    path_name,
    registrar_of,
)

NAME = "demo"
HELP = "adapt and register the sample pairs, end to end"
DESCRIPTION = (
    "Fine-tune the shipped checkpoint on the sample pairs marked fine_tune, register those marked test, which it has not\n"
    "seen, and carry their landmarks. Ends with a table and a folder for each pair that can be dropped on 3D Slicer.\n"
    "With --no-network nothing is adapted."
)
EXAMPLES = "  meta-registration demo --output demo_output"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_output(parser, default="demo_output")
    add_replace(parser)
    parser.add_argument(
        "--pairs", type=path_name, metavar="DIR", help="other pairs with splits (default: the sample pairs)"
    )
    add_checkpoint(parser)
    add_stages(parser)
    add_epochs(parser)
    add_device(parser)
    add_seed(parser)


def run(arguments: argparse.Namespace, progress: Reader) -> int:
    """Adapt, register, measure, show."""
    options = DemoOptions(
        arguments.output,
        arguments.pairs,
        registrar_of(arguments),
        epochs=arguments.epochs,
        seed=arguments.seed,
        replace=arguments.replace,
    )
    outcome = run_demo(options, progress)
    if not arguments.json:
        print(f"\n{metrics_table(outcome.rows)}\n{summary_line(outcome.summary)}")
        pictures = (outcome.output / REGISTERED).resolve() / "PAIR" / "overlay.png"
        print(f"Pictures (before | after), one a pair: {pictures}")
        print("Each of these folders can be dropped on 3D Slicer: images, landmarks, displacement field.")
    return 0
