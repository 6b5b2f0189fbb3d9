"""Foveal avascular zones in the scene: a closed curve for each visit, which the user can correct."""

from __future__ import annotations

import numpy as np
import slicer

from ..core.geometry import Geometry
from ..octa.faz import Faz, measured_outline
from .markups import defined_points
from .placement import RAS_TO_LPS
from .visit_nodes import VisitNodes, remove_node
from .volumes import volume_geometry

FOUND, CHANGED, KEPT = "found", "changed", "kept"
"""States of a curve: as the program found it, changed by hand, and kept in the table of corrected zones."""
_STATE = "MetaRegistration.Faz"
_COLOUR = (1.0, 0.85, 0.2)
_GLYPH = 1.2  # percent of a view
_LEAST_POINTS = 3


def put_zone(nodes: VisitNodes, visit: str, positions: np.ndarray, name: str):
    """The curve of a visit through LPS positions (N, 3), made where there is none; without positions it waits to be drawn."""
    node = nodes.zone(visit)
    if node is None:
        node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsClosedCurveNode", name)
        node.CreateDefaultDisplayNodes()
        display = node.GetDisplayNode()
        display.SetSelectedColor(*_COLOUR)
        display.SetGlyphScale(_GLYPH)
        display.SetPointLabelsVisibility(False)
        display.SetPropertiesLabelVisibility(False)
        nodes.put_zone(visit, node)
    with slicer.util.NodeModify(node):
        node.RemoveAllControlPoints()
        for position in np.reshape(positions, (-1, 3)) * RAS_TO_LPS:
            node.AddControlPointWorld([float(value) for value in position], "")
    set_state(node, FOUND)
    return node


def state_of(node) -> str:
    """`FOUND`, `CHANGED` or `KEPT`."""
    return node.GetAttribute(_STATE) or FOUND


def set_state(node, state: str) -> None:
    """Note whether a curve was changed."""
    node.SetAttribute(_STATE, state)


def measured(nodes: VisitNodes, visit: str) -> Faz | None:
    """The zone within a visit's curve, on the scale of the eye; None without a curve, or without a pixel size.

    The outline is in pixels of the reference.

    Raises
    ------
    InputError
        The reference is no longer in the scene, or is under a transform that is not linear.
    """
    node, geometry = nodes.zone(visit), reference_geometry(nodes)
    if node is None or geometry is None or len(defined_points(node)) < _LEAST_POINTS:
        return None
    curve = node.GetCurvePointsWorld()
    points = np.array([curve.GetPoint(index) for index in range(curve.GetNumberOfPoints())])
    scale = 1.0 if nodes.eye_length is None else nodes.eye_length.scale
    return measured_outline(geometry.to_pixels(points * RAS_TO_LPS), np.multiply(geometry.spacing, scale))


def reference_geometry(nodes: VisitNodes) -> Geometry | None:
    """Where the pixels of the reference are in the world; None where their size is unknown.

    Raises
    ------
    InputError
        As `measured`.
    """
    geometry = volume_geometry(nodes.volume(nodes.reference))
    return geometry if geometry.spacing_known else None


def show_only(nodes: VisitNodes, visit: str) -> None:
    """Show the curve of this visit, and hide those of the others."""
    for name, node in nodes.zones.items():
        if node is not None and node.GetDisplayNode() is not None:
            node.GetDisplayNode().SetVisibility(name == visit)


def taken_out(nodes: VisitNodes, reference: str) -> dict[str, object]:
    """The curves that the user changed, by visit, where `reference` stays the reference; the others are removed."""
    kept = {}
    for name, node in nodes.zones.items():
        if node is not None and state_of(node) != FOUND and reference == nodes.reference:
            kept[name] = node
        else:
            remove_node(node)
    return kept


def put_back(nodes: VisitNodes, kept: dict[str, object], *, rescaled: bool = False) -> None:
    """Give curves that `taken_out` kept back to their visits; those of visits that are not aligned any more are removed.

    With another axial length (`rescaled`), the measures that were kept are on another scale.
    """
    for name, node in kept.items():
        if name in nodes.aligned:
            nodes.put_zone(name, node)
            if rescaled:
                set_state(node, CHANGED)
        else:
            remove_node(node)
