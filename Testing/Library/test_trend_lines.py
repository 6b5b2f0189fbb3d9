"""Lines over time and their 95 % intervals, against the closed form of least squares."""

import numpy as np
import pytest
from scipy import stats

from MetaRegistrationLib.visits.trend_lines import trend_line

YEARS = np.array([0.0, 0.4, 1.1, 2.0, 2.2, 3.9, 5.0])
VALUES = 3 - 0.4 * YEARS + np.array([0.2, -0.3, 0.1, 0.3, -0.2, 0.05, -0.1])


def test_line_and_band_are_those_of_least_squares():
    line = trend_line(YEARS, VALUES)
    design = np.stack([np.ones(7), YEARS], axis=1)
    coefficients, (residual,), *_ = np.linalg.lstsq(design, VALUES)
    covariance = np.linalg.inv(design.T @ design) * residual / 5
    quantile = stats.t.ppf(0.975, 5)
    assert line.slope == pytest.approx(coefficients[1])
    assert line.slope_half == pytest.approx(quantile * covariance[1, 1] ** 0.5)
    at = np.array([0.0, 2.0, 8.0])
    middle, half = line.at(at)
    for year, value, width in zip(at, middle, half, strict=True):
        point = np.array([1.0, year])
        assert value == pytest.approx(point @ coefficients)
        assert width == pytest.approx(quantile * (point @ covariance @ point) ** 0.5)


def test_values_that_are_not_measurable_do_not_count():
    gaps = np.where(np.arange(7) == 3, np.nan, VALUES)
    assert trend_line(YEARS, gaps) == trend_line(np.delete(YEARS, 3), np.delete(VALUES, 3))
    assert trend_line(YEARS[:3], np.array([1.0, np.nan, 2.0])) is None
    assert trend_line(np.ones(4), VALUES[:4]) is None, "all at one time"
