"""Tests of the measures of a pair and of their summary, against values computed by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from known_networks import NETWORK_ALONE, known_checkpoint, texture

from MetaRegistrationLib.core.geometry import Geometry
from MetaRegistrationLib.formats.images import Image
from MetaRegistrationLib.formats.landmarks import Landmarks
from MetaRegistrationLib.registration.measures import PairMeasures, as_row, carry_landmarks, measure, summary
from MetaRegistrationLib.registration.registrar import Registrar


def registered(row=0.0, column=0.0, size=(320, 320), **geometry):
    registrar = Registrar(known_checkpoint("Translation", row=row, column=column), "cpu", NETWORK_ALONE)
    images = [Image(texture(size, seed), Geometry(size=size, **geometry)) for seed in (1, 2)]
    return registrar(*images)


def landmarks(*points):
    return Landmarks(tuple(str(number) for number in range(1, len(points) + 1)), np.array(points, dtype=float))


def test_distances_in_the_frame_in_pixels_and_in_micrometres():
    fixed = landmarks((100, 100), (150, 200), (200, 50))
    moving = Landmarks(fixed.labels, fixed.points + np.array((0, 8)))
    registration = registered(column=10, spacing=(0.009375, 0.009375), spacing_known=True)
    measures = measure("p", registration, carry_landmarks(registration, moving, fixed))
    assert (measures.pair, measures.landmarks, measures.not_converged) == ("p", 3, 0)
    assert measures.distance_before_px == pytest.approx(10)
    assert measures.distance_before_native_px == pytest.approx(8)
    assert measures.distance_before_um == pytest.approx(75)
    for after in (measures.distance_after_px, measures.distance_after_native_px, measures.distance_after_um):
        assert after == pytest.approx(0, abs=0.02)
    assert measures.folding_percent == 0 and measures.gradient_magnitude == 0
    assert -1 <= measures.ncc_before <= 1 and measures.seconds > 0


def test_distances_are_means_over_landmarks():
    fixed = landmarks((100, 100), (150, 200))
    moving = Landmarks(fixed.labels, fixed.points + np.array([(0, 8), (16, 0)]))
    registration = registered(column=10)
    measures = measure("p", registration, carry_landmarks(registration, moving, fixed))
    assert measures.distance_before_px == pytest.approx((10 + 20) / 2)
    assert measures.distance_after_px == pytest.approx((0 + math.hypot(10, 20)) / 2, abs=1e-3)


def test_an_oblong_image_is_measured_on_the_square_frame():
    fixed = landmarks((50, 100))
    moving = Landmarks(fixed.labels, fixed.points + np.array((3, 4)))
    registration = registered(size=(100, 200), spacing=(0.02, 0.01), spacing_known=True)
    measures = measure("p", registration, carry_landmarks(registration, moving, fixed))
    assert measures.distance_after_native_px == pytest.approx(5)
    assert measures.distance_after_px == pytest.approx(math.hypot(3 * 4, 4 * 2))
    assert measures.distance_after_um == pytest.approx(math.hypot(3 * 20, 4 * 10))


def test_distances_of_images_of_two_sizes_are_those_of_the_fixed_one():
    """The same eye on 160 x 160 and on 320 x 320 pixels: the unit is the pixel of the fixed image, and of its network grid."""
    registrar = Registrar(known_checkpoint("Translation", row=0.0, column=0.0), "cpu", NETWORK_ALONE)
    sizes = {"spacing_known": True, "spacing": (0.02, 0.02)}, {"spacing_known": True, "spacing": (0.01, 0.01)}
    moving, fixed = (
        Image(texture((side, side), side), Geometry(size=(side, side), **geometry))
        for side, geometry in zip((160, 320), sizes, strict=True)
    )
    registration = registrar(moving, fixed)
    places = landmarks((100, 100), (150, 200))
    halved = Landmarks(places.labels, (places.points + (8, 0) + 0.5) / 2 - 0.5)  # 8 fixed pixels off
    measures = measure("p", registration, carry_landmarks(registration, halved, places))
    for moment in ("before", "after"):
        found = [getattr(measures, f"distance_{moment}_{unit}") for unit in ("px", "native_px", "um")]
        assert found == pytest.approx([10, 8, 80], abs=0.02)


def test_without_counterparts_or_pixel_size_there_is_no_distance():
    registration = registered()
    points = landmarks((100, 100))
    carried = carry_landmarks(registration, points, None)
    for known in (None, carried):
        measures = measure("p", registration, known)
        assert measures.landmarks == 0
        assert math.isnan(measures.distance_before_px) and math.isnan(measures.distance_after_native_px)
    measures = measure("p", registration, carry_landmarks(registration, points, points))
    assert measures.distance_after_px == 0
    assert math.isnan(measures.distance_before_um) and math.isnan(measures.distance_after_um)


def test_landmarks_without_an_inverse_are_counted():
    registration = registered()
    field = np.zeros((2, 400, 400), dtype=np.float32)
    field[:, :, 200:] = np.nan
    broken = replace(registration, displacement_px=field)
    points = landmarks((100, 50), (100, 300))
    carried = carry_landmarks(broken, points, points)
    assert carried.converged.tolist() == [True, False]
    assert np.isfinite(carried.carried.points).all()
    assert measure("p", broken, carried).not_converged == 1


ROW = PairMeasures(
    pair="a",
    distance_before_px=10.0,
    distance_after_px=4.0,
    ncc_before=0.25,
    ncc_after=0.5,
    folding_percent=0.0,
    seconds=0.5,
    landmarks=3,
    distance_before_native_px=8.0,
    distance_after_native_px=3.0,
    gradient_magnitude=0.1,
)


def test_summary_of_pairs():
    rows = [
        ROW,
        ROW.changed(distance_before_px=4, distance_after_px=5, ncc_after=0.75, folding_percent=3),
        ROW.changed(distance_before_px=1, distance_after_px=1.0005, ncc_after=math.nan),
        ROW.changed(distance_before_px=math.nan, distance_after_px=math.nan, ncc_after=1, seconds=2.5),
    ]
    result = summary(rows)
    assert (result["pairs"], result["pairs_with_landmarks"]) == (4, 3)
    assert result["distance_before_px"] == pytest.approx({"mean": 5, "std": math.sqrt(14), "median": 4})
    assert result["ncc_before"] == {"mean": 0.25, "std": 0, "median": 0.25}
    assert result["ncc_after"]["mean"] == pytest.approx(0.75)
    assert result["folding_percent"] == pytest.approx({"mean": 0.75, "std": math.sqrt(27 / 16), "median": 0})
    assert result["seconds"]["mean"] == 1
    # The third grew by less than the precision of the inverse.
    assert result["made_worse_percent"] == pytest.approx(100 / 3)


def test_summary_without_landmarks():
    result = summary([ROW.changed(distance_before_px=math.nan, distance_after_px=math.nan)])
    assert result["distance_before_px"] is None and result["made_worse_percent"] is None
    assert result["pairs_with_landmarks"] == 0 and result["ncc_after"]["std"] == 0


def test_a_row_of_the_table_has_empty_cells_for_what_is_not_known():
    row = as_row(ROW.changed(distance_after_px=1 / 3, ncc_before=-0.0000012345678))
    assert row["pair"] == "a" and row["landmarks"] == 3
    assert row["distance_before_um"] == "" and row["distance_after_px"] == "0.333333"
    assert float(row["ncc_before"]) == pytest.approx(-1.23457e-6)
