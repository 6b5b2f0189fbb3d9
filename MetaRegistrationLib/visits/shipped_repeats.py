"""The coefficients of repeatability that ship: measure, kind of region, value in the unit of the measure.

`Testing/Benchmarks/repeatability.py` makes this file.
"""

from __future__ import annotations

PAIRS = 22
SOURCE = "22 pairs of real repeat scans of another device (6 x 6 mm, superficial plexus)"
COR = {
    "brightness": {"centre": 31.9, "inner": 49.7, "outer": 41.2, "whole": 21.4},
    "capillary_density": {"centre": 5.06, "inner": 5.02, "outer": 3.41, "whole": 1.35},
    "faz_area": {"whole": 0.145},
    "faz_circularity": {"whole": 0.0454},
    "faz_perimeter": {"whole": 0.454},
    "large_vessel_density": {"centre": 2.81, "inner": 5.17, "outer": 3.04, "whole": 1.39},
    "nonperfused_area": {"centre": 0.014, "inner": 0.0716, "outer": 0.536, "whole": 2.08},
    "vessel_density": {"centre": 6.15, "inner": 7.25, "outer": 4.0, "whole": 1.84},
    "vessel_length_density": {"centre": 0.866, "inner": 1.49, "outer": 0.802, "whole": 0.504},
}
