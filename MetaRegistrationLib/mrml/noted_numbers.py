"""Numbers that a node keeps as text. A text that is none, as of a newer version, gives None."""

from __future__ import annotations

import math


def count_from_text(text: str) -> int | None:
    """A whole number of 0 or more."""
    try:
        number = int(text)
    except ValueError:
        return None
    return number if number >= 0 else None


def size_from_text(text: str) -> int | None:
    """A whole number of 1 or more."""
    return count_from_text(text) or None


def number_from_text(text: str) -> float | None:
    """A number; NaN is one, for what was not known."""
    try:
        return float(text)
    except ValueError:
        return None


def length_from_text(text: str) -> float | None:
    """A finite number above 0."""
    number = number_from_text(text)
    return number if number is not None and math.isfinite(number) and number > 0 else None
