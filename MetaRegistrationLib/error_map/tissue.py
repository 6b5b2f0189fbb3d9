"""The tissue mask of an image on a network grid that comes without one, as in a training task."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

_DARK = 0.02
_GAP = 4


def tissue_on_grid(image: np.ndarray) -> np.ndarray:
    """Where a preprocessed image (size, size) in [0, 1] shows tissue, bool: what is not black, with its gaps closed."""
    padded = np.pad(image > _DARK, 2 * _GAP)
    closed = ndimage.binary_closing(padded, iterations=_GAP)[2 * _GAP : -2 * _GAP, 2 * _GAP : -2 * _GAP]
    return ndimage.binary_fill_holes(closed)
