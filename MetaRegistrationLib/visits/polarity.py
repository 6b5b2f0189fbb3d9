"""Visits whose vessels are dark: inverted scans, and images of another kind such as fundus photographs."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import replace

from .measures import OF_THE_SCAN, Measurement
from .series import AlignedVisit


def dark_visits(entries: Sequence[AlignedVisit]) -> list[str]:
    """Names of the visits whose dark lines are stronger than the bright ones."""
    return [entry.visit.name for entry in entries if entry.visit.dark]


def dark_text(names: Sequence[str]) -> str:
    """A sentence on visits with dark vessels; empty without any."""
    if not names:
        return ""
    return (
        f"The vessels are dark in {', '.join(names)}: not measured and not comparable. Measures need en-face OCTA with bright"
        " vessels on a dark ground. Invert inverted scans."
    )


def without_values(rows: Sequence[Measurement], names: Collection[str]) -> list[Measurement]:
    """Measurements without the values of these visits, but for those that describe the scan."""
    return [
        replace(row, value=math.nan) if row.visit in names and row.measure not in OF_THE_SCAN else row for row in rows
    ]
