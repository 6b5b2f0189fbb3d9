"""The coefficients of repeatability that ship: measure, kind of region, value in the unit of the measure.

`Testing/Benchmarks/repeatability.py` makes this file.
"""

from __future__ import annotations

PAIRS = 22
SOURCE = "22 pairs of real repeat scans of another device (6 x 6 mm, superficial plexus)"
COR = {
    "brightness": {"centre": 31.9, "inner": 49.1, "outer": 41.2, "whole": 21.4},
    "capillary_density": {"centre": 4.81, "inner": 4.93, "outer": 3.39, "whole": 1.35},
    "faz_area": {"whole": 0.226},
    "faz_circularity": {"whole": 0.0267},
    "faz_perimeter": {"whole": 0.676},
    "large_vessel_density": {"centre": 3.71, "inner": 5.07, "outer": 3.09, "whole": 1.42},
    "nonperfused_area": {"centre": 0.0146, "inner": 0.0734, "outer": 0.528, "whole": 2.08},
    "vessel_density": {"centre": 6.54, "inner": 7.05, "outer": 3.96, "whole": 1.84},
    "vessel_length_density": {"centre": 1.15, "inner": 1.42, "outer": 0.783, "whole": 0.483},
}
