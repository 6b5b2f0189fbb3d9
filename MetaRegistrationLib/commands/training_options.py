"""What the three training commands share: their options, and a run made from them."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

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

if TYPE_CHECKING:
    from ..checkpoints import Checkpoint
    from ..progress import Reader
    from ..tasks import Task
    from ..training.distributed import Group
    from ..training.step import OptimisationStep
    from ..training.trainers import Trainer
    from ..training.validation import Validator


def add_training(
    parser: argparse.ArgumentParser,
    *,
    validate_every: str,
    learning_rate: float | None = None,
    start: str = "the one that is shipped",
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


def data_folder(given: Path | None) -> Path | None:
    """The data folder: as given, by META_REGISTRATION_DATA, or `shared/data` beside the source tree when it is there."""
    if given is not None:
        return given.absolute() if given.is_dir() else given  # a task set would take it as relative to itself
    if os.environ.get("META_REGISTRATION_DATA"):
        return None
    beside = Path(__file__).resolve().parents[3] / "shared" / "data"
    return beside if beside.is_dir() else None


def starting_checkpoint(arguments: argparse.Namespace) -> tuple[Checkpoint, str | None]:
    """The checkpoint to start from, and the SHA-256 of its file (None for a new network)."""
    import json

    import torch

    from ..checkpoints import Checkpoint, cpu_weights, file_sha256, load_checkpoint
    from ..errors import InputError
    from ..frames.preprocessing import Preprocessing
    from ..networks import build_network

    name = getattr(arguments, "network", None)
    if arguments.checkpoint is not None:
        if name or getattr(arguments, "network_settings", None):
            raise InputError(
                "--network and its settings make a new network; leave them out, or leave out --checkpoint."
            )
        return load_checkpoint(arguments.checkpoint), file_sha256(arguments.checkpoint)
    try:
        settings = json.loads(arguments.network_settings or "{}")
    except ValueError as error:
        raise InputError(f'--network-settings: expected JSON such as {{"encoder": [16, 32]}}; {error}.') from error
    torch.manual_seed(arguments.seed)  # the initial weights
    description = {"name": name or "voxelmorph", "settings": settings}
    network = build_network(description["name"], settings)
    return Checkpoint(description, cpu_weights(network), Preprocessing().to_dict()), None


def start_on_tasks(
    arguments: argparse.Namespace, progress: Reader
) -> tuple[Checkpoint, str | None, list[Task], OptimisationStep]:
    """What training on a task set starts from: checkpoint, its SHA-256, tasks, optimisation step."""
    from ..tasks import load_task_set

    base, parent = starting_checkpoint(arguments)
    tasks = load_task_set(arguments.tasks, base.build_preprocessing(), data=data_folder(arguments.data))
    return base, parent, tasks, graphed(arguments, optimisation(arguments, base), base, progress)


def graphed(
    arguments: argparse.Namespace, step: OptimisationStep, base: Checkpoint, progress: Reader
) -> OptimisationStep:
    """The step as `--cuda-graph` has it."""
    from ..networks import registered_networks
    from ..training.cuda_graph import with_cuda_graph

    own = base.network["name"] in registered_networks()
    return with_cuda_graph(step, arguments.cuda_graph, own_network=own, progress=progress)


def optimisation(arguments: argparse.Namespace, base: Checkpoint) -> OptimisationStep:
    """Device, precision and loss of a run; the loss goes on as the checkpoint's last stage had it unless told otherwise."""
    from ..errors import InputError
    from ..frames.losses import RegistrationLoss
    from ..training.devices import choose_device, mixed_precision_available
    from ..training.step import OptimisationStep

    _check_foreign(base)
    device = choose_device(arguments.device)
    mixed = arguments.precision == "bfloat16" or (arguments.precision == "auto" and mixed_precision_available(device))
    before = next((entry["loss"] for entry in reversed(base.history) if "loss" in entry), {})
    given = {"smoothness_weight": arguments.smoothness, "window": arguments.window, "scales": arguments.scales}
    given["supervision_weight"] = arguments.supervision
    if arguments.window is not None and arguments.window % 2 == 0:
        raise InputError(f"--window: expected an odd number, got {arguments.window}.")
    loss = RegistrationLoss(**{**before, **{key: value for key, value in given.items() if value is not None}})
    size = base.build_preprocessing().size
    if size >> (loss.scales - 1) == 0:  # each scale halves the frame
        raise InputError(f"--scales: a frame of {size} pixels has at most {size.bit_length()}, got {loss.scales}.")
    return OptimisationStep(loss, device, mixed, arguments.clip)


def _check_foreign(base: Checkpoint) -> None:
    """Refuse a network of another package that cannot be trained, before anything is written."""
    import torch

    from ..errors import InputError
    from ..networks import count_parameters, registered_networks

    if base.network["name"] in registered_networks():
        return
    network = base.build()
    if count_parameters(network) == 0:
        raise InputError(f"The network {base.network['name']} has no trainable parameters. Choose another network.")
    size = base.build_preprocessing().size
    with torch.no_grad():
        network(torch.zeros(1, 1, size, size), torch.zeros(1, 1, size, size))


def train(
    arguments: argparse.Namespace,
    trainer: Trainer,
    tasks: list[Task],
    step: OptimisationStep,
    base: Checkpoint,
    parent: str | None,
    *,
    validate_every: int,
    progress: Reader,
    group: Group | None = None,
    judge: Validator | None = None,
    by_ncc: bool = False,
) -> Path:
    """Make and do the run of a trainer.

    `group` are the processes that share it. `judge` replaces the held-out pairs, and the start is a candidate then; for
    `by_ncc` see `RunSettings`.
    """
    from ..errors import InputError
    from ..training.distributed import Group, started_in_group
    from ..training.run import RunSettings, TrainingRun
    from ..training.validation import Validator

    if group is None and started_in_group():
        raise InputError(f"{arguments.command} runs in one process only: start it without torchrun.")
    group = group or Group()
    if judge is None:
        pairs = group.together(lambda: {task.name: task.validation_pairs() for task in tasks} if group.first else {})
        judge, warn = Validator(pairs, step.loss, step.device), False
    else:
        warn = bool(judge)

    record = {
        "tasks": [task.describe() for task in tasks],
        "loss": step.loss.to_dict(),
        "precision": "bfloat16" if step.mixed else "float32",
        "clip": step.clip,
        "parent_sha256": parent,
    }
    run = TrainingRun(
        trainer,
        base,
        arguments.output,
        record=record,
        validator=judge,
        settings=RunSettings(validate_every, arguments.save_every, warn_of_start=warn, by_ncc=by_ncc),
        device=step.device,
        progress=progress,
        group=group,
    )
    return run(resume=arguments.resume)
