"""Change by region: rings and quadrants of the ETDRS grid around a centre."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from ..errors import InputError
from .centres import check_centre

if TYPE_CHECKING:
    from .change import Change

RADII_MM = (0.5, 1.5, 3.0)
"""Of the ETDRS grid: circles of 1, 3 and 6 mm across."""
REGION_COLUMNS = (
    "region",
    "area_mm2",
    "pixels",
    "difference_points",
    "lost_percent",
    "gained_percent",
    "changed_percent",
    "unknown_percent",
    "uncertain_percent",
)
_RADII_OF_SIDE = (1 / 12, 1 / 4, 1 / 2)  # of the shorter side, where no pixel size is known: the same ratios
_MOST_PIXELS = 2**26  # of the square around the grid; some 3 GB while it is divided
_RINGS = ("centre", "inner", "outer")
_QUADRANTS = ("superior", "right", "inferior", "left")  # in the image, clockwise from the top
_SIDES = {"": {}, "right": {"right": "nasal", "left": "temporal"}, "left": {"right": "temporal", "left": "nasal"}}


def etdrs_table(
    change: Change,
    centre_xy: tuple[float, float],
    pixel_mm: float | tuple[float, float] | None,
    eye: str = "",
) -> list[dict]:
    """Change by region, the whole image last.

    Parameters
    ----------
    change : Change
    centre_xy : (float, float)
        Centre of the grid, (x, y) = (column, row) in pixels.
    pixel_mm : float or (float, float) or None
        Distance between pixels, or between (rows, columns), in mm. None: unknown, and the circles have radii of a twelfth,
        a quarter and a half of the shorter side instead of 0.5, 1.5 and 3 mm; `area_mm2` is None then.
    eye : str
        "right" or "left", which decides the nasal and the temporal side (the disc of a right eye is on the right, as images
        are usually shown). "" if unknown: left and right are those of the image.

    Returns
    -------
    list of dict
        With the keys `REGION_COLUMNS`: mean difference over the measurable pixels in percentage points (None if there are
        none), and the percentages of these in clusters where density decreased or increased. `unknown_percent` is of all
        pixels of the region in the image. `uncertain_percent` is the part of the region that is measurable and whose
        alignment is too uncertain; None if no error was predicted.

    Raises
    ------
    InputError
        The centre is outside of the image or not finite, or the eye is none of these.
    """
    check_centre(centre_xy, change.known.shape, "{field}", "centre")
    if eye not in _SIDES:
        raise InputError(f"The eye is 'right', 'left' or '' (unknown); got {eye!r}.")
    spacing = None if pixel_mm is None else np.broadcast_to(np.asarray(pixel_mm, float), (2,))
    return [
        _row(name, where, change, spacing)
        for name, where in regions(change.known.shape, centre_xy, spacing, eye).items()
    ]


def regions(shape, centre_xy, spacing_mm=None, eye: str = "") -> dict[str, np.ndarray]:
    """Masks, bool (H, W), of the regions; they share no pixel but with "whole", the last."""
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    step = np.ones(2) if spacing_mm is None else np.asarray(spacing_mm, float)
    down, across = (rows - centre_xy[1]) * step[0], (columns - centre_xy[0]) * step[1]
    distance, angle = np.hypot(down, across), np.arctan2(across, -down)
    quadrant = np.floor((angle + np.pi / 4) / (np.pi / 2)).astype(int) % 4
    radii = RADII_MM if spacing_mm is not None else [share * min(shape) for share in _RADII_OF_SIDE]
    found = {_RINGS[0]: distance <= radii[0]}
    for ring, inner, outer in zip(_RINGS[1:], radii[:-1], radii[1:], strict=True):
        for number, name in enumerate(_QUADRANTS):
            name = _SIDES[eye].get(name, name)
            found[f"{ring} {name}"] = (distance > inner) & (distance <= outer) & (quadrant == number)
    return {**found, "whole": np.ones(shape, bool)}


def whole_areas(centre_xy, spacing_mm, eye: str = "") -> dict[str, int]:
    """Pixels of each region of the ETDRS grid, whether or not an image shows them."""
    check_extent(spacing_mm, "The reference")
    reach = _reach(spacing_mm)
    centre = [value - math.floor(value) + reached for value, reached in zip(centre_xy, reach[::-1], strict=True)]
    found = regions([2 * reached + 2 for reached in reach], centre, spacing_mm, eye)
    return {name: int(where.sum()) for name, where in found.items() if name != "whole"}


def check_extent(spacing_mm, place: object) -> None:
    """Raise an `InputError`, starting with `place`, if the ETDRS grid has too many pixels to be measured."""
    rows, columns = (2 * reached + 2 for reached in _reach(spacing_mm))
    if rows * columns > _MOST_PIXELS:
        down, across = (f"{1000 * step:.4g}" for step in spacing_mm)
        raise InputError(
            f"{place}: with its pixel size of {across} x {down} um the ETDRS grid of {2 * RADII_MM[-1]:g} mm has"
            f" {columns} x {rows} pixels, and at most {_MOST_PIXELS / 1e6:.0f} million can be measured.",
            field="spacing_um",
            advice="Correct the {field} or its unit, or use a coarser image.",
        )


def _reach(spacing_mm) -> list[int]:
    """Rows and columns from a centre to beyond the outer circle."""
    return [math.ceil(RADII_MM[-1] / step) + 1 for step in spacing_mm]


def _row(name: str, where: np.ndarray, change: Change, spacing: np.ndarray | None) -> dict:
    known = where & change.known
    count, seen = int(where.sum()), int(known.sum())

    def share(part: np.ndarray) -> float | None:
        return 100 * float(part[known].mean()) if seen else None

    return {
        "region": name,
        "area_mm2": None if spacing is None else count * float(np.prod(spacing)),
        "pixels": count,
        "difference_points": float(change.density[known].mean()) if seen else None,
        "lost_percent": share(change.lost),
        "gained_percent": share(change.gained),
        "changed_percent": share(change.lost | change.gained),
        "unknown_percent": 100 * (1 - seen / count) if count else None,
        "uncertain_percent": None
        if change.uncertain is None or not count
        else 100 * float(change.uncertain[where].mean()),
    }
