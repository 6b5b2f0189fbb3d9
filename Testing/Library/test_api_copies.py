"""Copies of results and checkpoints are as the originals; wrong arguments and networks are named."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
import torch
from api_images import known, textures
from known_networks import NETWORK_ALONE, Convolution, known_checkpoint, save_known
from training_helpers import tiny_checkpoint

import MetaRegistrationLib as mr

COPIES = {"pickle": lambda value: pickle.loads(pickle.dumps(value)), "deepcopy": copy.deepcopy, "copy": copy.copy}
IMAGES = textures((64, 64))


@pytest.mark.parametrize("copied", COPIES.values(), ids=list(COPIES))
def test_fields_of_a_copied_registration_stay_locked(copied):
    result = known(*IMAGES)
    fields = {name: getattr(result, name) for name in ("displacement_px", "error_px", "error_95_px")}
    other = copied(result)
    for name, values in fields.items():
        again = getattr(other, name)
        np.testing.assert_array_equal(again, values)
        with pytest.raises(ValueError, match="read-only"):
            again[:] = 0


@pytest.mark.parametrize("copied", COPIES.values(), ids=list(COPIES))
def test_a_registration_is_copied_before_its_fields_are_computed(copied):
    result = known(*IMAGES)
    other = copied(result)
    np.testing.assert_array_equal(other.displacement_px, result.displacement_px)
    assert not other.displacement_px.flags.writeable


def test_the_average_of_copied_visits_stays_locked():
    visits = mr.align_visits(IMAGES, stages=mr.Stages(initial="none", network=False, refine=0), device="cpu")
    average = visits.average
    for copied in COPIES.values():
        other = copied(visits).average
        np.testing.assert_array_equal(other.image, average.image)
        assert not other.image.flags.writeable and not other.count.flags.writeable


def test_checkpoints_are_equal_by_their_content():
    checkpoint = tiny_checkpoint()
    same, other, described = copy.deepcopy(checkpoint), copy.deepcopy(checkpoint), copy.deepcopy(checkpoint)
    next(iter(other.weights.values())).add_(1)
    described.preprocessing["size"] += 1
    assert checkpoint == same
    assert checkpoint != other and checkpoint != described and checkpoint != "checkpoint"


class Endless(Convolution):
    """A network without a finite displacement."""

    def forward(self, moving, fixed):
        return torch.full((1, 2, *moving.shape[-2:]), torch.nan)


def test_a_network_that_is_not_finite_is_named():
    with pytest.raises(mr.InputError, match=r"^The network Endless: .* not finite\. Choose another network\.$"):
        mr.register(*IMAGES, network=Endless(), stages=NETWORK_ALONE)


def test_a_checkpoint_that_is_not_finite_is_named(tmp_path):
    path = save_known(tmp_path / "bad.pt", "Translation", row=float("nan"), column=0.0)
    for checkpoint in (path, known_checkpoint("Translation", row=float("nan"), column=0.0)):
        with pytest.raises(mr.InputError, match=r"heckpoint.*: .* not finite\. Choose another checkpoint\.$"):
            mr.register(*IMAGES, checkpoint=checkpoint, stages=NETWORK_ALONE)


@pytest.mark.parametrize("write", [5, 0, [], [5], [["field"]], "fields"])
def test_other_parts_are_refused(write, tmp_path):
    with pytest.raises(mr.InputError, match=r"^write: expected some of images, .*; got "):
        mr.register_folder(tmp_path, tmp_path / "out", write=write)
