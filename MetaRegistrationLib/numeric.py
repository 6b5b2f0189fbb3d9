"""Numbers as users give them: those of NumPy are taken too, truth values are not."""

from __future__ import annotations

import math
import operator
import re
from numbers import Real
from typing import Any


def real(value: object) -> float:
    """A real number as a float; NaN for anything else."""
    value = _item(value)
    return float(value) if isinstance(value, Real) and not isinstance(value, bool) else math.nan


class AmbiguousNumber(ValueError):
    """A text that may be a number with a decimal comma or one with a comma behind the thousands; `str` gives both."""


def from_text(text: str) -> float:
    """A number in a text. A single comma is its decimal point.

    Raises
    ------
    AmbiguousNumber
        The comma may also be behind the thousands, as in 1,234.
    ValueError
        It is no number.
    """
    if re.fullmatch(r"[+-]?[1-9]\d{0,2},\d{3}", text.strip()):
        point, thousands = text.strip().replace(",", "."), text.strip().replace(",", "")
        raise AmbiguousNumber(f"it may be {point} or {thousands}. Write the one that is meant")
    return float(text.replace(",", ".") if "." not in text else text)


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
