"""`meta-registration series`."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

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
HELP = "align all visits of an eye, check and average them, and show what changed"
DESCRIPTION = (
    "Bring all visits of an eye onto one of them, directly or, where that cannot be done, through another visit; check them\n"
    "round triangles of visits; average them; map what changed between two of them. Into --output, one folder an eye: each\n"
    "visit and its transform, the average and how many visits it has at each pixel, the change in standard deviations of what\n"
    "differs between repeat scans anyway, tables, a film, and report.html. For research, not for clinical use."
)
EXAMPLES = (
    "  meta-registration series --images visit1.png visit2.png visit3.png --output eye\n"
    "  meta-registration series --folder eyes --output results            # one subfolder an eye, or a visits.csv\n"
    "  meta-registration series --folder eye --output results --change 2021 2023 --repeats repeat_scans --eye right\n"
    "  meta-registration series --visits visits.csv --reference 2021 --output results"
)

_MOST_AT_ONCE = 8  # memory: each takes some 100 MB


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    given = parser.add_mutually_exclusive_group(required=True)
    given.add_argument("--images", type=path_name, nargs="+", metavar="FILE", help="visits of one eye")
    given.add_argument(
        "--visits", type=path_name, metavar="FILE", help="table: eye, visit, date, image, landmarks, mask"
    )
    given.add_argument("--folder", type=path_name, metavar="DIR", help="one subfolder an eye, or the images of one eye")
    parser.add_argument("--reference", metavar="NAME", help="the visit that stays (default: the one of best quality)")
    _add_change(parser)
    add_output(parser)
    add_checkpoint(parser)
    add_stages(parser)
    add_device(parser)
    parser.add_argument("--slice", type=natural_int, metavar="N", help="slice to take, counted from 0, of stacks")
    parser.add_argument(
        "--spacing-um", type=positive_float, metavar="S", help="distance between pixels, where files carry none"
    )


def _add_change(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("change between two visits")
    group.add_argument(
        "--change",
        nargs=2,
        metavar=("EARLIER", "LATER"),
        help="visits to compare (default: the first and the last that are aligned)",
    )
    group.add_argument("--no-change", action="store_true", help="map no change")
    group.add_argument(
        "--repeats",
        type=path_name,
        metavar="DIR",
        help="folder of pairs of repeat scans in which nothing has changed: what differs between them is one standard"
        " deviation (default: estimated from the two visits)",
    )
    group.add_argument(
        "--centre",
        type=float,
        nargs=2,
        metavar=("X", "Y"),
        help="of the ETDRS grid, pixels of the reference (default: suggested)",
    )
    group.add_argument("--eye", choices=("right", "left"), default="", help="names the sides nasal and temporal")


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
    noise = _noise(arguments.repeats, registrar, progress) if arguments.repeats and not arguments.no_change else None
    left_out, done = [], 0
    with sole_writer(output):
        for number, (eye, files) in enumerate(eyes.items(), 1):
            try:
                values = _eye(
                    arguments, registrar, record, output if len(eyes) == 1 else output / eye, files, noise, progress
                )
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


def _eye(arguments, registrar, record: dict, folder, files, noise, progress: Reader) -> dict:
    from ..visits import align_series, average
    from ..visits.report import write_series

    visits = [file.load(arguments.slice, arguments.spacing_um) for file in files]
    with _side_by_side(registrar) as many:
        series = align_series(
            visits, registrar, arguments.reference, lambda text: progress(Message(f"registering {text}")), many
        )
    with ThreadPoolExecutor(1) as beside:
        averaging = beside.submit(average, series)
        change = None if arguments.no_change else _change(arguments, series, noise, progress)
        mean = averaging.result()
    write_series(folder, series, mean, {**record, "images": {file.name: file.path for file in files}}, change)
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


@contextmanager
def _side_by_side(registrar) -> Iterator[Callable]:
    """As `map`; on a processor several pairs at once, a core each, which is faster than one after the other on all cores."""
    import torch

    cores = torch.get_num_threads()
    if registrar.device.type != "cpu" or cores < 2:
        yield map
        return
    pool = ThreadPoolExecutor(min(cores, _MOST_AT_ONCE), initializer=torch.set_num_threads, initargs=(1,))
    try:
        yield pool.map
    finally:
        pool.shutdown(cancel_futures=True)


def _change(arguments, series, noise, progress: Reader):
    """The change that was asked for; without being asked for, none where there is none, with a message."""
    from ..visits.change_files import series_change

    try:
        names = tuple(arguments.change) if arguments.change else None
        found = series_change(
            series, names, noise, tuple(arguments.centre) if arguments.centre else None, arguments.eye
        )
    except InputError as error:
        if arguments.change:
            raise
        progress(Message(f"no change is mapped: {error}", "warning"))
        return None
    whole = found.rows[-1]
    progress(
        Message(
            f"change from {found.earlier.visit.name} to {found.later.visit.name}: vessel density fell on"
            f" {whole['lost_percent']:.1f} % and rose on {whole['gained_percent']:.1f} % of what is known;"
            f" nothing can be said of {whole['unknown_percent']:.1f} %"
        )
    )
    if found.pixel_mm is None:
        progress(Message("the pixel size is unknown, so the regions are no ETDRS regions (--spacing-um)", "warning"))
    return found


def _noise(folder, registrar, progress: Reader):
    """What differs between the repeat scans of a folder of pairs."""
    from ..pairs.folders import find_pairs
    from ..visits import Visit, align_series
    from ..visits.change import repeat_noise

    pairs = []
    for files in find_pairs(folder).pairs:
        pair = files.load()
        progress(Message(f"registering repeat scans: {pair.name}"))
        series = align_series([Visit("fixed", pair.fixed), Visit("moving", pair.moving)], registrar, "fixed")
        if all(entry.aligned for entry in series.visits):
            (first, known), (second, seen) = (entry.warped for entry in series.visits)
            pairs.append((first, second, known & seen))
        else:
            progress(Message(f"{pair.name}: not aligned with confidence, and left out of the repeat scans", "warning"))
    if not pairs:
        raise InputError(f"--repeats: no pair of {folder} could be aligned with confidence.")
    return repeat_noise(pairs)
