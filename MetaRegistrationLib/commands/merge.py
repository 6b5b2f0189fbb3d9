"""`meta-registration merge`."""

from __future__ import annotations

import argparse

from ..progress import Reader
from ..words import counted
from ..workflows.merging import merge
from ..workflows.registering import PairsOutcome
from .failures import SOME_LEFT_OUT
from .measures_text import summary_line
from .options import add_replace, path_name

NAME = "merge"
HELP = "join the tables of the parts of a run (--shard)"
DESCRIPTION = (
    "Write the tables over the pairs or eyes of several folders of results, such as those of the parts of a job array\n"
    "(--shard K/N of register, evaluate or series): metrics.csv and summary.json over pairs; eyes.csv, measurements.csv,\n"
    "changes.csv and trends.csv over the eyes of series. Other files stay where they are.\n"
    "Missing parts, pairs and eyes are named."
)
EXAMPLES = (
    "  meta-registration register --pairs biobank --shard 1/2 --output parts\n"
    "  meta-registration register --pairs biobank --shard 2/2 --output parts\n"
    "  meta-registration merge parts\n"
    "  meta-registration merge parts/shard_1_of_2 parts/shard_2_of_2 --output both"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "folders", type=path_name, nargs="+", metavar="DIR", help="folders of results, or of their parts"
    )
    parser.add_argument(
        "--output",
        type=path_name,
        metavar="DIR",
        help="folder for the tables (default: the folder, if only one is named)",
    )
    add_replace(parser)


def run(arguments: argparse.Namespace, progress: Reader) -> int:
    """Merge."""
    outcome = merge(arguments.folders, arguments.output, progress, replace=arguments.replace)
    if not arguments.json:
        shown = summary_line(outcome.summary) if isinstance(outcome, PairsOutcome) else counted(outcome.done, "eye")
        print(f"{shown}\nTables: {outcome.output.resolve()}")
    return SOME_LEFT_OUT if outcome.left_out else 0
