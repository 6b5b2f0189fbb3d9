"""Options that the three training commands share."""

from __future__ import annotations

import argparse
import dataclasses
import json
from typing import TypeVar

from ..errors import InputError
from ..workflows.training import SourceTrainingOptions, TrainingOptions
from .options import (
    add_checkpoint,
    add_device,
    add_output,
    add_resume,
    add_seed,
    natural_float,
    natural_int,
    path_name,
    positive_float,
    positive_int,
)

_Options = TypeVar("_Options", bound=TrainingOptions)


def add_training(
    parser: argparse.ArgumentParser,
    *,
    validate_every: str,
    learning_rate: float | None = None,
    start: str = "the shipped one",
) -> None:
    """Options of every training command; `start` says what it starts from without a checkpoint.

    Without `learning_rate` it and the loss are those of a recipe of fine-tuning.
    """
    own = learning_rate is not None

    def default(text: str) -> str:
        return f"(default: {text if own else 'see --plain'})"

    add_output(parser)
    add_checkpoint(parser, default=start)
    add_device(parser)
    add_seed(parser)
    add_resume(parser)
    group = parser.add_argument_group("training")
    group.add_argument("--batch", type=positive_int, default=1, metavar="N", help="pairs a step (default: %(default)s)")
    group.add_argument(
        "--learning-rate",
        type=positive_float,
        default=learning_rate,
        metavar="R",
        help="of Adam " + default("%(default)s"),
    )
    group.add_argument(
        "--clip", type=positive_float, metavar="NORM", help="largest norm of the gradient " + default("none")
    )
    group.add_argument(
        "--precision",
        choices=("auto", "float32", "bfloat16"),
        default="auto",
        help="of the network; auto is bfloat16 where the processor has it, the loss is always float32 (default: auto)",
    )
    group.add_argument("--validate-every", type=positive_int, metavar="N", help=f"{validate_every} between validations")
    group.add_argument(
        "--save-every", type=positive_float, default=30.0, metavar="S", help="seconds between saves (default: 30)"
    )
    loss = parser.add_argument_group("loss (Eq. 1)")
    loss.add_argument(
        "--smoothness", type=positive_float, metavar="L", help="lambda " + default("the checkpoint's, else 1")
    )
    loss.add_argument("--window", type=positive_int, metavar="N", help="side of the correlation window (default: 9)")
    loss.add_argument(
        "--scales",
        type=positive_int,
        metavar="N",
        help="resolutions over which the correlation is averaged; 1 is the paper's loss "
        + default("the checkpoint's, else 1"),
    )
    loss.add_argument(
        "--supervision",
        type=natural_float,
        metavar="W",
        help="weight of the distance to the known displacement of simulated pairs, per pixel; 0 is the paper's loss "
        + default("the checkpoint's, else 0"),
    )


def add_tasks(parser: argparse.ArgumentParser) -> None:
    """`--tasks FILE`, `--data DIR` and the network, for training on source tasks."""
    parser.add_argument("--tasks", type=path_name, required=True, metavar="FILE", help="task set (TOML)")
    parser.add_argument("--data", type=path_name, metavar="DIR", help="what $DATA in the task set stands for")
    parser.add_argument(
        "--network",
        metavar="NAME",
        help="for a new start: registry name or package.module:Class (default: voxelmorph); not with --checkpoint",
    )
    parser.add_argument(
        "--network-settings",
        metavar="JSON",
        help='keyword arguments of the network, such as {"encoder": [16, 32, 32, 32]}',
    )
    add_cuda_graph(parser)
    parser.add_argument(
        "--workers",
        type=natural_int,
        default=0,
        metavar="N",
        help="processes that draw pairs while the network computes, each with the images in a memory of its own; the pairs "
        "are the same (default: 0)",
    )


def add_cuda_graph(parser: argparse.ArgumentParser) -> None:
    """`--cuda-graph auto|off`."""
    parser.add_argument(
        "--cuda-graph",
        choices=("auto", "off"),
        default="auto",
        help="auto: on a CUDA GPU, record the step once and repeat it (default: auto)",
    )


def training_of(arguments: argparse.Namespace, kind: type[_Options], **others: object) -> _Options:
    """The options of a training as its workflow takes them; `others` are those that the command line spells otherwise."""
    names = {field.name for field in dataclasses.fields(kind)} - set(others)
    return kind(**{name: getattr(arguments, name) for name in names if hasattr(arguments, name)}, **others)


def source_training_of(arguments: argparse.Namespace) -> SourceTrainingOptions:
    """The options of a training on source tasks.

    Raises
    ------
    InputError
        The settings of the network are no JSON, or there is a checkpoint beside them.
    """
    if arguments.checkpoint is not None and (arguments.network or arguments.network_settings):
        raise InputError("--network and its settings make a new network; leave them out, or leave out --checkpoint.")
    try:
        settings = json.loads(arguments.network_settings or "{}")
    except ValueError as error:
        raise InputError(f'--network-settings: expected JSON such as {{"encoder": [16, 32]}}; {error}.') from error
    return training_of(arguments, SourceTrainingOptions, network_settings=settings)
