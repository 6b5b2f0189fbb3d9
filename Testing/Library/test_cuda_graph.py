"""Tests of training steps as CUDA graphs: when they are used, and that they change nothing."""

import pytest
import torch
from training_helpers import CPU, STEP, equal_weights, list_tasks, shifted_pair, tiny_network

from MetaRegistrationLib.checkpoints import cpu_weights
from MetaRegistrationLib.core.losses import RegistrationLoss
from MetaRegistrationLib.networks import build_network
from MetaRegistrationLib.progress import Message, Silent
from MetaRegistrationLib.training.cuda_graph import GraphedStep, check_alike, with_cuda_graph
from MetaRegistrationLib.training.devices import as_batch, mixed_precision_available, to_device
from MetaRegistrationLib.training.reptile import Reptile
from MetaRegistrationLib.training.step import NonFiniteLoss, OptimisationStep

CUDA = torch.device("cuda")


def batch(size=64, count=1, device=CPU):
    pairs = [shifted_pair(number) for number in range(count)]
    images = ([pair.moving[:size] for pair in pairs], [pair.fixed[:size] for pair in pairs])
    return tuple(as_batch(side, device) for side in images)


def trained(step, batches, device=CPU):
    network = to_device(tiny_network(), device)
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-3)
    values = [step(network, optimiser, *images) for images in batches]
    return cpu_weights(network), values


def failing(compute, network, *images):
    compute(network, *images)  # as far as the warm-up
    raise RuntimeError("operation not permitted when stream is capturing\nand more")


@pytest.mark.parametrize(
    ("choice", "device", "own", "graphed"),
    [
        ("auto", "cuda", True, True),
        ("off", "cuda", True, False),
        ("auto", "cpu", True, False),
        ("auto", "cuda", False, False),
    ],
)
def test_graphs_are_for_own_networks_on_cuda(choice, device, own, graphed):
    step = OptimisationStep(RegistrationLoss(0.5, scales=2), torch.device(device), True, 3.0)
    chosen = with_cuda_graph(step, choice, own_network=own, progress=Silent())
    assert isinstance(chosen, GraphedStep) == graphed
    assert (chosen.loss, chosen.device, chosen.mixed, chosen.clip) == (step.loss, step.device, True, 3.0)


def test_a_step_that_cannot_be_recorded_runs_as_ever_and_says_so_once():
    messages = []
    step = GraphedStep(RegistrationLoss(), CPU, progress=messages.append, capture=failing)
    batches = [batch(), batch(48), batch()]
    weights, values = trained(step, batches)
    expected, eager = trained(STEP, batches)
    assert equal_weights(weights, expected) and values == eager
    assert len(messages) == 1 and isinstance(messages[0], Message)
    assert "not permitted" in messages[0].text and "and more" not in messages[0].text


def test_each_shape_is_recorded_once_with_and_without_truth():
    recorded = []

    def recording(compute, network, *images):
        recorded.append([None if image is None else tuple(image.shape) for image in images])
        return lambda *again: compute(network, *again)

    step = GraphedStep(RegistrationLoss(supervision_weight=1.0), CPU, progress=Silent(), capture=recording)
    with_truth = (*batch(), torch.ones(1, 2, 64, 64))
    weights, _ = trained(step, [batch(), with_truth, batch(count=2), batch(), with_truth])
    assert [images[0] for images in recorded] == [(1, 1, 64, 64), (1, 1, 64, 64), (2, 1, 64, 64)]
    assert [images[2] for images in recorded] == [None, (1, 2, 64, 64), None]
    eager = OptimisationStep(RegistrationLoss(supervision_weight=1.0), CPU)
    assert equal_weights(weights, trained(eager, [batch(), with_truth, batch(count=2), batch(), with_truth])[0])


def test_a_recording_that_gives_other_values_is_refused():
    check_alike([-0.301, 0.3, 1e-9, 2.01], [-0.3, 0.3, 0.0, 2.0])
    check_alike([0.0] * 4, [float("nan")] * 4)
    for wrong in ([-0.2, 0.3, 0.0, 2.0], [-0.3, 0.3, 0.0, 0.0], [float("nan")] * 4):
        with pytest.raises(RuntimeError, match="instead of"):
            check_alike(wrong, [-0.3, 0.3, 0.0, 2.0])


cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no CUDA GPU")


def refuse(message):
    raise AssertionError(message)


@cuda
@pytest.mark.parametrize("mixed", [False, True], ids=["float32", "bfloat16"])
@pytest.mark.parametrize("name", ["voxelmorph", "coarse_to_fine"])
def test_weights_after_recorded_steps_are_those_without(name, mixed):
    if mixed and not mixed_precision_available(CUDA):
        pytest.skip("this GPU has no bfloat16")
    truth = torch.ones(1, 2, 64, 64, device=CUDA)
    batches = [(*batch(device=CUDA), truth), batch(device=CUDA), (*batch(device=CUDA), 2 * truth)] * 2
    settings = (RegistrationLoss(scales=2, supervision_weight=0.1), CUDA, mixed, 1.0)
    results = []
    for step in (OptimisationStep(*settings), GraphedStep(*settings, progress=refuse)):
        torch.manual_seed(0)
        network = to_device(build_network(name), CUDA)
        # Plain descent: Adam would make full steps of the rounding errors of gradients near zero.
        optimiser = torch.optim.SGD(network.parameters(), lr=1e-2)
        results.append((network, [step(network, optimiser, *images) for images in batches]))
    (eager, values), (recorded, again) = results
    tolerance = 0.02 if mixed else 1e-3
    assert [v.loss for v in again] == pytest.approx([v.loss for v in values], rel=tolerance, abs=tolerance)
    torch.manual_seed(0)
    start = [p.detach() for p in to_device(build_network(name), CUDA).parameters()]
    change = max(float((p - s).abs().max()) for p, s in zip(eager.parameters(), start, strict=True))
    assert change > 0
    for a, b in zip(eager.parameters(), recorded.parameters(), strict=True):
        assert torch.allclose(a, b, rtol=0, atol=(0.2 if mixed else 0.02) * change)


@cuda
def test_recorded_steps_see_a_loss_that_is_not_finite():
    step = GraphedStep(RegistrationLoss(), CUDA, progress=refuse)
    network = to_device(tiny_network(), CUDA)
    optimiser = torch.optim.Adam(network.parameters())
    moving, fixed = batch(device=CUDA)
    step(network, optimiser, moving, fixed)
    before = cpu_weights(network)
    with pytest.raises(NonFiniteLoss):
        step(network, optimiser, moving * float("nan"), fixed)
    assert equal_weights(cpu_weights(network), before)


@cuda
def test_reptile_with_recorded_steps_moves_as_without():
    weights = []
    for step in (OptimisationStep(RegistrationLoss(), CUDA), GraphedStep(RegistrationLoss(), CUDA, progress=refuse)):
        trainer = Reptile(to_device(tiny_network(), CUDA), list_tasks(), step, steps=5, inner_updates=3)
        for number in range(5):
            trainer.advance(number)
        weights.append(cpu_weights(trainer.network))
    for name, weight in weights[0].items():
        assert torch.allclose(weight, weights[1][name], rtol=0, atol=1e-4)
