"""The larger vessels of a scan are those of its tissue, whatever is missing of its frame."""

import numpy as np
import pytest
from drawn_eyes import drawn_eye

from MetaRegistrationLib.core.geometry import Geometry
from MetaRegistrationLib.eye_length import EyeLength
from MetaRegistrationLib.formats.images import Image
from MetaRegistrationLib.octa.capillaries import FEATURES, bare_places, parts, texture_around
from MetaRegistrationLib.visits.common_levels import _alike as alike_visits
from MetaRegistrationLib.visits.measured import measured_together
from MetaRegistrationLib.visits.measures import Grid, measure_visits
from MetaRegistrationLib.visits.series import AlignedVisit, Visit

SIDE = 240
MM = 6 / SIDE


@pytest.fixture(scope="module")
def scan():
    eye = 255 * drawn_eye(4, SIDE)
    return np.clip(eye + np.random.default_rng(0).normal(0, 10, eye.shape), 0, 255).astype(np.float32)


@pytest.fixture(scope="module")
def larger(scan):
    return parts(scan, np.ones(scan.shape, bool), MM).large


INNER = np.s_[10:-10, 100:-10]
"""Pixels that whole and incomplete scans show, away from the border."""


def test_a_scan_with_a_black_border_has_no_more_vessels(scan, larger):
    tissue = np.ones(scan.shape, bool)
    tissue[:, :80] = False
    found = parts(np.where(tissue, scan, 0), tissue, MM).large
    assert not found[:, :80].any()
    assert found[INNER].mean() == pytest.approx(larger[INNER].mean(), rel=0.06)


def test_a_crop_is_filtered_as_wide_as_the_whole(scan, larger):
    crop = scan[:, 80:]
    found = parts(crop, np.ones(crop.shape, bool), MM).large
    assert np.corrcoef(found[:, 20:].ravel(), larger[:, 100:].ravel())[0, 1] > 0.95


def as_visit(name, array):
    image = Image(array, Geometry(array.shape, spacing=(MM, MM), spacing_known=True), mask=np.ones(array.shape, bool))
    places = np.stack(np.indices(array.shape), axis=-1).astype(np.float32)
    return AlignedVisit(Visit(name, image), places, "", 1.0, 0.9, "refine")


def large_density(arrays, where):
    """Density of larger vessels of each of several visits in an area, percent."""
    visits = measured_together([as_visit(str(number), array) for number, array in enumerate(arrays)])
    return [100 * visit.large[where].mean() for visit in visits]


LOST = np.s_[20:120, 20:110]
REST = np.s_[:, 130:]


@pytest.fixture(scope="module")
def later(scan):
    """The same eye without any vessel in 16 % of the frame, with noise of its own."""
    noise = np.random.default_rng(1).normal(0, 10, scan.shape)
    image = 255 * drawn_eye(4, SIDE)
    image[LOST] = 20
    return np.clip(image + noise, 0, 255).astype(np.float32)


def test_a_loss_of_vessels_in_a_part_of_the_frame_is_a_loss_in_the_whole_and_no_gain_elsewhere(scan, later):
    repeat = np.clip(scan + np.random.default_rng(2).normal(0, 3, scan.shape), 0, 255).astype(np.float32)
    first, again, lost = large_density([scan, repeat, later], np.s_[:])
    assert again / first == pytest.approx(1, abs=0.03)
    assert 0.72 < lost / first < 0.92
    rest = large_density([scan, later], REST)
    assert rest[1] / rest[0] == pytest.approx(1, abs=0.06)


def test_exposure_and_contrast_change_no_larger_vessels(scan):
    first, dim, steep = large_density([scan, 0.5 * scan + 20, 255 * (scan / 255) ** 1.4], np.s_[:])
    assert dim == pytest.approx(first, rel=0.02) and steep == pytest.approx(first, rel=0.06)


def test_a_visit_of_another_eye_or_with_dark_vessels_changes_no_other_visit(scan, later):
    alone = large_density([scan, later], np.s_[:])
    another = (255 * drawn_eye(9, SIDE)).astype(np.float32)
    assert large_density([scan, later, another], np.s_[:])[:2] == pytest.approx(alone)
    assert large_density([255 - scan, scan, later], np.s_[:])[1:] == pytest.approx(alone)


def test_a_region_that_lost_the_capillaries_of_a_part_has_fewer(scan):
    lost = scan.copy()
    lost[LOST] = 20 + 0.1 * (scan[LOST] - scan[LOST].mean())
    visits = measured_together([as_visit("a", scan), as_visit("b", lost)])
    half = np.zeros(scan.shape, bool)
    half[20:120, 20:200] = True
    found = measure_visits(visits, Grid((120, 120), (MM, MM), own={"half": half}))
    density = {(row.visit, row.region): row.value for row in found if row.measure == "capillary_density"}
    assert 0.4 < density["b", "half"] / density["a", "half"] < 0.86
    assert 0.75 < density["b", "whole"] / density["a", "whole"] < 0.97


def places(*values: float) -> np.ndarray:
    return np.array([*values, 1.0, np.inf])


def test_a_place_that_is_bare_in_one_scan_is_so_in_another_that_has_a_little_left():
    """More noise in an old lesion is no gain of capillaries; more than twice as much texture is."""
    found = bare_places([places(left, 0.15) for left in (0.05, 0.15, 0.25)])
    assert [one[:2].tolist() for one in found] == [[True, False], [True, False], [False, False]]
    assert not any(one[2:].any() for one in found)
    assert not bare_places([places(0.15)])[0].any(), "alone, it has some"


def test_a_scan_that_is_bare_nearly_everywhere_is_compared_with_the_others():
    """Its own texture is noise. Of a scan, the tenth with most texture is the full one: a quarter may be left."""
    full, lost, quarter = np.full(100, 0.05), np.full(100, 0.002), np.where(np.arange(100) < 25, 0.05, 0.002)
    assert [one.mean() for one in bare_places([full, lost])] == [0, 1]
    assert bare_places([quarter])[0].mean() == 0.75
    assert [one.mean() for one in bare_places([np.full(3, np.inf), np.full(3, np.inf)])] == [0, 0]


def test_a_place_is_judged_with_what_is_around_it():
    """A gap of 8 px among capillaries is not bare; the middle of one of 40 px is."""
    for side, least, most in ((8, 0.4, 1.0), (40, 0.0, 0.01)):
        fine, where = np.ones((100, 100)), np.ones((100, 100), bool)
        fine[50 - side // 2 : 50 + side // 2, 50 - side // 2 : 50 + side // 2] = 0
        assert least <= texture_around(fine, where, 1.0)[50, 50] < most


def test_the_density_of_capillaries_does_not_depend_on_the_axial_length(scan):
    """Its texture is that of the device's pixels, and so are bare places."""
    lost = scan.copy()
    lost[LOST] = 20
    visits = measured_together([as_visit("a", scan), as_visit("b", lost)])
    length = EyeLength(32.0)
    grids = Grid((120, 120), (MM, MM)), Grid((120, 120), (MM * length.scale,) * 2, eye_length=length)
    one, other = (
        [
            row.value
            for row in measure_visits(visits, grid)
            if (row.region, row.measure) == ("whole", "capillary_density")
        ]
        for grid in grids
    )
    assert one == pytest.approx(other, rel=1e-6)


def test_of_visits_that_agree_in_part_the_first_with_most_of_them_decides():
    """The second agrees with both others, which do not agree with each other."""
    rng = np.random.default_rng(6)
    first, third = rng.random((2, SIDE, SIDE)) < 0.1
    visits = [first, first | third, third]
    assert alike_visits(visits, np.ones((SIDE, SIDE), bool)) == [True, True, False]


@pytest.mark.parametrize("share", [0.5, 0.9])
def test_a_larger_loss_is_not_read_as_a_smaller_one(scan, share):
    lost, rng = scan.copy(), np.random.default_rng(3)
    gone = lost[: round(share * SIDE)]
    gone[:] = 20 + rng.normal(0, 2, gone.shape)
    rows = measure_visits(measured_together([as_visit("a", scan), as_visit("b", lost)]), Grid((120, 120), (MM, MM)))
    found = {row.visit: row.value for row in rows if (row.region, row.measure) == ("whole", "capillary_density")}
    assert found["b"] / found["a"] == pytest.approx(1 - share, abs=0.2)


def test_the_texture_of_bare_places_is_one_of_the_features(scan):
    (visit,) = measured_together([as_visit("0", scan)])
    assert np.array_equal(visit.fine_texture(), visit.features()[FEATURES.index("band1")])
