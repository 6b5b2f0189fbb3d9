"""The two point lists of a registration in the scene, read and filled whatever transform they are under."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import slicer

from ..core.geometry import Geometry
from ..formats.landmarks import Landmarks
from . import transforms, views
from .markups import (
    FIXED_COLOUR,
    MOVING_COLOUR,
    check_unlocked,
    landmarks_from_node,
    node_from_landmarks,
    set_colour,
)
from .pair_labels import PairLabels
from .placement import is_under, linear_to_world
from .point_places import check_positions, count, registration_left_behind, transform_to_leave_out, was_taken_out
from .stored_registration import StoredRegistration

_NONE = Landmarks((), np.zeros((0, 2)))


def new_list(name: str, colour: tuple[float, float, float]):
    """An empty point list."""
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", slicer.mrmlScene.GenerateUniqueName(name))
    set_colour(node, colour)
    return node


def list_of(landmarks: Landmarks, geometry: Geometry, name: str, colour, transform_node=None):
    """A new point list with landmarks, put under a transform when one is given."""
    node = node_from_landmarks(landmarks, geometry, slicer.mrmlScene.GenerateUniqueName(name), colour=colour)
    if transform_node is not None:
        transforms.apply_transform(node, transform_node)
    return node


def moving_landmarks(parameters, registration: StoredRegistration) -> Landmarks:
    """Landmarks of the moving image, as if there were no transform.

    Raises
    ------
    InputError
        It is not known if there is one, or a point is on another slice than the image.
    """
    node = parameters.movingPoints
    if node is None:
        return _NONE
    check_positions(node, parameters.movingVolume)
    image = registration.moving
    left_out = transform_to_leave_out(node, parameters.movingVolume, registration.left_out)
    return landmarks_from_node(node, image.geometry, without=left_out, stack=image.stack)


def fixed_landmarks(parameters, registration: StoredRegistration) -> Landmarks:
    """Landmarks of the fixed image; `InputError` if a point is on another slice."""
    node, image = parameters.fixedPoints, registration.fixed
    return _NONE if node is None else landmarks_from_node(node, image.geometry, stack=image.stack)


def replace(parameters, registration: StoredRegistration, side: str, landmarks: Landmarks) -> None:
    """Fill a point list, `side` moving or fixed; it is made when there is none."""
    moving = side == "moving"
    name = "movingPoints" if moving else "fixedPoints"
    geometry = (registration.moving if moving else registration.fixed).geometry
    node = getattr(parameters, name)
    if node is None:
        volume = parameters.movingVolume if moving else parameters.fixedVolume
        node = new_list(f"{volume.GetName()} points", MOVING_COLOUR if moving else FIXED_COLOUR)
        setattr(parameters, name, node)
    transform = registration.left_out if moving else None
    if moving:
        # Positions are those without the transform, and without one that the volume has left.
        for above in filter(None, (transform, registration_left_behind(node, parameters.movingVolume))):
            transforms.remove_transform(node, above)
    node_from_landmarks(landmarks, geometry, node.GetName(), node)
    if transform is not None:
        transforms.apply_transform(node, transform)


def append_suggestions(parameters, registration: StoredRegistration, suggested, proposed) -> int:
    """Append the remaining suggestions, with the next free numbers; return their number.

    Those that the user deleted in one of the two suggestion lists are left out of both.
    """
    check_unlocked(parameters.movingPoints, None if proposed is None else parameters.fixedPoints)
    points = landmarks_from_node(suggested, registration.moving.geometry, without=registration.left_out)
    partners = None if proposed is None else landmarks_from_node(proposed, registration.fixed.geometry)
    labels = [label for label in points.labels if partners is None or label in partners.labels]
    moving, fixed = moving_landmarks(parameters, registration), fixed_landmarks(parameters, registration)
    of_moving, of_fixed = PairLabels(moving.labels, fixed.labels).new(len(labels), moving.labels, fixed.labels)
    replace(parameters, registration, "moving", _joined(moving, of_moving, _picked(points, labels)))
    if partners is not None:
        replace(parameters, registration, "fixed", _joined(fixed, of_fixed, _picked(partners, labels)))
    return len(labels)


def follow(points_node, volume_node, transform_node) -> None:
    """Put a point list under the transform that its volume is under.

    It is left unchanged under the transform of another registration, and where it was taken out of this one. An empty list is
    taken out of a transform that its volume has left.
    """
    left = registration_left_behind(points_node, volume_node)
    if left is not None and not count(points_node):
        transforms.remove_transform(points_node, left)
    if not is_under(volume_node, transform_node) or was_taken_out(points_node, volume_node):
        return
    if linear_to_world(points_node) is not None:
        transforms.apply_transform(points_node, transform_node)


def carried_with(volume_node, points_node, fixed_points=None) -> list:
    """What a registration of a volume is applied to: the volume, and its points, unless they were taken out of an earlier one."""
    if points_node is None or points_node is fixed_points or was_taken_out(points_node, volume_node):
        return [volume_node]
    return [volume_node, points_node]


def let_go(points_node, volume_node, transform_node) -> None:
    """Take a point list out of a transform if this module put it there, and its volume was not hardened without it."""
    if None in (points_node, transform_node) or points_node.GetScene() is None:
        return
    if (
        transforms.put_under(points_node) is transform_node
        and registration_left_behind(points_node, volume_node) is None
    ):
        transforms.remove_transform(points_node, transform_node)


def set_visible(node, visible: bool) -> None:
    """Show or hide a point list that is still in the scene."""
    if node.GetScene() is not None:
        node.CreateDefaultDisplayNodes()
        node.SetDisplayVisibility(visible)


def show_in(node, names: Sequence[str], *, labels: bool = True) -> None:
    """Restrict a point list to slice views by name, with or without its labels; whether it is shown at all stays."""
    if node is None or node.GetScene() is None:
        return
    node.CreateDefaultDisplayNodes()
    display, wanted = node.GetDisplayNode(), views.slice_node_ids(names)
    with slicer.util.NodeModify(display):
        if list(display.GetViewNodeIDs()) != wanted:
            display.RemoveAllViewNodeIDs()
            for identifier in wanted:
                display.AddViewNodeID(identifier)
        display.SetVisibility2D(bool(wanted))  # without identifiers it would be all views
        display.SetPointLabelsVisibility(labels)


def remove(node) -> None:
    """Remove a node from the scene if it is there."""
    if node is not None and node.GetScene() is not None:
        slicer.mrmlScene.RemoveNode(node)


def _picked(landmarks: Landmarks, labels: list[str]):
    return landmarks.points[[landmarks.labels.index(label) for label in labels]].reshape(-1, 2)


def _joined(landmarks: Landmarks, labels: tuple[str, ...], points) -> Landmarks:
    return Landmarks((*landmarks.labels, *labels), np.vstack([landmarks.points, points]))
