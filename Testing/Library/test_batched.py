"""Several pairs at once in one process: the networks see all their images, and the fields are those of single pairs."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

import MetaRegistrationLib as mr  # noqa: N813
from MetaRegistrationLib.errors import InputError
from MetaRegistrationLib.pairs.folders import find_pairs
from MetaRegistrationLib.resources import sample_pairs
from MetaRegistrationLib.workflows import batched, pair_work
from MetaRegistrationLib.workflows.batched import Together
from MetaRegistrationLib.workflows.pair_work import PairWork, WorkSettings
from MetaRegistrationLib.workflows.registrars import RegistrarOptions


def doubled(moving, fixed):
    """A network whose field is twice the mean of the moving image."""
    if (moving < 0).any():
        raise InputError("a negative image")
    return 2 * moving.mean(dim=(1, 2, 3), keepdim=True).expand(-1, 2, 4, 4)


def image(value):
    return torch.full((1, 1, 4, 4), float(value))


def in_threads(together, works):
    """Run functions, each as a member, all beginning at once."""
    start = threading.Barrier(len(works))

    def member(work):
        with together:
            start.wait()
            return work()

    with ThreadPoolExecutor(len(works)) as pool:
        futures = [pool.submit(member, work) for work in works]
        return [future.exception() or future.result() for future in futures]


def test_calls_of_all_pairs_become_one_batch():
    together = Together(4)
    network = together.of(doubled)
    found = in_threads(together, [lambda value=value: network(image(value), image(0)) for value in range(4)])
    assert together.batches == [4]
    for value, field in enumerate(found):
        assert field.shape == (1, 2, 4, 4) and (field == 2 * value).all()


def test_a_pair_that_asks_for_nothing_holds_up_nobody():
    together = Together(4)
    network = together.of(doubled)
    found = in_threads(together, [lambda: network(image(3), image(0)), lambda: "no network", lambda: "nor here"])
    assert (found[0] == 6).all() and found[1:] == ["no network", "nor here"]


def test_pairs_that_ask_for_different_networks_do_not_wait_for_one_another():
    together = Together(4)
    first, second = together.of(doubled), together.of(lambda moving, fixed: 5 + doubled(moving, fixed))
    found = in_threads(together, [lambda: first(image(1), image(0)), lambda: second(image(1), image(0))])
    assert (found[0] == 2).all() and (found[1] == 7).all() and together.batches == [1, 1]


def test_an_error_belongs_to_its_pair():
    together = Together(3)
    network = together.of(doubled)
    found = in_threads(together, [lambda value=value: network(image(value), image(0)) for value in (1, -1, 2)])
    assert isinstance(found[1], InputError) and (found[0] == 2).all() and (found[2] == 4).all()


@pytest.fixture
def fields(monkeypatch):
    """The fields of all pairs that are registered, by name."""
    found, register_pair = {}, pair_work.register_pair

    def kept(registrar, files, pair):
        done = register_pair(registrar, files, pair)
        found[files.name] = done.registration.displacement_px
        return done

    monkeypatch.setattr(pair_work, "register_pair", kept)
    return found


def test_pairs_at_once_have_the_fields_of_single_pairs(fields, monkeypatch):
    """Neither aligned nor refined: a refinement makes up to a tenth of a pixel of the last digit of a network's field."""
    pairs = find_pairs(sample_pairs(), check=False).pairs[:3]
    made = []
    monkeypatch.setattr(batched, "Together", lambda most: made.append(Together(most)) or made[-1])
    work = PairWork.of(WorkSettings(RegistrarOptions(device="cpu", stages=mr.Stages("none", refine=0))))
    single = work.registrar
    done = dict(batched.outcomes(work, pairs, lambda files: None, 2))
    assert sorted(done) == [0, 1, 2] and [done[index].name for index in range(3)] == [pair.name for pair in pairs]
    assert max(made[0].batches) > 1 and work.registrar is single
    together = dict(fields)
    for pair in pairs:
        work(pair, None)
    apart = [np.linalg.norm(together[name] - field, axis=0).max() for name, field in fields.items()]
    assert max(apart) <= 0.02


def test_batches_and_processes_exclude_one_another(tmp_path):
    from MetaRegistrationLib.progress import Silent
    from MetaRegistrationLib.workflows.engines import engine
    from MetaRegistrationLib.workflows.run_options import RunOptions

    with pytest.raises(InputError, match="in one process only"):
        engine(WorkSettings(RegistrarOptions(device="cpu")), RunOptions(jobs=2, batch=4), 10, Silent())
