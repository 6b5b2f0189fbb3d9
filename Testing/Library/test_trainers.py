"""Tests of pretraining, Reptile and fine-tuning: what one step does to the weights."""

import copy
import math

import pytest
import torch
from training_helpers import (
    CPU,
    PREPROCESSING,
    STEP,
    ListTask,
    equal_weights,
    list_tasks,
    shifted_pair,
    tiny_network,
    write_pairs,
)

from MetaRegistrationLib.checkpoints import cpu_weights
from MetaRegistrationLib.core.losses import RegistrationLoss
from MetaRegistrationLib.errors import InputError
from MetaRegistrationLib.pairs.folders import find_pairs
from MetaRegistrationLib.tasks import PairTask
from MetaRegistrationLib.training.devices import as_batch
from MetaRegistrationLib.training.finetune import FineTuning
from MetaRegistrationLib.training.pretrain import Pretraining
from MetaRegistrationLib.training.reptile import Reptile


@pytest.fixture(scope="module")
def pair_task(tmp_path_factory):
    folder = find_pairs(write_pairs(tmp_path_factory.mktemp("pairs"), 5))
    return PairTask("pairs", folder.pairs, [], PREPROCESSING)


def trained(trainer, steps):
    for step in range(steps):
        trainer.advance(step)
    return cpu_weights(trainer.network)


def adapted(network, pair, updates, learning_rate):
    """theta_t by hand: a copy of the network after some updates of a fresh Adam on one pair."""
    copied = copy.deepcopy(network)
    optimiser = torch.optim.Adam(copied.parameters(), lr=learning_rate)
    moving, fixed = as_batch([pair.moving], CPU), as_batch([pair.fixed], CPU)
    for _ in range(updates):
        optimiser.zero_grad()
        RegistrationLoss()(moving, fixed, copied(moving, fixed)).total.backward()
        optimiser.step()
    return list(copied.parameters())


def mean_difference(network, pairs, updates, learning_rate):
    """mean(theta_meta - theta_t), one tensor a parameter."""
    copies = [adapted(network, pair, updates, learning_rate) for pair in pairs]
    theta = list(network.parameters())
    return [sum(p.detach() - c[i].detach() for c in copies) / len(copies) for i, p in enumerate(theta)]


def reptile(network, tasks, **settings):
    settings = {"steps": 5, "inner_updates": 3, "inner_learning_rate": 1e-3, **settings}
    return Reptile(network, tasks, STEP, **settings)


def single_pair_tasks():
    """Tasks of one pair each, so that by hand no random draw needs to be repeated."""
    pairs = [shifted_pair(n, (n, 1)) for n in range(3)]
    return pairs, [ListTask(f"t{n}", [pair]) for n, pair in enumerate(pairs)]


def assert_moved_alike(network, expected, start):
    """The weights equal the expected ones to a thousandth of the largest change."""
    change = max(float((e.detach() - s).abs().max()) for e, s in zip(expected, start, strict=True))
    assert change > 0
    for parameter, value in zip(network.parameters(), expected, strict=True):
        assert torch.allclose(parameter, value, rtol=0, atol=1e-3 * change)


def test_reptile_with_a_plain_outer_step_is_equation_2():
    pairs, tasks = single_pair_tasks()
    network, by_hand, alpha = tiny_network(), tiny_network(), 0.5
    start = [p.detach().clone() for p in network.parameters()]
    trainer = reptile(network, tasks, outer_learning_rate=alpha, outer_optimiser="sgd")
    for step in range(2):  # the second step shows that the inner optimiser is a fresh one
        trainer.advance(step)
        difference = mean_difference(by_hand, pairs, 3, 1e-3)
        with torch.no_grad():
            for parameter, change in zip(by_hand.parameters(), difference, strict=True):
                parameter -= alpha * change
    assert_moved_alike(network, list(by_hand.parameters()), start)


def test_reptile_with_adam_gives_it_the_mean_difference_as_gradient():
    pairs, tasks = single_pair_tasks()
    network, by_hand = tiny_network(), tiny_network()
    start = [p.detach().clone() for p in network.parameters()]
    trainer = reptile(network, tasks, outer_learning_rate=1e-3)
    outer = torch.optim.Adam(by_hand.parameters(), lr=1e-3)
    for step in range(3):  # the outer optimiser keeps its moments
        trainer.advance(step)
        for parameter, change in zip(by_hand.parameters(), mean_difference(by_hand, pairs, 3, 1e-3), strict=True):
            parameter.grad = change
        outer.step()
    assert_moved_alike(network, list(by_hand.parameters()), start)


def test_the_outer_rate_of_reptile_falls_along_a_half_cosine():
    trainer = reptile(
        tiny_network(), single_pair_tasks()[1], outer_optimiser="sgd", outer_learning_rate=0.5, decay=True
    )
    rates = []
    for step in range(5):
        trainer.advance(step)
        rates.append(trainer.state()["optimiser"]["param_groups"][0]["lr"])
    assert rates == pytest.approx([0.25 * (1 + math.cos(math.pi * step / 5)) for step in range(5)])
    assert trainer.settings()["learning_rate_decay"]


def test_kept_moments_are_the_mean_of_those_that_the_tasks_ended_with():
    pairs, tasks = single_pair_tasks()
    network, by_hand = tiny_network(), tiny_network()
    start = [p.detach().clone() for p in network.parameters()]
    settings = {"outer_learning_rate": 0.5, "outer_optimiser": "sgd", "keep_moments": True, "inner_updates": 2}
    trainer = reptile(network, tasks, **settings)
    states: list = [None, None, None]
    for step in range(3):
        trainer.advance(step)
        copies = [copy.deepcopy(by_hand) for _ in pairs]
        optimisers = [torch.optim.Adam(c.parameters(), lr=1e-3) for c in copies]
        for copied, optimiser, pair in zip(copies, optimisers, pairs, strict=True):
            if step:
                for parameter, moment in zip(copied.parameters(), states, strict=True):
                    optimiser.state[parameter] = {
                        "step": torch.tensor(2.0 * step),
                        "exp_avg": torch.zeros_like(parameter),
                        "exp_avg_sq": moment.clone(),
                    }
            moving, fixed = as_batch([pair.moving], CPU), as_batch([pair.fixed], CPU)
            for _ in range(2):
                optimiser.zero_grad()
                RegistrationLoss()(moving, fixed, copied(moving, fixed)).total.backward()
                optimiser.step()
        moments = [[o.state[p]["exp_avg_sq"] for p in c.parameters()] for c, o in zip(copies, optimisers, strict=True)]
        states = [sum(each) / 3 for each in zip(*moments, strict=True)]
        with torch.no_grad():
            for parameter, *adapted_ones in zip(by_hand.parameters(), *(c.parameters() for c in copies), strict=True):
                parameter -= 0.5 * sum(parameter - one for one in adapted_ones) / 3
    assert_moved_alike(network, list(by_hand.parameters()), start)


def test_kept_moments_go_on_after_a_stop(tmp_path):
    def make():
        return reptile(tiny_network(), list_tasks(), keep_moments=True, tasks_per_step=2)

    whole = make()
    trained(whole, 3)
    weights = cpu_weights(whole.network)
    torch.save(whole.state(), tmp_path / "state.pt")
    resumed = make()
    resumed.network.load_state_dict(weights)
    resumed.restore(torch.load(tmp_path / "state.pt", weights_only=True))
    for trainer in (whole, resumed):
        trainer.advance(3)
    assert equal_weights(cpu_weights(whole.network), cpu_weights(resumed.network))


def test_reptile_draws_k_batches_from_each_of_m_different_tasks():
    tasks = list_tasks(4)
    trainer = reptile(tiny_network(), tasks, tasks_per_step=3, inner_updates=2, batch=2)
    chosen = set()
    for step in range(5):
        trainer.advance(step)
        drawn = [task.draws.count(step) for task in tasks]
        assert sorted(drawn) == [0, 4, 4, 4]
        chosen.add(tuple(drawn))
    assert len(chosen) > 1


def test_reptile_with_fewer_tasks_than_m_takes_all_and_says_so():
    tasks = list_tasks(2)
    trainer = reptile(tiny_network(), tasks)
    trainer.advance(0)
    assert [len(task.draws) for task in tasks] == [3, 3]
    assert trainer.settings()["tasks_per_step"] == 2


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_interrupted_inner_update_leaves_theta_meta(error):
    class Breaking(ListTask):
        def training_pair(self, rng, step):
            if len(self.draws) == 4:
                raise error
            return super().training_pair(rng, step)

    network = tiny_network()
    trainer = reptile(network, [Breaking("t", [shifted_pair(1)])], inner_updates=3)
    trainer.advance(0)
    before, outer = cpu_weights(network), copy.deepcopy(trainer.state())
    with pytest.raises(error):
        trainer.advance(1)
    assert equal_weights(cpu_weights(network), before)
    assert str(trainer.state()) == str(outer)


def test_reptile_refuses_another_outer_optimiser():
    with pytest.raises(InputError, match="'rmsprop'"):
        reptile(tiny_network(), list_tasks(1), outer_optimiser="rmsprop")


class NoStep:
    """Optimisation step that does nothing."""

    device = CPU

    def __call__(self, network, optimiser, moving, fixed, truth_px=None):
        assert moving.shape == fixed.shape


def test_pretraining_mixes_all_tasks_with_equal_chances():
    tasks = list_tasks(3)
    trainer = Pretraining(tiny_network(), tasks, NoStep(), steps=300)
    for step in range(300):
        trainer.advance(step)
    assert all(70 <= len(task.draws) <= 130 for task in tasks)


def test_pretraining_decays_along_a_half_cosine():
    trainer = Pretraining(tiny_network(), list_tasks(1), STEP, steps=10, learning_rate=0.01, decay=True)
    rates = []
    for step in range(10):
        trainer.advance(step)
        rates.append(trainer.state()["optimiser"]["param_groups"][0]["lr"])
    assert rates == pytest.approx([0.005 * (1 + math.cos(math.pi * step / 10)) for step in range(10)])


def test_fine_tuning_visits_each_pair_once_an_epoch(pair_task):
    seen = []

    class Recording(PairTask):
        def pair(self, index):
            seen.append(index)
            return super().pair(index)

    task = Recording("pairs", pair_task.pairs, [], PREPROCESSING)
    trainer = FineTuning(tiny_network(), task, STEP, epochs=4, batch=2)
    assert (trainer.steps_per_epoch, trainer.total_steps) == (3, 12)
    for step in range(12):
        trainer.advance(step)
    epochs = [tuple(seen[start : start + 5]) for start in range(0, 20, 5)]
    assert len(seen) == 20 and all(sorted(epoch) == [0, 1, 2, 3, 4] for epoch in epochs)
    assert len(set(epochs)) > 1


def make(name, pair_task, seed):
    if name == "pretrain":
        return Pretraining(tiny_network(), list_tasks(), STEP, steps=6, seed=seed)
    if name == "metatrain":
        return reptile(tiny_network(), list_tasks(), seed=seed, tasks_per_step=2)
    return FineTuning(tiny_network(), pair_task, STEP, epochs=2, seed=seed)


@pytest.mark.parametrize("name", ["pretrain", "metatrain", "finetune"])
def test_a_seed_repeats_the_weights_bit_for_bit_and_another_does_not(name, pair_task):
    first, again, other = (trained(make(name, pair_task, seed), 4) for seed in (3, 3, 4))
    assert equal_weights(first, again)
    assert not equal_weights(first, other)
    assert all(torch.isfinite(value).all() for value in first.values())


@pytest.mark.parametrize("name", ["pretrain", "metatrain", "finetune"])
def test_state_is_plain_and_continues_exactly(name, pair_task, tmp_path):
    whole = make(name, pair_task, 1)
    trained(whole, 3)
    weights = cpu_weights(whole.network)
    torch.save(whole.state(), tmp_path / "state.pt")
    whole.advance(3)
    resumed = make(name, pair_task, 1)
    resumed.network.load_state_dict(weights)
    resumed.restore(torch.load(tmp_path / "state.pt", weights_only=True))
    resumed.advance(3)
    assert equal_weights(cpu_weights(whole.network), cpu_weights(resumed.network))
