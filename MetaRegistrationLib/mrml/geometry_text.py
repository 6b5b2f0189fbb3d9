"""The place of an image as a line of numbers, for an attribute of a node."""

from __future__ import annotations

import numpy as np

from ..core.geometry import Geometry
from .noted_numbers import number_from_text, size_from_text

_NUMBERS = 14  # of spacing, origin and directions


def geometry_text(geometry: Geometry) -> str:
    """Rows, columns, whether the spacing is known, spacing, origin and directions, to the last digit."""
    directions = (value for row in geometry.direction for value in row)
    numbers = (
        *geometry.size,
        int(geometry.spacing_known),
        *map(float, (*geometry.spacing, *geometry.origin, *directions)),
    )
    return " ".join(map(repr, numbers))


def geometry_from_text(text: str) -> Geometry | None:
    """The geometry that `geometry_text` wrote; None if the text is not one."""
    rows, columns, known, *numbers = (*text.split(), "", "", "")
    size, values = [size_from_text(side) for side in (rows, columns)], list(map(number_from_text, numbers[:-3]))
    if len(values) != _NUMBERS or None in size or None in values or not np.isfinite(values).all():
        return None
    spacing, origin = tuple(values[:2]), tuple(values[2:5])
    direction = tuple(tuple(values[start : start + 3]) for start in (5, 8, 11))
    if min(spacing) <= 0 or not np.linalg.det(direction):
        return None
    return Geometry(tuple(size), spacing, origin, direction, spacing_known=known == "1")
