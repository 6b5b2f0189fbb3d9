"""Content of the slice views: moving and fixed side by side, or overlaid in magenta and green."""

from __future__ import annotations

import numpy as np
import slicer

from .placement import RAS_TO_LPS, geometry_from_matrix, linear_to_world
from .volumes import ijk_to_ras, volume_slices

PAIR_VIEWS = ("Red", "Yellow")
OVERLAY_VIEW = "Red"
BELOW_PAIR_VIEW = "Green"
PAIR_AND_OVERLAY_LAYOUT = 20587  # a number of our own, apart from Slicer's and other extensions'
GREY, MAGENTA, GREEN = (f"vtkMRMLColorTableNode{name}" for name in ("Grey", "Magenta", "Green"))


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
        _set_colour(volume, GREY)
        _set_layers(name, volume, None, 0.0)
        face_slice(name, volume, index)


def show_overlay(moving, fixed, *, fraction: float = 0.5, fixed_slice: int = 0, field_of_view=None) -> Overlay:
    """Show moving in magenta and fixed in green in one view, white where both agree; a label map outlined on top."""
    set_layout(slicer.vtkMRMLLayoutNode.SlicerLayoutOneUpRedSliceView)
    overlay = Overlay(moving, fixed, field_of_view=field_of_view)
    overlay.colour()
    overlay.set_blend(fraction)
    face_slice(OVERLAY_VIEW, fixed, fixed_slice)
    return overlay


def show_pair_and_overlay(moving, fixed, *, moving_slice: int = 0, fixed_slice: int = 0, field_of_view=None) -> Overlay:
    """Show moving in magenta and fixed in green side by side, and both overlaid below, a label map outlined on top."""
    _add_pair_and_overlay_layout()
    set_layout(PAIR_AND_OVERLAY_LAYOUT)
    overlay = Overlay(moving, fixed, BELOW_PAIR_VIEW, field_of_view)
    overlay.colour()
    for name, volume, index in zip(PAIR_VIEWS, (moving, fixed), (moving_slice, fixed_slice), strict=True):
        _set_layers(name, volume, None, 0.0)
        face_slice(name, volume, index)
    overlay.set_blend(0.5)
    face_slice(BELOW_PAIR_VIEW, fixed, fixed_slice)
    return overlay


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
    _set_colour(volume, GREY)
    _set_layers(OVERLAY_VIEW, volume, None, 0.0)
    face_slice(OVERLAY_VIEW, volume if facing is None else facing, slice_index)


class Overlay:
    """Blend and flicker of two volumes in the overlay view; does nothing once one of them left the scene."""

    def __init__(self, moving, fixed, view: str = OVERLAY_VIEW, field_of_view=None):
        self.moving, self.fixed, self.view = moving, fixed, view
        self._field_of_view = field_of_view
        self.fraction = 0.5
        self._flicker_moving: bool | None = None

    def colour(self) -> None:
        """Moving magenta, fixed green (colour volumes keep their colours)."""
        _set_colour(self.moving, MAGENTA)
        _set_colour(self.fixed, GREEN)

    def set_blend(self, fraction: float) -> None:
        """Blend: 0 shows fixed alone, 0.5 both in full (white where they agree), 1 moving alone."""
        self.fraction = min(max(float(fraction), 0.0), 1.0)
        self._flicker_moving = None
        self._show(self.fraction)

    def outline(self, field_of_view) -> None:
        """Outline another label map, or none, on top of both."""
        self._field_of_view = field_of_view
        self._show_outline()

    def flicker(self, on: bool = True) -> None:
        """Show the two images alternately, one more at every call; with `on` False return to the blend."""
        if not on:
            self.set_blend(self.fraction)
            return
        self._flicker_moving = not self._flicker_moving
        self._show(1.0 if self._flicker_moving else 0.0)

    def _show(self, fraction: float) -> None:
        if self.moving.GetScene() is None or self.fixed.GetScene() is None:
            return
        # Only the foreground's share can be set, and sums are the same in either order.
        if fraction <= 0.5:
            _set_layers(self.view, self.fixed, self.moving, 2 * fraction)
        else:
            _set_layers(self.view, self.moving, self.fixed, 2 * (1 - fraction))
        self._show_outline()

    def _show_outline(self) -> None:
        node = self._field_of_view
        composite = slicer.mrmlScene.GetSingletonNode(self.view, "vtkMRMLSliceCompositeNode")
        if composite is None:
            return
        shown = node is not None and node.GetScene() is not None
        if shown:
            composite.SetLabelOpacity(1.0)
        composite.SetLabelVolumeID(node.GetID() if shown else None)
        _set_outline(self.view, shown)


def views_of(volume) -> list[str]:
    """Names of the slice views of the layout that show a volume, those that show it alone first."""
    found = []
    for name in visible_views():
        composite = slicer.mrmlScene.GetSingletonNode(name, "vtkMRMLSliceCompositeNode")
        shown = () if composite is None else (composite.GetBackgroundVolumeID(), composite.GetForegroundVolumeID())
        if volume.GetID() in shown:
            found.append((shown[1] is not None, name))
    alone = [name for overlaid, name in found if not overlaid]
    return alone or [name for _overlaid, name in found]


def visible_views() -> list[str]:
    """Names of the slice views of the layout."""
    manager = getattr(getattr(slicer, "app", None), "layoutManager", None)
    manager = manager() if manager is not None else None
    if not hasattr(manager, "sliceViewNames"):  # there is no window
        return list(PAIR_VIEWS)
    return [name for name in manager.sliceViewNames() if manager.sliceWidget(name).visible]  # it names hidden views too


def set_layout(layout: int) -> None:
    """Switch to a layout by its number in vtkMRMLLayoutNode; does nothing where there is no window."""
    manager = getattr(getattr(slicer, "app", None), "layoutManager", None)
    manager = manager() if manager is not None else None
    if manager is not None:
        manager.setLayout(layout)
        # The views get their new sizes, to which their content is then fitted; nested ones need a second round.
        for _ in range(2):
            getattr(slicer.app, "processEvents", lambda: None)()


def _add_pair_and_overlay_layout() -> None:
    node = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLLayoutNode")
    if node is None or node.IsLayoutDescription(PAIR_AND_OVERLAY_LAYOUT):
        return
    # Without sizes on every item CTK's splitter goes by size hints, which leave a nested row a tenth of the height.
    moving, fixed, overlay = (
        f'<item splitSize="500"><view class="vtkMRMLSliceNode" singletontag="{name}">'
        f'<property name="orientation" action="default">Axial</property>'
        f'<property name="viewlabel" action="default">{name[0]}</property></view></item>'
        for name in (*PAIR_VIEWS, BELOW_PAIR_VIEW)
    )
    node.AddLayoutDescription(
        PAIR_AND_OVERLAY_LAYOUT,
        f'<layout type="vertical" split="true"><item splitSize="500">'
        f'<layout type="horizontal" split="true">{moving}{fixed}</layout></item>'
        f"{overlay}</layout>",
    )


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


def _set_layers(view: str, background, foreground, opacity: float) -> None:
    composite = slicer.mrmlScene.GetSingletonNode(view, "vtkMRMLSliceCompositeNode")
    if composite is None:
        return
    with slicer.util.NodeModify(composite):
        composite.SetCompositing(composite.Add if foreground is not None else composite.Alpha)
        composite.SetBackgroundVolumeID(background.GetID())
        composite.SetForegroundVolumeID(foreground.GetID() if foreground is not None else None)
        composite.SetForegroundOpacity(opacity)
        composite.SetLabelVolumeID(None)
    _set_outline(view, False)


def _set_outline(view: str, on: bool) -> None:
    """Whether a view outlines label maps; off, as Slicer has it, where there is none of an overlay."""
    if (slice_node := _slice_node(view)) is not None:
        slice_node.SetUseLabelOutline(on)


def _set_colour(volume, colour_id: str) -> None:
    volume.CreateDefaultDisplayNodes()
    display = volume.GetDisplayNode()
    if not display.IsA("vtkMRMLVectorVolumeDisplayNode") and slicer.mrmlScene.GetNodeByID(colour_id) is not None:
        display.SetAndObserveColorNodeID(colour_id)


def _slice_node(view: str):
    return slicer.mrmlScene.GetSingletonNode(view, "vtkMRMLSliceNode")


def _slice_logic(slice_node):
    application = getattr(getattr(slicer, "app", None), "applicationLogic", None)
    return application().GetSliceLogic(slice_node) if application is not None else None
