"""Label maps on the pixels of a volume: the positions of both in the scene say which pixel is which."""

from __future__ import annotations

import itertools

import numpy as np
import slicer

from .placement import linear_to_world
from .volumes import ijk_to_ras, spacing_known, volume_slices

_TOLERANCE = 0.1  # of a pixel


def label_array(labels) -> np.ndarray | None:
    """Where a label map is not zero, bool (slices, H, W) in its own order; None where it holds no image."""
    return slicer.util.arrayFromVolume(labels) != 0 if volume_slices(labels) else None


def on_pixels_of(volume, labels, mask: np.ndarray, *, without=None) -> np.ndarray | None:
    """The mask of a label map in the order of the volume's pixels, of which there are as many; None if they are others.

    A label map without a pixel size has no position, so that its order is taken to be that of the volume. The same holds for a
    label map with a pixel size on a volume without one.

    Parameters
    ----------
    volume : vtkMRMLVolumeNode
    labels : vtkMRMLLabelMapVolumeNode
    mask : bool array (slices, H, W)
        Its `label_array`.
    without : vtkMRMLTransformNode, optional
        As in `image_from_volume`.
    """
    in_order = not spacing_known(labels) or not (spacing_known(volume) or _same_size(volume, labels))
    if not in_order:
        return at_pixels_of(volume, labels, mask, without=without)
    above = _above(volume, labels, without)
    return mask if above is not None and np.allclose(*above) else None


def at_pixels_of(volume, labels, mask: np.ndarray, *, without=None) -> np.ndarray | None:
    """The same by the positions alone, whether or not the pixel sizes are known."""
    above = _above(volume, labels, without)
    if above is None:
        return None
    of_volume, of_labels = (matrix @ ijk_to_ras(node) for matrix, node in zip(above, (volume, labels), strict=True))
    to_labels = np.linalg.inv(of_labels) @ of_volume
    last = np.array(mask.shape[::-1]) - 1
    corners = np.array(list(itertools.product(*((0, end) for end in last))))
    mirrored = np.diag(to_labels)[:3] < 0
    expected = np.where(mirrored, last - corners, corners)
    if np.abs(corners @ to_labels[:3, :3].T + to_labels[:3, 3] - expected).max() > _TOLERANCE:
        return None
    return np.flip(mask, axis=tuple(2 - np.flatnonzero(mirrored)))


def _above(volume, labels, without) -> tuple[np.ndarray, np.ndarray] | None:
    """What is above a volume and a label map, as matrices; None where that is not linear."""
    if volume.GetParentTransformNode() is labels.GetParentTransformNode():
        return np.eye(4), np.eye(4)
    of_volume, of_labels = linear_to_world(volume, without), linear_to_world(labels, without)
    return None if of_volume is None or of_labels is None else (of_volume, of_labels)


def _same_size(volume, labels) -> bool:
    return np.allclose(volume.GetSpacing()[:2], labels.GetSpacing()[:2], rtol=1e-3)
