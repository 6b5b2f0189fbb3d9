"""One image and a simulated repeat visit of it as a registration pair whose displacement is known."""

from __future__ import annotations

import numpy as np

from ..core.preprocessing import Preprocessing
from ..simulation import RepeatSettings, simulate_repeat
from .base import TaskPair, augmented


def simulated_pair(
    image: np.ndarray, preprocessing: Preprocessing, settings: RepeatSettings, rng: np.random.Generator
) -> TaskPair:
    """A simulated repeat visit of an image (rows, columns) of any range, mirrored and turned at random.

    Raises
    ------
    InputError
        The image has fewer than 16 rows or columns, or values that are not finite.
    """
    visit = simulate_repeat(image, settings=settings, rng=rng, landmarks=False, size=preprocessing.size)
    # From second to first visit: that is the direction in which the deformation was drawn and is known exactly.
    moving, fixed = preprocessing.apply(visit.fixed), preprocessing.apply(visit.moving)
    return augmented(TaskPair(moving, fixed, displacement_px=visit.deformation_px), rng)
