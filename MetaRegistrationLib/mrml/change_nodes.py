"""A change between two visits in the scene: coloured maps, pixels not measurable, regions, and the centre of their grid."""

from __future__ import annotations

import math

import numpy as np
import slicer
import vtk

from ..core.geometry import Geometry
from ..visits.change_files import SeriesChange
from ..visits.change_picture import FULL, change_colours
from ..visits.regions import REGION_COLUMNS
from . import views
from .coloured import fill_colours, show_coloured
from .placement import RAS_TO_LPS
from .visit_nodes import VisitNodes, name_in_scene
from .volumes import place_image

_COLOURS = 256
_HATCH = 9  # pixels between the lines, as in the picture of the report
_NEUTRAL = 0.75  # grey level that a small change is mixed with
_OPACITY = 0.75  # of the change over the average
_GREY = (0.7, 0.7, 0.7, 1.0)
_CENTRE_COLOUR = (1.0, 1.0, 0.0)


def put_change(nodes: VisitNodes, found: SeriesChange, geometry: Geometry, names: dict[str, str]) -> None:
    """Fill the nodes of the change map, which are made when there are none.

    Parameters
    ----------
    nodes : VisitNodes
    found : SeriesChange
    geometry : Geometry
        Of the reference, in the world.
    names : dict of str to str
        Names of the nodes, by the keys change, clusters, unknown, colours, unknownColours and regions.
    """
    colours = _colour_table(nodes, "colours", names, _colours())
    counts = found.change.lost | found.change.gained
    for part, where in (("change", found.change.known), ("clusters", counts)):
        node = _node(nodes, part, "vtkMRMLScalarVolumeNode", names)
        place_image(node, np.where(where, found.change.density, np.nan).astype(np.float32), geometry)
        show_coloured(node, colours, -FULL, FULL)
    rows, columns = np.indices(found.change.known.shape)
    hatched = ~found.change.known & ((rows + columns) % _HATCH < 2)
    unknown = _node(nodes, "unknown", "vtkMRMLLabelMapVolumeNode", names)
    place_image(unknown, hatched.astype(np.uint8), geometry)
    unknown.CreateDefaultDisplayNodes()
    grey = _colour_table(nodes, "unknownColours", names, np.array([(0, 0, 0, 0), _GREY], dtype=np.float32))
    unknown.GetDisplayNode().SetAndObserveColorNodeID(grey.GetID())
    put_regions(nodes, found.rows, names["regions"])


def put_regions(nodes: VisitNodes, rows: list[dict], name: str) -> None:
    """Fill the table of regions: text and numbers, NaN where not measurable."""
    node = _node(nodes, "regions", "vtkMRMLTableNode", {"regions": name})
    table = vtk.vtkTable()
    for title in REGION_COLUMNS:
        column = vtk.vtkStringArray() if title == "region" else vtk.vtkDoubleArray()
        column.SetName(title)
        for row in rows:
            value = row[title]
            column.InsertNextValue(
                value if title == "region" else math.nan if value is None else round(float(value), 3)
            )
        table.AddColumn(column)
    with slicer.util.NodeModify(node):
        node.SetAndObserveTable(table)
        node.SetUseColumnTitleAsColumnHeader(True)
        node.SetLocked(True)


def put_centre(nodes: VisitNodes, centre_xy: tuple[float, float], geometry: Geometry, name: str):
    """The centre of the grid, a point that the user may move. If there is none, it is made at the suggested position."""
    node = nodes["centre"]
    if node is None:
        node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", name_in_scene(nodes.name, name))
        node.CreateDefaultDisplayNodes()
        node.GetDisplayNode().SetSelectedColor(*_CENTRE_COLOUR)
        nodes["centre"] = node
    if node.GetNumberOfControlPoints() == 0:
        node.AddControlPointWorld(_position(centre_xy, geometry), name)
        note_suggested(nodes, centre_xy)
    return node


def move_centre(nodes: VisitNodes, centre_xy: tuple[float, float], geometry: Geometry) -> None:
    """Put the centre of the grid to a pixel of the reference; nothing without one."""
    node = nodes["centre"]
    if node is not None and node.GetNumberOfControlPoints():
        node.SetNthControlPointPositionWorld(0, _position(centre_xy, geometry))


def note_suggested(nodes: VisitNodes, centre_xy: tuple[float, float]) -> None:
    """Note the centre that the program suggests: elsewhere, the user moved it."""
    nodes.attribute("SuggestedCentre", f"{centre_xy[0]!r} {centre_xy[1]!r}")


def _position(centre_xy: tuple[float, float], geometry: Geometry) -> list[float]:
    """RAS of a pixel."""
    return [float(value) for value in geometry.to_physical(np.array(centre_xy[::-1])) * RAS_TO_LPS]


def centre_of(nodes: VisitNodes, geometry: Geometry) -> tuple[tuple[float, float] | None, bool]:
    """Position of the centre, (x, y) in pixels of the reference, and whether the user moved it; None without one."""
    node = nodes["centre"]
    if node is None or node.GetNumberOfControlPoints() == 0:
        return None, False
    position = np.zeros(3)
    node.GetNthControlPointPositionWorld(0, position)
    row, column = geometry.to_pixels(position * RAS_TO_LPS)
    suggested = [float(value) for value in nodes.attribute("SuggestedCentre").split()] or [math.inf, math.inf]
    moved = math.dist((column, row), suggested) > 0.5
    return (float(column), float(row)), moved


def place_points(node) -> None:
    """Let the next clicks in the views place points of a list or curve, until the user stops that."""
    selection = slicer.mrmlScene.GetNodeByID("vtkMRMLSelectionNodeSingleton")
    interaction = slicer.mrmlScene.GetNodeByID("vtkMRMLInteractionNodeSingleton")
    selection.SetReferenceActivePlaceNodeClassName(node.GetClassName())
    selection.SetActivePlaceNodeID(node.GetID())
    interaction.SetPlaceModePersistence(1)
    interaction.SetCurrentInteractionMode(interaction.Place)


def show_visits(nodes: VisitNodes) -> None:
    """Show the earlier visit, the later visit and their change side by side; without a change as `show_sequence`."""
    found = nodes.volumes
    pair = found.get(nodes.attribute("Earlier")), found.get(nodes.attribute("Later"))
    reference, average = found.get(nodes.reference), nodes["average"]
    if nodes["change"] is None or None in (*pair, reference, average):
        show_sequence(nodes)
        return
    views.show_three((*pair, average), reference)
    _lay_change(nodes, views.THREE_VIEWS[2])


def show_sequence(nodes: VisitNodes) -> None:
    """Show the visits one at a time beside the average, and over that the change where there is one."""
    shown, average = nodes["shown"], nodes["average"]
    if shown is None or average is None:
        return
    views.show_pair(shown, average)
    if nodes["change"] is not None:
        _lay_change(nodes, views.PAIR_VIEWS[1])


def show_one_at_a_time(nodes: VisitNodes) -> None:
    """Let a view show the visits one at a time, if none does."""
    if not views.all_views_of(nodes["shown"]):
        show_sequence(nodes)


def _lay_change(nodes: VisitNodes, view: str) -> None:
    """The change, and what is not measurable, over the average that a view shows."""
    composite = slicer.mrmlScene.GetSingletonNode(view, "vtkMRMLSliceCompositeNode")
    if composite is None:
        return
    with slicer.util.NodeModify(composite):
        composite.SetCompositing(composite.Alpha)
        composite.SetForegroundVolumeID((nodes["clusters"] or nodes["change"]).GetID())
        composite.SetForegroundOpacity(_OPACITY)
        composite.SetLabelVolumeID(nodes["unknown"].GetID() if nodes["unknown"] is not None else None)
        composite.SetLabelOpacity(1.0)


def _node(nodes: VisitNodes, part: str, class_name: str, names: dict[str, str]):
    node = nodes[part]
    if node is None:
        node = slicer.mrmlScene.AddNewNodeByClass(class_name, names[part])
        nodes[part] = node
    node.SetName(names[part])
    return node


def _colours() -> np.ndarray:
    """Blue to orange (256, 4), opaque: slice views know nothing in between."""
    mixed = change_colours(np.linspace(-FULL, FULL, _COLOURS))
    share = mixed[:, 3:]
    return np.concatenate([mixed[:, :3] * share + _NEUTRAL * (1 - share), np.ones_like(share)], axis=1)


def _colour_table(nodes: VisitNodes, part: str, names: dict[str, str], colours: np.ndarray):
    node = _node(nodes, part, "vtkMRMLColorTableNode", names)
    fill_colours(node, colours)
    return node
