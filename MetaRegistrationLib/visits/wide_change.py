"""Loss and gain of density over a large part of an image.

Where capillaries are lost over millimetres, and noise or dim remains of them stay, the evidence of single places
(`local_evidence`) subtracts what changes slowly, and finds nothing. The density itself, averaged over a wide window, then tells
the loss from repeat scans and from scans of unlike quality.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from .. import calibration
from ..core.gaussian import gaussian
from ..octa.capillaries import REFERENCE_UM

LEAST_MM2 = calibration.WIDE_CHANGE_MM2.value
_LEVEL = calibration.WIDE_CHANGE_LEVEL.value
_REST = calibration.WIDE_CHANGE_REST.value
_WINDOW_UM = 560.0  # standard deviation of the window
_LEAST_KNOWN = 0.5  # of a window


def wide_difference(difference: np.ndarray, known: np.ndarray, unit: float) -> np.ndarray:
    """Differences of density, averaged over a window of 560 um; NaN where less than half of the window is known.

    Parameters
    ----------
    difference : array (H, W)
        Percentage points.
    known : bool array (H, W)
    unit : float
        Pixels in 18.75 um.
    """
    window = _WINDOW_UM / REFERENCE_UM * unit
    share = gaussian(known, window)
    mean = gaussian(np.where(known, difference, 0), window) / np.maximum(share, 1e-3)
    return np.where(known & (share > _LEAST_KNOWN), mean, np.nan)


def wide_clusters(wide: np.ndarray, unit: float, least_mm2: float = LEAST_MM2) -> tuple[np.ndarray, float]:
    """Pixels of wide increases that count, bool (H, W), and the largest core; of decreases, if `wide` has the other sign.

    The core of an area is the part of it that exceeds 10 percentage points. An area counts if its core is larger than
    `least_mm2`, and reaches as far as 5 points. The largest core is in mm2, whether it counts or not.
    """
    labels, count = ndimage.label(wide > _REST)
    cores = np.bincount(labels[wide > _LEVEL], minlength=count + 1) * (REFERENCE_UM / 1000 / unit) ** 2
    cores[0] = 0
    return (cores > least_mm2)[labels], float(cores.max())
