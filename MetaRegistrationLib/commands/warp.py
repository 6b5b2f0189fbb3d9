"""`meta-registration warp`."""

from __future__ import annotations

import argparse

from ..progress import Reader
from ..workflows.warping import WarpOptions, warp_files
from .options import add_output, add_replace, natural_int, path_name

NAME = "warp"
HELP = "warp further images or label maps of a registered pair"
DESCRIPTION = (
    "Warp further images or label maps on the moving image's pixels by a stored registration.\n"
    "Each becomes NAME.nrrd in --output, on the fixed image's pixels. Label maps keep their values and their number type."
)
EXAMPLES = (
    "  meta-registration warp --result result/visit1_to_visit2 --images vessels.png --output warped\n"
    "  meta-registration warp --result result/visit1_to_visit2 --images deep.tif --interpolation linear --output warped"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--result", type=path_name, required=True, metavar="DIR", help="folder of one registered pair")
    parser.add_argument(
        "--images", type=path_name, nargs="+", required=True, metavar="FILE", help="on the moving image's pixels"
    )
    parser.add_argument(
        "--interpolation",
        choices=("nearest", "linear", "cubic"),
        default="nearest",
        help="nearest for label maps, linear or cubic for images (default: nearest)",
    )
    add_output(parser)
    add_replace(parser)
    parser.add_argument("--slice", type=natural_int, metavar="N", help="slice to take, counted from 0, of stacks")


def run(arguments: argparse.Namespace, progress: Reader) -> int:
    """Warp and write."""
    options = WarpOptions(
        arguments.result,
        arguments.images,
        arguments.output,
        arguments.interpolation,
        arguments.slice,
        arguments.replace,
    )
    written = warp_files(options, progress)
    if not arguments.json:
        print("\n".join(f"Written: {path.resolve()}" for path in written))
    return 0
