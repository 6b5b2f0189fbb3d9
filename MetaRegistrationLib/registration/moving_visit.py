"""A registration applied to other data on the pixels of the moving image: further images, label maps, points."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

import numpy as np
from scipy import ndimage

from ..core.geometry import Geometry
from ..errors import InputError

INTERPOLATIONS = {"nearest": 0, "linear": 1, "cubic": 3}
"""Orders of the splines, by the names of the interpolations."""
_ROWS_AT_ONCE = 128


class Positions(Protocol):
    """Gives the positions of fixed pixels in the moving image."""

    def __call__(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Positions (R, C, 2), (row, column) in moving pixels, of the fixed rows (R,) and columns (C,)."""


def check_on_moving(
    shape: tuple[int, ...], geometry: Geometry | None, moving: Geometry, placed: bool, name: str
) -> None:
    """Raise an `InputError` that begins with `name` unless pixels of `shape` lie on the pixels of the moving image.

    Parameters
    ----------
    geometry : Geometry, optional
        Where the pixels lie, if they say so. That of a plain array is not compared.
    moving : Geometry
    placed : bool
        Whether the moving image itself says where its pixels lie.
    """
    if tuple(shape[:2]) != tuple(moving.size):
        raise InputError(
            f"{name}: expected {moving.size[0]} rows x {moving.size[1]} columns, as the image has that it belongs to; got"
            f" {shape[0]} rows x {shape[1]} columns."
        )
    if geometry is not None and placed and not geometry.unplaced and not moving.same_place(geometry):
        raise InputError(f"{name}: expected the geometry of the image that it belongs to ({moving}); got {geometry}.")


def warp_pixels(
    pixels: np.ndarray,
    size: tuple[int, int],
    positions: Positions,
    interpolation: str = "nearest",
    fill: float = 0,
    *,
    threads: int = 1,
) -> np.ndarray:
    """Data on the moving image's pixels, resampled to the fixed grid.

    Parameters
    ----------
    pixels : array (H, W) or (H, W, C)
        On the moving image's pixels; bool, integers or floats.
    size : (int, int)
        Rows and columns of the fixed grid.
    positions : callable
    interpolation : str
        "nearest" keeps the values and their type. "linear" and "cubic" give float32; a pixel is NaN where one of its
        neighbours is.
    fill : float
        Value where the moving image ends.
    threads : int

    Returns
    -------
    array (h, w) or (h, w, C)
    """
    order = INTERPOLATIONS[interpolation]
    # SciPy computes in float64 whatever the type, so that float32 needs no copy.
    source = pixels if order == 0 or pixels.dtype == np.float32 else np.asarray(pixels, dtype=np.float64)
    channels = np.atleast_3d(source)
    result = np.empty((*size, channels.shape[2]), source.dtype if order == 0 else np.float32)
    take = _nearest if order == 0 else _interpolator(channels, order)
    limits = np.array(channels.shape[:2])[:, None, None] - 0.5
    columns = np.arange(size[1])

    def fill_rows(top: int) -> None:
        rows = np.arange(top, min(top + _ROWS_AT_ONCE, size[0]))
        places = np.moveaxis(positions(rows, columns), -1, 0)
        # The image ends half a pixel beyond the centres of its border pixels, as ITK has it.
        inside = ((places >= -0.5) & (places < limits)).all(axis=0)
        values = take(channels, places)
        values[~inside] = fill
        result[rows] = values

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(fill_rows, range(0, size[0], _ROWS_AT_ONCE)))
    return result if pixels.ndim == 3 else result[..., 0]


def _nearest(channels: np.ndarray, places: np.ndarray) -> np.ndarray:
    row, column = (
        np.clip(np.floor(np.nan_to_num(axis) + 0.5).astype(np.intp), 0, extent - 1)
        for axis, extent in zip(places, channels.shape, strict=False)
    )
    return channels[row, column]


def _interpolator(channels: np.ndarray, order: int) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """Splines of each channel, filtered once. A pixel that is not finite affects only its neighbours."""
    channels = np.moveaxis(channels, -1, 0)
    holes = [~np.isfinite(channel) for channel in channels]
    unknown = [hole if hole.any() else None for hole in holes]
    known = [
        channel if hole is None else np.where(hole, 0.0, channel)
        for hole, channel in zip(unknown, channels, strict=True)
    ]
    filtered = [ndimage.spline_filter(channel, order, mode="nearest") if order > 1 else channel for channel in known]

    def take(_: np.ndarray, places: np.ndarray) -> np.ndarray:
        values = []
        for channel, hole in zip(filtered, unknown, strict=True):
            found = ndimage.map_coordinates(channel, places, order=order, mode="nearest", prefilter=False)
            if hole is not None:
                near = ndimage.map_coordinates(hole.astype(np.float32), places, order=1, mode="nearest")
                found[near > 0] = np.nan
            values.append(found)
        return np.stack(values, axis=-1)

    return take
