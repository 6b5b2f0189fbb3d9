"""The centre of the ETDRS grid, which lies in its image."""

from __future__ import annotations

import math

from ..errors import InputError


def check_centre(
    centre_xy: tuple[float, float], size: tuple[int, int], place: object, field: str | None = None
) -> None:
    """Raise an `InputError`, starting with `place`, if a centre (x, y) is outside the pixels of an image (rows, columns)."""
    check_finite(centre_xy, place, field)
    (x, y), (rows, columns) = centre_xy, size
    if not (-0.5 <= x <= columns - 0.5 and -0.5 <= y <= rows - 0.5):
        raise InputError(
            f"{place}: the centre of the grid at x = {x:g}, y = {y:g} pixels is outside its image of {columns} x {rows} pixels.",
            field=field,
            advice="Correct it, or leave it out.",
        )


def check_finite(centre_xy: tuple[float, float], place: object, field: str | None = None) -> None:
    """Raise an `InputError`, starting with `place`, if a centre (x, y) is not finite."""
    x, y = centre_xy
    if not (math.isfinite(x) and math.isfinite(y)):
        raise InputError(
            f"{place}: finite numbers were expected as the centre of the grid, but it is x = {x:g}, y = {y:g}.",
            field=field,
            advice="Correct it, or leave it out.",
        )
