"""Registered pairs with a known smooth field, for tests of `MetaRegistrationLib.mrml`."""

from __future__ import annotations

import numpy as np

from MetaRegistrationLib.core.geometry import Geometry
from MetaRegistrationLib.core.preprocessing import pair_grids
from MetaRegistrationLib.formats.images import Image
from MetaRegistrationLib.registration.registrar import Registration

FRAME = 64


def rotation(axis: int, degrees: float) -> np.ndarray:
    """3x3 rotation about one axis."""
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    matrix = np.eye(3)
    first, second = [other for other in range(3) if other != axis]
    matrix[first, first] = matrix[second, second] = cosine
    matrix[first, second], matrix[second, first] = -sine, sine
    return matrix


def geometry(size, spacing, origin, direction=None, slice_spacing=0.02) -> Geometry:
    """Geometry with a direction given as an array."""
    axes = np.eye(3) if direction is None else direction
    return Geometry(size, spacing, origin, tuple(map(tuple, axes.tolist())), slice_spacing, True)


def blob(size: tuple[int, int], centre: tuple[float, float], width: float = 3.0) -> np.ndarray:
    """Gaussian spot, float32."""
    rows, columns = np.indices(size)
    return np.exp(-((rows - centre[0]) ** 2 + (columns - centre[1]) ** 2) / (2 * width**2)).astype(np.float32)


def registration(moving: Image, fixed: Image) -> Registration:
    """A registration with a smooth field of a few pixels, without a network."""
    frames = pair_grids(moving.geometry, fixed.geometry, FRAME)
    rows, columns = np.indices((FRAME, FRAME)) / FRAME
    field = np.stack([4 + 1.5 * np.sin(2 * np.pi * columns), -3 + 1.2 * np.cos(2 * np.pi * rows)]).astype(np.float32)
    empty = np.zeros((FRAME, FRAME), np.float32)
    return Registration(
        moving=moving,
        fixed=fixed,
        moving_grid=frames[0],
        fixed_grid=frames[1],
        moving_on_grid=empty,
        fixed_on_grid=empty,
        displacement_px=field,
        seconds=0.0,
    )
