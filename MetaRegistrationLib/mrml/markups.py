"""Landmarks of the library from point lists in the scene, and point lists from landmarks."""

from __future__ import annotations

import numpy as np
import slicer

from ..core.geometry import Geometry
from ..errors import InputError
from ..formats.landmarks import Landmarks
from ..pairs.points import on_another_slice
from .placement import RAS_TO_LPS, to_world

MOVING_COLOUR = (0.0, 1.0, 0.0)
FIXED_COLOUR = (1.0, 1.0, 0.0)
# Type and size, percent of a view: where a moving landmark lies on a fixed one, the arms of the cross reach beyond the star, and
# its rays stand between them, whichever is drawn last.
_GLYPHS = {MOVING_COLOUR: ("Cross2D", 2.6), FIXED_COLOUR: ("StarBurst2D", 1.7)}
_TEXT_SIZE = 2.4


def landmarks_from_node(
    node, geometry: Geometry, *, world: bool = True, without=None, stack: tuple[int, int] | None = None
) -> Landmarks:
    """The defined points of a point list as landmarks of the image that `geometry` describes.

    Parameters
    ----------
    node : vtkMRMLMarkupsNode
    geometry : Geometry
        Points are projected onto its plane.
    world : bool
        Whether the transforms above the list count, as they do for a volume's geometry.
    without : vtkMRMLTransformNode, optional
        Transform above the list to leave out: for moving points under the registration's own transform, so that they
        are again where they were in the moving image.
    stack : (int, int), optional
        Which slice the image is, and of how many, as of `Image`.

    Raises
    ------
    InputError
        A point is on another slice of the stack.
    """
    indices = defined_points(node)
    positions = np.array([node.GetNthControlPointPosition(index) for index in indices], dtype=np.float64).reshape(-1, 3)
    if world:
        transform = to_world(node, without)
        positions = np.array([transform.TransformPoint(position) for position in positions]).reshape(-1, 3)
    labels = tuple(node.GetNthControlPointLabel(index) for index in indices)
    positions = positions * RAS_TO_LPS
    found = on_another_slice(labels, geometry.depths(positions), stack)
    if found is not None:
        raise InputError(
            f"{node.GetName()}: {found}, but landmarks of slice {stack[0]} were expected. Choose a list with landmarks of that"
            " slice, or choose the slice that they are on and register it."
        )
    return Landmarks(labels, geometry.to_pixels(positions))


def node_from_landmarks(landmarks: Landmarks, geometry: Geometry, name: str, node=None, colour=None):
    """A point list with landmarks at their world positions.

    Parameters
    ----------
    landmarks : Landmarks
        Points without a label are numbered from 1.
    geometry : Geometry
        Of their image, in the world.
    name : str
        Of a new list.
    node : vtkMRMLMarkupsFiducialNode, optional
        List to fill instead; its points are replaced, and it stays under its parent transform.
    colour : (float, float, float), optional
        Red, green, blue from 0 to 1.

    Returns
    -------
    vtkMRMLMarkupsFiducialNode

    Raises
    ------
    InputError
        The number of points of `node` is locked.
    """
    check_unlocked(node)
    if node is None:
        node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", name)
    positions = geometry.to_physical(landmarks.points) * RAS_TO_LPS
    with slicer.util.NodeModify(node):
        node.RemoveAllControlPoints()
        for number, (label, position) in enumerate(zip(landmarks.labels, positions, strict=True), 1):
            node.AddControlPointWorld([float(value) for value in position], label or str(number))
    if colour is not None:
        set_colour(node, colour)
    return node


def check_unlocked(*nodes) -> None:
    """Raise `InputError` if the number of points of a list (or None) is locked, so that Slicer adds and removes none."""
    for node in nodes:
        if node is not None and node.GetFixedNumberOfControlPoints():
            raise InputError(
                f"{node.GetName()}: the number of its points is locked. Unlock it in the Markups module, or choose another list."
            )


def set_colour(node, colour: tuple[float, float, float]) -> None:
    """Colour a point list, red, green, blue from 0 to 1; those of the moving and the fixed image get their glyphs too."""
    node.CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()
    display.SetColor(*colour)
    display.SetSelectedColor(*colour)  # new points are selected
    if colour in _GLYPHS:
        glyph, size = _GLYPHS[colour]
        display.SetGlyphTypeFromString(glyph)
        display.SetGlyphScale(size)
        display.SetTextScale(_TEXT_SIZE)


def defined_points(node) -> list[int]:
    """Indices of the points that have a position (not previews, nor skipped ones)."""
    return [
        index
        for index in range(node.GetNumberOfControlPoints())
        if node.GetNthControlPointPositionStatus(index) == node.PositionDefined
    ]
