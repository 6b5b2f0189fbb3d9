"""Pictures that compare two images of one grid: blended in two colours, as a checkerboard, and beside a line."""

from __future__ import annotations

import numpy as np

_LINE = 1.0  # grey level of the line of a swipe


def blended(moving: np.ndarray, fixed: np.ndarray, fraction: float) -> np.ndarray:
    """Moving in magenta and fixed in green, white where they agree, uint8 (H, W, 3).

    Parameters
    ----------
    moving, fixed : np.ndarray
        (H, W), 0 to 1.
    fraction : float
        0 shows fixed alone, 0.5 both in full, 1 moving alone.
    """
    share_moving, share_fixed = min(1.0, 2 * fraction), min(1.0, 2 * (1 - fraction))
    return _bytes(np.stack([moving * share_moving, fixed * share_fixed, moving * share_moving], axis=-1))


def checkerboard(moving: np.ndarray, fixed: np.ndarray, tiles: int) -> np.ndarray:
    """Square tiles of moving and fixed alternately, in grey, uint8 (H, W, 3).

    Parameters
    ----------
    moving, fixed : np.ndarray
        (H, W), 0 to 1.
    tiles : int
        Along the longer side. The tile in the upper left corner shows moving.
    """
    rows, columns = np.indices(moving.shape)
    side = max(moving.shape) / tiles
    of_moving = (rows // side + columns // side) % 2 == 0
    return _grey(np.where(of_moving, moving, fixed))


def swiped(moving: np.ndarray, fixed: np.ndarray, fraction: float) -> np.ndarray:
    """Moving to the left of a vertical line and fixed to its right, in grey, uint8 (H, W, 3).

    Parameters
    ----------
    moving, fixed : np.ndarray
        (H, W), 0 to 1.
    fraction : float
        Share of the width that moving takes: 0 shows fixed alone, 1 moving alone.
    """
    width = moving.shape[1]
    edge = round(fraction * width)
    shown = np.where(np.arange(width) < edge, moving, fixed)
    if 0 < edge < width:
        shown[:, edge] = _LINE
    return _grey(shown)


def single(image: np.ndarray) -> np.ndarray:
    """One image (H, W), 0 to 1, in grey, uint8 (H, W, 3)."""
    return _grey(image)


def _grey(image: np.ndarray) -> np.ndarray:
    return _bytes(np.repeat(image[..., None], 3, axis=-1))


def _bytes(image: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(image * 255), 0, 255).astype(np.uint8)
