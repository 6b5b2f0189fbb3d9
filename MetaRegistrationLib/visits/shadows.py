"""Shadows, told from lost vessels by the larger vessels: a shadow dims them too, and they stay where they are."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from .. import calibration
from ..core.gaussian import gaussian

WIDTHS = (12, 24)
"""Standard deviations of the windows around the larger vessels, pixels of 18.75 um."""
_FEW = 0.003  # added to energies, so that places without larger vessels count little
_DIMMED = calibration.SHADOW_DIMS.value


def dimmed(
    grey: tuple[np.ndarray, np.ndarray], large: tuple[np.ndarray, np.ndarray], known: np.ndarray, unit: float
) -> np.ndarray:
    """Where the larger vessels of one visit are much dimmer than those of the other, beyond the whole image, bool (H, W).

    Only vessels that both visits show count, so that vessels that are lost make no shadow.

    Parameters
    ----------
    grey : (float32 array (H, W), float32 array (H, W))
        Anchored grey values of two aligned visits (`octa.capillaries.anchored`).
    large : (bool array (H, W), bool array (H, W))
        Their larger vessels.
    known : bool array (H, W)
        Pixels that both show.
    unit : float
        Pixels in 18.75 um (`octa.capillaries.filter_unit`).
    """
    smooth = gaussian(np.stack(grey), unit)
    larger = larger_of_both(*large, known, unit)
    found = [dimming(*pair, larger, WIDTHS[0] * unit) for pair in (smooth, smooth[::-1])]
    return np.minimum(*found) < -_DIMMED


def larger_of_both(first: np.ndarray, second: np.ndarray, known: np.ndarray, unit: float) -> np.ndarray:
    """Larger vessels that both visits show, with a margin, float32 (H, W)."""
    times = max(round(unit), 1)
    wide = [ndimage.binary_dilation(part, iterations=times) for part in (first, second)]
    return (wide[0] & wide[1] & known).astype(np.float32)


def dimming(own: np.ndarray, other: np.ndarray, larger: np.ndarray, width: float) -> np.ndarray:
    """Logarithm of the brightness of the larger vessels around, other over own, beyond that of the whole image."""
    usual = max(float((larger * own * other).sum()) / max(float((larger * own**2).sum()), 1e-6), 1e-6)
    both, energy = gaussian(np.stack([larger * own * part for part in (other, own)]), width)
    return np.log(np.maximum((both + _FEW * usual) / (energy + _FEW) / usual, 1e-3))
