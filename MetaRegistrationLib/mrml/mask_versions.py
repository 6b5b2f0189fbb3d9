"""Notices that a mask was edited or moved."""

from __future__ import annotations

import numpy as np

from .relative_place import node_to_volume
from .segments import drawn_segments
from .volumes import ijk_to_ras

_DECIMALS = 4  # of a pixel


def mask_version(mask_node, volume) -> tuple:
    """Something that is another one after a mask (or None) was edited, or moved on the pixels of a volume (or None)."""
    return () if None in (mask_node, volume) else (mask_content(mask_node), _position(mask_node, volume))


def mask_content(mask_node) -> tuple:
    """Something that is another one after a mask was edited, or other segments of it are visible."""
    if not mask_node.IsA("vtkMRMLSegmentationNode"):
        image = mask_node.GetImageData()
        return () if image is None else (image.GetMTime(),)
    display = mask_node.GetDisplayNode()
    return tuple(
        (
            name,
            None if stored is None else stored.GetMTime(),
            display is None or bool(display.GetSegmentVisibility(name)),
        )
        for name, stored in drawn_segments(mask_node)
    )


def _position(mask_node, volume) -> tuple | None:
    """Where a mask is on the pixels of a volume; None where that is not linear."""
    matrix = node_to_volume(volume, mask_node)
    if matrix is None:
        return None
    if mask_node.IsA("vtkMRMLVolumeNode"):
        matrix = matrix @ ijk_to_ras(mask_node)
    return tuple((np.linalg.inv(ijk_to_ras(volume)) @ matrix).round(_DECIMALS).ravel().tolist())
