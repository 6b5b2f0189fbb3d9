"""What the trainings share: where they start, loss and device, and a run made from them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import InputError
from ..progress import Reader

if TYPE_CHECKING:
    import torch

    from ..checkpoints import Checkpoint
    from ..tasks import Task
    from ..training.distributed import Group
    from ..training.step import OptimisationStep
    from ..training.trainers import Trainer
    from ..training.validation import Validator


@dataclass(frozen=True, kw_only=True, eq=False)
class TrainingOptions:
    """The settings of every training.

    Attributes
    ----------
    output : Path
        Folder of the run.
    checkpoint : path, str, Checkpoint or None
        What to start from: a file, the name of a shipped checkpoint, or a loaded one.
    device : str
        auto, cpu, cuda, cuda:N or mps.
    seed : int
        Start of the random numbers.
    resume : bool
        Resume the run in `output`.
    batch : int
        Pairs a step.
    learning_rate, clip : float or None
        Of Adam; largest norm of the gradient.
    precision : str
        auto, float32 or bfloat16.
    cuda_graph : str
        auto or off.
    validate_every : int or None
        Steps, meta-steps or epochs between validations; None for the default of the training.
    save_every : float
        Seconds between saves.
    smoothness, window, scales, supervision : float, int, int, float or None
        Settings of the loss; None as the checkpoint's last stage had them.
    """

    output: Path
    checkpoint: Path | str | Checkpoint | None = None
    device: str = "auto"
    seed: int = 0
    resume: bool = False
    batch: int = 1
    learning_rate: float | None = None
    clip: float | None = None
    precision: str = "auto"
    cuda_graph: str = "auto"
    validate_every: int | None = None
    save_every: float = 30.0
    smoothness: float | None = None
    window: int | None = None
    scales: int | None = None
    supervision: float | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class SourceTrainingOptions(TrainingOptions):
    """Further settings of a training on source tasks.

    Attributes
    ----------
    tasks : Path
        Task set (TOML).
    data : Path or None
        What $DATA in the task set stands for.
    network : str or None
        For a new start: registry name or `package.module:Class`.
    network_settings : dict
        Keyword arguments of the network.
    workers : int
        Processes that draw pairs.
    steps : int
        Steps, or meta-steps.
    decay : bool
        Let the learning rate fall to zero along a half cosine.
    """

    tasks: Path
    data: Path | None = None
    network: str | None = None
    network_settings: dict | None = None
    workers: int = 0
    steps: int = 6000
    decay: bool = False


def data_folder(given: Path | None) -> Path | None:
    """The data folder: as given, by META_REGISTRATION_DATA, or `shared/data` beside the source tree when it is there."""
    if given is not None:
        return given.absolute() if given.is_dir() else given  # a task set would take it as relative to itself
    if os.environ.get("META_REGISTRATION_DATA"):
        return None
    beside = Path(__file__).resolve().parents[3] / "shared" / "data"
    return beside if beside.is_dir() else None


def starting_checkpoint(
    checkpoint: Path | str | Checkpoint, module: torch.nn.Module | None = None
) -> tuple[Checkpoint, str | None]:
    """The checkpoint to start from, and the SHA-256 of its file, or of its weights where it has none."""
    from .registrars import checkpoint_sha256, open_checkpoint

    content, path = open_checkpoint(checkpoint, module)
    return content, checkpoint_sha256(content, path)


def new_checkpoint(name: str, settings: dict | None, seed: int) -> Checkpoint:
    """A new network, its weights from `seed`."""
    import torch

    from ..checkpoints import Checkpoint, cpu_weights
    from ..core.preprocessing import Preprocessing
    from ..networks import build_network

    torch.manual_seed(seed)  # the initial weights
    description = {"name": name, "settings": settings or {}}
    network = build_network(description["name"], description["settings"])
    return Checkpoint(description, cpu_weights(network), Preprocessing().to_dict())


def start_on_tasks(
    options: SourceTrainingOptions, progress: Reader
) -> tuple[Checkpoint, str | None, list[Task], OptimisationStep]:
    """What training on a task set starts from: checkpoint, its SHA-256, tasks, optimisation step."""
    from ..tasks import load_task_set

    if options.checkpoint is None:
        base, parent = new_checkpoint(options.network or "voxelmorph", options.network_settings, options.seed), None
    else:
        base, parent = starting_checkpoint(options.checkpoint)
    tasks = load_task_set(options.tasks, base.build_preprocessing(), data=data_folder(options.data))
    return base, parent, tasks, graphed(options, optimisation(options, base), base, progress)


def graphed(options: TrainingOptions, step: OptimisationStep, base: Checkpoint, progress: Reader) -> OptimisationStep:
    """The step with CUDA graphs, where the options ask for them."""
    from ..networks import registered_networks
    from ..training.cuda_graph import with_cuda_graph

    own = base.network["name"] in registered_networks()
    return with_cuda_graph(step, options.cuda_graph, own_network=own, progress=progress)


def optimisation(options: TrainingOptions, base: Checkpoint) -> OptimisationStep:
    """Device, precision and loss of a run; by default, the loss is that of the checkpoint's last stage."""
    from ..core.losses import RegistrationLoss
    from ..training.devices import choose_device, mixed_precision_available
    from ..training.step import OptimisationStep

    _check_foreign(base)
    device = choose_device(options.device)
    mixed = options.precision == "bfloat16" or (options.precision == "auto" and mixed_precision_available(device))
    before = next((entry["loss"] for entry in reversed(base.history) if "loss" in entry), {})
    given = {"smoothness_weight": options.smoothness, "window": options.window, "scales": options.scales}
    given["supervision_weight"] = options.supervision
    if options.window is not None and options.window % 2 == 0:
        raise InputError(f"{{field}}: expected an odd number, got {options.window}.", field="window")
    loss = RegistrationLoss(**{**before, **{key: value for key, value in given.items() if value is not None}})
    size = base.build_preprocessing().size
    if size >> (loss.scales - 1) == 0:  # each scale halves the network grid
        raise InputError(
            f"{{field}}: a network grid of {size} pixels has at most {size.bit_length()}, got {loss.scales}.",
            field="scales",
        )
    return OptimisationStep(loss, device, mixed, options.clip)


def _check_foreign(base: Checkpoint) -> None:
    """Refuse a network of another package that cannot be trained, before anything is written."""
    import torch

    from ..networks import count_parameters, registered_networks

    if base.network["name"] in registered_networks():
        return
    network = base.build()
    if count_parameters(network) == 0:
        raise InputError(f"The network {base.network['name']} has no trainable parameters. Choose another network.")
    size = base.build_preprocessing().size
    with torch.no_grad():
        image = torch.zeros(1, 1, size, size, dtype=torch.float32)
        network(image, image)


def train(
    options: TrainingOptions,
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
) -> Path:
    """Make and run the training of a trainer.

    `group` are the processes that share it. `judge` replaces the held-out pairs, and the start is a candidate then.
    """
    from ..training.distributed import Group, started_in_group
    from ..training.run import RunSettings, TrainingRun
    from ..training.validation import Validator

    if group is None and started_in_group():
        raise InputError(f"{trainer.name} runs in one process only: start it without torchrun.")
    group = group or Group()
    if judge is None:
        pairs = group.together(lambda: {task.name: task.validation_pairs() for task in tasks} if group.first else {})
        judge, warn = Validator(pairs, step.loss, step.device), ""
    else:
        warn = "" if not judge else "held-out pairs" if judge.held_out else "training pairs"

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
        options.output,
        record=record,
        validator=judge,
        settings=RunSettings(validate_every, options.save_every, warn_of_start=warn),
        device=step.device,
        progress=progress,
        group=group,
    )
    return run(resume=options.resume)
