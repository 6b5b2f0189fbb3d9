"""Pairs of any contrast: one scene, acquired twice with separately drawn appearances, and a known displacement."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from scipy.ndimage import gaussian_filter

from ..core.preprocessing import Preprocessing
from ..errors import InputError
from ..simulation.appearance import AppearanceSettings, random_appearance
from ..simulation.repeats import framed
from ..simulation.warps import WarpSettings, random_warp
from .base import TaskPair, augmented

_CELLS = 6
_BORDER = 0.03


@dataclass(frozen=True)
class AnyContrast:
    """How pairs of any contrast are made.

    Attributes
    ----------
    appearance : AppearanceSettings or None
        The settings of the appearance that each image gets; None leaves both unchanged.
    warp : WarpSettings
    largest_margin : float
        Up to this part of the images is kept back at each side, so that shifts bring in real content rather than black.
    """

    appearance: AppearanceSettings | None = field(default_factory=AppearanceSettings)
    warp: WarpSettings = field(default_factory=WarpSettings)
    largest_margin: float = 0.1

    def pair(
        self, first: np.ndarray, second: np.ndarray, preprocessing: Preprocessing, rng: np.random.Generator
    ) -> TaskPair:
        """A training pair, mirrored and turned at random.

        Parameters
        ----------
        first, second : numpy.ndarray
            (rows, columns) in [0, 1], aligned with one another: the moving image, and the one that becomes fixed.
        """
        return augmented(self._acquired(*self.clean(first, second, preprocessing.size, rng), preprocessing, rng), rng)

    def validation_pair(
        self, first: np.ndarray, second: np.ndarray, preprocessing: Preprocessing, rng: np.random.Generator
    ) -> TaskPair:
        """A pair with landmarks where the fixed scene has edges; neither mirrored nor turned."""
        moving, fixed, displacement = self.clean(first, second, preprocessing.size, rng)
        fixed_points = edge_points(fixed)
        moving_points = fixed_points + displacement[:, fixed_points[:, 0], fixed_points[:, 1]].T
        inside = ((moving_points >= 0) & (moving_points <= preprocessing.size - 1)).all(axis=1)
        pair = self._acquired(moving, fixed, displacement, preprocessing, rng)
        points = moving_points[inside].astype(np.float64), fixed_points[inside].astype(np.float64)
        return TaskPair(pair.moving, pair.fixed, *points, pair.displacement_px)

    def clean(
        self, first: np.ndarray, second: np.ndarray, size: int, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Moving and fixed scene before they are acquired, and the displacement: ``moving(x + u(x)) = fixed(x)``."""
        margin = self.largest_margin * rng.random()
        displacement = random_warp(size, rng, self.warp)
        return framed(first, margin, size), framed(second, margin, size, displacement), displacement

    def _acquired(
        self,
        moving: np.ndarray,
        fixed: np.ndarray,
        displacement: np.ndarray,
        preprocessing: Preprocessing,
        rng: np.random.Generator,
    ) -> TaskPair:
        images = [moving, fixed]
        if self.appearance is not None:
            images = [random_appearance(image, rng, self.appearance) for image in images]
        return TaskPair(*(preprocessing.apply(image) for image in images), displacement_px=displacement)

    def describe(self) -> dict:
        """Plain values for a checkpoint's history."""
        appearance = self.appearance.to_dict() if self.appearance is not None else None
        return {"appearance": appearance, "warp": self.warp.to_dict(), "largest_margin": self.largest_margin}


def unit_image(image: np.ndarray, denoise_px: float = 0.0, *, name: str = "An image") -> np.ndarray:
    """An image of any range in [0, 1], float32, between its outer half percents; its own noise smoothed away.

    Raises
    ------
    InputError
        A value is not finite; the message begins with `name`.
    """
    image = np.asarray(image, dtype=np.float32)
    if not np.isfinite(image).all():
        raise InputError(f"{name} has NaN or infinite pixels: replace them first.")
    low, high = np.percentile(image[::2, ::2], [0.5, 99.5])
    if high <= low:
        low, high = image.min(), image.max()
    scale = 1 / (high - low) if high > low else 0.0
    values = np.clip((image - np.float32(low)) * np.float32(scale), 0, 1)
    return gaussian_filter(values, denoise_px, truncate=3) if denoise_px else values


def edge_points(image: np.ndarray) -> np.ndarray:
    """The steepest pixel, (row, column), of every cell of a coarse grid that has an edge, (N, 2) int."""
    size = len(image)
    slope = np.hypot(*np.gradient(gaussian_filter(image, 1.0)))
    border = int(np.ceil(_BORDER * size))
    limits = np.linspace(border, size - border, _CELLS + 1).astype(int)
    found = []
    for top, bottom in pairwise(limits):
        for left, right in pairwise(limits):
            cell = slope[top:bottom, left:right]
            row, column = np.unravel_index(int(cell.argmax()), cell.shape)
            if cell[row, column] > 0.2 * slope.max() > 0:
                found.append((top + row, left + column))
    return np.array(found, dtype=int).reshape(-1, 2)
