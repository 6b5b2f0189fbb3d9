"""The phases of the few-shot benchmark before adaptation: pretraining, and further training with equal gradient evaluations."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from few_shot_meta import MetaLearning, MetaSettings
from few_shot_pairs import PoolTask
from few_shot_tuning import DEVICE, Counter, CountingStep, errors_px
from torch import nn

from MetaRegistrationLib.core.losses import RegistrationLoss
from MetaRegistrationLib.networks import build_network
from MetaRegistrationLib.tasks import TaskPair
from MetaRegistrationLib.training.pretrain import Pretraining
from MetaRegistrationLib.training.reptile import Reptile

LEVELS = {"encoder": (8, 16, 24, 24), "radii": (1, 2, 3, 3)}
NETWORK = {"estimator": (32, 24), "finest": (16, 12), "velocity_steps": 0}
BATCH = 4
META = {
    "maml": MetaSettings(),
    "maml_weighted": MetaSettings(before=0.5),
    "anil_heads": MetaSettings(part="heads"),
    "meta_sgd": MetaSettings(learned_rates=True),
    "anil_encoder": MetaSettings(part="encoder"),
}
METHODS = ("joint", "reptile", "reptile_kept", *META)
REPTILE_UPDATES = 10


@dataclass(frozen=True)
class Phase:
    """What a phase left.

    Attributes
    ----------
    network : nn.Module
    evaluations : int
        Pairs of which a gradient was computed.
    log : list of dict
        Validation errors by group, in pixels, on the way.
    seconds : float
    rates : dict of str to float or None
        Learned factors of the learning rates.
    """

    network: nn.Module
    evaluations: int
    log: list[dict]
    seconds: float
    rates: dict[str, float] | None = None


def new_network(seed: int, levels: int = 3) -> nn.Module:
    """The network of three or four levels with weights from `seed`."""
    torch.manual_seed(seed)
    return build_network("coarse_to_fine", NETWORK | {name: values[:levels] for name, values in LEVELS.items()})


def supervised(counter: Counter) -> CountingStep:
    """The step of all trainings on source tasks: Eq. (1) and the distance to the known displacement."""
    return CountingStep(RegistrationLoss(1.0, supervision_weight=1.0), DEVICE, clip=1.0, counter=counter)


def joint(
    network: nn.Module,
    tasks: Sequence[PoolTask],
    evaluations: int,
    validation: dict[str, list[TaskPair]],
    *,
    seed: int,
    rate: float,
    validations: int = 8,
) -> Phase:
    """Mixed training on all tasks, its rate falling to zero."""
    counter = Counter()
    steps = evaluations // BATCH
    trainer = Pretraining(
        network, tasks, supervised(counter), steps=steps, learning_rate=rate, batch=BATCH, seed=seed, decay=True
    )
    return _run(trainer, counter, validation, validations)


def further(
    method: str,
    network: nn.Module,
    tasks: Sequence[PoolTask],
    evaluations: int,
    validation: dict[str, list[TaskPair]],
    *,
    seed: int,
) -> Phase:
    """`evaluations` further gradient evaluations by a method of `METHODS`, from the pretrained network."""
    if method == "joint":
        return joint(network, tasks, evaluations, validation, seed=seed + 1000, rate=5e-4)
    counter = Counter()
    if method in META:
        steps = evaluations // META[method].evaluations
        trainer = MetaLearning(network, tasks, META[method], steps=steps, seed=seed, counter=counter)
    else:
        trainer = _reptile(method, network, tasks, evaluations, counter, seed)
    return _run(trainer, counter, validation, 4)


def _reptile(
    method: str, network: nn.Module, tasks: Sequence[PoolTask], evaluations: int, counter: Counter, seed: int
) -> Reptile:
    """The paper's settings, or those that were best for this network in `Documentation/Notebook/Results.md`."""
    own = {
        "reptile": {"inner_learning_rate": 1e-4, "outer_learning_rate": 1e-4, "outer_optimiser": "adam"},
        "reptile_kept": {
            "inner_learning_rate": 1e-3,
            "outer_learning_rate": 0.5,
            "outer_optimiser": "sgd",
            "decay": True,
            "keep_moments": True,
        },
    }[method]
    tasks_per_step = min(3, len(tasks))
    steps = evaluations // (tasks_per_step * REPTILE_UPDATES)
    return Reptile(
        network,
        tasks,
        supervised(counter),
        steps=steps,
        tasks_per_step=tasks_per_step,
        inner_updates=REPTILE_UPDATES,
        seed=seed,
        **own,
    )


def _run(
    trainer: Pretraining | Reptile | MetaLearning,
    counter: Counter,
    validation: dict[str, list[TaskPair]],
    validations: int,
) -> Phase:
    started = time.process_time()
    log = [{"evaluations": 0} | validation_errors(trainer.network, validation)]
    moments = {round(trainer.total_steps * (i + 1) / validations) for i in range(validations)}
    for step in range(trainer.total_steps):
        trainer.advance(step)
        if step + 1 in moments:
            log.append({"evaluations": counter.pairs} | validation_errors(trainer.network, validation))
    seconds = time.process_time() - started
    return Phase(trainer.network, counter.pairs, log, seconds, getattr(trainer, "rates", None))


def validation_errors(network: nn.Module, validation: dict[str, list[TaskPair]]) -> dict[str, float]:
    """Mean error of each group's test pairs in pixels, and the mean over groups (`all`)."""
    found = {group: float(np.mean(errors_px(network, pairs))) for group, pairs in validation.items()}
    return found | {"all": float(np.mean(list(found.values())))}
