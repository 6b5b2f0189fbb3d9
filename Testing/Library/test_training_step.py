"""Tests of the one optimisation step that all trainings share, and of validation."""

import math

import numpy as np
import pytest
import torch
from training_helpers import CPU, SIZE, STEP, equal_weights, list_tasks, shifted_pair, tiny_network

from MetaRegistrationLib.checkpoints import cpu_weights
from MetaRegistrationLib.core.losses import RegistrationLoss
from MetaRegistrationLib.core.metrics import normalised_cross_correlation
from MetaRegistrationLib.errors import InputError
from MetaRegistrationLib.training.batches import draw_batch
from MetaRegistrationLib.training.devices import as_batch, choose_device, to_device
from MetaRegistrationLib.training.step import NonFiniteLoss, OptimisationStep, StepValues
from MetaRegistrationLib.training.trainers import update
from MetaRegistrationLib.training.validation import Validator


def batch(pair):
    return as_batch([pair.moving], CPU), as_batch([pair.fixed], CPU)


class Constant(torch.nn.Module):
    """The same displacement everywhere, times a factor that is a parameter."""

    def __init__(self, row, column):
        super().__init__()
        self.factor = torch.nn.Parameter(torch.ones(()))
        self.register_buffer("vector", torch.tensor([row, column]))

    def forward(self, moving, fixed):
        return (self.factor * self.vector)[None, :, None, None].expand(moving.shape[0], 2, *moving.shape[-2:])


@pytest.mark.parametrize("mixed", [False, True], ids=["float32", "bfloat16"])
def test_steps_reduce_the_loss_of_an_easy_pair(mixed):
    network = to_device(tiny_network(), CPU)
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-2)
    step = OptimisationStep(RegistrationLoss(), CPU, mixed)
    images = batch(shifted_pair(1))
    values = [step(network, optimiser, *images) for _ in range(40)]
    assert values[-1].loss < values[0].loss - 0.1
    assert values[-1].similarity > values[0].similarity + 0.1


def test_values_are_the_terms_of_the_loss_before_the_update():
    network, images = tiny_network(), batch(shifted_pair(1))
    terms = RegistrationLoss(0.5)(*images, network(*images).detach())
    values = OptimisationStep(RegistrationLoss(0.5), CPU)(network, torch.optim.SGD(network.parameters(), 0.1), *images)
    assert values == StepValues(float(terms.total), float(terms.similarity), float(terms.smoothness))
    assert values.loss == pytest.approx(0.5 * values.smoothness - values.similarity, abs=1e-6)


def test_a_nan_loss_is_raised_before_anything_changes():
    network = tiny_network()
    optimiser = torch.optim.Adam(network.parameters())
    moving, fixed = batch(shifted_pair(1))
    STEP(network, optimiser, moving, fixed)
    weights, moments = cpu_weights(network), [s["exp_avg"].clone() for s in optimiser.state.values()]
    with torch.no_grad():
        moving[0, 0, 5, 5] = math.nan
    with pytest.raises(NonFiniteLoss, match="nan"):
        STEP(network, optimiser, moving, fixed)
    assert equal_weights(cpu_weights(network), weights)
    assert all(torch.equal(a, s["exp_avg"]) for a, s in zip(moments, optimiser.state.values(), strict=True))


class SteepNetwork(torch.nn.Module):
    """No displacement at first, but an infinite slope: the loss is finite and the gradient is not."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(()))

    def forward(self, moving, fixed):
        ramp = torch.linspace(0, 1, moving.shape[-1]).expand(1, 2, *moving.shape[-2:])
        return self.weight.square().sqrt() * ramp


@pytest.mark.parametrize("clip", [None, 1.0])
def test_a_gradient_that_is_not_finite_is_raised_before_anything_changes(clip):
    network = SteepNetwork()
    step = OptimisationStep(RegistrationLoss(), CPU, clip=clip)
    with pytest.raises(NonFiniteLoss, match="gradient"):
        step(network, torch.optim.SGD(network.parameters(), 0.1), *batch(shifted_pair(1)))
    assert network.weight == 0


def test_clip_bounds_the_norm_and_leaves_small_gradients_alone():
    images = batch(shifted_pair(1))

    def change(clip):
        network = tiny_network()
        before = torch.nn.utils.parameters_to_vector(network.parameters()).detach()
        optimiser = torch.optim.SGD(network.parameters(), lr=1.0)
        OptimisationStep(RegistrationLoss(), CPU, clip=clip)(network, optimiser, *images)
        return torch.nn.utils.parameters_to_vector(network.parameters()).detach() - before

    free = change(None)
    norm = float(free.norm())
    assert norm > 0
    assert float(change(norm / 10).norm()) == pytest.approx(norm / 10, rel=1e-3)
    assert torch.equal(change(norm * 10), free)


def test_mean_of_steps():
    assert StepValues.mean([StepValues(1.0, 2.0, 3.0), StepValues(3.0, 0.0, 5.0)]) == StepValues(2.0, 1.0, 4.0)


def test_draw_and_update_use_the_whole_batch():
    task = list_tasks(1)[0]
    pairs = draw_batch(task, np.random.default_rng(0), 7, 3)
    assert task.draws == [7, 7, 7]

    class Shapes(Constant):
        def forward(self, moving, fixed):
            self.seen = (moving.shape, fixed.shape)
            return super().forward(moving, fixed)

    network = Shapes(1.0, 1.0)
    update(network, torch.optim.SGD(network.parameters(), 0.1), STEP, pairs)
    assert network.seen == ((3, 1, SIZE, SIZE), (3, 1, SIZE, SIZE))


def test_devices():
    assert choose_device("cpu").type == "cpu"
    assert choose_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")
    with pytest.raises(InputError, match=r"^device cuda:99"):
        choose_device("cuda:99")
    with pytest.raises(InputError, match=r"^device nonsense"):
        choose_device("nonsense")


POINTS = np.array([[20.0, 30.0], [40.5, 22.25]])


def test_validation_measures_loss_ncc_and_distance():
    pair = shifted_pair(3, (1, 2), POINTS)
    loss = RegistrationLoss()
    right = Validator({"a": [pair]}, loss, CPU)(Constant(1.0, 2.0))
    none = Validator({"a": [pair]}, loss, CPU)(Constant(0.0, 0.0))
    assert set(right) == {"loss", "ncc", "distance_px"}
    assert right["distance_px"] == pytest.approx(0.0, abs=1e-3)
    assert none["distance_px"] == pytest.approx(math.sqrt(5), abs=1e-6)
    assert right["ncc"] > 0.999
    assert none["ncc"] == pytest.approx(
        normalised_cross_correlation(pair.moving, pair.fixed, np.ones((SIZE, SIZE), bool)), abs=1e-6
    )
    expected = loss(*batch(pair), torch.zeros(1, 2, SIZE, SIZE)).total
    assert none["loss"] == pytest.approx(float(expected), abs=1e-6)


def test_validation_is_a_mean_over_tasks_of_means_over_pairs():
    with_points, without = shifted_pair(3, (3, 4), POINTS), shifted_pair(4)
    validator = Validator({"a": [with_points, without], "b": [without], "c": []}, RegistrationLoss(), CPU)
    values = validator(Constant(0.0, 0.0))
    assert values["a/distance_px"] == values["distance_px"] == pytest.approx(5.0)
    assert "b/distance_px" not in values and not any(key.startswith("c/") for key in values)
    for key in ("loss", "ncc"):
        assert values[key] == pytest.approx((values[f"a/{key}"] + values[f"b/{key}"]) / 2)


def test_validation_leaves_the_network_as_it_was():
    network = torch.nn.Sequential()
    network.forward = lambda moving, fixed: torch.zeros(1, 2, SIZE, SIZE, requires_grad=network.training)
    for training in (True, False):
        network.train(training)
        Validator({"a": [shifted_pair(3)]}, RegistrationLoss(), CPU)(network)
        assert network.training is training


def test_a_validator_without_pairs_is_empty():
    assert not Validator({"a": []}, RegistrationLoss(), CPU)
    assert Validator({"a": [shifted_pair(1)]}, RegistrationLoss(), CPU)
    assert Validator({"a": []}, RegistrationLoss(), CPU)(Constant(0.0, 0.0)) == {}
