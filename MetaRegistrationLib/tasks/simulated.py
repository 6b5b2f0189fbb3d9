"""One image and a simulated repeat visit of it as a registration pair whose displacement is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..core.borders import continued
from ..core.preprocessing import Preprocessing
from ..core.tissue import known_pixels
from ..simulation import RepeatSettings, framed, simulate_repeat
from .base import TaskPair, augmented


@dataclass(frozen=True, eq=False)
class Eye:
    """An image to simulate repeat visits of.

    Attributes
    ----------
    drawn : np.ndarray
        (rows, columns), finite: an unknown pixel has the value of the nearest known one.
    known : bool array (rows, columns) or None
        The pixels that are known; None if all of them are.
    is_tissue : bool
        The known pixels are a tissue mask of the user; otherwise the tissue mask of each visit is found.
    """

    drawn: np.ndarray
    known: np.ndarray | None = None
    is_tissue: bool = False

    @classmethod
    def of(cls, image: np.ndarray, mask: np.ndarray | None = None) -> Eye:
        """An image (rows, columns) of any range, and a tissue mask of the user; NaN and NoData values are unknown."""
        known = known_pixels(image)
        if mask is not None:
            known = known & mask
        elif known.all():
            return cls(image)
        (drawn,) = continued((image,), known)
        return cls(drawn, known, is_tissue=mask is not None)

    def pair(self, preprocessing: Preprocessing, settings: RepeatSettings, rng: np.random.Generator) -> TaskPair:
        """A simulated repeat visit, mirrored and turned at random. Unknown pixels of the image are no tissue in both visits.

        Raises
        ------
        InputError
            The image has fewer than 16 rows or columns, or no known pixel.
        """
        visit = simulate_repeat(self.drawn, settings=settings, rng=rng, landmarks=False, size=preprocessing.size)
        # From second to first visit: that is the direction in which the deformation was drawn and is known exactly.
        moving = self._prepared(visit.fixed, preprocessing, settings.margin)
        fixed = self._prepared(visit.moving, preprocessing, settings.margin, visit.deformation_px)
        return augmented(TaskPair(moving, fixed, displacement_px=visit.deformation_px), rng)

    def _prepared(
        self, visit: np.ndarray, preprocessing: Preprocessing, margin: float, deformation_px: np.ndarray | None = None
    ) -> np.ndarray:
        """A visit as a network sees it."""
        if self.known is None:
            return preprocessing.apply(visit)
        shown = framed(self.known.astype(np.float32), margin, len(visit), deformation_px) > 0.5
        return preprocessing.apply(np.where(shown, visit, np.nan), None, shown if self.is_tissue else None)


def simulated_pair(
    image: np.ndarray, preprocessing: Preprocessing, settings: RepeatSettings, rng: np.random.Generator
) -> TaskPair:
    """A simulated repeat visit of an image (rows, columns) of any range, as `Eye.pair` makes it."""
    return Eye.of(image).pair(preprocessing, settings, rng)
