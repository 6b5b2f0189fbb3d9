"""Drawn borders (black frames, round masks): recognised by their outline, and continued for the network."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from .. import calibration

_LONGEST_SIDE = 512  # pixels of the reduced masks
_NEAR = 2  # pixels
_ALONG = calibration.DRAWN_BORDER.value


def is_drawn(moving: np.ndarray, fixed: np.ndarray) -> bool:
    """Whether the border of a pair was drawn by a device or a program, so that its outline says nothing of the tissue.

    The tissue then fills a rectangle, a circle, or a circle cut by a rectangle, at the same position in both images. Only the
    area that is dark in both is considered. If no area is dark in both, the tissue of each image has to have such an outline.

    Parameters
    ----------
    moving, fixed : bool arrays (H, W)
        Tissue masks. If both are true everywhere, there is no border.
    """
    if moving.all() and fixed.all():
        return False
    tissues = [mask[:: _step(mask), :: _step(mask)] for mask in (moving, fixed)]
    if tissues[0].shape == tissues[1].shape and not (tissues[0] | tissues[1]).all():
        tissues = [tissues[0] | tissues[1]]
    return all(_along_a_shape(tissue) >= _ALONG for tissue in tissues)


def _step(mask: np.ndarray) -> int:
    return -(-max(mask.shape) // _LONGEST_SIDE)


def _along_a_shape(tissue: np.ndarray) -> float:
    """Share of the outline of the least circle cut by the least rectangle around `tissue` that runs along it."""
    rows, columns = (np.flatnonzero(tissue.any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return 0.0
    box = tissue[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    down, right = (np.arange(extent) - (extent - 1) / 2 for extent in box.shape)
    distance = np.hypot(down[:, None], right[None, :])
    shape = distance <= np.quantile(distance[box], 0.999) + 0.5
    outline = shape & ~ndimage.binary_erosion(shape, np.ones((3, 3)))
    near = ndimage.binary_dilation(box, np.ones((3, 3)), iterations=_NEAR)
    return float(near[outline].mean())


def continued(images: tuple[np.ndarray, ...], known: np.ndarray) -> tuple[np.ndarray, ...]:
    """Images (H, W) with the value of the nearest pixel of `known`, bool (H, W), outside of it; unchanged if it is empty."""
    if known.all() or not known.any():
        return images
    nearest = ndimage.distance_transform_edt(~known, return_distances=False, return_indices=True)
    return tuple(image[tuple(nearest)] for image in images)
