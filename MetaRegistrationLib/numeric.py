"""Numbers as users give them: those of NumPy are taken too, truth values are not."""

from __future__ import annotations

import math
import operator
from numbers import Real
from typing import Any


def real(value: object) -> float:
    """A real number as a float; NaN for anything else."""
    value = _item(value)
    return float(value) if isinstance(value, Real) and not isinstance(value, bool) else math.nan


def whole(value: object) -> int | None:
    """A whole number as an int; None for anything else, such as 2.0."""
    value = _item(value)
    try:
        return None if isinstance(value, bool) else operator.index(value)
    except TypeError:
        return None


def _item(value: Any) -> Any:
    """The plain value of a scalar of NumPy or torch, and of an array without axes."""
    return value.item() if getattr(value, "ndim", None) == 0 and hasattr(value, "item") else value
