"""Registering once for all tests: what comes is what a registration gives, and what differs is registered anew."""

from __future__ import annotations

import numpy as np
import pytest
from registered_once import registered_once

from MetaRegistrationLib.checkpoints import load_checkpoint
from MetaRegistrationLib.core.geometry import Geometry
from MetaRegistrationLib.formats.images import Image
from MetaRegistrationLib.registration.registrar import Registrar
from MetaRegistrationLib.resources import default_checkpoint
from MetaRegistrationLib.stages import Stages


def registrar(**stages) -> Registrar:
    return Registrar(load_checkpoint(default_checkpoint()), "cpu", Stages(**{"initial": "none", "refine": 0} | stages))


@pytest.fixture
def images():
    noise = np.random.default_rng(0).random((2, 96, 96)).astype(np.float32)
    return [Image(array, Geometry(array.shape)) for array in noise]


def test_the_second_result_is_that_of_a_registration(images):
    with registered_once() as count:
        first, again = registrar()(*images), registrar()(*images)
        assert count() == 1
    plain = registrar()(*images)
    for found in (first, again):
        assert np.array_equal(found.moving_positions(), plain.moving_positions()) and found.ncc == plain.ncc
    assert again.moving is images[0]


def test_what_differs_is_registered(images):
    with registered_once() as count:
        registrar()(*images)
        registrar()(*images[::-1])
        registrar(refine=1)(*images)
        assert count() == 3
        changed = load_checkpoint(default_checkpoint())
        first = next(iter(changed.weights))
        changed.weights[first] = changed.weights[first] + 1e-3
        Registrar(changed, "cpu", Stages("none", refine=0))(*images)
        assert count() == 4


def test_a_result_that_is_changed_harms_no_later_one(images):
    with registered_once():
        found = registrar()(*images)
        kept = found.moving_positions().copy()
        found.displacement_px[...] = 7
        assert np.array_equal(registrar()(*images).moving_positions(), kept)
