"""Maps that give, for each pixel of an image, its position in another one."""

from __future__ import annotations

import numpy as np
from scipy import ndimage


def positions_at(positions: np.ndarray, places: np.ndarray) -> np.ndarray:
    """`positions` (h, w, 2) at other positions (H, W, 2) of the same image, linear; extrapolated beyond the border."""
    limits = np.array(positions.shape[:2]) - 1.0
    inside = np.clip(places, 0, limits)
    at = np.moveaxis(inside, -1, 0)
    found = np.stack(
        [ndimage.map_coordinates(channel, at, order=1, mode="nearest") for channel in np.moveaxis(positions, -1, 0)], -1
    )
    return (found + (places - inside)).astype(np.float32)
