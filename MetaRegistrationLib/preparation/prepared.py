"""From two images to a prepared pair: what the stages of a registration, fine-tuning and the experiments start from."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from ..core.borders import is_drawn
from ..core.preprocessing import NetworkGrid, Preprocessing, grid_extent, mask_on_grid, pair_grids
from ..formats.images import Image, tissue, without_marks


@dataclass(frozen=True, eq=False)
class PreparedImage:
    """One image of a prepared pair.

    Attributes
    ----------
    image : Image
        As it was read.
    seen : Image
        The same without the marks that both images have at the same place.
    grid : NetworkGrid
        Where the network grid lies on the image.
    tissue : bool array (H, W)
        Pixels of the image that are compared.
    on_grid : float32 array (size, size) in [0, 1]
        The preprocessed image on the network grid, not moved.
    inside : bool array (size, size)
        Pixels of the network grid that show tissue.
    extent : (float, float)
        Height and width that the network grid shows, in mm where the pixel size is known, else in pixels of the image.
    """

    image: Image
    seen: Image
    grid: NetworkGrid
    tissue: np.ndarray
    on_grid: np.ndarray
    inside: np.ndarray
    extent: tuple[float, float]


@dataclass(frozen=True, eq=False)
class PreparedPair:
    """A moving and a fixed image, ready for registration.

    Attributes
    ----------
    moving, fixed : PreparedImage
    preprocessing : Preprocessing
        How their grey values were made, and how those of another network grid are to be made.
    drawn_border : bool
        What lies around the tissue was drawn by a device or an export (`borders.is_drawn`).
    burnt_in_px : int
        Pixels of marks at the same place in both images, which were filled.
    seconds : float
        Time that it took.
    """

    moving: PreparedImage
    fixed: PreparedImage
    preprocessing: Preprocessing
    drawn_border: bool
    burnt_in_px: int
    seconds: float

    @property
    def on_grid(self) -> tuple[np.ndarray, np.ndarray]:
        """The preprocessed moving and fixed image, float32 (size, size) each."""
        return self.moving.on_grid, self.fixed.on_grid

    @property
    def inside(self) -> tuple[np.ndarray, np.ndarray]:
        """Where the moving and the fixed network grid show tissue, bool (size, size) each."""
        return self.moving.inside, self.fixed.inside

    @property
    def grids(self) -> tuple[NetworkGrid, NetworkGrid]:
        """Where the network grids lie on the moving and on the fixed image."""
        return self.moving.grid, self.fixed.grid


def prepare(moving: Image, fixed: Image, preprocessing: Preprocessing, *, whole: bool = False) -> PreparedPair:
    """Prepare a pair for registration.

    Parameters
    ----------
    moving, fixed : Image
    preprocessing : Preprocessing
    whole : bool
        Every pixel of both images counts as tissue and marks stay, as in the paper's experiments; only the grey values keep to
        the tissue, if `preprocessing` says so.
    """
    began = time.perf_counter()
    images = (moving, fixed)
    grids = pair_grids(moving.geometry, fixed.geometry, preprocessing.size)
    if whole:
        masks, seen, marks = [np.ones(image.array.shape, dtype=bool) for image in images], images, 0
    else:
        masks = [tissue(image) for image in images]
        *seen, marks = without_marks(*images, *masks)
    sides = [
        PreparedImage(
            image,
            shown,
            grid,
            mask,
            preprocessing.apply(shown.array, grid, None if whole else mask),
            mask_on_grid(mask, grid),
            grid_extent(grid, image.geometry),
        )
        for image, shown, grid, mask in zip(images, seen, grids, masks, strict=True)
    ]
    return PreparedPair(*sides, preprocessing, is_drawn(*masks), marks, time.perf_counter() - began)
