"""The linear function that turns features of the texture into the density of capillaries.

`Testing/Benchmarks/density_fit.py` makes these numbers from the split fine_tune of the real repeat scans and single visits
(6 x 6 mm). They are of one device; on another one, compare an eye only with itself.
"""

from __future__ import annotations

FLOOR = 0.01
"""Added to the means of the features before the logarithm."""
INTERCEPT = 3.4341
"""It makes the mean of 44 real scans the share of pixels over their local mean, which thresholding calls vessel: 15.7 %."""
WEIGHTS = {
    "mean": 0.6136,
    "band0": 2.7424,
    "band1": -0.0222,
    "band2": 1.0820,
    "band3": -0.8336,
    "ridge": -0.3635,
    "fine_ridge": -1.1954,
    "laplacian": 0.1914,
    "blurred_over_0.15": 1.4759,
    "blurred_over_0.3": -0.2116,
    "blurred_over_0.45": -0.2544,
    "blurred_over_0.6": 0.4276,
    "over_0.2": -4.7861,
    "over_0.4": 3.8363,
    "over_0.6": -1.9319,
    "over_0.8": 0.1114,
    "over_local": 0.3428,
    "deviation": -2.0149,
}
"""Weights of the logarithms of the mean features."""
