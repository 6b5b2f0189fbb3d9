"""`meta-registration evaluate`."""

from __future__ import annotations

import argparse

from ..progress import Finished, Reader
from .failures import SOME_LEFT_OUT
from .folders import report_folder
from .options import add_checkpoint, add_device, add_output, add_pairs, add_reading, add_stages, pixel_sizes, stages_of
from .registering import make_registrar, metrics_table, register_pairs, summary_line

NAME = "evaluate"
HELP = "measure a checkpoint on pairs with landmarks"
DESCRIPTION = (
    "Register the pairs of a folder and measure the result: landmark distance before and after (mean over a pair's\n"
    "landmarks, in pixels of the network's 400 x 400 frame), NCC, folding, time. Writes metrics.csv (one row a pair) and\n"
    "summary.json into --output, and no images."
)
EXAMPLES = (
    "  meta-registration evaluate --checkpoint runs/adapted/best.pt --pairs my_pairs --split test --output results"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_pairs(parser)
    parser.add_argument("--split", metavar="NAME", help="only the pairs of this split (default: all pairs)")
    add_output(parser)
    add_checkpoint(parser)
    add_stages(parser)
    add_device(parser)
    add_reading(parser)


def run(arguments: argparse.Namespace, progress: Reader) -> int:
    """Evaluate."""
    from ..formats.files import sole_writer, writable_folder
    from ..pairs.folders import find_pairs
    from ..registration.results import write_tables

    stages = stages_of(arguments)
    folder = find_pairs(arguments.pairs, **pixel_sizes(arguments), slice_index=arguments.slice)
    report_folder(folder, progress)
    files = folder.split(arguments.split)
    registrar, record = make_registrar(arguments.checkpoint, arguments.device, stages)
    output = writable_folder(arguments.output)
    with sole_writer(output):
        rows = [done.measures for done in register_pairs(registrar, files, NAME, progress, record)]
        record |= {"pairs_folder": folder.root, "layout": folder.layout, "split": arguments.split}
        summary = write_tables(output, rows, record)
    if not arguments.json:
        print(f"{metrics_table(rows)}\n{summary_line(summary)}\nTables: {output.resolve()}")
    progress(Finished(NAME, output, summary))
    return SOME_LEFT_OUT if record.get("left_out") else 0
