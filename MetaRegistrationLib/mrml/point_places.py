"""Whether the points of a volume are on its image, and those of a moving one under its registration if the volume is."""

from __future__ import annotations

import slicer

from ..core.geometry import Geometry
from ..errors import InputError
from ..formats.landmarks import Landmarks
from ..pairs.points import check_inside
from . import transforms
from .changed_volumes import is_as_registered, registration_above
from .markups import defined_points
from .placement import is_under
from .registration_node import RegistrationNode


def count(node) -> int:
    """Number of points with a position; 0 without a list."""
    return 0 if node is None else len(defined_points(node))


def was_taken_out(points_node, volume_node) -> bool:
    """Whether somebody took a point list out of the registration that its volume is under, by hardening or otherwise."""
    put_under, above = transforms.put_under(points_node), registration_above(volume_node)
    if None in (put_under, above) or not count(points_node):
        return False
    return not is_under(points_node, put_under) and not is_under(points_node, above)


def registration_left_behind(points_node, volume_node):
    """The registration of a volume that its points are still under, though the volume was hardened; None without one.

    A volume that was only taken out is as it was registered, as far as the result says: the positions of its points are known.
    """
    result = registration_above(points_node, volume_node)
    if result is None or is_under(volume_node, result) or is_as_registered(result, volume_node):
        return None
    return result


def transform_to_leave_out(points_node, volume_node, left_out):
    """The transform that is no part of the positions of moving points.

    It is `left_out` (or None) where they are under it. Else it is the registration of their volume that they are under, or None.
    """
    if left_out is not None and is_under(points_node, left_out):
        return left_out
    return registration_above(points_node, volume_node)


def check_positions(points_node, volume_node) -> None:
    """Raise `InputError` if the positions of a moving list cannot be told.

    It is under the registration of another volume, or `was_taken_out`, so that it is not known whether it was hardened, or its
    volume was hardened without it (`registration_left_behind`).
    """
    result = transforms.put_under(points_node)
    if result is not None and is_under(points_node, result) and not RegistrationNode(result).moves(volume_node):
        raise InputError(
            f"{points_node.GetName()}: not measured, because these points are under the transform {result.GetName()}, which is"
            f" not a registration of {volume_node.GetName()}. Choose the points of {volume_node.GetName()}, or take these out"
            " of the transform in the Data module."
        )
    if was_taken_out(points_node, volume_node):
        transform = registration_above(volume_node).GetName()
        raise InputError(
            f"{points_node.GetName()}: not measured, because these points are no longer under the transform {transform}, but"
            f" {volume_node.GetName()} is. If they were taken out, put them back in the Data module. If they were hardened,"
            " load or place them again."
        )
    check_not_left(points_node, volume_node)


def check_not_left(points_node, volume_node) -> None:
    """Raise `InputError` if a volume was hardened without its points."""
    result = registration_left_behind(points_node, volume_node)
    if result is not None and count(points_node):
        told = RegistrationNode(result).tells_positions
        why = "has changed since it was registered" if told else "the notes on where it was registered cannot be read"
        raise InputError(
            f"{points_node.GetName()}: these points are under the transform {result.GetName()}, but {volume_node.GetName()} is"
            f" not, and {why}. If it was hardened, harden these points too in the Data module. Otherwise put it back under the"
            " transform."
        )


def check_on_image(points_node, volume_node, landmarks: Landmarks, geometry: Geometry) -> None:
    """Raise `InputError` if a point (row, column), in pixels of the image of its volume, is outside of that."""
    try:
        check_inside(landmarks, geometry, points_node.GetName())
    except InputError as error:
        if points_node.GetParentTransformNode() is volume_node.GetParentTransformNode():
            raise
        names = f"{points_node.GetName()} and {volume_node.GetName()}"
        raise InputError(f"{error} {names} are under different transforms.") from error


def check_none_left_behind(transform_node, volume_node, points_node) -> None:
    """Raise `InputError` if another registration of a volume would misplace points that it left behind.

    These are the chosen points, or None, and the lists that were put under the transform (or None) that is to be replaced.
    """
    lists = slicer.util.getNodesByClass("vtkMRMLMarkupsNode") if transform_node is not None else []
    followed = [node for node in lists if transforms.put_under(node) is transform_node]
    for node in dict.fromkeys([points_node, *followed]):
        if node is not None:
            check_not_left(node, volume_node)
