"""The linear functions that turn features of two visits into evidence of local change, and the clusters that repeat scans show.

`Testing/Benchmarks/local_change_fit.py` makes these numbers from the split fine_tune of the real repeat scans (6 x 6 mm). There
are two kinds of evidence: the first was fitted to losses that leave no texture behind, the second also to losses that leave
noise, with smaller weights, for other devices.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Evidence:
    """How evidence is computed.

    Attributes
    ----------
    weights, limits : tuple of float
        Of each feature (`local_evidence.NAMES`): its weight, and how far what changes slowly goes in repeat scans.
    spread : float
        That of usual repeat scans.
    """

    weights: tuple[float, ...]
    limits: tuple[float, ...]
    spread: float


PAIRS = 22
SOURCE = "22 pairs of real repeat scans (6 x 6 mm, superficial plexus) of another device"
"""The repeat scans, in which nothing changed."""
WINDOW = 5.0
"""Standard deviation of the Gaussian window of the evidence, pixels of 18.75 um."""
LEVELS = (4.0, 6.0, 8.0)
LEAST_MM2 = (0.166, 0.0359, 0.0043, 0.5, 0.169, 0.0903)
"""Evidence beyond a level makes clusters, in standard deviations of repeat scans. A cluster counts if its area is larger: of the
first kind of evidence at each level, then of the second."""
SPREADS = (0.7967, 0.8294)
FEATURES = {
    "mean": (1.172, -0.1861, -0.2643),
    "band0": (0.539, -1.83, -0.975),
    "band1": (0.4164, -0.9147, -0.3063),
    "band2": (0.4793, -0.318, 0.2421),
    "band3": (0.6401, 0.5714, 0.6739),
    "ridge": (0.5714, -0.837, -0.7447),
    "fine_ridge": (0.6655, -1.679, -1.021),
    "laplacian": (0.7759, -4.481, -1.111),
    "blurred_over_0.15": (0.9182, 0.5468, -0.1876),
    "blurred_over_0.3": (1.705, 0.3111, 0.03592),
    "blurred_over_0.45": (2.132, 0.06435, 0.08647),
    "blurred_over_0.6": (1.989, -0.1086, 0.08252),
    "over_0.2": (0.7816, 0.01904, -0.3361),
    "over_0.4": (1.335, 0.3334, -0.06187),
    "over_0.6": (1.698, 0.3905, 0.06808),
    "over_0.8": (1.659, 0.2855, 0.1216),
    "over_local": (1.163, 0.1572, -0.06575),
    "deviation": (0.4707, 1.327, 0.2081),
    "correlation0_all": (0.7587, 0.3261, -0.1618),
    "gain0_all": (0.5487, 0.4741, -0.08685),
    "correlation0_between": (0.8032, -0.305, -0.2866),
    "gain0_between": (0.6519, 0.5658, -0.1526),
    "correlation1_all": (0.6408, -1.396, -0.9583),
    "gain1_all": (0.4569, 0.6212, 0.1558),
    "correlation1_between": (0.686, 0.4856, -0.0225),
    "gain1_between": (0.4947, 0.5343, 0.1793),
    "correlation2_all": (0.7065, -0.5333, -0.4768),
    "gain2_all": (0.5367, 0.6801, 0.5252),
    "correlation2_between": (0.8163, 0.4081, 0.2252),
    "gain2_between": (0.583, 0.2468, 0.433),
    "larger_near": (0.2329, 0.5992, 1.022),
    "larger_far": (0.1866, 4.076, 3.093),
}
"""Of each feature (`local_evidence.NAMES`): how far what changes slowly goes in repeat scans, and its weight in each kind."""
_LIMITS, *_WEIGHTS = zip(*FEATURES.values(), strict=True)
KINDS = tuple(Evidence(weights, _LIMITS, spread) for weights, spread in zip(_WEIGHTS, SPREADS, strict=True))
