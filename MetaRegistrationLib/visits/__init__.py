"""Several visits of one eye: aligned to one of them, checked, and averaged."""

from .average import Average, average
from .series import AlignedVisit, Series, Visit
from .series_alignment import align_series

__all__ = ["AlignedVisit", "Average", "Series", "Visit", "align_series", "average"]
