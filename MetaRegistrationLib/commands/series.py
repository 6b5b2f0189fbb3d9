"""`meta-registration series`."""

from __future__ import annotations

import argparse

from ..date_orders import DATE_ORDERS
from ..eye_length import DEVICE_MM
from ..formats.output_folder import refuse_inputs_inside
from ..progress import Reader
from ..workflows.run_options import JOBS_VARIABLE, RunOptions, Shard
from ..workflows.visit_options import ChangeOptions, VisitsOptions, check_stages
from ..workflows.visits import align_eyes
from .failures import SOME_LEFT_OUT
from .options import (
    add_checkpoint,
    add_device,
    add_output,
    add_override_spacing,
    add_replace,
    add_stages,
    natural_int,
    overriding,
    path_name,
    positive_float,
    positive_int,
    registrar_of,
)

NAME = "series"
HELP = "align all visits of an eye, check and average them, and show what changed"
DESCRIPTION = (
    "Align all visits of an eye to one of them, directly or, if that fails, through another visit. Check them by\n"
    "round-trip errors, average them, and map the change between two of them. --output gets one folder per eye: each\n"
    "visit and its transform, the average and the number of visits at each pixel, the change of capillary density in\n"
    "percentage points, tables, a film, and report.html. For research, not for clinical use."
)
EXAMPLES = (
    "  meta-registration series --images visit1.png visit2.png visit3.png --output eye\n"
    "  meta-registration series --folder eyes --output all_eyes           # one subfolder an eye, or a visits.csv\n"
    "  meta-registration series --folder visits_of_an_eye --output map --change 2021 2023 --repeats repeat_scans --eye right\n"
    "  meta-registration series --visits visits.csv --reference 2021 --output by_table\n"
    "  meta-registration series --folder eyes --output all_eyes --resume   # go on after an interruption"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    given = parser.add_mutually_exclusive_group(required=True)
    given.add_argument("--images", type=path_name, nargs="+", metavar="FILE", help="visits of one eye")
    given.add_argument(
        "--visits",
        type=path_name,
        metavar="FILE",
        help="table: image, and as wanted patient, eye, side, visit, date, landmarks, mask, spacing_um, centre_x, centre_y,"
        " axial_length_mm",
    )
    given.add_argument(
        "--folder",
        type=path_name,
        metavar="DIR",
        help="the images of one eye, a subfolder an eye (or a patient with eyes), or a subfolder a visit",
    )
    parser.add_argument(
        "--dates",
        choices=DATE_ORDERS,
        default="ask",
        help="how dates such as 04.03.2021 are read (default: they are refused); ignore: no dates from names",
    )
    parser.add_argument("--reference", metavar="NAME", help="the visit that stays in place (default: the best quality)")
    parser.add_argument(
        "--include",
        nargs="+",
        action="extend",
        default=[],
        metavar="NAME",
        help="visits to average and compare even if they are found not to fit: inverted, another field of view, copies ...",
    )
    _add_change(parser)
    _add_measures(parser)
    add_output(parser)
    add_replace(parser)
    _add_many(parser)
    add_checkpoint(parser)
    add_stages(parser)
    add_device(parser)
    parser.add_argument("--slice", type=natural_int, metavar="N", help="slice to take, counted from 0, of stacks")
    parser.add_argument(
        "--spacing-um", type=positive_float, metavar="S", help="distance between pixels, where files carry none"
    )
    add_override_spacing(parser)


def _add_many(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("many eyes")
    group.add_argument(
        "--jobs",
        type=positive_int,
        metavar="N",
        help="eyes that are worked on at once, each in a process with one thread (default: $"
        f"{JOBS_VARIABLE}, or one eye at a time, with up to eight registrations at once)",
    )
    group.add_argument(
        "--resume",
        action="store_true",
        help="go on where a run into --output stopped; eyes whose files, dates or settings changed are done again",
    )
    group.add_argument(
        "--shard",
        metavar="K/N",
        help="only part K of N of the eyes, into a folder of its own in --output; `merge` joins the tables",
    )


def _add_change(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("change between two visits")
    group.add_argument(
        "--change",
        nargs=2,
        metavar=("EARLIER", "LATER"),
        help="visits to compare (default: the first and the last that are used)",
    )
    group.add_argument("--no-change", action="store_true", help="map no change")
    group.add_argument(
        "--repeats",
        type=path_name,
        metavar="DIR",
        help="folder of pairs of repeat scans, in which nothing has changed: they say how much measures vary, and how large a"
        " cluster of change has to be (default: scans of one day, or the shipped table of repeat scans)",
    )
    group.add_argument(
        "--centre",
        type=float,
        nargs=2,
        metavar=("X", "Y"),
        help="of the ETDRS grid, pixels of the reference (default: suggested)",
    )
    group.add_argument("--eye", choices=("right", "left"), default="", help="names the sides nasal and temporal")


def _add_measures(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("measures")
    group.add_argument(
        "--regions",
        type=path_name,
        metavar="FILE",
        help="label map of your own regions, on the pixels of a visit: each label above 0 is a region; a segmentation of"
        " Slicer (.seg.nrrd) names them",
    )
    group.add_argument(
        "--regions-visit",
        metavar="NAME",
        help="the visit on which the regions are drawn (default: the reference, or the only visit that they fit)",
    )
    group.add_argument(
        "--axial-length",
        type=positive_float,
        metavar="MM",
        help="of the eye: lateral distances are scaled by it (Littmann-Bennett). Of several eyes, a column axial_length_mm",
    )
    group.add_argument(
        "--device-axial-length",
        type=positive_float,
        default=DEVICE_MM,
        metavar="MM",
        help="axial length that the device assumed, such as 23.95 (AngioVue) or 24.46 (Cirrus) (default: %(default)s)",
    )


def run(arguments: argparse.Namespace, progress: Reader) -> int:
    """Align, average, write."""
    from ..visits.sources import eyes_of_files, eyes_of_folder, eyes_of_table

    options = _options(arguments)
    check_stages(options)
    dates = arguments.dates
    if options.source is not None:
        refuse_inputs_inside(arguments.output, [options.source])  # before the visits are read
    if arguments.images:
        eyes = eyes_of_files(arguments.images, dates)
    else:
        eyes = eyes_of_table(arguments.visits, dates) if arguments.visits else eyes_of_folder(arguments.folder, dates)
    outcome = align_eyes(eyes, arguments.output, options, progress)
    if not arguments.json:
        print(f"Results: {outcome.output.resolve()} (report.html shows them)")
    return SOME_LEFT_OUT if outcome.left_out else 0


def _options(arguments: argparse.Namespace) -> VisitsOptions:
    change = ChangeOptions(
        not arguments.no_change,
        tuple(arguments.change) if arguments.change else None,
        arguments.repeats,
        tuple(arguments.centre) if arguments.centre else None,
        arguments.eye,
    )
    return VisitsOptions(
        registrar_of(arguments),
        arguments.reference,
        change,
        arguments.slice,
        arguments.spacing_um,
        tuple(arguments.include),
        arguments.visits or arguments.folder,
        arguments.replace,
        arguments.regions,
        arguments.regions_visit,
        arguments.axial_length,
        arguments.device_axial_length,
        RunOptions(arguments.jobs, arguments.resume, None if arguments.shard is None else Shard.of(arguments.shard)),
        override_spacing=overriding(arguments),
    )
