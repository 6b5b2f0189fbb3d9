"""`meta-registration pairs`: how a folder of image pairs is understood."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from ..progress import Finished, Item, Message, Reader, Started
from ..words import counted
from .failures import sentence
from .options import add_reading, path_name, pixel_sizes
from .tables import text_table

if TYPE_CHECKING:
    from ..core.geometry import Geometry
    from ..pairs.folders import PairFiles, PairFolder

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
    "  meta-registration pairs my_pairs --json"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's options."""
    parser.add_argument("folder", type=path_name, metavar="DIR", help="folder of image pairs")
    add_reading(parser)


def run(arguments: argparse.Namespace, progress: Reader) -> int:
    """List the pairs on stdout as a table, or as `item` events."""
    from ..pairs.folders import find_pairs

    found = find_pairs(arguments.folder, **pixel_sizes(arguments), slice_index=arguments.slice)
    records = [describe(files) for files in found.pairs]
    if arguments.json:
        _send(found, records, progress)
    else:
        _print(found, records)
    return 0


def describe(files: PairFiles) -> dict:
    """What is known of a pair: files, sizes (width, height; pixels), spacing (x, y; um), field of view (mm), landmarks, split."""
    pair = files.load()
    record: dict = {"name": files.name, "split": files.split}
    for role, path, image, landmarks in (
        ("moving", files.moving, pair.moving, pair.moving_landmarks),
        ("fixed", files.fixed, pair.fixed, pair.fixed_landmarks),
    ):
        rows, columns = image.geometry.size
        record[role] = path
        record[f"{role}_size"] = (columns, rows)
        record[f"{role}_spacing_um"] = _spacing_um(image.geometry)
        record[f"{role}_field_of_view_mm"] = _field_of_view_mm(image.geometry)
        record[f"{role}_landmarks"] = 0 if landmarks is None else len(landmarks)
    return record


def _spacing_um(geometry: Geometry) -> tuple[float, float] | None:
    if not geometry.spacing_known:
        return None
    rows, columns = geometry.spacing
    return round(1000 * columns, 6), round(1000 * rows, 6)


def _field_of_view_mm(geometry: Geometry) -> tuple[float, float] | None:
    """Width and height of the image; a person sees at a glance that 320 mm are not a retina."""
    if not geometry.spacing_known:
        return None
    height, width = (count * step for count, step in zip(geometry.size, geometry.spacing, strict=True))
    return round(width, 6), round(height, 6)


def _send(found: PairFolder, records: list[dict], progress: Reader) -> None:
    progress(Started(NAME, len(records), detail={"folder": found.root, "layout": found.layout}))
    for index, record in enumerate(records, start=1):
        progress(Item(index, len(records), record["name"], record))
    left_out = [{"files": item.files, "reason": sentence(item.error)} for item in found.left_out]
    for item in found.left_out:
        progress(Message.of(item.error, f"left out: {', '.join(item.files)}: "))
    values = {"layout": found.layout, "pairs": len(records), "left_out": left_out}
    progress(Finished(NAME, found.root, values))


def _print(found: PairFolder, records: list[dict]) -> None:
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
