"""From two images to a prepared pair, the input of registration, fine-tuning and experiments."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np

from ..core.borders import is_drawn
from ..core.preprocessing import NetworkGrid, Preprocessing, grid_extents, mask_on_grid, pair_grids
from ..core.specks import without_specks
from ..formats.images import Image, tissue, without_marks


@dataclass(frozen=True, eq=False)
class PreparedImage:
    """One image of a prepared pair.

    Attributes
    ----------
    image : Image
        As it was read.
    seen : Image
        The same without what a device drew into it (`formats.images.without_marks`), and without specks of unknown pixels.
    grid : NetworkGrid
        The network grid on the image.
    tissue : bool array (H, W)
        Tissue mask: the pixels that are compared, filled ones too.
    on_grid : float32 array (size, size) in [0, 1]
        The preprocessed image on the network grid, not moved.
    inside : bool array (size, size)
        Tissue mask on the network grid.
    extent : (float, float)
        Height and width that the network grid covers, in mm if the pixel size is known, else in pixels of the image.
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
        How grey values are made, also those of another network grid.
    drawn_border : bool
        Whether a device or an export drew the border around the tissue (`borders.is_drawn`).
    burnt_in_px : int
        Drawn pixels of both images, which were filled.
    seconds : float
        Time taken.
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
        """Tissue masks on the moving and the fixed network grid, bool (size, size) each."""
        return self.moving.inside, self.fixed.inside

    @property
    def grids(self) -> tuple[NetworkGrid, NetworkGrid]:
        """The network grids of the moving and the fixed image."""
        return self.moving.grid, self.fixed.grid


def prepare(moving: Image, fixed: Image, preprocessing: Preprocessing, *, whole: bool = False) -> PreparedPair:
    """Prepare a pair for registration.

    Parameters
    ----------
    moving, fixed : Image
    preprocessing : Preprocessing
    whole : bool
        Every pixel of both images is compared and marks stay, as in the paper's experiments. Only the grey values use the tissue
        mask, if `preprocessing` says so.
    """
    began = time.perf_counter()
    images = (moving, fixed)
    grids = pair_grids(moving.geometry, fixed.geometry, preprocessing.size)
    extents = grid_extents(grids, moving.geometry, fixed.geometry)
    if whole:
        masks, seen, marks = [np.ones(image.array.shape, dtype=bool) for image in images], images, 0
    else:
        filled = [_filled(image) for image in images]
        masks = [tissue(image) for image in filled]
        *seen, marks = without_marks(*filled, *masks)
    sides = [
        PreparedImage(
            image,
            shown,
            grid,
            mask,
            preprocessing.apply(shown.array, grid, None if whole else mask),
            mask_on_grid(mask, grid),
            extent,
        )
        for image, shown, grid, mask, extent in zip(images, seen, grids, masks, extents, strict=True)
    ]
    return PreparedPair(*sides, preprocessing, is_drawn(*masks), marks, time.perf_counter() - began)


def _filled(image: Image) -> Image:
    """The image without specks of unknown pixels; itself if it has none."""
    array = without_specks(image.array)
    return image if array is image.array else replace(image, array=array)
