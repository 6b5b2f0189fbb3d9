"""Where a node is relative to a volume, without the registration of the volume."""

from __future__ import annotations

import numpy as np

from .changed_volumes import registration_above
from .placement import linear_to_world


def node_to_volume(volume, node) -> np.ndarray | None:
    """Matrix from a node's own coordinates to those of a volume, without its registration; None where it is not linear."""
    if volume.GetParentTransformNode() is node.GetParentTransformNode():
        return np.eye(4)
    without = registration_above(volume)
    of_node, of_volume = linear_to_world(node, without), linear_to_world(volume, without)
    return None if of_node is None or of_volume is None else np.linalg.inv(of_volume) @ of_node
