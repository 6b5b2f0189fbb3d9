"""Visits into whose image a device drew a grid: its lines hide vessels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..core.drawn_circles import drawn_circles
from ..formats.images import tissue
from .series import AlignedVisit


def drawing_text(entries: Sequence[AlignedVisit]) -> str:
    """A sentence on the visits with drawn circles; empty without any."""
    names = [entry.visit.name for entry in entries if _has_drawing(entry)]
    if not names:
        return ""
    return (
        f"A grid is drawn into the image of {', '.join(names)}. Its lines are left out, and measures beside them are less exact."
        " Export the scans without a grid."
    )


def _has_drawing(entry: AlignedVisit) -> bool:
    image = entry.visit.image
    return bool(drawn_circles(np.nan_to_num(image.array), tissue(image)).any())
