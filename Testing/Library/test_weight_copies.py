"""Mixed precision computes each training step from the weights of that step, whatever `torch.autocast` surrounds it."""

from __future__ import annotations

from contextlib import nullcontext

import pytest
import torch
from training_helpers import (
    CPU,
    At,
    assert_equal_runs,
    equal_weights,
    make_trainer,
    tiny_checkpoint,
    write_pairs,
    write_tiny_checkpoint,
)

import MetaRegistrationLib as mr  # noqa: N813
from MetaRegistrationLib.checkpoints import cpu_weights, load_checkpoint
from MetaRegistrationLib.core.losses import RegistrationLoss
from MetaRegistrationLib.training import devices
from MetaRegistrationLib.training.run import BEST, LAST
from MetaRegistrationLib.training.step import OptimisationStep
from MetaRegistrationLib.workflows.finetuning import FinetuneOptions, finetune_folder
from MetaRegistrationLib.workflows.folders import PairSelection

MIXED = OptimisationStep(RegistrationLoss(), CPU, mixed=True)
SURROUNDINGS = {
    "switched off": {"enabled": False},
    "float16": {"dtype": torch.float16},
    "without copies": {"dtype": torch.bfloat16, "cache_enabled": False},
}
FINETUNE = {"epochs": 3, "plain": True, "initial": "none"}


@pytest.mark.parametrize("surrounding", SURROUNDINGS)
@pytest.mark.parametrize("name", ["pretrain", "metatrain", "finetune"])
def test_a_surrounding_autocast_changes_no_training(name, surrounding):
    def trained(context):
        trainer = make_trainer(name, step=MIXED)
        start = cpu_weights(trainer.network)
        with context:
            losses = [trainer.advance(step).loss for step in range(4)]
        return start, losses, cpu_weights(trainer.network)

    start, losses, weights = trained(nullcontext())
    assert not equal_weights(start, weights)
    _, losses_inside, weights_inside = trained(torch.autocast("cpu", **SURROUNDINGS[surrounding]))
    assert losses_inside == losses
    assert equal_weights(weights_inside, weights)


class OwnAutocast(torch.nn.Module):
    """A network of a user, in mixed precision of its own."""

    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Conv2d(2, 2, 3, padding=1)

    def forward(self, moving, fixed):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return self.layer(torch.cat((moving, fixed), dim=1)).float()


def test_a_network_with_autocast_of_its_own_is_trained_and_used_with_its_present_weights():
    images = torch.rand(2, 1, 1, 32, 32, generator=torch.manual_seed(0))

    def trained(context):
        torch.manual_seed(0)
        network = OwnAutocast()
        optimiser = torch.optim.SGD(network.parameters(), lr=0.5)
        with context:
            losses = [OptimisationStep(RegistrationLoss(), CPU)(network, optimiser, *images).loss for _ in range(4)]
        return losses

    losses = trained(nullcontext())
    assert len(set(losses)) == 4
    assert trained(torch.autocast("cpu", enabled=False)) == losses


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder of pairs and a checkpoint, on a processor that computes in bfloat16."""
    monkeypatch.setattr(devices, "mixed_precision_available", lambda device: True)
    write_pairs(tmp_path / "pairs", 3)
    write_tiny_checkpoint(tmp_path / "start.pt")
    return tmp_path


def finetuned(folder, output, **options):
    return mr.finetune(folder / "pairs", checkpoint=folder / "start.pt", output=output, **FINETUNE, **options)


@pytest.mark.parametrize("surrounding", [None, *SURROUNDINGS])
def test_fine_tuning_in_python_equals_the_workflow(folder, surrounding):
    start = folder / "start.pt"
    finetune_folder(PairSelection(folder / "pairs"), FinetuneOptions(output=folder / "a", checkpoint=start, **FINETUNE))
    context = nullcontext() if surrounding is None else torch.autocast("cpu", **SURROUNDINGS[surrounding])
    with context:
        adapted = finetuned(folder, folder / "b")
    assert load_checkpoint(folder / "a" / LAST).history[-1]["precision"] == "bfloat16"
    assert not equal_weights(adapted.weights, tiny_checkpoint().weights)
    assert equal_weights(adapted.weights, load_checkpoint(folder / "a" / BEST).weights)
    assert_equal_runs(folder / "a", folder / "b")


def test_a_stopped_fine_tuning_resumed_in_python_equals_a_straight_one(folder):
    def stop():
        raise KeyboardInterrupt

    finetuned(folder, folder / "straight")
    with pytest.raises(KeyboardInterrupt):
        finetuned(folder, folder / "stopped", progress=At(4, stop))
    finetuned(folder, folder / "stopped", resume=True)
    assert_equal_runs(folder / "straight", folder / "stopped")
