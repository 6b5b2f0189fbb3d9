"""Visits with pixels of unlike sizes: the texture of the same scan is the same, and densities are not compared."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from test_visit_measures import MM, SIDE, entry, eye

from MetaRegistrationLib.core.geometry import Geometry
from MetaRegistrationLib.formats.images import Image
from MetaRegistrationLib.visits.change_files import series_change
from MetaRegistrationLib.visits.changes import Verdict
from MetaRegistrationLib.visits.measures import Grid
from MetaRegistrationLib.visits.own_pixels import own_pixels
from MetaRegistrationLib.visits.series import Series
from MetaRegistrationLib.visits.series_measures import grid_of, measure_series
from MetaRegistrationLib.visits.unlike_pixels import TEXTURE_MEASURES
from MetaRegistrationLib.workflows.visit_messages import report_scale, report_series

DATES = ("2021-01-01", "2022-01-01", "2023-01-01")


def on_pixels_of(one, size):
    """A visit on its pixels, doubled to `size` (0.5) of them or as it is (1)."""
    if size == 1:
        return one
    array = np.kron(one.visit.image.array, np.ones((2, 2), np.float32))
    geometry = Geometry(array.shape, spacing=(MM / 2, MM / 2), spacing_known=True)
    image = Image(array, geometry, mask=np.ones(array.shape, bool))
    return replace(one, visit=replace(one.visit, image=image), positions=2 * one.positions + 0.5)


@cache
def series_of(*sizes):
    """Repeat scans of one eye, the first of them the reference."""
    return Series(
        0,
        "chosen",
        [
            on_pixels_of(entry(f"v{number}", eye(noise=number), DATES[number]), size)
            for number, size in enumerate(sizes)
        ],
        [5.0] * len(sizes),
    )


@cache
def measured_of(*sizes):
    return measure_series(series_of(*sizes), Grid((160, 160), (MM, MM)))


def verdicts(found, measure):
    return {row.verdict for row in found.changes if row.measure == measure}


def test_the_same_scan_on_half_pixels_has_the_same_measures():
    plain, doubled = (
        {(row.visit, row.region, row.measure): row.value for row in measured_of(*sizes).rows}
        for sizes in ((1, 1), (1, 0.5))
    )
    for measure in (*TEXTURE_MEASURES, "large_vessel_density", "vessel_length_density"):
        key = "v1", "whole", measure
        assert doubled[key] == pytest.approx(plain[key], rel=0.005, abs=0.01)


@pytest.mark.parametrize("finer", [1.0, 1.2, 1.375, 2.0, 2.6])
def test_averaged_pixels_lie_where_they_were(finer):
    rows, columns = np.indices((round(60 * finer), round(80 * finer)))
    ramp = (3 * (rows + 0.5) - 2 * (columns + 0.5)) / finer
    one = entry("fine", ramp.astype(np.float32))
    places = (np.stack(np.indices((60, 80)), axis=-1) + 0.5) * finer - 0.5
    own = own_pixels(replace(one, positions=places.astype(np.float32)), 1.0)
    inside = np.s_[5:-5, 5:-5]
    wanted = 3 * (np.arange(60)[:, None] + 0.5) - 2 * (np.arange(80) + 0.5)
    np.testing.assert_allclose(own.on_reference([own.array])[0][inside], wanted[inside], atol=0.05)
    assert own.pixel_mm == pytest.approx(MM * len(ramp) / len(own.array), rel=0.05)
    assert own.reference_mm == pytest.approx(MM * finer) and own.on_reference([own.valid])[0][inside].all()


def test_densities_of_unlike_pixels_are_not_compared():
    found = measured_of(1, 0.5)
    for measure in TEXTURE_MEASURES:
        assert verdicts(found, measure) == {Verdict.NOT_COMPARABLE}
    for measure in ("large_vessel_density", "vessel_length_density", "faz_area"):
        assert Verdict.NOT_COMPARABLE not in verdicts(found, measure)
    assert any("Different pixel sizes" in note and "v1 0.50" in note for note in found.notes)
    assert found.between(*found.occasions) == found.changes
    plain = measured_of(1, 1)
    assert Verdict.NOT_COMPARABLE not in {row.verdict for row in plain.changes}
    assert plain.notes == []


def test_no_trend_is_drawn_through_unlike_pixels():
    assert {row.measure for row in measured_of(1, 1, 1).trends} >= {"capillary_density", "faz_area"}
    found = measured_of(1, 1, 0.5)
    assert {row.measure for row in found.trends} & {*TEXTURE_MEASURES, "faz_area"} == {"faz_area"}
    same, other = ({row.verdict for row in found.changes if row.later == name} for name in ("v1", "v2"))
    assert Verdict.NOT_COMPARABLE in other and Verdict.NOT_COMPARABLE not in same


def test_a_finer_reference_is_averaged_too():
    fine, coarse = (entry(f"v{number}", eye(noise=number), DATES[number]) for number in (0, 1))
    fine = on_pixels_of(fine, 0.5)
    places = np.stack(np.indices((2 * SIDE, 2 * SIDE)), axis=-1).astype(np.float32)
    entries = [replace(fine, positions=places), replace(coarse, positions=(places + 0.5) / 2 - 0.5)]
    grid = Grid((320.5, 320.5), (MM / 2, MM / 2))
    found = measure_series(Series(0, "chosen", entries, [5.0, 5.0]), grid)
    plain = {(row.visit, row.measure): row.value for row in measured_of(1, 1).rows if row.region == "whole"}
    for row in found.rows:
        if row.region == "whole" and row.measure in ("capillary_density", "vessel_density"):
            assert row.value == pytest.approx(plain[row.visit, row.measure], rel=0.02)


def test_a_pixel_size_of_another_visit_than_the_reference_is_told():
    plain = series_of(1, 1)
    image = plain.visits[0].visit.image
    unknown = replace(image, geometry=Geometry(image.array.shape))
    first = replace(plain.visits[0], visit=replace(plain.visits[0].visit, image=unknown))
    series = replace(plain, visits=[first, plain.visits[1]])
    found = measure_series(series, grid_of(series, (160, 160)))
    assert found.notes == [series.size_note] and "v0, the reference, has no pixel size, but v1 has" in series.size_note
    assert all(np.isnan(row.value) for row in found.rows if row.unit in ("mm", "mm2", "mm/mm2"))
    messages = []
    report_scale(series, "spacing_um", messages.append)
    report_scale(plain, "spacing_um", messages.append)
    assert [message.level for message in messages] == ["warning"] and "pixel spacing" in messages[0].text
    assert plain.size_note == replace(plain, visits=[first, first]).size_note == ""


def test_messages_and_the_change_map_tell_it():
    for sizes, told in (((1, 0.5), True), ((1, 1), False)):
        messages = []
        report_series(series_of(*sizes), messages.append)
        assert any("Different pixel sizes" in message.text for message in messages) is told
        doubts = series_change(series_of(*sizes)).doubts
        assert any("Different pixel sizes" in doubt and "bias" in doubt for doubt in doubts) is told
