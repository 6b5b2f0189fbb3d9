"""`meta-registration register`."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..errors import InputError
from ..progress import Finished, Reader
from .failures import SOME_LEFT_OUT
from .folders import report_folder
from .options import (
    add_checkpoint,
    add_device,
    add_output,
    add_pairs,
    add_reading,
    add_stages,
    natural_int,
    path_name,
    pixel_sizes,
    stages_of,
)
from .registering import leave_out, make_registrar, metrics_table, pair_record, register_pairs, summary_line

NAME = "register"
HELP = "register a pair or a folder of pairs"
DESCRIPTION = (
    "Register one pair (--moving, --fixed) or a folder of pairs (--pairs). For each pair a folder is written into\n"
    "--output: the warped image and the displacement field in the fixed image's geometry, landmarks carried into the\n"
    "fixed image, an overlay picture and a record of everything that made them."
)
EXAMPLES = (
    "  meta-registration register --moving visit1.png --fixed visit2.png --output result\n"
    "  meta-registration register --moving visit1.png --fixed visit2.png --moving-landmarks visit1.mrk.json --output result\n"
    "  meta-registration register --pairs my_pairs --checkpoint runs/adapted/best.pt --output results"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_pairs(parser, required=False)
    parser.add_argument("--split", metavar="NAME", help="only the pairs of this split")
    pair = parser.add_argument_group("one pair")
    pair.add_argument("--moving", type=path_name, metavar="FILE", help="image to be warped")
    pair.add_argument("--fixed", type=path_name, metavar="FILE", help="image that stays")
    pair.add_argument("--moving-landmarks", type=path_name, metavar="FILE", help="CSV, .mrk.json or .fcsv")
    pair.add_argument("--fixed-landmarks", type=path_name, metavar="FILE", help="CSV, .mrk.json or .fcsv")
    mask = "image of the same size, not 0 where there is tissue (found unless given)"
    pair.add_argument("--moving-mask", type=path_name, metavar="FILE", help=mask)
    pair.add_argument("--fixed-mask", type=path_name, metavar="FILE", help=mask)
    pair.add_argument("--moving-slice", type=natural_int, metavar="N", help="as --slice, for the moving image alone")
    pair.add_argument("--fixed-slice", type=natural_int, metavar="N", help="as --slice, for the fixed image alone")
    add_output(parser)
    add_checkpoint(parser)
    add_stages(parser)
    add_device(parser)
    add_reading(parser)


def run(arguments: argparse.Namespace, progress: Reader) -> int:
    """Register and write."""
    from ..formats.files import sole_writer, writable_folder
    from ..registration.results import write_registration, write_tables

    stages = stages_of(arguments)
    files = _files(arguments, progress)
    registrar, record = make_registrar(arguments.checkpoint, arguments.device, stages)
    output = writable_folder(arguments.output)
    with sole_writer(output):
        rows = []
        for done in register_pairs(registrar, files, NAME, progress, record):
            folder, own = output / done.files.name, pair_record(record, done.files)
            try:
                write_registration(folder, done.registration, done.landmarks, done.measures, own)
            except (InputError, OSError) as error:
                if len(files) == 1:
                    raise
                leave_out(done.files, error, progress, record)
                continue
            rows.append(done.measures)
        if not rows:
            raise InputError(f"None of the {len(files)} pairs could be written; the messages above say why.")
        summary = write_tables(output, rows, record)
    if not arguments.json:
        print(f"{metrics_table(rows)}\n{summary_line(summary)}\nResults: {output.resolve()}")
    progress(Finished(NAME, output, summary))
    return SOME_LEFT_OUT if record.get("left_out") else 0


def _files(arguments: argparse.Namespace, progress: Reader) -> list:
    from ..pairs.folders import PairFiles, find_pairs

    own = [f"{role}_{what}" for what in ("landmarks", "mask", "slice") for role in ("moving", "fixed")]
    single = ("moving", "fixed", *own)
    given = [f"--{name.replace('_', '-')}" for name in single if getattr(arguments, name) is not None]
    if arguments.pairs is not None:
        if given:
            raise InputError(f"{', '.join(given)} is for one pair; leave it out, or leave out --pairs.")
        folder = find_pairs(arguments.pairs, **pixel_sizes(arguments), slice_index=arguments.slice)
        report_folder(folder, progress)
        return list(folder.split(arguments.split))
    if arguments.moving is None or arguments.fixed is None:
        raise InputError("register: give --moving and --fixed, or --pairs.")
    if arguments.fixed_landmarks is not None and arguments.moving_landmarks is None:
        raise InputError(
            "--fixed-landmarks: they are compared with the carried landmarks of the moving image. Give"
            " --moving-landmarks too, or leave them out."
        )
    if arguments.split is not None:
        raise InputError("--split is for a folder of pairs; leave it out, or give --pairs.")
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
    return [pair]


def _stem(path: Path) -> str:
    from ..formats.image_files import file_stem

    # Windows drops spaces and dots at the end of a folder's name.
    return file_stem(path).strip(" .") or "image"
