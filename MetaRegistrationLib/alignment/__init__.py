"""Initial alignment of a pair by one global transform, before any network sees it."""

from .pair_alignment import KINDS, align
from .result import Alignment

__all__ = ["KINDS", "Alignment", "align"]
