"""The predicted error of a registration on the fixed image and at its landmarks."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from .. import calibration

if TYPE_CHECKING:  # it imports torch
    from ..core.geometry import Geometry
    from .registrar import Registration

_LARGEST = 1024  # pixels of the fixed image's longer side
UNCERTAIN_PX = calibration.UNCERTAIN_PX.value


class PointErrors(NamedTuple):
    """Predicted errors at points, float64 (N,), in pixels of the network grid; NaN where only one image shows the point.

    `bound_px` is the 95 % bound.
    """

    mean_px: np.ndarray
    bound_px: np.ndarray

    @property
    def uncertain(self) -> np.ndarray:
        """Points (N,) that are too uncertain to measure: their 95 % bound is over 2 px, or not known."""
        return ~(self.bound_px <= UNCERTAIN_PX)


def errors_at(registration: Registration, points: np.ndarray) -> PointErrors:
    """Predicted errors at points (N, 2) of the fixed image, (row, column) in its pixels."""
    if registration.error is None:
        return PointErrors(*np.full((2, len(points)), np.nan))
    rows, columns = np.moveaxis(registration.fixed_grid.from_image(np.reshape(points, (-1, 2))), -1, 0)
    error = registration.error
    return PointErrors(*(error.at(rows, columns, each).astype(np.float64) for each in (error.mean_px, error.bound_px)))


def error_image(registration: Registration, *, bound: bool = False) -> np.ndarray:
    """The predicted error on the fixed image, float32 (H, W), in pixels of the network grid.

    NaN where only one image shows tissue, and where nothing was predicted.

    Parameters
    ----------
    bound : bool
        The 95 % bound, not the mean.
    """
    shape = registration.fixed.geometry.size
    if registration.error is None:
        return np.full(shape, np.nan, np.float32)
    error, grid = registration.error, registration.fixed_grid
    rows, columns = (
        (np.arange(extent) - start) / step for extent, start, step in zip(shape, grid.offset, grid.scale, strict=True)
    )
    found = error.on_axes(rows, columns, error.bound_px if bound else error.mean_px)
    tissue = registration.tissue_fixed
    return found if tissue is None else np.where(tissue, found, np.float32(np.nan))


def error_volume(registration: Registration) -> tuple[np.ndarray, Geometry]:
    """The predicted error as an image to be written: float32 array, and its geometry.

    It lies on the pixels of the fixed image. If there are many more pixels than the network grid has, it lies on that grid.
    """
    geometry, grid = registration.fixed.geometry, registration.fixed_grid
    if registration.error is None or max(geometry.size) <= _LARGEST:
        return error_image(registration), geometry
    start = np.asarray(grid.offset)
    spacing = tuple(step * size for step, size in zip(grid.scale, geometry.spacing, strict=True))
    place = replace(
        geometry, size=(grid.size,) * 2, spacing=spacing, origin=tuple(geometry.to_physical(start).tolist())
    )
    return registration.error.on_grid(), place


def micrometres_a_pixel(registration: Registration) -> float:
    """Size of a pixel of the network grid on the fixed image, the mean of both axes; NaN if the pixel size is not known."""
    geometry = registration.fixed.geometry
    if not geometry.spacing_known:
        return float("nan")
    return float(np.mean(np.asarray(registration.fixed_grid.scale) * geometry.spacing) * 1000)
