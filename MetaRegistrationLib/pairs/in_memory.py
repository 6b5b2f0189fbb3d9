"""A pair of images in memory, used like a pair of files."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .files import ImagePair


@dataclass(frozen=True, eq=False)
class PairInMemory:
    """As `PairFiles`, as far as training goes.

    Attributes
    ----------
    name : str
    images : ImagePair
    split : str or None
    """

    name: str
    images: ImagePair
    split: str | None = None

    def load(self) -> ImagePair:
        """The pair."""
        return self.images

    def paths(self) -> tuple[Path, ...]:
        """The files that the images came from, as far as there are some."""
        return tuple(Path(each.path) for each in (self.images.moving, self.images.fixed) if each.path is not None)

    def fingerprint(self) -> str:
        """Identity of its images and masks: the start of a SHA-256."""
        return _fingerprint(
            *(a for image in (self.images.moving, self.images.fixed) for a in (image.array, image.mask))
        )

    def landmarks_fingerprint(self) -> str:
        """As `fingerprint`, of the landmarks; empty without any."""
        found = (self.images.moving_landmarks, self.images.fixed_landmarks)
        points = [None if each is None else each.points for each in found]
        return "" if all(each is None for each in points) else _fingerprint(*points)

    def reading(self) -> dict:
        """The pixel sizes of the images, mm, as far as they are known."""
        images = {"moving": self.images.moving.geometry, "fixed": self.images.fixed.geometry}
        return {
            f"{role}_spacing": [float(step) for step in size.spacing]
            for role, size in images.items()
            if size.spacing_known
        }


def _fingerprint(*arrays: np.ndarray | None) -> str:
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(b"" if array is None else repr(array.shape).encode() + np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:16]
