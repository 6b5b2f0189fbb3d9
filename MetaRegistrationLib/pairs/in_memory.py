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
        digest = hashlib.sha256()
        for image in (self.images.moving, self.images.fixed):
            for array in (image.array, image.mask):
                digest.update(
                    b"" if array is None else repr(array.shape).encode() + np.ascontiguousarray(array).tobytes()
                )
        return digest.hexdigest()[:16]
