"""Landmark distance, correlation and folding, beside NumPy and closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from MetaRegistrationLib.core.metrics import (
    folding_percent,
    gradient_magnitude,
    landmark_distances,
    normalised_cross_correlation,
)

RNG = np.random.default_rng(1)
FIRST, SECOND = RNG.random((30, 40)), RNG.random((30, 40))


def test_landmark_distances():
    points, targets = [(0, 0), (1, 1), (-3, 2)], [(3, 4), (1, 1), (-3, 4.5)]
    np.testing.assert_allclose(landmark_distances(points, targets), [5, 0, 2.5])
    assert landmark_distances(np.zeros((0, 2)), np.zeros((0, 2))).shape == (0,)


def test_landmark_distances_need_counterparts():
    with pytest.raises(ValueError, match=r"landmark_distances: .*\(3, 2\) and \(2, 2\)"):
        landmark_distances(np.zeros((3, 2)), np.zeros((2, 2)))


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_correlation_is_pearsons(share):
    second = share * FIRST + (1 - share) * SECOND
    expected = np.corrcoef(FIRST.ravel(), second.ravel())[0, 1]
    assert normalised_cross_correlation(FIRST, second) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(("gain", "expected"), [(3.0, 1.0), (-0.5, -1.0)])
def test_correlation_does_not_see_gain_and_offset(gain, expected):
    assert normalised_cross_correlation(FIRST, gain * FIRST + 7) == pytest.approx(expected)


def test_correlation_over_a_region():
    where = FIRST > 0.5
    expected = np.corrcoef(FIRST[where], SECOND[where])[0, 1]
    assert normalised_cross_correlation(FIRST, SECOND, where) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("value", [0.0, 0.1, 0.3, 1 / 3, 0.7, 255.0])
def test_correlation_with_a_constant_is_undefined(value):
    constant = np.full((7, 9), value)
    assert np.isnan(normalised_cross_correlation(constant, FIRST[:7, :9]))
    assert np.isnan(normalised_cross_correlation(FIRST[:7, :9], constant))
    assert np.isnan(normalised_cross_correlation(constant, np.full((7, 9), 0.2)))


@pytest.mark.parametrize("count", [0, 1])
def test_correlation_of_too_few_pixels_is_undefined(count):
    where = np.zeros(FIRST.shape, dtype=bool)
    where.flat[:count] = True
    assert np.isnan(normalised_cross_correlation(FIRST, SECOND, where))


def test_correlation_refuses_two_shapes():
    with pytest.raises(ValueError, match=r"normalised_cross_correlation: .*\(30, 40\) and \(40, 30\)"):
        normalised_cross_correlation(FIRST, FIRST.T)


@pytest.mark.parametrize(
    ("slope", "folded_columns", "percent"), [(-2.0, 5, 50.0), (-2.0, 10, 100.0), (-1.0, 10, 100.0), (-0.9, 10, 0.0)]
)
def test_folding_is_the_share_of_folded_pixels(slope, folded_columns, percent):
    """Of the 10 differences along the columns, the first ones have a slope that folds."""
    steps = np.where(np.arange(10) < folded_columns, slope, 0.0)
    field = np.zeros((2, 8, 11))
    field[1] = np.concatenate([[0], np.cumsum(steps)])
    assert folding_percent(field) == pytest.approx(percent)
    assert folding_percent(field.astype(np.float32)) == pytest.approx(percent)


@pytest.mark.parametrize(
    ("matrix", "expected"),
    [(((0, 0), (0, 0)), 0), (((3, 0), (0, 4)), 5), (((1, -1), (1, 1)), 2), (((0, 2), (0, 0)), 2)],
)
def test_gradient_magnitude_of_linear_fields(matrix, expected):
    field = np.einsum("cd,dhw->chw", np.asarray(matrix, dtype=float), np.indices((9, 7))) + 3
    assert gradient_magnitude(field) == pytest.approx(expected)
