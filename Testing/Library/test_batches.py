"""Tests of batches, and of drawing them ahead in other processes."""

import os
import re
from functools import partial

import numpy as np
import pytest
import torch
from training_helpers import CPU, equal_weights, list_tasks, tiny_network
from worker_draws import SONG, squares

from MetaRegistrationLib.checkpoints import cpu_weights
from MetaRegistrationLib.core.losses import RegistrationLoss, displacement_error
from MetaRegistrationLib.errors import InputError, TrainingStopped
from MetaRegistrationLib.tasks import TaskPair
from MetaRegistrationLib.training.batches import Batch, Drawn
from MetaRegistrationLib.training.pretrain import Pretraining
from MetaRegistrationLib.training.reptile import Reptile
from MetaRegistrationLib.training.step import OptimisationStep

SUPERVISED = OptimisationStep(RegistrationLoss(supervision_weight=1.0), CPU)


def known_and_unknown():
    rng = np.random.default_rng(3)
    field = rng.normal(size=(2, 16, 16)).astype(np.float32)
    images = rng.random((4, 16, 16), dtype=np.float32)
    return TaskPair(images[0], images[1], displacement_px=field), TaskPair(images[2], images[3])


def test_a_batch_marks_the_displacements_that_are_not_known():
    known, unknown = known_and_unknown()
    batch = Batch.of([known, unknown])
    assert batch.moving.shape == (2, 1, 16, 16) and batch.moving.dtype == torch.float32
    np.testing.assert_array_equal(batch.truth_px[0], known.displacement_px)
    assert batch.truth_px[1].isnan().all()
    assert Batch.of([unknown, unknown]).truth_px is None


def test_an_unknown_displacement_adds_neither_error_nor_gradient():
    known, unknown = known_and_unknown()
    guess = torch.ones(2, 2, 16, 16, requires_grad=True)
    error = displacement_error(guess, Batch.of([known, unknown]).truth_px)
    error.backward()
    assert error.item() == pytest.approx(displacement_error(guess[:1], Batch.of([known]).truth_px).item(), rel=1e-6)
    assert guess.grad[0].abs().sum() > 0 and not guess.grad[1].any()


def test_workers_give_the_draws_of_their_numbers_in_turn():
    drawn = Drawn(squares, (0, 2, 4, 5, 6), workers=2)
    values = [drawn(number) for number in (0, 2, 4)]
    assert [int(value[0]) for value in values] == [0, 4, 16]
    assert all(int(value[1]) != os.getpid() for value in values)
    with pytest.raises(InputError, match=f"^{re.escape(SONG)}$"):
        drawn(5)


@pytest.mark.long
def test_workers_begin_anew_where_a_number_is_out_of_turn():
    drawn = Drawn(squares, range(0, 8, 2), workers=2)
    assert [int(drawn(number)[0]) for number in (0, 2, 4)] == [0, 4, 16]
    assert int(drawn(2)[0]) == 4, "out of turn: begun anew from there"
    assert int(drawn(4)[0]) == 16


def test_threads_give_the_draws_of_their_numbers_in_turn():
    drawn = Drawn(squares, range(0, 8, 2), threads=2)
    assert [int(drawn(number)[0]) for number in (0, 2, 4)] == [0, 4, 16]
    assert int(drawn(2)[0]) == 4, "out of turn: begun anew from there"
    assert [int(drawn(number)[0]) for number in (4, 6)] == [16, 36]


def test_an_error_for_the_user_keeps_its_words():
    drawn = Drawn(squares, range(5, 7), threads=2)
    with pytest.raises(InputError, match=f"^{re.escape(SONG)}$"):
        drawn(5)


def test_what_goes_wrong_in_a_thread_is_told_as_it_is():
    def fail(number):
        raise RuntimeError("out of memory")

    with pytest.raises(RuntimeError, match=r"^out of memory$"):
        Drawn(fail, range(3), threads=2)(0)


@pytest.mark.skipif(os.name == "nt", reason="a worker ends itself by a signal")
def test_a_lost_worker_stops_the_run_with_a_reason():
    drawn = Drawn(squares, range(8, 10), workers=1)
    with pytest.raises(TrainingStopped, match="Give fewer workers"):
        drawn(8)


@pytest.mark.parametrize(
    "trainer",
    [
        pytest.param(partial(Pretraining, steps=4, learning_rate=1e-3, batch=2), marks=pytest.mark.long),
        partial(Reptile, steps=2, tasks_per_step=2, inner_updates=2, inner_learning_rate=1e-3),
    ],
)
def test_workers_change_no_weight(trainer):
    weights = []
    for workers in (0, 1):
        one = trainer(tiny_network(), list_tasks(), step=SUPERVISED, workers=workers)
        for step in range(one.total_steps):
            one.advance(step)
        weights.append(cpu_weights(one.network))
    assert equal_weights(*weights)
