"""The place of an image as a line of numbers, for an attribute of a node."""

from __future__ import annotations

from ..core.geometry import Geometry


def geometry_text(geometry: Geometry) -> str:
    """Rows, columns, whether the spacing is known, spacing, origin and directions, to the last digit."""
    directions = (value for row in geometry.direction for value in row)
    numbers = (
        *geometry.size,
        int(geometry.spacing_known),
        *map(float, (*geometry.spacing, *geometry.origin, *directions)),
    )
    return " ".join(map(repr, numbers))


def geometry_from_text(text: str) -> Geometry:
    """The geometry that `geometry_text` wrote."""
    rows, columns, known, *numbers = text.split()
    values = [float(number) for number in numbers]
    direction = tuple(tuple(values[start : start + 3]) for start in (5, 8, 11))
    size, spacing, origin = (int(rows), int(columns)), tuple(values[:2]), tuple(values[2:5])
    return Geometry(size, spacing, origin, direction, spacing_known=known == "1")
