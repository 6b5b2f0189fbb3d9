"""Alignments that are known, and pairs whose displacement is."""

from __future__ import annotations

import numpy as np

from MetaRegistrationLib.alignment import Alignment
from MetaRegistrationLib.core.geometry import Geometry
from MetaRegistrationLib.core.preprocessing import Preprocessing, stretched_grid
from MetaRegistrationLib.error_map.maps import ErrorMap
from MetaRegistrationLib.formats.images import Image
from MetaRegistrationLib.preparation import PreparedImage, PreparedPair

# Fixed to moving positions of a frame of 64: turned by 6 degrees, larger, shifted.
AFFINE = np.array([[1.03, -0.1, 4.5], [0.11, 0.98, -5.25]])


def known_alignment(
    matrix: np.ndarray = AFFINE, kind: str = "affine", reason: str = "", confidence: float = 0.75
) -> Alignment:
    """An alignment that was asked to be affine and found `matrix`."""
    return Alignment("affine", kind, matrix, 0.25, 0.5, confidence, 0.1, reason)


def prepared_pair(
    moving: np.ndarray, fixed: np.ndarray, tissue: tuple[np.ndarray, np.ndarray] | None = None
) -> PreparedPair:
    """Two images in [0, 1] of one size as they are, for a network grid of that size."""
    size = len(fixed)
    sides = []
    for array, mask in zip((moving, fixed), tissue or (None, None), strict=True):
        inside = np.ones(array.shape, dtype=bool) if mask is None else mask
        image, frame = Image(array, Geometry(array.shape)), stretched_grid(array.shape, size)
        sides.append(PreparedImage(image, image, frame, inside, array, inside, (float(size), float(size))))
    return PreparedPair(*sides, Preprocessing(size=size), drawn_border=False, burnt_in_px=0, seconds=0.0)


def known_map(error_px: float, size: int) -> ErrorMap:
    """A map of one predicted error everywhere."""
    values = [np.full((50, 50), factor * error_px, np.float32) for factor in (0.9, 2.0, 1.0)]
    return ErrorMap(*values, np.ones((50, 50), np.float32), size)


class LaterIsBetter:
    """A judge to whom every further field seems better, whatever the images."""

    def __init__(self):
        self._asked = 0

    def of_pair(self, moving, fixed, inside_moving, inside_fixed):
        return self

    def with_torn_rows(self, error, field, stored):
        return error

    def __call__(self, fields, origins):
        found = []
        for field in fields:
            self._asked += 1
            found.append(known_map(1 / self._asked, field.shape[-1]))
        return found


def turned_down(reason: str) -> Alignment:
    """An alignment that found nothing to be sure of."""
    return known_alignment(np.eye(2, 3), "none", reason, confidence=0.125)


def through(matrix: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """A(x) of positions (2, ...)."""
    return np.einsum("ij,j...->i...", matrix[:, :2], positions) + matrix[:, 2].reshape(2, *[1] * (positions.ndim - 1))


def grid(size: int) -> np.ndarray:
    """Pixel positions (2, size, size), float64."""
    return np.indices((size, size)).astype(np.float64)
