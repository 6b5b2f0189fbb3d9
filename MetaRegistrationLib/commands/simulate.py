"""`meta-registration simulate`: simulated repeat visits, of OCTA images or of drawn eyes, with exact landmarks."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ..errors import InputError
from ..formats.earlier_results import results_of
from ..formats.files import watched
from ..formats.output_folder import Output, check_output, refuse_inputs_inside, writing
from ..progress import Finished, Item, Message, Reader, Started
from .eyes import Eye, image_eyes, phantom_eyes
from .options import add_output, add_replace, add_seed, path_name, positive_float, positive_int, whole_number

if TYPE_CHECKING:
    from pathlib import Path

    from ..simulation import RepeatSettings, SimulatedRepeat

NAME = "simulate"
HELP = "make simulated repeat visits of OCTA images or of drawn eyes"
DESCRIPTION = (
    "Make pairs of simulated acquisitions of one eye: each with its own speckle, drop-out, shading and stripes, and\n"
    "between them a known smooth deformation, so that the landmarks are exact. The eyes are your own OCTA images or\n"
    "drawn ones (phantoms). Every other command reads the folder with --pairs."
)
EXAMPLES = (
    "  meta-registration simulate --phantoms 12 --output phantoms\n"
    "  meta-registration simulate --images scans --masks vessel_masks --output simulated --seed 7\n"
    "  meta-registration simulate --images scans --output hard --set displacement_px=15 --set speckle=0.7\n"
    "  meta-registration simulate --phantoms 1 --visits 3 --lost 35 --output drawn_eyes"
)

# Below this there is no room for an eye's vessels.
_SMALLEST_SIZE = 64


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's options."""
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--images", type=path_name, metavar="DIR", help="folder of single OCTA images, one an eye")
    source.add_argument("--phantoms", type=positive_int, metavar="N", help="draw N eyes")
    parser.add_argument(
        "--masks",
        type=path_name,
        metavar="DIR",
        help="vessel masks of the images, under the same names (default: vessels are found in the images)",
    )
    parser.add_argument(
        "--split-csv",
        type=path_name,
        metavar="FILE",
        help="CSV with the columns image and, optionally, split: only the images that it lists are used",
    )
    parser.add_argument(
        "--split",
        metavar="NAME",
        help="split of all pairs (default: as --split-csv says; of phantoms, two thirds fine_tune and the rest test)",
    )
    parser.add_argument(
        "--pairs-per-image", type=positive_int, default=1, metavar="N", help="pairs of each eye (default: %(default)s)"
    )
    parser.add_argument(
        "--visits",
        type=_visits,
        metavar="N",
        help="instead of pairs, N visits of each eye, in a folder of its own that `series` reads",
    )
    parser.add_argument(
        "--lost",
        type=positive_float,
        metavar="PX",
        help="radius of an area that has lost its vessels at the last of the --visits",
    )
    parser.add_argument(
        "--size",
        type=_frame_size,
        default=400,
        metavar="N",
        help="rows and columns of an image (default: %(default)s)",
    )
    parser.add_argument(
        "--set",
        type=_setting,
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="change a setting of the simulation (may be repeated; a wrong KEY prints them all)",
    )
    add_output(parser)
    add_replace(parser)
    add_seed(parser)


def run(arguments: argparse.Namespace, progress: Reader) -> int:
    """Write the pairs into `--output`, each from random numbers of its own, so that a part of them is repeatable."""
    from ..simulation import RepeatSettings

    eyes = _eyes(arguments)
    # A drawn eye has no noise of its own to be smoothed away.
    defaults = {"denoise_px": 0.0} if arguments.phantoms else {}
    settings = RepeatSettings.from_dict(defaults | dict(arguments.set))
    if arguments.visits is None and arguments.lost is not None:
        raise InputError("--lost belongs to --visits: an area that is lost between visits.")
    names = [name for eye in eyes for name in _pair_names(eye, arguments.pairs_per_image)]
    planned = _planned(eyes, names, arguments)
    if not watched(arguments.output):  # the run that writes into a folder above has checked its files
        check_output(planned)
    with writing(planned, progress):
        if arguments.visits is not None:
            return _write_visits(eyes, settings, arguments, progress)
        return _write_pairs(eyes, settings, arguments, progress)


def _write_pairs(eyes: Sequence[Eye], settings: RepeatSettings, arguments: argparse.Namespace, progress: Reader) -> int:
    from ..simulation import write_repeats

    total = len(eyes) * arguments.pairs_per_image
    progress(Started(NAME, total, detail={"settings": settings.to_dict(), "seed": arguments.seed}))
    repeats = _repeats(eyes, settings, arguments, progress)
    write_repeats(arguments.output, repeats, settings, _record(arguments))
    progress(Finished(NAME, arguments.output))
    return 0


def _eyes(arguments: argparse.Namespace) -> list[Eye]:
    if arguments.phantoms is None:
        refuse_inputs_inside(arguments.output, _inputs(arguments))
        words = results_of(arguments.images)
        if words is not None:
            raise InputError(
                f"{arguments.images}: it holds {words}, which are no input. Name the folder of the images.",
                field="images",
            )
        return image_eyes(arguments.images, arguments.masks, arguments.split_csv)
    for option in ("masks", "split_csv"):
        if getattr(arguments, option) is not None:
            raise InputError(f"--{option.replace('_', '-')} belongs to --images; leave it out with --phantoms.")
    return phantom_eyes(arguments.phantoms, arguments.size, arguments.seed)


def _inputs(arguments: argparse.Namespace) -> list[Path]:
    given = (arguments.images, arguments.masks, arguments.split_csv)
    return [path for path in given if path is not None]


def _planned(eyes: Sequence[Eye], names: Sequence[str], arguments: argparse.Namespace) -> Output:
    """The simulated images, as results in a folder."""
    from ..simulation.visits import visit_files
    from ..simulation.writer import repeat_files

    folder = arguments.output

    def targets() -> list[Path]:
        if arguments.visits is None:
            return repeat_files(folder, names)
        return [path for eye in eyes for path in visit_files(folder / eye.name, arguments.visits)]

    items = {eye.name: eye.files or (f"phantom of seed {arguments.seed}",) for eye in eyes}
    return Output(folder, NAME, items, _inputs(arguments), targets, arguments.replace)


def _pair_names(eye: Eye, count: int) -> list[str]:
    return [eye.name] if count == 1 else [f"{eye.name}_{number + 1}" for number in range(count)]


def _repeats(
    eyes: Sequence[Eye], settings: RepeatSettings, arguments: argparse.Namespace, progress: Reader
) -> Iterator[tuple[str, SimulatedRepeat, str | None]]:
    """Name, pair and split one after the other; an image that cannot be used is reported and passed over."""
    import numpy as np

    from ..simulation import simulate_repeat

    count = arguments.pairs_per_image
    done = 0
    for index, eye in enumerate(eyes):
        try:
            image, mask = eye.load()
        except InputError as error:
            progress(Message.of(error, "left out: "))
            continue
        names = _pair_names(eye, count)
        for repeat in range(count):
            rng = np.random.default_rng([arguments.seed, index, repeat])
            pair = simulate_repeat(image, settings=settings, rng=rng, mask=mask, size=arguments.size)
            yield names[repeat], pair, arguments.split or eye.split
            done += 1
            progress(Item(index * count + repeat + 1, len(eyes) * count, names[repeat]))
    if not done:
        raise InputError(f"{arguments.images}: none of the images can be used; the reasons are above.")


def _write_visits(
    eyes: Sequence[Eye], settings: RepeatSettings, arguments: argparse.Namespace, progress: Reader
) -> int:
    """Visits of each eye, into a folder of its own."""
    import numpy as np

    from ..simulation.visits import simulate_visits, write_visits

    progress(Started(NAME, len(eyes), detail={"settings": settings.to_dict(), "seed": arguments.seed}))
    done, lost = 0, arguments.lost or 0.0
    for index, eye in enumerate(eyes):
        try:
            image, _ = eye.load()
        except InputError as error:
            progress(Message.of(error, "left out: "))
            continue
        rng = np.random.default_rng([arguments.seed, index, 0])
        visits = simulate_visits(image, arguments.visits, settings=settings, rng=rng, size=arguments.size, lost_px=lost)
        write_visits(
            arguments.output / eye.name, visits, settings, {**_record(arguments), "eye": index, "lost_px": lost}
        )
        done += 1
        progress(Item(index + 1, len(eyes), eye.name))
    if not done:
        raise InputError(f"{arguments.images}: none of the images can be used; the reasons are above.")
    progress(Finished(NAME, arguments.output))
    return 0


def _record(arguments: argparse.Namespace) -> dict:
    source = "phantoms" if arguments.phantoms else "images"
    return {
        "source": source,
        "seed": arguments.seed,
        "size": arguments.size,
        "pairs_per_image": arguments.pairs_per_image,
    }


def _frame_size(text: str) -> int:
    return whole_number(text, least=_SMALLEST_SIZE)


def _visits(text: str) -> int:
    return whole_number(text, least=2)


def _setting(text: str) -> tuple[str, float]:
    """KEY=VALUE as a name and a number; whether the simulation knows that name is found out later."""
    key, _, value = text.partition("=")
    try:
        return key.strip(), float(value)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected KEY=VALUE with a number, got {text!r}") from None
