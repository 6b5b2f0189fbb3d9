"""Changes of density over a large part of an image are found by the density itself. Small and even differences are not."""

import numpy as np
import pytest
from scipy import ndimage
from test_change import repeated

from MetaRegistrationLib.formats.images import read_image
from MetaRegistrationLib.octa.vessels import vessel_mask
from MetaRegistrationLib.visits.change import ClusterLimits, change_map, limits_of
from MetaRegistrationLib.visits.wide_change import LEAST_MM2, wide_clusters, wide_difference

SIZE, MM = 320, 6 / 320
ROWS, COLUMNS = np.mgrid[:SIZE, :SIZE]
EVERYWHERE = np.ones((SIZE, SIZE), bool)
LEFT = COLUMNS < 128  # 2.4 of 6 mm


def found(difference, known=EVERYWHERE):
    """Pixels of wide decreases and increases of a known difference, percentage points."""
    wide = wide_difference(difference.astype(np.float32), known, 1.0)
    return wide_clusters(-wide, 1.0)[0], wide_clusters(wide, 1.0)[0]


def test_a_loss_over_a_large_part_is_found_where_it_is():
    noise = ndimage.gaussian_filter(np.random.default_rng(1).normal(0, 30, LEFT.shape), 3)
    lost, gained = found(noise - 14 * LEFT)
    assert lost[LEFT].mean() > 0.85 and lost[COLUMNS > 150].mean() == 0 and not gained.any()
    back, again = found(14 * LEFT - noise)
    assert not back.any() and np.array_equal(again, lost)


@pytest.mark.parametrize(
    "difference",
    [
        pytest.param(-9.0 * EVERYWHERE, id="even and small"),
        pytest.param(-30.0 * (np.hypot(ROWS - 160, COLUMNS - 160) < 30), id="large in a small place"),
        pytest.param(9 * np.cos(np.pi * COLUMNS / SIZE), id="slow, as of unlike quality"),
    ],
)
def test_what_unlike_scans_show_is_no_wide_change(difference):
    lost, gained = found(difference)
    assert not lost.any() and not gained.any()


def test_a_loss_of_the_whole_image_is_found():
    assert found(-12.0 * EVERYWHERE)[0].all()


def test_unknown_pixels_are_neither_counted_nor_marked():
    known = COLUMNS >= 64
    lost, _ = found(np.where(known, -14.0 * LEFT, 1000), known)
    assert not lost[~known].any() and lost[LEFT & known].mean() > 0.6


def test_the_largest_core_is_measured_in_millimetres():
    difference = -20.0 * LEFT
    wide = wide_difference(difference, EVERYWHERE, 1.0)
    assert wide_clusters(-wide, 1.0)[1] == pytest.approx(2.4 * 6, rel=0.02) and wide_clusters(wide, 1.0)[1] == 0
    finer = wide_difference(np.kron(difference, np.ones((2, 2))), np.ones((640, 640), bool), 2.0)
    assert wide_clusters(-finer, 2.0)[1] == pytest.approx(2.4 * 6, rel=0.02)


def scan(eye, seed):
    """A scan of an eye with speckle and noise of its own, grey levels."""
    rng = np.random.default_rng(seed)
    speckle = 1 + 0.24 * ndimage.gaussian_filter(rng.normal(size=eye.shape), 0.7)
    return np.clip(eye * speckle + rng.normal(0, 6, eye.shape), 0, 255).astype(np.float32)


def test_lost_capillaries_that_leave_noise_are_marked_and_repeat_scans_are_not(data_root):
    eye = read_image(data_root / "octa_scp_repeat_visits" / "images" / "rossa_0091.png").array
    gone = LEFT & ~ndimage.binary_dilation(vessel_mask(eye), iterations=2)
    ground = np.percentile(eye, 10) + np.random.default_rng(5).normal(0, 8, eye.shape)
    share = ndimage.gaussian_filter(gone.astype(np.float32), 1.5)
    before, later, lost = scan(eye, 1), scan(eye, 2), scan(eye * (1 - share) + ground * share, 2)
    unchanged = change_map(before, later, EVERYWHERE, pixel_mm=MM)
    assert not (unchanged.lost | unchanged.gained).any()
    change = change_map(before, lost, EVERYWHERE, pixel_mm=MM)
    assert change.lost[LEFT & change.known].mean() > 0.6 and change.lost[COLUMNS > 160].mean() < 0.02
    assert not change.gained.any() and change.largest_wide_mm2 > LEAST_MM2


def test_repeat_scans_of_the_user_only_widen_the_limit():
    assert ClusterLimits().wide_mm2 == LEAST_MM2
    for area, pairs, expected in ((0.1, 9, LEAST_MM2), (7.5, 9, 7.5), (7.5, 1, 7.5)):
        assert limits_of([repeated(wide_mm2=area)] * pairs, "mine").wide_mm2 == expected
