"""The coefficients of repeatability that ship: measure, kind of region, value in the unit of the measure.

`Testing/Benchmarks/repeatability.py` makes this file.
"""

from __future__ import annotations

PAIRS = 22
SOURCE = "22 pairs of real repeat scans of another device (6 x 6 mm, superficial plexus)"
COR = {
    "brightness": {"centre": 31.9, "inner": 49.7, "outer": 41.2, "whole": 21.4},
    "capillary_density": {"centre": 4.81, "inner": 5.03, "outer": 3.41, "whole": 1.35},
    "faz_area": {"whole": 0.14},
    "faz_circularity": {"whole": 0.045},
    "faz_perimeter": {"whole": 0.448},
    "large_vessel_density": {"centre": 3.55, "inner": 5.09, "outer": 3.09, "whole": 1.47},
    "nonperfused_area": {"centre": 0.014, "inner": 0.0719, "outer": 0.537, "whole": 2.08},
    "vessel_density": {"centre": 6.24, "inner": 7.12, "outer": 3.96, "whole": 1.85},
    "vessel_length_density": {"centre": 1.23, "inner": 1.46, "outer": 0.774, "whole": 0.493},
}
