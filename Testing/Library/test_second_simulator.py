"""The benchmark's own simulator: its landmarks are where the deformation says, and nothing folds."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from MetaRegistrationLib.core.metrics import folding_percent
from MetaRegistrationLib.simulation.deformation import sample_at

_BENCHMARKS = Path(__file__).parents[1] / "Benchmarks"


@pytest.fixture
def simulator(monkeypatch):
    monkeypatch.syspath_prepend(str(_BENCHMARKS))
    import second_simulator

    yield second_simulator
    sys.modules.pop("second_simulator")


def test_landmarks_follow_the_deformation(simulator, monkeypatch):
    vessels = np.zeros((120, 120), dtype=bool)
    vessels[10::20] = vessels[:, 15::20] = True
    field = simulator.displacement(200, np.random.default_rng(1))
    monkeypatch.setattr(simulator, "displacement", lambda size, rng, strength: field)

    found = simulator.repeat(vessels.astype(float), vessels, np.random.default_rng(2), size=200)

    assert len(found.fixed_points) > 10
    np.testing.assert_allclose(
        found.moving_points + sample_at(field, found.moving_points), found.fixed_points, atol=1e-3
    )
    assert found.moving.shape == found.fixed.shape == (200, 200)
    assert found.moving.std() > 0.05 and found.fixed.std() > 0.05


def test_deformations_are_large_and_do_not_fold(simulator):
    fields = [simulator.displacement(400, np.random.default_rng(seed)) for seed in range(3)]

    for field in fields:
        assert 3.9 < np.hypot(*field).mean() < 18.1
        assert folding_percent(field.astype(np.float32)) == 0
