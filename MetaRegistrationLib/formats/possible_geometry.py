"""Geometries that an image can have: others would give wrong distances and positions in silence."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ..core.geometry import Geometry
from ..errors import InputError
from ..numeric import whole
from .units import possible_pixel_um

_UNIT = 1e-3  # relative difference up to which a direction is as long as 1
_STEPS = "expected a spacing of (rows, columns) in mm, above 0"
_THICKNESS = "expected a slice spacing in mm, above 0"
_LEAST_VOLUME = 1e-6  # of the box of the three directions; below it, they lie in one plane


def possible_geometry(geometry: object, place: object) -> Geometry:
    """A geometry with plain numbers that an image can have.

    Parameters
    ----------
    geometry : Geometry
        Its values may be lists and arrays.
    place : object
        Beginning of the message: the file or the argument.

    Raises
    ------
    InputError
        It is no `Geometry`; a size, spacing, origin or direction has another shape or is not finite; a spacing is not above 0,
        or a known one no pixel size from 0.01 um to 10 cm; or a direction has not the length 1.
    """
    if not isinstance(geometry, Geometry):
        raise InputError(f"{place}: expected a Geometry, got {type(geometry).__name__}.")
    origin = _finite(geometry.origin, (3,), f"{place}: expected an origin of three numbers in mm")
    return replace(
        geometry,
        size=_size(geometry.size, place),
        spacing=_spacing(geometry, place),
        origin=tuple(origin.tolist()),
        direction=_direction(geometry.direction, place),
        slice_spacing=_slice_spacing(geometry.slice_spacing, place),
    )


def _size(value: Any, place: object) -> tuple[int, int]:
    try:
        rows, columns = (whole(number) or 0 for number in value)
    except (TypeError, ValueError):
        rows = columns = 0
    if min(rows, columns) < 1:
        raise InputError(f"{place}: expected a size of (rows, columns), got {value!r:.80}.")
    return rows, columns


def _spacing(geometry: Geometry, place: object) -> tuple[float, float]:
    rows, columns = _finite(geometry.spacing, (2,), f"{place}: {_STEPS}").tolist()
    if min(rows, columns) <= 0:
        raise InputError(f"{place}: {_STEPS}; got {rows:g} x {columns:g}.")
    if geometry.spacing_known:
        for step in (rows, columns):
            possible_pixel_um(1000 * step, place)
    return rows, columns


def _slice_spacing(value: Any, place: object) -> float:
    thickness = float(_finite(value, (), f"{place}: {_THICKNESS}"))
    if thickness <= 0:
        raise InputError(f"{place}: {_THICKNESS}; got {thickness:g}.")
    return thickness


def _direction(value: Any, place: object) -> tuple[tuple[float, float, float], ...]:
    wanted = f"{place}: expected directions as a 3 x 3 matrix, each column of length 1"
    matrix = _finite(value, (3, 3), wanted)
    lengths = np.linalg.norm(matrix, axis=0)
    if (np.abs(lengths - 1) > _UNIT).any():
        found = ", ".join(f"{length:.4g}" for length in lengths)
        raise InputError(f"{wanted}; got lengths of {found}.")
    if abs(np.linalg.det(matrix)) < _LEAST_VOLUME:
        raise InputError(f"{wanted}; got three that lie in one plane.")
    first, second, third = (tuple(row) for row in matrix.tolist())
    return first, second, third


def _finite(value: Any, shape: tuple[int, ...], wanted: str) -> np.ndarray:
    """Finite numbers of a shape."""
    try:
        numbers = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        numbers = np.array(np.nan)
    if numbers.shape != shape or not np.isfinite(numbers).all():
        shown = " ".join(repr(value).split())
        raise InputError(f"{wanted}; got {shown:.80}.")
    return numbers
