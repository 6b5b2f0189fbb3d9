"""`meta-registration reproduce`: the paper's experiments on the test beds."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import InputError
from ..experiments.plan import BEDS, BRAIN, BUDGETS, INITIALS, METHODS, NETWORKS, STARTS, Budget, Setting, plan
from ..formats.links import real_path
from ..formats.output_folder import refuse_inputs_inside, writing
from ..progress import Finished, Message, Reader
from ..training.adaptation import PLAIN
from ..workflows.training import data_folder
from . import simulate
from .eyes import image_eyes
from .options import add_device, add_output, path_name, positive_float, positive_int

if TYPE_CHECKING:
    import torch

    from ..experiments.beds import Bed
    from ..experiments.rows import Laboratory, Start

NAME = "reproduce"
HELP = "run the paper's experiments and set the table beside its own"
DESCRIPTION = (
    "Train and measure the rows of the paper's Table 1 (Not deformed, Model-Seen, Model-Unseen, Transfer, Fine-tune, Ours)\n"
    "on real repeat scans (bed R) and on simulated ones (bed S), with and without initial alignment, and write tables and\n"
    "figures into --output, up to date after every row. The same call resumes where it was stopped and skips finished\n"
    "rows. Bed B has slices of brains instead, for networks that learned from other source tasks.\n"
    "Documentation/Notebook/Experiments.md describes rows, budgets and files."
)
EXAMPLES = (
    "  meta-registration reproduce --data DATA --output experiments --rows transfer fine_tune ours --seeds 1 --epochs 10\n"
    "  meta-registration reproduce --data DATA --output experiments --network coarse_to_fine --initial none\n"
    "  meta-registration reproduce --data DATA --output experiments --scale full --device cuda"
)
_DEFAULT_DISPLACEMENT_PX = 10.0
_BOTH = "both"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--data", type=path_name, metavar="DIR", help="folder of the data sets (default: $META_REGISTRATION_DATA)"
    )
    add_output(parser)
    parser.add_argument(
        "--scale",
        choices=tuple(BUDGETS),
        default="quick",
        help="lengths of the training: for two processor cores, or the paper's (default: quick)",
    )
    _add_choice(parser, "--network", NETWORKS)
    _add_choice(parser, "--bed", (*BEDS, BRAIN), "R and S; B, brain slices, only when asked for")
    _add_choice(parser, "--initial", INITIALS)
    parser.add_argument(
        "--rows",
        nargs="+",
        choices=tuple(METHODS),
        default=list(METHODS),
        metavar="ROW",
        help=f"only these: {', '.join(METHODS)} (default: all)",
    )
    parser.add_argument(
        "--epochs",
        type=positive_int,
        nargs="+",
        metavar="N",
        help="epochs at which Fine-tune and Ours are measured, growing; the first is the quick row (default: --scale's)",
    )
    parser.add_argument("--seeds", type=positive_int, metavar="N", help="seeds of the quick row (default: 3)")
    parser.add_argument(
        "--plain", action="store_true", help="fine-tune by Eq. (1) alone, as the paper does (see finetune --help)"
    )
    for kind, row in (("pretrained", "Transfer"), ("meta", "Ours")):
        parser.add_argument(
            f"--{kind}",
            type=_start,
            action="append",
            default=[],
            metavar="NETWORK=FILE",
            help=f"checkpoint of the row {row} (default: the one that is shipped)",
        )
    parser.add_argument(
        "--displacement",
        type=positive_float,
        default=_DEFAULT_DISPLACEMENT_PX,
        metavar="PX",
        help="mean displacement of the pairs of bed S; another than 10 is a bed of its own (default: %(default)g)",
    )
    parser.add_argument(
        "--set",
        type=_number,
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="change another number of the budget (may be repeated; a wrong NAME prints them all)",
    )
    add_device(parser)
    parser.add_argument(
        "--precision",
        choices=("auto", "float32", "bfloat16"),
        default="auto",
        help="of the networks in training; auto is bfloat16 where the processor has it (default: auto)",
    )
    parser.add_argument(
        "--save-every", type=positive_float, default=30.0, metavar="S", help="seconds between saves (default: 30)"
    )
    parser.add_argument("--resume", action="store_true", help="resume the work in --output; this is always so")


def _add_choice(parser: argparse.ArgumentParser, name: str, choices: Sequence[str], note: str = "") -> None:
    parser.add_argument(name, choices=(*choices, _BOTH), default=_BOTH, help=f"(default: both{note and f', {note}'})")


def run(arguments: argparse.Namespace, progress: Reader) -> int:
    """Make all rows."""
    from ..experiments.experiment import Experiment, check_preprocessing
    from ..experiments.figures import require_matplotlib
    from ..experiments.output import results_in
    from ..experiments.report import PAGE, TABLE
    from ..formats.files import writable_folder

    data = _data(arguments.data)
    _refuse_data(arguments.output, _folders(data))
    budget = BUDGETS[arguments.scale]
    if arguments.plain:
        budget = budget.with_recipe(PLAIN)
    budget = budget.changed(dict(arguments.set), arguments.epochs, arguments.seeds)
    rows = plan(_settings(arguments), arguments.rows, budget)
    planned = results_in(arguments.output, rows)
    lab = _laboratory(arguments, budget)
    check_preprocessing(lab)
    try:
        require_matplotlib()
    except InputError as error:  # hours of work must not be lost for want of a picture
        progress(Message.of(error))
    with writing(planned, progress):
        writable_folder(lab.output / "beds")
        made = Experiment(rows, lab, lambda setting: _open_bed(setting, data, lab, arguments, progress), progress)()
    if not arguments.json:
        print((lab.output / PAGE).read_text(encoding="utf-8"))
    progress(Finished(NAME, lab.output / PAGE, {"rows": len(rows), "made_now": len(made), "table": lab.output / TABLE}))
    return 0


def _data(given: Path | None) -> Path:
    data = data_folder(given) or os.environ.get("META_REGISTRATION_DATA")
    if not data:
        raise InputError("--data is missing: name the folder of the data sets, or set META_REGISTRATION_DATA to it.")
    if not Path(data).is_dir():
        raise InputError(f"--data {data}: there is no such folder.")
    return Path(data)


def _folders(data: Path) -> list[Path]:
    """The folders that are read."""
    from ..experiments.beds import REAL, SINGLE
    from ..experiments.brain_bed import VOLUMES

    return [data, data / REAL, data / SINGLE, data / VOLUMES, *_eyes_of(data)]


def _refuse_data(output: Path, folders: Sequence[Path]) -> None:
    """Refuse an output folder that is one of the folders that are read. One above them has its results beside them."""
    refuse_inputs_inside(output, [folder for folder in folders if not _is_below(folder, output)])


def _is_below(folder: Path, above: Path) -> bool:
    return real_path(above) in real_path(folder).parents


def _settings(arguments: argparse.Namespace) -> list[Setting]:
    """In the order in which they are worked on: without alignment first, and the small bed R before S."""
    simulated = arguments.displacement
    bed_names = {"R": "R", BRAIN: BRAIN, "S": "S" if simulated == _DEFAULT_DISPLACEMENT_PX else f"S-{simulated:g}px"}
    return [
        Setting(network, bed_names[bed], initial)
        for initial in _chosen(arguments.initial, INITIALS)
        for bed in _chosen(arguments.bed, BEDS)
        for network in _chosen(arguments.network, NETWORKS)
    ]


def _chosen(choice: str, choices: Sequence[str]) -> Sequence[str]:
    return choices if choice == _BOTH else (choice,)


def _laboratory(arguments: argparse.Namespace, budget: Budget) -> Laboratory:
    from ..core.preprocessing import Preprocessing
    from ..experiments.rows import Laboratory
    from ..training.devices import choose_device, mixed_precision_available

    starts = _starts(arguments)
    prepared = [start.checkpoint.build_preprocessing() for start in starts.values()]
    device: torch.device = choose_device(arguments.device)
    mixed = arguments.precision == "bfloat16" or (arguments.precision == "auto" and mixed_precision_available(device))
    first = prepared[0] if prepared else Preprocessing()
    return Laboratory(arguments.output, budget, starts, first, device, mixed, arguments.save_every)


def _starts(arguments: argparse.Namespace) -> dict[tuple[str, str], Start]:
    """The checkpoints that the rows need; also the one with the architecture of the models from scratch."""
    from ..experiments.rows import Start

    networks = _chosen(arguments.network, NETWORKS)
    given = {(network, kind): path for kind in ("pretrained", "meta") for network, path in getattr(arguments, kind)}
    needed = {(network, STARTS[row]) for row in arguments.rows if row in STARTS for network in networks}
    wanted = sorted(needed | {key for key in given if key[0] in networks})
    paths = {key: given.get(key) or _shipped(*key) for key in wanted}
    missing = [f"--{kind} {network}=FILE" for (network, kind), path in paths.items() if path is None]
    if missing:
        raise InputError(
            f"This installation ships no checkpoint for {' and '.join(missing)}. Give it by that option, or choose other "
            "rows with --rows or another --network."
        )
    return {key: Start.read(path, key[0], key[1]) for key, path in paths.items()}


def _shipped(network: str, kind: str) -> Path | None:
    from ..resources import resource

    try:
        return resource(f"Checkpoints/{network}_{kind}.pt")
    except InputError:
        return None


def _open_bed(setting: Setting, data: Path, lab: Laboratory, arguments: argparse.Namespace, progress: Reader) -> Bed:
    from ..experiments.beds import Alignments, Bed, bed_folder
    from ..experiments.brain_bed import simulate_brain_slices, volumes

    def make(folder: Path) -> None:
        size = lab.preprocessing.size
        if setting.bed == BRAIN:
            simulate_brain_slices(data, folder, size, progress)
        else:
            _simulate(data, folder, arguments.displacement, size, progress)

    def sources() -> list[Path]:
        return volumes(data) if setting.bed == BRAIN else _eye_files(data)

    folder = bed_folder(setting.bed, data, lab.output, sources, make, progress)
    path = lab.output / "beds" / f"{setting.bed}_{setting.initial}.json"
    alignments = Alignments(path, setting.initial, lab.preprocessing, lab.device)
    bed = Bed(setting.bed, folder, alignments, lab.preprocessing)
    if folder.is_relative_to(data) and not (_is_below(data, lab.output) or _is_below(folder, lab.output)):
        refuse_inputs_inside(lab.output, bed.paths())
    return bed


def _simulate(data: Path, folder: Path, displacement_px: float, size: int, progress: Reader) -> None:
    """`meta-registration simulate` with its default settings, but for another mean displacement with as much spread."""
    from ..experiments.beds import SEED

    images, masks, table = _eyes_of(data)
    words = ["--images", images, "--masks", masks, "--split-csv", table]
    words += ["--output", folder, "--seed", SEED, "--size", size]
    if displacement_px != _DEFAULT_DISPLACEMENT_PX:
        spread = 0.4 * displacement_px
        words += ["--set", f"displacement_px={displacement_px}", "--set", f"displacement_spread_px={spread}"]
    parser = argparse.ArgumentParser()
    simulate.add_arguments(parser)
    simulate.run(
        parser.parse_args([str(word) for word in words]),
        lambda event: None if isinstance(event, Finished) else progress(event),
    )


def _eyes_of(data: Path) -> tuple[Path, Path, Path]:
    """Folders of the images and of the vessel masks that bed S is simulated from, and the table of their splits."""
    from ..experiments.beds import SINGLE

    return data / SINGLE / "images", data / SINGLE / "vessel_masks", data / SINGLE / "images.csv"


def _eye_files(data: Path) -> list[Path]:
    """The files that bed S is simulated from."""
    images, masks, table = _eyes_of(data)
    return [table, *(path for eye in image_eyes(images, masks, table) for path in eye.files)]


def _start(text: str) -> tuple[str, Path]:
    network, equals, file = text.partition("=")
    if not (equals and network in NETWORKS):
        raise argparse.ArgumentTypeError(f"expected NETWORK=FILE with one of {', '.join(NETWORKS)}, got {text!r}")
    return network, path_name(file)


def _number(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    try:
        return name.strip(), float(value)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected NAME=VALUE with a number, got {text!r}") from None
