"""Whether the volumes of a registration are still where they were when it was made, and they and its transform hold the same."""

from __future__ import annotations

import numpy as np

from ..core.geometry import Geometry
from .pixel_checksum import slice_checksum
from .placement import geometry_from_matrix, is_under, linear_to_world
from .registration_node import RegistrationNode
from .transform_checksum import transform_checksum
from .volumes import ijk_to_ras, spacing_known, volume_slices


def registration_above(node, moving_node=None):
    """The transform above a node that is a registration of it, or of `moving_node`, whatever is chosen; None without one."""
    moved = node if moving_node is None else moving_node
    parent = node.GetParentTransformNode()
    while parent is not None and not RegistrationNode(parent).moves(moved):
        parent = parent.GetParentTransformNode()
    return parent


def geometry_for(result_node, volume, slice_index: int) -> Geometry | None:
    """Geometry of one slice of a volume without its registration, in the coordinates of a result.

    Those are the coordinates of the transforms above the result. If pair and result are moved together, this stays.

    Returns
    -------
    Geometry or None
        None without such a slice, and where a transform that is no registration of the volume is not linear.
    """
    if slice_index >= volume_slices(volume):
        return None
    left_out = registration_above(volume)
    parts = [linear_to_world(result_node), linear_to_world(volume, left_out)]
    parts += [] if left_out is None else [linear_to_world(left_out)]
    if any(part is None for part in parts):
        return None
    of_result, to_left_out, *above = parts
    matrix = to_left_out @ ijk_to_ras(volume)
    for part in above:
        matrix = part @ matrix
    columns, rows, _slices = volume.GetImageData().GetDimensions()
    known = spacing_known(volume)
    return geometry_from_matrix(np.linalg.inv(of_result) @ matrix, (rows, columns), slice_index, spacing_known=known)


def changed_since(result_node, moving_node, fixed_node, slices: tuple[int, int] | None = None) -> str | None:
    """What has changed since a registration of two volumes, so that its numbers no longer hold.

    Parameters
    ----------
    result_node : vtkMRMLNode
    moving_node, fixed_node : vtkMRMLVolumeNode
    slices : (int, int), optional
        The slices of the moving and the fixed volume that are chosen; without them, those of the result.

    Returns
    -------
    str or None
        "unreadable" where the notes on the positions cannot be read, "slices", "moving", "fixed", "transform" for one that was
        moved, or "content" for one that is another transform now; None where nothing has changed, or where the result does not
        say how it was.
    """
    result = RegistrationNode(result_node)
    if not result.tells_positions:
        return "unreadable"
    if slices is not None and not result.is_of_slices(slices):
        return "slices"
    noted = result.transform_checksum
    if noted is not None and noted != transform_checksum(result_node):
        return "content"
    if result.geometry is None:
        return None
    names, volumes = ("moving", "fixed"), (moving_node, fixed_node)
    sides = zip(names, volumes, result.slices, result.geometry, result.pixels, strict=True)
    for name, volume, index, place, pixels in sides:
        now = geometry_for(result_node, volume, index)
        if now is None or not place.same_place(now):
            return "transform" if _is_moved_alone(result_node, volume, index, place) else name
        if pixels is not None and pixels != slice_checksum(volume, index):
            return name
    return None


def is_as_registered(result_node, moving_node) -> bool:
    """Whether a moving volume, without its registration, is what and where a result says.

    As in `changed_since`, a volume counts as unchanged where the result does not say how it was. It does not where the notes
    cannot be read.
    """
    result = RegistrationNode(result_node)
    if result.geometry is None:
        return result.tells_positions
    index, noted, pixels = result.slices[0], result.geometry[0], result.pixels[0]
    now = geometry_for(result_node, moving_node, index)
    if now is None or not noted.same_place(now):
        return False
    return pixels is None or pixels == slice_checksum(moving_node, index)


def _is_moved_alone(result_node, volume, index: int, noted: Geometry) -> bool:
    """Whether a result was moved, and a volume not."""
    if result_node.GetParentTransformNode() is None or is_under(volume, result_node):
        return False
    matrix = linear_to_world(volume)
    if matrix is None:
        return False
    now = geometry_from_matrix(matrix @ ijk_to_ras(volume), noted.size, index, spacing_known=False)
    return noted.same_place(now)
