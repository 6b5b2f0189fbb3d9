"""Least-squares lines over time, with 95 % intervals by Student's t."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

LEAST_POINTS = 3


@dataclass(frozen=True)
class TrendLine:
    """A fitted line.

    Attributes
    ----------
    slope : float
        Per year.
    slope_half : float
        Half of its 95 % interval.
    middle : (float, float)
        Mean year and mean value; the line goes through them.
    middle_half : float
        Half of the 95 % interval of the line in the middle.
    """

    slope: float
    slope_half: float
    middle: tuple[float, float]
    middle_half: float

    def at(self, years: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The line, and half of its 95 % interval, at these years."""
        away = np.asarray(years, float) - self.middle[0]
        return self.middle[1] + self.slope * away, np.hypot(self.middle_half, self.slope_half * away)


def trend_line(years: np.ndarray, values: np.ndarray) -> TrendLine | None:
    """The line through the finite values; None with fewer than three of them, or all at one time.

    Parameters
    ----------
    years, values : arrays (N,)
    """
    good = np.isfinite(values)
    years, values = np.asarray(years, float)[good], np.asarray(values, float)[good]
    if len(years) < LEAST_POINTS or not np.ptp(years) > 0:
        return None
    middle = float(years.mean()), float(values.mean())
    # About the mean year the slope and the value in the middle are independent.
    (slope, _), covariance = np.polyfit(years - middle[0], values - middle[1], 1, cov=True)
    slope_half, middle_half = special.stdtrit(len(years) - 2, 0.975) * np.sqrt(np.diag(covariance))
    return TrendLine(float(slope), float(slope_half), middle, float(middle_half))
