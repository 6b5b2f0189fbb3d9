"""The predicted error of a registration as a volume on the fixed image, and translucent over the layers of slice views.

A result keeps its map of predicted errors as an attribute (`RegistrationNode.error`). The volume is made from it on request. A
pair of volumes has one at most.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import slicer

from ..core.geometry import Geometry
from ..core.preprocessing import NetworkGrid, stretched_grid
from ..error_map.maps import ErrorMap
from ..registration.predicted_error import error_image, micrometres_a_pixel
from . import masks, views
from .coloured import fill_colours, show_coloured
from .placement import linear_to_world
from .registration_node import RegistrationNode
from .visit_nodes import remove_node
from .volumes import place_image, volume_geometry, volume_slices

HIGHEST_PX = 5.0
"""The error with the last colour, in pixels of the network grid; the first colour is 0."""
_OPACITY = 0.5
_COLOURS = 256
_LEGEND = "vtkMRMLColorLegendDisplayNode"
_LEGEND_SIZE, _LEGEND_POSITION = (0.08, 0.3), (0.98, 0.05)  # shares of the view, from its lower left corner
_STEPS = ((0.00, 0.13, 0.30), (0.26, 0.30, 0.42), (0.49, 0.48, 0.47), (0.74, 0.69, 0.43), (1.00, 0.91, 0.27))
_MOVING_ROLE, _FIXED_ROLE = "MetaRegistration.ErrorOfMoving", "MetaRegistration.ErrorOfFixed"
_CONTENT, _OWN_COLOURS = "MetaRegistration.ErrorContent", "MetaRegistration.ErrorColours"
_BELOW_ROLE, _BELOW_OPACITY = "MetaRegistration.LabelBelowError", "MetaRegistration.LabelOpacityBelowError"


class _Placed(NamedTuple):
    """Stands for an image of which only the geometry is used."""

    geometry: Geometry


class StoredErrors(NamedTuple):
    """As `Registration`, as far as predicted errors go."""

    error: ErrorMap
    fixed: _Placed
    fixed_grid: NetworkGrid
    tissue_fixed: np.ndarray | None


class ErrorNames(NamedTuple):
    """Names of the nodes that are made, the volume and its colour table, and the title of the legend."""

    volume: str
    colours: str
    legend: str


def has_errors(result_node, fixed_node) -> bool:
    """Whether a result keeps predicted errors that can be placed on the fixed volume."""
    return _geometry(result_node, fixed_node) is not None and RegistrationNode(result_node).error is not None


def micrometres_a_grid_pixel(result_node, fixed_node) -> float:
    """Size of a pixel of the network grid on the fixed volume; NaN if the pixel size is not known."""
    geometry = _geometry(result_node, fixed_node)
    if geometry is None:
        return float("nan")
    result = RegistrationNode(result_node)
    grid = stretched_grid(geometry.size, result.grid_size)
    return micrometres_a_pixel(StoredErrors(None, _Placed(result.of_known_size(geometry, 1)), grid, None))


def error_volume(moving_node, fixed_node):
    """The volume with the predicted error of two volumes, or None."""
    return next((node for node in _error_volumes() if _pair_of(node) == (moving_node, fixed_node)), None)


def put_error_volume(result_node, moving_node, fixed_node, names: ErrorNames):
    """The volume with the predicted error of a result, float32, in pixels of the network grid, NaN where it is unknown.

    Parameters
    ----------
    result_node : vtkMRMLGridTransformNode or vtkMRMLScalarVolumeNode
        A result of the two volumes that keeps predicted errors.
    moving_node, fixed_node : vtkMRMLVolumeNode
    names : ErrorNames
        Of new nodes.
    """
    node = error_volume(moving_node, fixed_node)
    if node is None:
        node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", names.volume)
        for role, volume in ((_MOVING_ROLE, moving_node), (_FIXED_ROLE, fixed_node)):
            node.SetNodeReferenceID(role, volume.GetID())
        show_coloured(node, _colour_table(names.colours), 0.0, HIGHEST_PX)
        _add_legend(node, names.legend)
    _fill(node, result_node, fixed_node)
    return node


def update_error_volume(result_node, moving_node, fixed_node) -> None:
    """Give the volume of a pair, if it has one, the predicted error of its present result; without one it is removed."""
    node = error_volume(moving_node, fixed_node)
    if node is None:
        return
    if has_errors(result_node, fixed_node):
        _fill(node, result_node, fixed_node)
        return
    uncover(node)
    remove_node(node)
    if not _error_volumes():
        remove_node(_own_colours())


def cover(volume, moving_nodes: Iterable, fixed_node) -> bool:
    """Show an error volume, translucent, over the views that show moving and fixed overlaid, else over those that show one.

    Their other layers stay. The layer of label maps is used; `uncover` restores it.

    Returns
    -------
    bool
        Whether there is such a view.
    """
    moving = {node.GetID() for node in moving_nodes if node is not None}
    overlaid, alone = [], []
    for composite in filter(None, map(_composite, views.visible_views())):
        shown = {composite.GetBackgroundVolumeID(), composite.GetForegroundVolumeID()}
        if fixed_node.GetID() in shown and shown & moving:
            overlaid.append(composite)
        elif shown & {fixed_node.GetID(), *moving}:
            alone.append(composite)
    chosen = overlaid or alone
    for composite in _covered():
        if composite not in chosen or composite.GetLabelVolumeID() != volume.GetID():
            _lift(composite)
    for composite in chosen:
        _lay(composite, volume)
    _update_legends()
    return bool(chosen)


def uncover(volume=None) -> None:
    """Show again what an error volume, or any one, covers."""
    _lift_all([each for each in _covered() if volume is None or each.GetLabelVolumeID() == volume.GetID()])


def uncover_others(moving_node, fixed_node) -> None:
    """Show again what the error volumes of other pairs cover."""
    own = error_volume(moving_node, fixed_node)
    _lift_all([each for each in _covered() if own is None or each.GetLabelVolumeID() != own.GetID()])


def covers(volume) -> bool:
    """Whether an error volume is shown over a view."""
    return volume is not None and any(each.GetLabelVolumeID() == volume.GetID() for each in _covered())


def _geometry(result_node, fixed_node) -> Geometry | None:
    """The fixed image of a result in the world; None where it cannot be placed."""
    if None in (result_node, fixed_node):
        return None
    volume, index = fixed_node, 0
    if result_node.IsA("vtkMRMLVolumeNode"):  # a warped volume is on the fixed image
        volume = result_node
    else:
        index = RegistrationNode(result_node).slices[1]
    if index >= volume_slices(volume) or linear_to_world(volume) is None:
        return None
    return volume_geometry(volume, index)


def _fill(node, result_node, fixed_node) -> None:
    """Put the predicted error of a result into its volume, unless it holds it already."""
    geometry = _geometry(result_node, fixed_node)
    tissue = _tissue(fixed_node, geometry.size)
    result = RegistrationNode(result_node)
    told = f"{result.error_text} {geometry}".encode() + (b"" if tissue is None else np.packbits(tissue).tobytes())
    content = f"{zlib.crc32(told):08x}"
    if node.GetAttribute(_CONTENT) == content:
        return
    errors = StoredErrors(result.error, _Placed(geometry), stretched_grid(geometry.size, result.error.size), tissue)
    place_image(node, error_image(errors), geometry)
    node.SetAttribute(_CONTENT, content)


def _tissue(fixed_node, size: tuple[int, int]) -> np.ndarray | None:
    """The tissue mask of the fixed image, bool (H, W); None if it is everywhere."""
    labels = masks.field_of_view(fixed_node)
    if labels is None or volume_slices(labels) == 0:
        return None
    mask = slicer.util.arrayFromVolume(labels)[0] != 0
    return mask if mask.shape == tuple(size) else None


def _error_volumes() -> list:
    nodes = slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")
    return [node for node in nodes if node.GetAttribute(_CONTENT)]


def _pair_of(node) -> tuple:
    return node.GetNodeReference(_MOVING_ROLE), node.GetNodeReference(_FIXED_ROLE)


def _own_colours():
    nodes = slicer.util.getNodesByClass("vtkMRMLColorTableNode")
    return next((node for node in nodes if node.GetAttribute(_OWN_COLOURS)), None)


def _colour_table(name: str):
    """Dark blue to yellow, apart from the magenta, green and white of the overlay, and distinct for the colour-blind."""
    table = _own_colours()
    if table is None:
        table = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLColorTableNode", name)
        table.SetAttribute(_OWN_COLOURS, "yes")
        at, steps = np.linspace(0, 1, _COLOURS), np.linspace(0, 1, len(_STEPS))
        channels = [np.interp(at, steps, channel) for channel in zip(*_STEPS, strict=True)]
        fill_colours(table, np.stack([*channels, np.ones(_COLOURS)], axis=1))
    return table


def _add_legend(volume, title: str) -> None:
    """A colour legend, which Slicer draws in the views that show the volume."""
    if not slicer.mrmlScene.IsNodeClassRegistered(_LEGEND):  # the module Colors is not loaded
        return
    legend = slicer.mrmlScene.AddNewNodeByClass(_LEGEND, title)
    with slicer.util.NodeModify(legend):
        legend.SetAndObservePrimaryDisplayNode(volume.GetDisplayNode())
        legend.SetTitleText(title)
        legend.SetLabelFormat("%.0f")
        legend.SetNumberOfLabels(int(HIGHEST_PX) + 1)
        legend.SetSize(*_LEGEND_SIZE)
        legend.SetPosition(*_LEGEND_POSITION)
    volume.AddAndObserveDisplayNodeID(legend.GetID())


def _update_legends() -> None:
    """Show and hide the legends: Slicer does so by itself only where the user changes a layer."""
    for volume in _error_volumes():
        for number in range(volume.GetNumberOfDisplayNodes()):
            display = volume.GetNthDisplayNode(number)
            if display is not None and display.IsA(_LEGEND):
                display.Modified()


def _composite(view: str):
    return slicer.mrmlScene.GetSingletonNode(view, "vtkMRMLSliceCompositeNode")


def _covered() -> list:
    """The composite nodes of views that an error volume covers."""
    volumes = {node.GetID() for node in _error_volumes()}
    nodes = slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode")
    return [node for node in nodes if node.GetLabelVolumeID() in volumes]


def _lay(composite, volume) -> None:
    if composite.GetLabelVolumeID() == volume.GetID():
        return
    with slicer.util.NodeModify(composite):
        # The former layer is stored in the scene. It can then be restored after loading too.
        composite.SetNodeReferenceID(_BELOW_ROLE, composite.GetLabelVolumeID())
        composite.SetAttribute(_BELOW_OPACITY, repr(composite.GetLabelOpacity()))
        composite.SetLabelVolumeID(volume.GetID())
        composite.SetLabelOpacity(_OPACITY)


def _lift_all(composites: list) -> None:
    for composite in composites:
        _lift(composite)
    if composites:
        _update_legends()


def _lift(composite) -> None:
    with slicer.util.NodeModify(composite):
        composite.SetLabelVolumeID(composite.GetNodeReferenceID(_BELOW_ROLE))
        composite.SetLabelOpacity(float(composite.GetAttribute(_BELOW_OPACITY) or 1.0))
        composite.SetNodeReferenceID(_BELOW_ROLE, None)
        composite.RemoveAttribute(_BELOW_OPACITY)
