"""Refinement of one pair: a few dozen optimisation steps on a control grid, on top of the field so far."""

from .correlation import LocalCorrelation
from .refine import Refinement, refine
from .settings import RefinementSettings
from .splines import SplineGrid

__all__ = ["LocalCorrelation", "Refinement", "RefinementSettings", "SplineGrid", "refine"]
