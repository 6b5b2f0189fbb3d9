"""Content of the slice views: volumes in grey, and their slices as their files have them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import slicer

from . import display_volume
from .layouts import SLICE_VIEWS as THREE_VIEWS
from .layouts import THREE_LAYOUT, set_layout
from .placement import RAS_TO_LPS, geometry_from_matrix, linear_to_world
from .volumes import ijk_to_ras, volume_slices

PAIR_VIEWS, BELOW_PAIR_VIEW = THREE_VIEWS[:2], THREE_VIEWS[2]
OVERLAY_VIEW = "Red"
_LINKED = "MetaRegistration.Linked"  # attribute of the composite nodes that are linked for three views
GREY = "vtkMRMLColorTableNodeGrey"


@contextmanager
def drawn_once() -> Iterator[None]:
    """Draw the views after the block, not amid it: a view with a deformed image takes long."""
    pause = getattr(getattr(slicer, "app", None), "setRenderPaused", lambda paused: None)
    pause(True)
    try:
        yield
    finally:
        pause(False)


@drawn_once()
def show_pair(moving, fixed, *, moving_slice: int = 0, fixed_slice: int = 0) -> None:
    """Show moving (left) and fixed (right) in grey, side by side, each as its file has it: rows down, columns right.

    Parameters
    ----------
    moving, fixed : vtkMRMLVolumeNode
    moving_slice, fixed_slice : int
        Which of their slices.
    """
    set_layout(slicer.vtkMRMLLayoutNode.SlicerLayoutSideBySideView)
    for name, volume, index in zip(PAIR_VIEWS, (moving, fixed), (moving_slice, fixed_slice), strict=True):
        set_grey(volume)
        set_layers(name, volume)
        face_slice(name, volume, index)


@drawn_once()
def show_one(volume, *, slice_index: int = 0, facing=None) -> None:
    """Show a volume in grey, alone.

    Parameters
    ----------
    volume : vtkMRMLVolumeNode
    slice_index : int
        Slice of `facing` to show.
    facing : vtkMRMLVolumeNode, optional
        Volume in whose plane and place the view stays, such as the fixed one for a warped one; `volume` by default.
    """
    set_layout(slicer.vtkMRMLLayoutNode.SlicerLayoutOneUpRedSliceView)
    set_grey(volume)
    set_layers(OVERLAY_VIEW, volume)
    face_slice(OVERLAY_VIEW, volume if facing is None else facing, slice_index)


def views_of(volume) -> list[str]:
    """Names of the slice views of the layout that show a volume, those that show it alone first."""
    return views_alone(volume) or all_views_of(volume)


def views_alone(volume) -> list[str]:
    """Names of the slice views of the layout that show a volume and no other one."""
    return [name for name in all_views_of(volume) if _composite(name).GetForegroundVolumeID() is None]


def all_views_of(volume) -> list[str]:
    """Names of the slice views of the layout that show a volume, alone or with another one."""
    found = []
    for name in visible_views():
        composite = _composite(name)
        shown = () if composite is None else (composite.GetBackgroundVolumeID(), composite.GetForegroundVolumeID())
        if volume is not None and volume.GetID() in shown:
            found.append(name)
    return found


def visible_views() -> list[str]:
    """Names of the slice views of the layout."""
    manager = getattr(getattr(slicer, "app", None), "layoutManager", None)
    manager = manager() if manager is not None else None
    if not hasattr(manager, "sliceViewNames"):  # there is no window
        return list(PAIR_VIEWS)
    return [name for name in manager.sliceViewNames() if manager.sliceWidget(name).visible]  # it names hidden views too


@drawn_once()
def show_three(volumes, facing) -> None:
    """Show three volumes side by side, linked: what is zoomed or moved in one view follows in the others.

    Parameters
    ----------
    volumes : sequence of vtkMRMLVolumeNode
    facing : vtkMRMLVolumeNode
        Volume in whose plane and place all views are.
    """
    set_layout(THREE_LAYOUT)
    for name, volume in zip(THREE_VIEWS, volumes, strict=True):
        set_grey(volume)
        set_layers(name, volume)
        face_slice(name, facing)
    for composite in filter(None, map(_composite, THREE_VIEWS)):
        if not composite.GetLinkedControl():
            composite.SetAttribute(_LINKED, "yes")
            composite.SetLinkedControl(True)
            composite.SetHotLinkedControl(True)


def _unlink(composite) -> None:
    """Undo the link of three views; one that the user made stays."""
    if composite.GetAttribute(_LINKED):
        composite.RemoveAttribute(_LINKED)
        composite.SetLinkedControl(False)
        composite.SetHotLinkedControl(False)


def face_slice(view: str, volume, slice_index: int = 0) -> None:
    """Turn a slice view to one slice of a volume, as its file has it, and fit it.

    Under a non-linear transform the slice is shown at the volume's place without it.
    """
    slice_node = _slice_node(view)
    if slice_node is None or volume_slices(volume) == 0:
        return
    placed = linear_to_world(volume)
    matrix = (np.eye(4) if placed is None else placed) @ ijk_to_ras(volume)
    columns, rows, _ = volume.GetImageData().GetDimensions()
    geometry = geometry_from_matrix(matrix, (rows, columns), slice_index, spacing_known=True)
    to_ras = slicer.util.vtkMatrixFromArray(_slice_to_ras(geometry))
    slice_node.GetSliceToRAS().DeepCopy(to_ras)
    slice_node.UpdateMatrices()
    logic = _slice_logic(slice_node)
    if logic is not None:
        width, height = slice_node.GetDimensions()[:2]
        logic.FitSliceToVolume(volume, width, height)
        slice_node.GetSliceToRAS().DeepCopy(to_ras)  # keep the plane when the volume has further slices
        slice_node.UpdateMatrices()


def _slice_to_ras(geometry) -> np.ndarray:
    """Columns to the right, rows down; left-handed for axial images, as Slicer's own axial view."""
    axes = np.asarray(geometry.direction) * RAS_TO_LPS[:, None]
    matrix = np.eye(4)
    matrix[:3, 0], matrix[:3, 1] = axes[:, 0], -axes[:, 1]
    normal = np.cross(matrix[:3, 1], matrix[:3, 0])
    matrix[:3, 2] = normal / np.linalg.norm(normal)
    centre = (np.asarray(geometry.size, dtype=float) - 1) / 2
    matrix[:3, 3] = geometry.to_physical(centre) * RAS_TO_LPS
    return matrix


def set_layers(view: str, background, foreground=None, opacity: float = 0.0) -> None:
    """Show volumes in the layers of a slice view, without a label map and without a picture over them."""
    composite = _composite(view)
    if composite is None:
        return
    with slicer.util.NodeModify(composite):
        composite.SetCompositing(composite.Alpha)
        composite.SetBackgroundVolumeID(background.GetID())
        composite.SetForegroundVolumeID(foreground.GetID() if foreground is not None else None)
        composite.SetForegroundOpacity(opacity)
        composite.SetLabelVolumeID(None)
        _unlink(composite)
        display_volume.uncover(view)
    set_outline(view, False)


def set_outline(view: str, on: bool) -> None:
    """Whether a view outlines label maps; off, as Slicer has it, where there is none of an overlay."""
    if (slice_node := _slice_node(view)) is not None:
        slice_node.SetUseLabelOutline(on)


def set_grey(volume) -> None:
    """Show a volume in grey; colour volumes keep their colours."""
    volume.CreateDefaultDisplayNodes()
    display = volume.GetDisplayNode()
    if not display.IsA("vtkMRMLVectorVolumeDisplayNode") and slicer.mrmlScene.GetNodeByID(GREY) is not None:
        display.SetAndObserveColorNodeID(GREY)


def slice_node_ids(names) -> list[str]:
    """Identifiers of the nodes of slice views."""
    nodes = [_slice_node(name) for name in names]
    return [node.GetID() for node in nodes if node is not None]


def _composite(view: str):
    return slicer.mrmlScene.GetSingletonNode(view, "vtkMRMLSliceCompositeNode")


def _slice_node(view: str):
    return slicer.mrmlScene.GetSingletonNode(view, "vtkMRMLSliceNode")


def _slice_logic(slice_node):
    application = getattr(getattr(slicer, "app", None), "applicationLogic", None)
    return application().GetSliceLogic(slice_node) if application is not None else None
