"""Moving images that are stored mirrored: their rows and columns in the order of those of the fixed image, and back.

The initial alignment finds any rotation. It applies no mirror image, because an eye has none: it is only taken from the
directions that both files state.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..core.geometry import Geometry
from ..formats.images import Image

_ONE_PLANE = 0.5  # least determinant of the axes of two images in one plane


@dataclass(frozen=True)
class StoredAxes:
    """The order in which the axes of an image are taken.

    Attributes
    ----------
    size : (int, int)
        Rows and columns as stored.
    source : (int, int)
        The stored axes that become rows and columns.
    flipped : (bool, bool)
        Whether these are reversed.
    """

    size: tuple[int, int]
    source: tuple[int, int]
    flipped: tuple[bool, bool]

    def array(self, stored: np.ndarray) -> np.ndarray:
        """A stored array (H, W) with its axes in the new order."""
        steps = tuple(slice(None, None, -1 if flipped else 1) for flipped in self.flipped)
        return np.ascontiguousarray(stored.transpose(self.source)[steps])

    def to_stored(self, positions: np.ndarray) -> np.ndarray:
        """Positions (..., 2) in the stored image, (row, column), of positions in the new order."""
        stored = np.empty_like(positions)
        for axis, (source, flipped) in enumerate(zip(self.source, self.flipped, strict=True)):
            along = positions[..., axis]
            stored[..., source] = self.size[source] - 1 - along if flipped else along
        return stored

    def from_stored(self, positions: np.ndarray) -> np.ndarray:
        """The inverse of `to_stored`."""
        found = np.empty_like(positions)
        for axis, (source, flipped) in enumerate(zip(self.source, self.flipped, strict=True)):
            along = positions[..., source]
            found[..., axis] = self.size[source] - 1 - along if flipped else along
        return found

    def geometry(self, stored: Geometry) -> Geometry:
        """The geometry of the image in the new order: each pixel stays where it is in the patient."""
        vectors = np.asarray(stored.direction)[:, [1, 0]]
        signs = [-1.0 if flipped else 1.0 for flipped in self.flipped]
        rows, columns = (vectors[:, source] * sign for source, sign in zip(self.source, signs, strict=True))
        direction = np.stack([columns, rows, np.asarray(stored.direction)[:, 2]], axis=1)
        return replace(
            stored,
            size=tuple(stored.size[source] for source in self.source),
            spacing=tuple(stored.spacing[source] for source in self.source),
            origin=tuple(stored.to_physical(self.to_stored(np.zeros(2))).tolist()),
            direction=tuple(tuple(row) for row in direction.tolist()),
        )

    def image(self, stored: Image) -> Image:
        """An image in the new order, with its mask."""
        mask = None if stored.mask is None else self.array(stored.mask)
        return replace(stored, array=self.array(stored.array), mask=mask, geometry=self.geometry(stored.geometry))


def mirrored_axes(moving: Image, fixed: Image) -> StoredAxes | None:
    """The axes of a moving image that is stored mirrored, by the directions of both files; None where it is not.

    A raster file states no directions. Images of different planes say nothing of each other.
    """
    if moving.slicer_geometry is not None or fixed.slicer_geometry is not None:
        return None
    return mirrored_geometry(moving.geometry, fixed.geometry)


def mirrored_geometry(moving: Geometry, fixed: Geometry) -> StoredAxes | None:
    """As `mirrored_axes`, by two geometries."""
    of_moving, of_fixed = (np.asarray(geometry.direction)[:, [1, 0]] for geometry in (moving, fixed))
    turn = of_fixed.T @ of_moving  # (row, column) of the fixed image by those of the moving one
    if not np.linalg.det(turn) < -_ONE_PLANE:
        return None
    crossed = bool(abs(turn[1, 0]) > abs(turn[0, 0]))
    source = (1, 0) if crossed else (0, 1)
    flipped = tuple(bool(turn[axis, stored] < 0) for axis, stored in enumerate(source))
    return StoredAxes(moving.size, source, flipped)
