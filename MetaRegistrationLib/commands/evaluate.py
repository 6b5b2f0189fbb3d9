"""`meta-registration evaluate`."""

from __future__ import annotations

import argparse

from ..progress import Reader
from ..workflows.evaluating import evaluate
from .failures import SOME_LEFT_OUT
from .measures_text import metrics_table, summary_line
from .options import (
    add_checkpoint,
    add_device,
    add_output,
    add_pairs,
    add_reading,
    add_replace,
    add_run,
    add_stages,
    registrar_of,
    run_of,
    selection_of,
)

NAME = "evaluate"
HELP = "measure a checkpoint on pairs with landmarks"
DESCRIPTION = (
    "Register the pairs of a folder and measure the result: landmark distance before and after (mean over a pair's\n"
    "landmarks, in pixels of the 400 x 400 network grid), NCC, folding, time. Writes metrics.csv (one row a pair) and\n"
    "summary.json into --output, and no images."
)
EXAMPLES = (
    "  meta-registration evaluate --checkpoint runs/adapted/best.pt --pairs my_pairs --split test --output measured"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_pairs(parser)
    parser.add_argument("--split", metavar="NAME", help="only the pairs of this split (default: all pairs)")
    add_output(parser)
    add_replace(parser)
    add_checkpoint(parser)
    add_stages(parser)
    add_device(parser)
    add_reading(parser)
    add_run(parser, files=False)


def run(arguments: argparse.Namespace, progress: Reader) -> int:
    """Evaluate."""
    outcome = evaluate(
        selection_of(arguments),
        arguments.output,
        registrar_of(arguments),
        progress,
        replace=arguments.replace,
        run=run_of(arguments),
    )
    if not arguments.json:
        table, line = metrics_table(outcome.rows), summary_line(outcome.summary)
        print(f"{table}\n{line}\nTables: {outcome.output.resolve()}")
    return SOME_LEFT_OUT if outcome.left_out else 0
