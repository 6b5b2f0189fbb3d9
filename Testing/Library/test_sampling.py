"""Many maps at the same positions: as SciPy's interpolation of each of them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from MetaRegistrationLib.visits import sampling
from MetaRegistrationLib.visits.sampling import sampled


@pytest.mark.parametrize("shape", [(40, 57), (2, 9), (1, 5)])
def test_as_scipy_inside_at_the_pixels_and_beyond_the_border(shape, monkeypatch):
    """Blocks of rows make no difference."""
    monkeypatch.setattr(sampling, "_ROWS", 7)
    random = np.random.default_rng(0)
    maps = random.normal(size=(3, *shape))
    positions = random.uniform(-3, np.array(shape) + 3, (23, 31, 2)).astype(np.float32)
    positions[0, :9] = np.round(positions[0, :9])
    positions[1, 0] = np.array(shape) - 1
    expected = [ndimage.map_coordinates(each, np.moveaxis(positions, -1, 0), order=1, mode="nearest") for each in maps]
    np.testing.assert_allclose(sampled(maps, positions), expected, atol=2e-6)


def test_a_mask_is_interpolated_as_a_share():
    """A pixel half of which is in the mask has 0.5."""
    mask = np.zeros((4, 4), bool)
    mask[:, 2:] = True
    positions = np.array([[[1.0, 1.5], [1.0, 2.0], [0.0, -5.0]]])
    np.testing.assert_array_equal(sampled([mask], positions)[0], [[0.5, 1.0, 0.0]])
