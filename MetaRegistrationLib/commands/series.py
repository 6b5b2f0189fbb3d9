"""`meta-registration series`."""

from __future__ import annotations

import argparse

from ..errors import InputError
from ..progress import Finished, Item, Message, Reader, Started
from .failures import SOME_LEFT_OUT
from .options import (
    add_checkpoint,
    add_device,
    add_output,
    add_stages,
    natural_int,
    path_name,
    positive_float,
    stages_of,
)
from .registering import make_registrar

NAME = "series"
HELP = "align all visits of an eye, check and average them"
DESCRIPTION = (
    "Bring all visits of an eye onto one of them, directly or, where that cannot be done, through another visit; check them\n"
    "round triangles of visits; average them. Into --output, one folder an eye: each visit and its transform, the average and\n"
    "how many visits it has at each pixel, tables, a film, and report.html. For research, not for clinical use."
)
EXAMPLES = (
    "  meta-registration series --images visit1.png visit2.png visit3.png --output eye\n"
    "  meta-registration series --folder eyes --output results            # one subfolder an eye, or a visits.csv\n"
    "  meta-registration series --visits visits.csv --reference 2021 --output results"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    given = parser.add_mutually_exclusive_group(required=True)
    given.add_argument("--images", type=path_name, nargs="+", metavar="FILE", help="visits of one eye")
    given.add_argument("--visits", type=path_name, metavar="FILE", help="table: eye, visit, date, image")
    given.add_argument("--folder", type=path_name, metavar="DIR", help="one subfolder an eye, or the images of one eye")
    parser.add_argument("--reference", metavar="NAME", help="the visit that stays (default: the one of best quality)")
    add_output(parser)
    add_checkpoint(parser)
    add_stages(parser)
    add_device(parser)
    parser.add_argument("--slice", type=natural_int, metavar="N", help="slice to take, counted from 0, of stacks")
    parser.add_argument(
        "--spacing-um", type=positive_float, metavar="S", help="distance between pixels, where files carry none"
    )


def run(arguments: argparse.Namespace, progress: Reader) -> int:
    """Align, average, write."""
    from ..formats.files import sole_writer, writable_folder
    from ..visits.files import eyes_of_files, eyes_of_folder, eyes_of_table

    if arguments.initial == "landmarks":
        raise InputError("series: visits have no landmarks to go by; choose another --initial.")
    if arguments.images:
        eyes = eyes_of_files(arguments.images)
    else:
        eyes = eyes_of_table(arguments.visits) if arguments.visits else eyes_of_folder(arguments.folder)
    registrar, record = make_registrar(arguments.checkpoint, arguments.device, stages_of(arguments))
    output = writable_folder(arguments.output)
    progress(Started(NAME, len(eyes), device=record["device"], detail={"checkpoint": record["checkpoint"]}))
    left_out, done = [], 0
    with sole_writer(output):
        for number, (eye, files) in enumerate(eyes.items(), 1):
            try:
                values = _eye(arguments, registrar, record, output if len(eyes) == 1 else output / eye, files, progress)
            except (InputError, OSError) as error:
                if len(eyes) == 1:
                    raise
                left_out.append(eye)
                progress(Message(f"left out: {eye}: {error}", "warning"))
                continue
            done += 1
            progress(Item(number, len(eyes), eye, values))
    if not done:
        raise InputError(f"None of the {len(eyes)} eyes could be done; the messages above say why.")
    if not arguments.json:
        print(f"Results: {output.resolve()} (report.html shows them)")
    progress(Finished(NAME, output, {"eyes": done, "left_out": left_out}))
    return SOME_LEFT_OUT if left_out else 0


def _eye(arguments, registrar, record: dict, folder, files, progress: Reader) -> dict:
    from ..visits import align_series, average
    from ..visits.report import write_series

    visits = [file.load(arguments.slice, arguments.spacing_um) for file in files]
    series = align_series(visits, registrar, arguments.reference, lambda text: progress(Message(f"registering {text}")))
    mean = average(series)
    write_series(folder, series, mean, {**record, "images": {file.name: file.path for file in files}})
    for entry in series.visits:
        if not entry.aligned:
            progress(
                Message(f"{entry.visit.name}: it could not be aligned with any other visit, and is left out", "warning")
            )
        elif entry.via:
            progress(Message(f"{entry.visit.name}: aligned through {entry.via}"))
    for name in series.inconsistent:
        progress(Message(f"{name}: ways over it do not come back to where they began; look at it", "warning"))
    reference = series.visits[series.reference].visit.name
    progress(Message(f"reference: {reference}, {series.why}"))
    loops = [px for px in series.loops_px.values() if px == px]
    values = {"visits": len(visits), "aligned": sum(entry.aligned for entry in series.visits)}
    return values | ({"greatest_loop_px": max(loops)} if loops else {})
