"""`meta-registration register`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import InputError
from ..progress import Reader
from ..workflows.registering import register_files, register_folder
from ..workflows.run_options import RunOptions
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
    natural_int,
    path_name,
    pixel_sizes,
    registrar_of,
    run_of,
    selection_of,
)

if TYPE_CHECKING:
    from ..pairs.files import PairFiles

NAME = "register"
HELP = "register a pair or a folder of pairs"
DESCRIPTION = (
    "Register one pair (--moving, --fixed) or a folder of pairs (--pairs). For each pair a folder is written into\n"
    "--output: the warped image and the displacement field in the fixed image's geometry, landmarks carried into the\n"
    "fixed image, an overlay picture and a record of settings and versions."
)
EXAMPLES = (
    "  meta-registration register --moving visit1.png --fixed visit2.png --output result\n"
    "  meta-registration register --moving visit1.png --fixed visit2.png --moving-landmarks visit1.mrk.json --output marked\n"
    "  meta-registration register --pairs my_pairs --checkpoint runs/adapted/best.pt --output results\n"
    "  meta-registration register --pairs biobank/pairs.csv --write transform --output fields --resume"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_pairs(parser, required=False)
    parser.add_argument("--split", metavar="NAME", help="only the pairs of this split")
    pair = parser.add_argument_group("one pair")
    pair.add_argument("--moving", type=path_name, metavar="FILE", help="image to be warped")
    pair.add_argument("--fixed", type=path_name, metavar="FILE", help="image that stays in place")
    pair.add_argument("--moving-landmarks", type=path_name, metavar="FILE", help="CSV, .mrk.json or .fcsv")
    pair.add_argument("--fixed-landmarks", type=path_name, metavar="FILE", help="CSV, .mrk.json or .fcsv")
    mask = "image of the same size, not 0 where there is tissue (found unless given)"
    pair.add_argument("--moving-mask", type=path_name, metavar="FILE", help=mask)
    pair.add_argument("--fixed-mask", type=path_name, metavar="FILE", help=mask)
    pair.add_argument("--moving-slice", type=natural_int, metavar="N", help="as --slice, for the moving image alone")
    pair.add_argument("--fixed-slice", type=natural_int, metavar="N", help="as --slice, for the fixed image alone")
    add_output(parser)
    add_replace(parser)
    add_checkpoint(parser)
    add_stages(parser)
    add_device(parser)
    add_reading(parser)
    add_run(parser, files=True)


def run(arguments: argparse.Namespace, progress: Reader) -> int:
    """Register and write."""
    options, run_options = registrar_of(arguments), run_of(arguments)
    common = (arguments.output, options, progress)
    if _is_folder(arguments):
        selection = selection_of(arguments)
        outcome = register_folder(selection, *common, replace=arguments.replace, run=run_options)
    else:
        pair = _one_pair(arguments, run_options)
        outcome = register_files([pair], *common, replace=arguments.replace, run=run_options)
    if not arguments.json:
        table, line = metrics_table(outcome.rows), summary_line(outcome.summary)
        print(f"{table}\n{line}\nResults: {outcome.output.resolve()}")
    return SOME_LEFT_OUT if outcome.left_out else 0


def _is_folder(arguments: argparse.Namespace) -> bool:
    """Whether a folder is to be registered. An `InputError` if options of one pair are given with it."""
    own = [f"{role}_{what}" for what in ("landmarks", "mask", "slice") for role in ("moving", "fixed")]
    single = ("moving", "fixed", *own)
    given = [f"--{name.replace('_', '-')}" for name in single if getattr(arguments, name) is not None]
    if arguments.pairs is not None and given:
        raise InputError(f"{', '.join(given)} is for one pair; leave it out, or leave out --pairs.")
    return arguments.pairs is not None


def _one_pair(arguments: argparse.Namespace, run_options: RunOptions) -> PairFiles:
    from ..pairs.folders import PairFiles

    if arguments.moving is None or arguments.fixed is None:
        raise InputError("register: give --moving and --fixed, or --pairs.")
    if arguments.fixed_landmarks is not None and arguments.moving_landmarks is None:
        raise InputError(
            "--fixed-landmarks: they are compared with the carried landmarks of the moving image. Give"
            " --moving-landmarks too, or leave them out."
        )
    if arguments.split is not None:
        raise InputError("--split is for a folder of pairs; leave it out, or give --pairs.")
    if run_options.shard is not None:
        raise InputError("--shard is for a folder of pairs; leave it out, or give --pairs.")
    pair = PairFiles(
        name=f"{_stem(arguments.moving)}_to_{_stem(arguments.fixed)}",
        moving=arguments.moving,
        fixed=arguments.fixed,
        moving_landmarks=arguments.moving_landmarks,
        fixed_landmarks=arguments.fixed_landmarks,
        **pixel_sizes(arguments),
        slice_index=arguments.slice,
        moving_slice_index=arguments.moving_slice,
        fixed_slice_index=arguments.fixed_slice,
        moving_mask=arguments.moving_mask,
        fixed_mask=arguments.fixed_mask,
    )
    pair.load()  # bad input ends here, before anything is written
    return pair


def _stem(path: Path) -> str:
    from ..formats.image_files import file_stem

    # Windows drops spaces and dots at the end of a folder's name.
    return file_stem(path).strip(" .") or "image"
