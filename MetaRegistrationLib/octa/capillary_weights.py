"""The linear function that turns features of the texture into the density of capillaries.

`Testing/Benchmarks/density_fit.py` makes these numbers from the split fine_tune of the real repeat scans and single visits
(6 x 6 mm). They are of one device; on another one, compare an eye only with itself.
"""

from __future__ import annotations

FLOOR = 0.01
"""Added to the means of the features before the logarithm."""
INTERCEPT = 3.4702
"""It makes the mean of 52 real eyes the share of pixels over their local mean, which thresholding calls vessel: 15.7 %."""
WEIGHTS = {
    "mean": 0.1117,
    "band0": 2.7878,
    "band1": 0.3172,
    "band2": 0.3060,
    "band3": -0.7253,
    "ridge": 0.1093,
    "fine_ridge": -1.7397,
    "laplacian": 0.1942,
    "blurred_over_0.15": 0.4923,
    "blurred_over_0.3": 0.2548,
    "blurred_over_0.45": -0.8020,
    "blurred_over_0.6": 0.8154,
    "over_0.2": -1.6407,
    "over_0.4": 1.2215,
    "over_0.6": 0.0617,
    "over_0.8": -0.7346,
    "over_local": 0.1665,
    "deviation": -1.1519,
}
"""Weights of the logarithms of the mean features."""
