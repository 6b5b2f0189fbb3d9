"""Visits into whose image a device drew a grid: its lines hide vessels."""

from __future__ import annotations

from collections.abc import Sequence

from ..formats.images import circles_in
from .series import AlignedVisit


def drawing_text(entries: Sequence[AlignedVisit]) -> str:
    """A sentence on the visits with drawn circles; empty without any."""
    names = [entry.visit.name for entry in entries if circles_in(entry.visit.image).any()]
    if not names:
        return ""
    return (
        f"A grid is drawn into the image of {', '.join(names)}. Its lines are left out, and measures beside them are less exact."
        " Export the scans without a grid."
    )
