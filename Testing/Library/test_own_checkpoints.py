"""A checkpoint of the user that is called as a shipped one, or was changed after it was read."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from api_images import textures
from known_networks import NETWORK_ALONE

import MetaRegistrationLib as mr  # noqa: N813
from MetaRegistrationLib.checkpoints import file_sha256, load_checkpoint
from MetaRegistrationLib.registration.companions import networks_of
from MetaRegistrationLib.resources import default_checkpoint
from MetaRegistrationLib.workflows.registrars import RegistrarOptions
from MetaRegistrationLib.workflows.resuming import run_settings
from MetaRegistrationLib.workflows.training import starting_checkpoint

SHIPPED = ["coarse_to_fine_any", "coarse_to_fine_meta"]


def without_effect() -> mr.Checkpoint:
    """The default network, its weights zero: it moves nothing."""
    checkpoint = mr.load_checkpoint("coarse_to_fine_any")
    for weight in checkpoint.weights.values():
        weight.zero_()
    return checkpoint


@pytest.mark.parametrize("name", ["mine", *SHIPPED])
def test_a_file_is_used_whatever_its_name(tmp_path, name):
    path = tmp_path / f"{name}.pt"
    mr.save_checkpoint(path, without_effect())
    result = mr.register(*textures(), checkpoint=path, stages=NETWORK_ALONE)
    assert not result.displacement_px.any()
    assert result.record["checkpoint"] == str(path) and result.record["checkpoint_sha256"] == file_sha256(path)


def test_a_changed_checkpoint_is_used_and_is_not_recorded_as_its_file():
    result = mr.register(*textures(), checkpoint=without_effect(), stages=NETWORK_ALONE)
    assert not result.displacement_px.any()
    assert result.record["checkpoint"] is None
    assert result.record["checkpoint_sha256"] not in (None, file_sha256(default_checkpoint()))


def test_a_checkpoint_as_it_was_read_is_recorded_as_its_file():
    result = mr.register(*textures(), checkpoint=mr.load_checkpoint("coarse_to_fine_any"), stages=NETWORK_ALONE)
    assert np.abs(result.displacement_px).max() > 0.1
    assert result.record["checkpoint_sha256"] == file_sha256(default_checkpoint())


def test_a_network_called_as_a_shipped_one_has_a_name_of_its_own():
    checkpoint = without_effect()
    names = [each.name for each in networks_of(checkpoint, None, torch.device("cpu"))]
    assert names == ["coarse_to_fine_any (checkpoint)", *SHIPPED]


def test_a_copy_of_a_shipped_file_is_as_the_shipped_one(tmp_path):
    (tmp_path / default_checkpoint().name).write_bytes(default_checkpoint().read_bytes())
    copy = load_checkpoint(tmp_path / default_checkpoint().name)
    assert [each.name for each in networks_of(copy, None, torch.device("cpu"))] == SHIPPED


def _changed(checkpoint: mr.Checkpoint) -> mr.Checkpoint:
    next(iter(checkpoint.weights.values())).view(-1)[0] += 1
    return checkpoint


def _without_file(checkpoint: mr.Checkpoint) -> mr.Checkpoint:
    checkpoint.path.unlink()
    return checkpoint


def _other_file(checkpoint: mr.Checkpoint) -> mr.Checkpoint:
    mr.save_checkpoint(checkpoint.path, without_effect())
    return checkpoint


def _other_preprocessing(checkpoint: mr.Checkpoint) -> mr.Checkpoint:
    checkpoint.preprocessing["equalise"] = not checkpoint.build_preprocessing().equalise
    return checkpoint


def test_settings_of_a_checkpoint_without_a_file_are_part_of_its_identity():
    first, second = (mr.load_checkpoint("coarse_to_fine_any") for _ in range(2))
    first.path = second.path = None
    assert starting_checkpoint(first)[1] == starting_checkpoint(second)[1]
    assert starting_checkpoint(first)[1] != starting_checkpoint(_other_preprocessing(second))[1]


@pytest.mark.parametrize("change", [_changed, _without_file, _other_file, _other_preprocessing])
def test_what_is_not_in_the_file_resumes_and_trains_as_another_checkpoint(tmp_path, change):
    path = tmp_path / "own.pt"
    mr.save_checkpoint(path, mr.load_checkpoint("coarse_to_fine_any"))
    of_file = file_sha256(path)
    checkpoint = load_checkpoint(path)
    assert run_settings(RegistrarOptions(checkpoint), None)["checkpoint"] == of_file
    assert starting_checkpoint(checkpoint)[1] == of_file
    changed = change(checkpoint)
    others = {of_file, file_sha256(path) if path.is_file() else None}
    assert run_settings(RegistrarOptions(changed), None)["checkpoint"] not in others
    assert starting_checkpoint(changed)[1] not in others
