"""The coefficients of repeatability that ship: measure, kind of region, value in the unit of the measure.

`Testing/Benchmarks/repeatability.py --write` makes this file.
"""

from __future__ import annotations

PAIRS = 22
SOURCE = "22 pairs of real repeat scans (6 x 6 mm, superficial plexus) of another device"
COR = {
    "brightness": {"centre": 31.9, "inner": 51.2, "outer": 42.1, "whole": 21.9},
    "capillary_density": {"centre": 4.98, "inner": 5.97, "outer": 4.58, "whole": 2.45},
    "faz_area": {"whole": 0.226},
    "faz_circularity": {"whole": 0.0267},
    "faz_perimeter": {"whole": 0.676},
    "large_vessel_density": {"centre": 3.8, "inner": 5.27, "outer": 3.18, "whole": 1.69},
    "nonperfused_area": {"centre": 0.0202, "inner": 0.0773, "outer": 0.275, "whole": 1.28},
    "vessel_density": {"centre": 6.88, "inner": 7.96, "outer": 4.78, "whole": 2.32},
    "vessel_length_density": {"centre": 1.17, "inner": 1.43, "outer": 0.816, "whole": 0.526},
}
