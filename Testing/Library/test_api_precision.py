"""The public interface gives the same whatever autocast and `set_float32_matmul_precision` of the caller say."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from api_images import known, textures
from known_networks import NETWORK_ALONE, write_grey_png
from torch import nn
from training_helpers import equal_weights

import MetaRegistrationLib as mr
from MetaRegistrationLib.api.matmul_precision import full_precision


class Observer(nn.Module):
    """A network that notes whether it is called in mixed precision."""

    seen: list[bool]

    def __init__(self):
        super().__init__()
        self.layer = nn.Conv2d(2, 2, 3, padding=1)
        Observer.seen = []

    def forward(self, moving, fixed):
        displacement = self.layer(torch.cat((moving, fixed), dim=1))
        Observer.seen.append(displacement.dtype != torch.float32)
        return displacement.float()


def related():
    """Two small images whose alignment is quick."""
    image = textures((64, 64))[0]
    return np.roll(image, 2, axis=0), image


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pairs")
    for role, image in zip(("moving", "fixed"), related(), strict=True):
        write_grey_png(folder / role / "eye.png", image)
    return folder


CALLS = {
    "register": lambda folder, out, **options: mr.register(*related(), **options),
    "register_folder": lambda folder, out, **options: mr.register_folder(folder, out, jobs=1, **options),
    "align_visits": lambda folder, out, **options: mr.align_visits(related(), **options),
}


@pytest.fixture
def one_thread():
    """Visits are registered in the thread of the caller, to which autocast belongs, and not in threads of a pool."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("name", CALLS)
def test_a_call_does_not_depend_on_the_caller_s_mixed_precision(name, folder, tmp_path):
    with torch.autocast("cpu", dtype=torch.bfloat16):
        CALLS[name](folder, tmp_path / "out", network=Observer(), stages=NETWORK_ALONE)
    assert Observer.seen and not any(Observer.seen)


def test_the_alignment_and_what_a_result_computes_later_are_the_same():
    images = related()
    found = mr.register(*images, stages=mr.Stages(network=False, refine=0)), known(*images)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        again = mr.register(*images, stages=mr.Stages(network=False, refine=0)), known(*images)
        for one, other in zip(found, again, strict=True):
            np.testing.assert_array_equal(one.displacement_px, other.displacement_px)
            np.testing.assert_array_equal(one.error_px, other.error_px)
            np.testing.assert_array_equal(one.warped(), other.warped())
            np.testing.assert_array_equal(one.carry([[20.0, 30.0]]), other.carry([[20.0, 30.0]]))


def test_fine_tuning_gives_the_same_weights(folder):
    checkpoint = small_start()
    weights = finetuned(folder, checkpoint, Observer())
    assert not equal_weights(weights, checkpoint.weights)
    with torch.autocast("cpu", dtype=torch.float16):
        again = finetuned(folder, checkpoint, Observer())
    assert equal_weights(weights, again)


class Mixed(nn.Module):
    """A network that has mixed precision of its own."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Conv2d(2, 2, 3, padding=1)

    def forward(self, moving, fixed):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return self.layer(torch.cat((moving, fixed), dim=1)).float()


def test_a_network_of_own_mixed_precision_uses_its_present_weights():
    network = Mixed()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        first = known(*related(), network).displacement_px
        with torch.no_grad():
            network.layer.bias += 10
        again = known(*related(), network).displacement_px
    assert np.abs(again - first).max() > 0.5
    np.testing.assert_array_equal(again, known(*related(), network).displacement_px)


def small_start():
    checkpoint = mr.Checkpoint.of_module(Observer())
    checkpoint.preprocessing["size"] = 64
    return checkpoint


def finetuned(folder, checkpoint, network):
    return mr.finetune(folder, checkpoint=checkpoint, network=network, epochs=1, plain=True).weights


@pytest.mark.parametrize("surrounding", [torch.no_grad, torch.inference_mode])
def test_fine_tuning_has_gradients_where_the_caller_has_none(folder, surrounding):
    checkpoint = small_start()
    weights = finetuned(folder, checkpoint, Observer())
    with surrounding():
        network = Observer()
        again = mr.Checkpoint.of_module(network)
        again.preprocessing["size"] = 64
        again.weights.update({name: weight.clone() for name, weight in checkpoint.weights.items()})
        found = finetuned(folder, again, network)
        assert not torch.is_grad_enabled()
    assert equal_weights(found, weights)
    assert torch.is_grad_enabled() and not any(weight.is_inference() for weight in found.values())


def test_a_registration_in_inference_mode_leaves_nothing_behind():
    images = related()
    with torch.inference_mode():
        first = mr.register(*images, device="cpu")
    again = mr.register(*images, device="cpu")
    np.testing.assert_array_equal(first.displacement_px, again.displacement_px)


@pytest.fixture(params=["medium", "high"])
def reduced(request):
    """A caller who has torch multiply matrices with less precision."""
    torch.set_float32_matmul_precision(request.param)
    yield request.param
    torch.set_float32_matmul_precision("highest")


class Precise(nn.Module):
    """Notes torch's precision of products of matrices, after a call of the library within this one."""

    seen: list[str]

    def forward(self, moving, fixed):
        known(*related())
        Precise.seen.append(torch.get_float32_matmul_precision())
        return moving.new_zeros(1, 2, *moving.shape[-2:])


def test_matrices_are_multiplied_in_full_precision(reduced):
    Precise.seen = []
    known(*related(), Precise())
    assert set(Precise.seen) == {"highest"} and torch.get_float32_matmul_precision() == reduced


def test_the_precision_is_back_after_an_error(reduced):
    with pytest.raises(mr.InputError):
        mr.register("no file", "no file")
    assert torch.get_float32_matmul_precision() == reduced


def test_the_precision_of_threads_is_back_when_the_last_one_has_ended(reduced):
    first, second = full_precision(), full_precision()
    with second:
        with first:
            assert torch.get_float32_matmul_precision() == "highest"
        assert torch.get_float32_matmul_precision() == "highest"
    assert torch.get_float32_matmul_precision() == reduced


def test_a_precision_that_is_set_meanwhile_stays(reduced):
    other = "high" if reduced == "medium" else "medium"
    with full_precision():
        torch.set_float32_matmul_precision(other)
    assert torch.get_float32_matmul_precision() == other


def test_a_precision_of_one_backend_stays(monkeypatch):
    def mixed():
        raise RuntimeError("you have used mix of the legacy and new APIs")

    monkeypatch.setattr(torch, "get_float32_matmul_precision", mixed)
    with full_precision():
        pass
