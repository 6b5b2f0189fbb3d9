"""The predicted error on the pixels of the fixed image."""

from types import SimpleNamespace

import numpy as np
from known_stages import known_map

from MetaRegistrationLib.core.geometry import Geometry
from MetaRegistrationLib.registration.predicted_error import error_image


def registration(tissue=None, error=None):
    """Of a fixed image of 40 x 60 pixels that fills the middle of a network grid of 120, two of its pixels to one."""
    return SimpleNamespace(
        fixed=SimpleNamespace(geometry=Geometry((40, 60))),
        fixed_grid=SimpleNamespace(offset=(-10.0, 0.0), scale=(0.5, 0.5)),
        tissue_fixed=tissue,
        error=error,
    )


def test_the_error_is_known_within_the_tissue_alone():
    tissue = np.zeros((40, 60), bool)
    tissue[5:30, 10:50] = True
    error = known_map(0.5, 120)
    for bound, expected in ((False, error.mean_px[0, 0]), (True, error.bound_px[0, 0])):
        found = error_image(registration(tissue, error), bound=bound)
        assert found.dtype == np.float32 and np.array_equal(np.isfinite(found), tissue)
        np.testing.assert_allclose(found[tissue], expected, rtol=1e-6)


def test_without_a_mask_it_is_known_everywhere_and_without_a_prediction_nowhere():
    assert np.isfinite(error_image(registration(error=known_map(0.5, 120)))).all()
    assert np.isnan(error_image(registration())).all()
