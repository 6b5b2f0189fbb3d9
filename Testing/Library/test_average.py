"""The average of visits, pixel by pixel, against values computed by hand."""

from dataclasses import replace

import numpy as np
import pytest

from MetaRegistrationLib.core.geometry import Geometry
from MetaRegistrationLib.formats.images import Image
from MetaRegistrationLib.visits import AlignedVisit, Series, Visit, average

SIDE = 64
GRID = np.stack(np.meshgrid(np.arange(SIDE), np.arange(SIDE), indexing="ij"), -1).astype(np.float32)
EYE = np.random.default_rng(3).uniform(60, 160, (SIDE, SIDE)).astype(np.float32)
SPOT = np.s_[30:33, 30:33]  # so small that the quartiles of an image, to which grey levels are matched, hardly change


def series_with(*added, offset=0.0):
    """Visits that show one eye, each with something added to the grey levels of the spot."""
    entries = []
    for number, value in enumerate(added):
        array = EYE + np.float32(offset * number)
        array[SPOT] = 110 + value + offset * number
        visit = Visit(f"visit_{number}", Image(array, Geometry(array.shape)))
        entries.append(AlignedVisit(visit, GRID, "", 1.0, 0.7, "refine"))
    return Series(0, "chosen", entries, [5.0] * len(entries), {})


@pytest.mark.parametrize(
    ("added", "expected"),
    [
        ((0, 20), 10),  # the mean
        ((0, 20, 90), 20),  # the median
        ((0, 20, 30, 90), 25),  # the lowest and the highest value are left out
        ((-90, 0, 20, 30, 90), 50 / 3),
        ((90, 0, 20, 30, -90, 50), 25),
    ],
)
def test_one_outlier_has_no_effect_from_three_visits_on(added, expected):
    found = average(series_with(*added))
    assert found.image[SPOT] == pytest.approx(np.full((3, 3), 110 + expected), abs=1.5)
    assert (found.count == len(added)).all()


def test_grey_levels_of_other_visits_are_matched_to_those_of_the_reference():
    found = average(series_with(0, 0, offset=40.0))
    assert found.image == pytest.approx(average(series_with(0, 0)).image, abs=1e-3)


def test_where_the_reference_is_left_out_the_grey_levels_are_those_of_the_best_visit():
    series = series_with(0, 0, 0, offset=40.0)
    left_out = replace(series, qualities=[9.0, 3.0, 7.0], excluded={"visit_0": "low signal quality"})
    assert average(left_out).image == pytest.approx(average(series_with(0)).image + 80, abs=1e-3)
