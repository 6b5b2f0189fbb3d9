"""Measures, regions, verdicts and columns of the tables of visits in the user's language."""

from __future__ import annotations

import math

from ..mrml.visit_nodes import VisitNodes
from .texts import tr as _

NONE = "–"


def missing_visits(nodes: VisitNodes | None) -> list[str]:
    """What has to be registered before registered visits can be shown."""
    return [] if nodes is not None else [_("registered visits")]


def missing_sequence(nodes: VisitNodes | None) -> list[str]:
    """What is missing before the visits can be shown one after the other."""
    deleted = nodes is not None and None in (nodes["browser"], nodes["sequence"])
    return [_("the sequence of visits (it was deleted)")] if deleted else missing_visits(nodes)


def measure_text(measure: str) -> str:
    """A measure in words."""
    words = {
        "vessel_density": _("vessel density"),
        "capillary_density": _("capillary density"),
        "large_vessel_density": _("density of larger vessels"),
        "vessel_length_density": _("length of larger vessels"),
        "faz_area": _("FAZ area"),
        "faz_perimeter": _("FAZ perimeter"),
        "faz_circularity": _("FAZ circularity"),
        "nonperfused_area": _("non-perfused area"),
        "brightness": _("brightness"),
        "signal_quality": _("signal quality"),
    }
    return words.get(measure, measure.replace("_", " "))


def region_text(region: str) -> str:
    """A region in words; the name of a region that the user drew stays."""
    words = {
        "whole": _("whole image"),
        "centre": _("centre"),
        "inner": _("inner"),
        "outer": _("outer"),
        "superior": _("superior"),
        "inferior": _("inferior"),
        "nasal": _("nasal"),
        "temporal": _("temporal"),
        "left": _("left"),
        "right": _("right"),
    }
    ring, sign, quadrant = region.partition("_")
    if sign and ring in ("inner", "outer") and quadrant in words:
        return f"{words[ring]} {words[quadrant]}"
    return words[region] if region in ("whole", "centre") else region


def side_text(side: str) -> str:
    """The side of an eye: "right", "left" or ""."""
    return {"right": _("right eye"), "left": _("left eye")}.get(side, _("unknown: left and right"))


def verdict_text(verdict: str) -> str:
    """A verdict of `changes.csv`."""
    words = {
        "changed": _("changed"),
        "within repeatability": _("within repeatability"),
        "not measurable": _("not measurable"),
        "not comparable": _("not comparable"),
        "uncertain": _("uncertain"),
    }
    return words.get(verdict, verdict)


def unit_text(unit: str) -> str:
    """A unit with its exponents."""
    return {"mm2": "mm²", "mm/mm2": "mm/mm²", "grey levels": _("grey levels")}.get(unit, unit)


def column_text(column: str) -> str:
    """The title of a column of `measurements.csv`, `changes.csv`, `trends.csv` and `faz_corrected.csv`."""
    words = {
        "eye": _("Eye"),
        "visit": _("Visit"),
        "date": _("Date"),
        "region": _("Region"),
        "measure": _("Measure"),
        "value": _("Value"),
        "unit": _("Unit"),
        "measurable_percent": _("Measurable (%)"),
        "uncertain_percent": _("Uncertain (%)"),
        "signal_quality": _("Signal quality"),
        "axial_length_mm": _("Axial length (mm)"),
        "earlier": _("Earlier"),
        "later": _("Later"),
        "difference": _("Difference"),
        "percent": _("Difference (%)"),
        "cor": _("Detectable"),
        "verdict": _("Verdict"),
        "per_year": _("Per year"),
        "low": _("From"),
        "high": _("To"),
        "occasions": _("Dates"),
        "note": _("Note"),
    }
    return words.get(column, column.replace("_", " "))


def cell_text(column: str, text: str) -> str:
    """A cell of such a table."""
    into = {"measure": measure_text, "region": region_text, "verdict": verdict_text, "unit": unit_text}
    if column == "note":
        notes = {
            "corrected by hand": _("corrected by hand"),
            "area depends on the centre": _("area depends on the centre"),
        }
        return notes.get(text, text)
    return into[column](text) if column in into else text


def number_text(value: float, unit: str = "", *, sign: bool = False) -> str:
    """A number with two significant decimals and its unit; a dash where it is unknown."""
    if not math.isfinite(value):
        return NONE
    size = abs(value)
    digits = 2 if size < 1 and size >= 0.1 else 3 if size < 0.1 else 1 if size < 100 else 0
    shown = f"{value:+.{digits}f}" if sign else f"{value:.{digits}f}"
    return f"{shown} {unit_text(unit)}".strip()
