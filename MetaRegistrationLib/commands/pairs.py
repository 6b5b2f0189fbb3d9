"""`meta-registration pairs`: how a folder of image pairs is understood."""

from __future__ import annotations

import argparse
from dataclasses import replace

from ..progress import Event, Item, Reader, Started
from ..words import counted
from ..workflows.folders import PairSelection
from ..workflows.listing import IN_FULL, Listing, list_pairs
from .failures import sentence
from .options import add_reading, path_name, pixel_sizes
from .tables import text_table

NAME = "pairs"
HELP = "list the image pairs of a folder and what is left out"
DESCRIPTION = (
    "List the pairs of a folder before work with them: which layout was recognised, each pair's image sizes, pixel\n"
    "spacing, landmarks and split, and every file that was left out with the reason. A folder may hold moving/ and\n"
    "fixed/ with equal names, files ending in _moving and _fixed, one subfolder a pair, or a pairs.csv."
)
EXAMPLES = (
    "  meta-registration pairs my_pairs\n"
    "  meta-registration pairs my_pairs --spacing-um 9.4\n"
    "  meta-registration pairs thousands_of_pairs --pixels\n"
    "  meta-registration pairs my_pairs --json"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's options."""
    parser.add_argument("folder", type=path_name, metavar="DIR", help="folder of image pairs")
    parser.add_argument(
        "--pixels",
        action=argparse.BooleanOptionalAction,
        help="read every image in full, which finds constant, NaN and damaged pixels; without, read headers only"
        f" (default: in full up to {IN_FULL} pairs)",
    )
    add_reading(parser)


def run(arguments: argparse.Namespace, progress: Reader) -> int:
    """List the pairs on stdout as a table, or as `item` events."""
    selection = PairSelection(arguments.folder, slice_index=arguments.slice, **pixel_sizes(arguments))
    reader = progress if arguments.json else _counting(progress)
    listing = list_pairs(selection, reader, pixels=arguments.pixels, reason=sentence)
    if not arguments.json:
        _print(listing)
    return 0


def _counting(progress: Reader) -> Reader:
    """A reader for the terminal: the table says the rest."""

    def read(event: Event) -> None:
        if isinstance(event, Item):
            progress(replace(event, values={}))
        elif isinstance(event, Started):
            progress(event)

    return read


def _print(listing: Listing) -> None:
    found, records = listing.folder, listing.records
    print(f"{found.root}\nLayout: {found.layout}\n")
    rows = [
        (
            record["name"],
            _both(record, "size", _size),
            _both(record, "spacing_um", _spacing),
            _both(record, "field_of_view_mm", _extent),
            _both(record, "landmarks", str),
            record["split"] or "-",
        )
        for record in records
    ]
    print(text_table(("pair", "size", "spacing, um", "field of view, mm", "landmarks", "split"), rows))
    print(f"\n{counted(len(records), 'pair')}, {len(found.left_out)} left out")
    for item in found.left_out:
        print(f"  {', '.join(item.files)}: {sentence(item.error)}")
    if found.note:
        print(found.note)
    if not listing.in_full:
        print("Only the headers of the images were read. --pixels also finds constant, NaN and damaged pixels.")


def _both(record: dict, key: str, text) -> str:
    """One text for both images where they agree, else 'moving / fixed'."""
    moving, fixed = text(record[f"moving_{key}"]), text(record[f"fixed_{key}"])
    return moving if moving == fixed else f"{moving} / {fixed}"


def _size(size: tuple[int, int]) -> str:
    return f"{size[0]} x {size[1]}"


def _extent(extent: tuple[float, float] | None) -> str:
    return "-" if extent is None else f"{extent[0]:.4g} x {extent[1]:.4g}"


def _spacing(spacing: tuple[float, float] | None) -> str:
    if spacing is None:
        return "-"
    x, y = spacing
    return f"{x:.4g}" if x == y else f"{x:.4g} x {y:.4g}"
