"""The tables of measures: `measurements.csv`, `changes.csv` and `trends.csv`, in long format."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from ..formats.tables import write_table
from .faz_notes import OF_THE_CENTRE
from .series_measures import SeriesMeasures

MEASUREMENTS, CHANGES, TRENDS = "measurements.csv", "changes.csv", "trends.csv"
MEASUREMENT_COLUMNS = (
    "eye",
    "visit",
    "date",
    "region",
    "measure",
    "value",
    "unit",
    "measurable_percent",
    "uncertain_percent",
    "signal_quality",
    "note",
    "axial_length_mm",
)
CHANGE_COLUMNS = (
    "eye",
    "earlier",
    "later",
    "region",
    "measure",
    "difference",
    "unit",
    "percent",
    "cor",
    "verdict",
    "axial_length_mm",
)
TREND_COLUMNS = ("eye", "region", "measure", "per_year", "low", "high", "unit", "occasions", "axial_length_mm")


def measurement_records(eye: str, found: SeriesMeasures) -> list[dict]:
    """One record a measurement, with the keys `MEASUREMENT_COLUMNS`."""
    return [
        {
            "eye": eye,
            "visit": row.visit,
            "date": row.date,
            "region": row.region,
            "measure": row.measure,
            "value": row.value,
            "unit": row.unit,
            "measurable_percent": row.measurable_percent,
            "uncertain_percent": row.uncertain_percent,
            "signal_quality": row.signal_quality,
            "note": OF_THE_CENTRE if row.measure.startswith("faz_") and row.visit in found.faz_areas else "",
            "axial_length_mm": found.axial_length_mm,
        }
        for row in found.rows
    ]


def change_records(eye: str, found: SeriesMeasures) -> list[dict]:
    """One record a change, with the keys `CHANGE_COLUMNS`; the verdict is a text of `Verdict`."""
    return [
        {
            "eye": eye,
            **{name: getattr(row, name) for name in CHANGE_COLUMNS[1:-2]},
            "verdict": row.verdict.value,
            "axial_length_mm": found.axial_length_mm,
        }
        for row in found.changes
    ]


def trend_records(eye: str, found: SeriesMeasures) -> list[dict]:
    """One record a trend, with the keys `TREND_COLUMNS`."""
    return [
        {
            "eye": eye,
            **{name: getattr(row, name) for name in TREND_COLUMNS[1:-1]},
            "axial_length_mm": found.axial_length_mm,
        }
        for row in found.trends
    ]


def write_measures(folder: Path, eye: str, found: SeriesMeasures) -> list[Path]:
    """Write the tables into the folder of a series; `trends.csv` only with three and more dates."""
    tables = [
        (MEASUREMENTS, MEASUREMENT_COLUMNS, measurement_records(eye, found)),
        (CHANGES, CHANGE_COLUMNS, change_records(eye, found)),
    ]
    if found.trends:
        tables.append((TRENDS, TREND_COLUMNS, trend_records(eye, found)))
    for name, columns, records in tables:
        write_table(folder / name, columns, _cells(records, columns))
    return [folder / name for name, _, _ in tables]


def _cells(records: Sequence[dict], columns: Sequence[str]) -> list[list[str]]:
    """Numbers with six significant digits, empty where unknown."""
    return [[_text(record[column]) for column in columns] for record in records]


def _text(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.6g}" if math.isfinite(value) else ""
    return str(value)
