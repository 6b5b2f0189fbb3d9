"""Options that several commands share, so that each is spelled, checked and explained once."""

from __future__ import annotations

import argparse
import math
import re
from pathlib import Path

from ..errors import InputError
from ..formats.units import possible_pixel_um
from ..initial_kinds import initial_kinds
from ..numeric import AmbiguousNumber, from_text
from ..registration.file_names import PARTS
from ..stages import Stages
from ..workflows.folders import PairSelection
from ..workflows.registrars import RegistrarOptions
from ..workflows.run_options import JOBS_VARIABLE, RunOptions, Shard


def new_parser_options(description: str, examples: str) -> dict:
    """Keyword arguments for a command's parser: its description, and its examples as they stand."""
    return {
        "description": description,
        "epilog": f"examples:\n{examples}",
        "formatter_class": argparse.RawDescriptionHelpFormatter,
        "allow_abbrev": False,
    }


def path_name(text: str) -> Path:
    """`text` as a path, `~` resolved; an empty name (an unset shell variable) is refused, for it would mean '.'."""
    if not text.strip():
        raise argparse.ArgumentTypeError("expected a file or folder name, got an empty one")
    return Path(text).expanduser()


def device_name(text: str) -> str:
    """`text` when it names a device: auto, cpu, cuda, cuda:N or mps."""
    if not re.fullmatch(r"auto|cpu|mps|cuda(:[0-9]+)?", text):
        raise argparse.ArgumentTypeError(f"expected auto, cpu, cuda, cuda:N or mps, got {text!r}")
    return text


def positive_int(text: str) -> int:
    """`text` as a whole number of at least 1."""
    return whole_number(text, least=1)


def natural_int(text: str) -> int:
    """`text` as a whole number of at least 0."""
    return whole_number(text, least=0)


def whole_number(text: str, least: int) -> int:
    """`text` as a whole number of at least `least`."""
    try:
        value = int(text)
    except ValueError:
        value = least - 1
    if value < least:
        raise argparse.ArgumentTypeError(f"expected a whole number of at least {least}, got {text!r}")
    return value


def positive_float(text: str) -> float:
    """`text` as a finite number above 0."""
    value = _number(text)
    if not (math.isfinite(value) and value > 0):
        raise argparse.ArgumentTypeError(f"expected a number above 0, got {text!r}")
    return value


def natural_float(text: str) -> float:
    """`text` as a finite number of at least 0."""
    value = _number(text)
    if not (math.isfinite(value) and value >= 0):
        raise argparse.ArgumentTypeError(f"expected a number of at least 0, got {text!r}")
    return value


def _number(text: str) -> float:
    """`text` as a number, in which a comma is a decimal point; NaN for no number."""
    try:
        return from_text(text)
    except AmbiguousNumber as error:
        raise argparse.ArgumentTypeError(f"expected a number with a decimal point, got {text!r}: {error}") from None
    except ValueError:
        return math.nan


def share(text: str) -> float:
    """`text` as a number from 0 to 1."""
    value = natural_float(text)
    if value > 1:
        raise argparse.ArgumentTypeError(f"expected a number from 0 to 1, got {text!r}")
    return value


def add_checkpoint(parser: argparse.ArgumentParser, *, default: str = "the shipped one") -> None:
    """`--checkpoint FILE`; `default` says in words what None stands for."""
    parser.add_argument(
        "--checkpoint", type=path_name, metavar="FILE", help=f"network to start from (default: {default})"
    )


def add_pairs(parser: argparse.ArgumentParser, *, required: bool = True) -> None:
    """`--pairs DIR`."""
    parser.add_argument(
        "--pairs",
        type=path_name,
        metavar="DIR",
        required=required,
        help="folder of image pairs; `meta-registration pairs DIR` shows how it is understood",
    )


def add_output(parser: argparse.ArgumentParser, *, default: str | None = None) -> None:
    """`--output DIR`, required when there is no default."""
    note = "" if default is None else f" (default: {default})"
    parser.add_argument(
        "--output",
        type=path_name,
        metavar="DIR",
        default=default,
        required=default is None,
        help=f"folder for the results, made when missing{note}",
    )


def add_epochs(parser: argparse.ArgumentParser, *, default: int = 10) -> None:
    """`--epochs N`."""
    parser.add_argument(
        "--epochs", type=positive_int, default=default, metavar="N", help="passes over the pairs (default: %(default)s)"
    )


def add_replace(parser: argparse.ArgumentParser) -> None:
    """`--replace`."""
    parser.add_argument(
        "--replace",
        action="store_true",
        help="replace the results of another run in --output: the files that it wrote, and no other",
    )


def add_device(parser: argparse.ArgumentParser) -> None:
    """`--device NAME`."""
    parser.add_argument(
        "--device",
        type=device_name,
        default="auto",
        metavar="NAME",
        help="auto, cpu, cuda, cuda:N or mps (default: auto, the fastest one there is)",
    )


def add_seed(parser: argparse.ArgumentParser) -> None:
    """`--seed N`."""
    parser.add_argument(
        "--seed", type=natural_int, default=0, metavar="N", help="start of the random numbers (default: %(default)s)"
    )


def add_resume(parser: argparse.ArgumentParser) -> None:
    """`--resume`."""
    parser.add_argument(
        "--resume", action="store_true", help="resume from the last save in --output, with the same result"
    )


def add_run(parser: argparse.ArgumentParser, *, files: bool) -> None:
    """The options of a run over many pairs; `run_of` makes `RunOptions` of them. `files` adds `--write`."""
    group = parser.add_argument_group("many pairs")
    group.add_argument(
        "--jobs",
        type=positive_int,
        metavar="N",
        help=f"processes, each with one thread (default: one a core, or ${JOBS_VARIABLE}; one on a GPU)",
    )
    group.add_argument(
        "--resume",
        action="store_true",
        help="go on where a run into --output stopped; pairs whose files, checkpoint or stages changed are done again",
    )
    group.add_argument(
        "--shard",
        metavar="K/N",
        help="only part K of N of the pairs, into a folder of its own in --output; `merge` joins the tables",
    )
    group.add_argument(
        "--dask",
        metavar="ADDRESS",
        help="let the workers of this Dask scheduler register the pairs, such as tcp://node:8786",
    )
    group.add_argument(
        "--batch",
        type=positive_int,
        default=1,
        metavar="N",
        help="pairs that go through the networks at once, for GPUs (default: %(default)s)",
    )
    if files:
        group.add_argument(
            "--write",
            metavar="PART,...",
            help=f"parts of each result: {', '.join(PARTS)} (default: all but transform, the field in some kilobytes, to"
            " 0.01 px)",
        )


def run_of(arguments: argparse.Namespace) -> RunOptions:
    """What the options of `add_run` ask for."""
    shard = None if arguments.shard is None else Shard.of(arguments.shard)
    parts = _parts(getattr(arguments, "write", None))
    return RunOptions(arguments.jobs, arguments.resume, shard, parts, arguments.dask, arguments.batch)


def _parts(text: str | None) -> frozenset[str] | None:
    if text is None:
        return None
    names = [name.strip() for name in text.split(",") if name.strip()]
    unknown = [name for name in names if name not in PARTS]
    if unknown or not names:
        raise InputError(f"--write: expected some of {', '.join(PARTS)}, got {', '.join(unknown) or 'nothing'}.")
    return frozenset(names)


def add_reading(parser: argparse.ArgumentParser) -> None:
    """`--slice N` and the pixel sizes, which say how image files are read."""
    parser.add_argument(
        "--slice",
        type=natural_int,
        metavar="N",
        help="slice to take, counted from 0, where a file is a stack or a volume (default: such files are refused)",
    )
    parser.add_argument(
        "--spacing-um",
        type=positive_float,
        metavar="S",
        help="distance between pixels in micrometres, for files without a pixel size",
    )
    add_override_spacing(parser)
    for role in ("moving", "fixed"):
        parser.add_argument(
            f"--{role}-spacing-um",
            type=positive_float,
            metavar="S",
            help=f"distance between pixels of the {role} image; overrides its file",
        )


def add_override_spacing(parser: argparse.ArgumentParser) -> None:
    """`--override-spacing`."""
    parser.add_argument(
        "--override-spacing", action="store_true", help="--spacing-um overrides the pixel size in the files"
    )


def overriding(arguments: argparse.Namespace) -> bool:
    """Whether `--spacing-um` overrides the pixel size in the files; refused without it."""
    if arguments.override_spacing and arguments.spacing_um is None:
        raise InputError("--override-spacing: give the pixel size by --spacing-um.")
    return arguments.override_spacing


def pixel_sizes(arguments: argparse.Namespace) -> dict:
    """The options of `add_reading` on pixel sizes, as `find_pairs` and `PairFiles` take them."""
    override = overriding(arguments)
    sizes = {name: getattr(arguments, name) for name in ("spacing_um", "moving_spacing_um", "fixed_spacing_um")}
    for name, size in sizes.items():
        if size is not None:
            possible_pixel_um(size, "{field}", name)
    return {**sizes, "override_spacing": override}


def selection_of(arguments: argparse.Namespace) -> PairSelection:
    """The folder of pairs that the options of `add_pairs`, `add_reading` and `--split` name."""
    return PairSelection(
        arguments.pairs,
        split=getattr(arguments, "split", None),
        slice_index=arguments.slice,
        **pixel_sizes(arguments),
    )


def registrar_of(arguments: argparse.Namespace) -> RegistrarOptions:
    """What the options of `add_checkpoint`, `add_stages` and `add_device` ask for."""
    return RegistrarOptions(arguments.checkpoint, stages=stages_of(arguments), device=arguments.device)


def add_initial(parser: argparse.ArgumentParser, *, with_landmarks: bool = False) -> None:
    """`--initial KIND`, with those kinds that need landmarks or without them."""
    kinds = initial_kinds(with_landmarks=with_landmarks)
    parser.add_argument(
        "--initial",
        choices=kinds,
        default=Stages.initial,
        help="initial alignment, before the network (default: %(default)s)"
        + ("; landmarks: from three or more of the given pairs" if with_landmarks else ""),
    )


def add_stages(parser: argparse.ArgumentParser) -> None:
    """`--initial KIND`, `--no-network` and `--refine N`; `stages_of` makes `Stages` of them."""
    group = parser.add_argument_group("stages")
    add_initial(group, with_landmarks=True)
    group.add_argument("--no-network", action="store_true", help="leave the network out; needs no checkpoint")
    group.add_argument(
        "--refine",
        type=natural_int,
        default=Stages.refine,
        metavar="N",
        help="steps of refinement on each pair at most, 0 for none (default: %(default)s)",
    )


def stages_of(arguments: argparse.Namespace) -> Stages:
    """The stages that the options of `add_stages` ask for.

    Raises
    ------
    InputError
        There is a checkpoint and no network to use it.
    """
    if arguments.no_network and arguments.checkpoint is not None:
        raise InputError(
            "--no-network: without the network no checkpoint is used. Leave out --checkpoint or --no-network."
        )
    return Stages(arguments.initial, not arguments.no_network, arguments.refine)


def add_json(parser: argparse.ArgumentParser) -> None:
    """`--json`; main adds it to every command."""
    parser.add_argument(
        "--json", action="store_true", help="write progress and results as JSON lines on stdout and nothing else there"
    )
