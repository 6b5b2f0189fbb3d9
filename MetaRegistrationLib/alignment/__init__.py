"""Initial alignment of a pair by one global transform, before any network sees it."""

from .pair_alignment import align
from .result import KINDS, Alignment

__all__ = ["KINDS", "Alignment", "align"]
