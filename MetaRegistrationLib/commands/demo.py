"""`meta-registration demo`: the main job from end to end, on sample pairs that ship with the program."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..progress import Finished, Reader
from . import finetune
from .options import add_checkpoint, add_device, add_epochs, add_output, add_seed, add_stages, path_name, stages_of
from .registering import make_registrar, metrics_table, pair_record, register_pairs, summary_line

NAME = "demo"
HELP = "adapt and register the sample pairs, end to end"
DESCRIPTION = (
    "Fine-tune the shipped checkpoint on the sample pairs marked fine_tune, register those marked test, which it has not\n"
    "seen, and carry their landmarks. Ends with a table and a folder for each pair that can be dropped on 3D Slicer.\n"
    "With --no-network nothing is adapted."
)
EXAMPLES = "  meta-registration demo --output demo_output"
_MARKER = "demo.json"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_output(parser, default="demo_output")
    parser.add_argument(
        "--pairs", type=path_name, metavar="DIR", help="other pairs with splits (default: the sample pairs)"
    )
    add_checkpoint(parser)
    add_stages(parser)
    add_epochs(parser)
    add_device(parser)
    add_seed(parser)


def run(arguments: argparse.Namespace, progress: Reader) -> int:
    """Adapt, register, measure, show."""
    from ..pairs.folders import find_pairs
    from ..registration.results import write_registration, write_tables
    from ..resources import sample_pairs

    stages = stages_of(arguments)
    pairs = arguments.pairs or sample_pairs()
    unseen = find_pairs(pairs).split("test")  # before the training: without any, there is nothing to show
    adapted = _adapt(arguments, pairs, progress) if stages.network else None
    registrar, record = make_registrar(adapted, arguments.device, stages)
    rows, output = [], Path(arguments.output)
    for done in register_pairs(registrar, unseen, "register", progress, record):
        folder = output / "registered" / done.files.name
        write_registration(folder, done.registration, done.landmarks, done.measures, pair_record(record, done.files))
        rows.append(done.measures)
    summary = write_tables(output, rows, record)
    if not arguments.json:
        print(f"\n{metrics_table(rows)}\n{summary_line(summary)}")
        pictures = (output / "registered").resolve() / "PAIR" / "overlay.png"
        print(f"Pictures (before | after), one a pair: {pictures}")
        print("Each of these folders can be dropped on 3D Slicer: images, landmarks, displacement field.")
    progress(Finished(NAME, output, summary))
    return 0


def _adapt(arguments: argparse.Namespace, pairs: Path, progress: Reader) -> Path:
    """Fine-tune as the command `finetune` does; an earlier demo in the same folder is replaced, another run never."""
    from ..errors import InputError
    from ..formats.files import writable_folder, write_json
    from ..training.run import BEST, LAST, LOG

    output = writable_folder(arguments.output)
    folder, marker = output / "adapted", output / _MARKER
    if folder.exists() and not marker.exists():
        raise InputError(f"{folder} exists and was not made by the demo. Choose another --output.")
    write_json(marker, {"made_by": "meta-registration demo"})
    for name in (LAST, BEST, LOG):
        (folder / name).unlink(missing_ok=True)
    parser = argparse.ArgumentParser()
    finetune.add_arguments(parser)
    words = ["--pairs", str(pairs), "--output", str(folder), "--epochs", str(arguments.epochs)]
    words += ["--device", arguments.device, "--seed", str(arguments.seed), "--initial", arguments.initial]
    if arguments.checkpoint is not None:
        words += ["--checkpoint", str(arguments.checkpoint)]
    finetune.run(parser.parse_args(words), progress)
    return folder / BEST
