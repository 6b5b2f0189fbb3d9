"""Measures, regions, units and columns in words."""

from __future__ import annotations

WORDS = {
    "vessel_density": "vessel density",
    "capillary_density": "capillary density",
    "large_vessel_density": "density of larger vessels",
    "vessel_length_density": "length of larger vessels",
    "faz_area": "FAZ area",
    "faz_perimeter": "FAZ perimeter",
    "faz_circularity": "FAZ circularity",
    "nonperfused_area": "non-perfused area",
    "brightness": "brightness",
    "signal_quality": "signal quality",
}
"""The measures in words."""
MAIN = ("capillary_density", "vessel_density", "vessel_length_density", "nonperfused_area", "faz_area")
"""The measures that are compared by region and drawn over time."""
_RINGS = ("inner", "outer")
_SIGNS = {"mm2": "mm²", "mm/mm2": "mm/mm²", "um": "µm"}
_ENDS = {
    "_percent": "%",
    "_points": "percentage points",
    "_mm2": "mm²",
    "_mm": "mm",
    "_um": "µm",
    "_px": "px",
    "_z": "SD",
    "_sd": "SD",
}
_KNOWN = {
    "unknown": "not measurable",
    "uncertain": "with uncertain alignment",
    "lost": "decreased",
    "gained": "increased",
    "pixels": "pixels",
}


def measure_words(measure: str) -> str:
    """A measure in words."""
    return WORDS.get(measure, measure.replace("_", " "))


def region_words(region: str) -> str:
    """A region in words; the name of a region that the user drew stays."""
    if region == "whole":
        return "whole image"
    ring, _, quadrant = region.partition("_")
    return f"{ring} {quadrant}" if ring in _RINGS and quadrant else region


def unit_words(unit: str) -> str:
    """A unit with its exponents."""
    return _SIGNS.get(unit, unit)


def with_unit(words: str, unit: str) -> str:
    """Words, and the unit behind a comma if there is one."""
    return f"{words}, {unit_words(unit)}" if unit else words


def column_words(key: str) -> str:
    """The key of a column of a file in words: "not measurable, %" for unknown_percent."""
    end = next((end for end in _ENDS if key.endswith(end)), "")
    words = key.removesuffix(end)
    return with_unit(_KNOWN.get(words, words.replace("_", " ")), _ENDS.get(end, ""))


def capital(words: str) -> str:
    """The same with a capital at the beginning."""
    return words[:1].upper() + words[1:]
