"""A network grid of the moving image's own: at the aligned position, at the scale of the fixed image."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from torch import Tensor

from .. import calibration
from ..core.preprocessing import NetworkGrid, Preprocessing, mask_on_grid
from ..core.spatial import identity_grid
from ..formats.images import Image
from .result import Alignment

_SAME_SCALE = calibration.SAME_SCALE.value


@dataclass(frozen=True, eq=False)
class Reframed:
    """A moving image on a network grid of its own.

    Attributes
    ----------
    moving : float32 array (size, size)
        The preprocessed image on the new grid.
    inside : bool array (size, size)
        Its tissue mask.
    alignment : Alignment
        The same transform, between the fixed grid and the new one.
    grid, former : NetworkGrid
        The new grid, and the one before.
    tissue : float
        Area of the whole image's tissue, also beyond the new grid, as a share of that grid.
    """

    moving: np.ndarray
    inside: np.ndarray
    alignment: Alignment
    grid: NetworkGrid
    former: NetworkGrid
    tissue: float

    def displacement_of_former(self, displacement_px: Tensor) -> Tensor:
        """The displacement (1, 2, size, size) into the new grid as one into the former grid."""
        positions = identity_grid(*displacement_px.shape[-2:], like=displacement_px)
        scale, offset = self._to_former()
        scale, offset = (displacement_px.new_tensor(part)[None, :, None, None] for part in (scale, offset))
        return (positions + displacement_px) * scale + offset - positions

    def _to_former(self) -> tuple[np.ndarray, np.ndarray]:
        """Scale and offset (row, column) that take positions of the new grid to the former one."""
        scale = np.asarray(self.grid.scale) / np.asarray(self.former.scale)
        return scale, (np.asarray(self.grid.offset) - self.former.offset) / np.asarray(self.former.scale)


def reframed(
    image: Image, mask: np.ndarray, grid: NetworkGrid, alignment: Alignment | None, preprocessing: Preprocessing
) -> Reframed | None:
    """Give a moving image a network grid of its own if that shows more: another scale, or parts outside the first grid.

    Parameters
    ----------
    image : Image
        The moving image.
    mask : bool array (H, W)
        Its tissue.
    grid : NetworkGrid
        The grid that `alignment` leads to from the fixed grid.
    alignment : Alignment or None
    preprocessing : Preprocessing

    Returns
    -------
    Reframed or None
        None if nothing was aligned, or if the former grid suffices.
    """
    if alignment is None or alignment.kind == "none":
        return None
    scale = float(np.sqrt(abs(np.linalg.det(alignment.matrix[:, :2]))))
    if max(scale, 1 / scale) < _SAME_SCALE and _shows_all(grid, image.array.shape):
        return None
    centre = np.full(2, (grid.size - 1) / 2)
    steps = np.asarray(grid.scale) * scale
    middle = grid.to_image(alignment.matrix @ [*centre, 1.0])
    new = NetworkGrid(grid.size, tuple(map(float, steps)), tuple(map(float, middle - centre * steps)))
    ratio = (np.asarray(grid.scale) / steps)[:, None]
    matrix = alignment.matrix * ratio
    matrix[:, 2] += (np.asarray(grid.offset) - new.offset) / steps
    return Reframed(
        preprocessing.apply(image.array, new, mask),
        mask_on_grid(mask, new),
        replace(alignment, matrix=matrix, bend=None if alignment.bend is None else alignment.bend * ratio),
        new,
        grid,
        float(mask.sum() / np.prod(steps) / grid.size**2),
    )


def _shows_all(grid: NetworkGrid, shape: tuple[int, int]) -> bool:
    corners = grid.from_image(np.array([(-0.5, -0.5), (shape[0] - 0.5, shape[1] - 0.5)]))
    return bool((corners >= -0.5 - 1e-6).all() and (corners <= grid.size - 0.5 + 1e-6).all())
