"""Moving and fixed compared in one slice view: blended in magenta and green, as a checkerboard, beside a line, or alternately.

The picture is made for display, with even brightness, and lies over the layers of the view (`display_volume`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import slicer
import vtk

from ..core import comparison
from ..core.brightness import even_brightness
from ..errors import InputError
from . import display_volume, views
from .layouts import PAIR_AND_OVERLAY_LAYOUT, set_layout
from .resampling import resampled_on
from .volumes import grey_slice, ijk_to_ras, volume_slices

_SHOWN = "MetaRegistration.Compared"  # attribute of the composite node, from which a loaded scene is shown again
_PICTURES = {
    "blend": comparison.blended,
    "swipe": comparison.swiped,
    "checkerboard": lambda moving, fixed, tiles: comparison.checkerboard(moving, fixed, round(tiles)),
    "blink": lambda moving, fixed, which: comparison.single(moving if which > 0.5 else fixed),
}


class Compared(NamedTuple):
    """How two images are compared.

    Attributes
    ----------
    kind : str
        "blend", "swipe", "checkerboard" or "blink".
    value : float
        Share of moving, 0 to 1. A checkerboard takes the number of tiles along the longer side, blink takes 0 for fixed and 1 for
        moving.
    """

    kind: str = "blend"
    value: float = 0.5


BLEND = Compared()


@views.drawn_once()
def show_overlay(moving, fixed, how: Compared = BLEND, **options) -> Overlay:
    """Show moving and fixed compared in one view; `options` are those of `Overlay`."""
    set_layout(slicer.vtkMRMLLayoutNode.SlicerLayoutOneUpRedSliceView)
    overlay = Overlay(moving, fixed, views.OVERLAY_VIEW, **options)
    overlay.compare(how)
    views.face_slice(views.OVERLAY_VIEW, fixed, overlay.fixed_slice)
    return overlay


@views.drawn_once()
def show_pair_and_overlay(
    moving, fixed, how: Compared = BLEND, *, moving_slice: int = 0, fixed_slice: int = 0, **options
) -> Overlay:
    """Show moving and fixed side by side in grey, and both compared below; `options` are those of `Overlay`."""
    set_layout(PAIR_AND_OVERLAY_LAYOUT)
    for name, volume, index in zip(views.PAIR_VIEWS, (moving, fixed), (moving_slice, fixed_slice), strict=True):
        views.set_layers(name, volume)
        views.face_slice(name, volume, index)
    overlay = Overlay(moving, fixed, views.BELOW_PAIR_VIEW, fixed_slice=fixed_slice, **options)
    overlay.compare(how)
    views.face_slice(views.BELOW_PAIR_VIEW, fixed, fixed_slice)
    return overlay


def overlay_of(moving, fixed, **options) -> Overlay | None:
    """The overlay of two volumes that a view of a loaded scene shows, or None."""
    for name in views.visible_views():
        composite = slicer.mrmlScene.GetSingletonNode(name, "vtkMRMLSliceCompositeNode")
        noted = ("" if composite is None else composite.GetAttribute(_SHOWN) or "").split()
        if len(noted) != 3 or noted[0] not in _PICTURES:
            continue
        if (composite.GetBackgroundVolumeID(), composite.GetForegroundVolumeID()) == (fixed.GetID(), moving.GetID()):
            overlay = Overlay(moving, fixed, name, fixed_slice=int(noted[2]), **options)
            overlay.compare(Compared(noted[0], float(noted[1])), keep_label=True)
            return overlay
    return None


class Overlay:
    """Comparison of two volumes in a slice view; does nothing once one of them left the scene.

    The picture follows when a volume gets other pixels, another position or another transform. There is one picture at a time:
    that of another overlay is replaced.

    Parameters
    ----------
    moving, fixed : vtkMRMLVolumeNode
    view : str
    fixed_slice : int
        Slice of `fixed` on whose pixels both are compared.
    field_of_view : vtkMRMLLabelMapVolumeNode, optional
        Outlined on top.
    later : callable, optional
        Calls a function after some milliseconds, as `jobs.job.Host.single_shot`. Without it, the picture follows changes at the
        next call only.
    """

    def __init__(
        self,
        moving,
        fixed,
        view: str = views.OVERLAY_VIEW,
        *,
        fixed_slice: int = 0,
        field_of_view=None,
        later: Callable[[int, Callable[[], None]], None] | None = None,
    ) -> None:
        self.moving, self.fixed, self.view, self.fixed_slice = moving, fixed, view, fixed_slice
        self.how = BLEND
        self._shown = self.how
        self._field_of_view, self._later = field_of_view, later
        self._key: tuple | None = None
        self._grey: tuple[np.ndarray, np.ndarray] | None = None
        self._waiting = self._closed = False
        self._observers: list[tuple] = []
        for node in (moving, fixed):
            views.set_grey(node)
            if later is None:
                continue
            for event in (vtk.vtkCommand.ModifiedEvent, node.TransformModifiedEvent, node.ImageDataModifiedEvent):
                self._observe(node, event)
        if later is not None and (composite := self._composite()) is not None:
            self._observe(composite, vtk.vtkCommand.ModifiedEvent)

    def compare(self, how: Compared, *, keep_label: bool = False) -> None:
        """Show both, compared in a way; what was in the layer of label maps can stay."""
        self.how = how
        self._show(how, keep_label)

    def set_blend(self, fraction: float) -> None:
        """Blend: 0 shows fixed alone, 0.5 both in full (white where they agree), 1 moving alone."""
        self.compare(Compared("blend", min(max(float(fraction), 0.0), 1.0)))

    def outline(self, field_of_view) -> None:
        """Outline another label map, or none, on top of both."""
        self._field_of_view = field_of_view
        self._show_outline()

    def flicker(self, on: bool = True) -> None:
        """Show the two images alternately, in grey, the other one at every call; with `on` False return to the comparison."""
        if not on:
            self.compare(self.how)
            return
        self._show(Compared("blink", 0.0 if self._shown == Compared("blink", 1.0) else 1.0))

    def close(self, *, keep_picture: bool = False, shown_again: bool = False) -> None:
        """Take the picture away, unless another overlay is going to replace it; the layers below stay.

        With `shown_again`, `overlay_of` finds the comparison: the module is loaded again.
        """
        for node, tag in self._observers:
            node.RemoveObserver(tag)
        self._observers, self._closed = [], True
        if display_volume.is_shown(self.view) and not keep_picture:
            display_volume.remove_picture()
        composite = self._composite()
        if composite is not None and not shown_again:
            composite.RemoveAttribute(_SHOWN)

    def _show(self, shown: Compared, keep_label: bool = False) -> None:
        if not self._alive():
            return
        self._shown = shown
        composite = self._composite()
        if composite is None:
            return
        label = composite.GetLabelVolumeID(), composite.GetLabelOpacity()
        share = 0.5 if shown.kind == "checkerboard" else shown.value
        with slicer.util.NodeModify(composite):
            composite.SetAttribute(_SHOWN, f"{shown.kind} {shown.value!r} {self.fixed_slice}")
            views.set_layers(self.view, self.fixed, self.moving, share)
            if keep_label:
                composite.SetLabelVolumeID(label[0])
                composite.SetLabelOpacity(label[1])
            self._draw()
        if not keep_label:
            self._show_outline()

    def _draw(self) -> None:
        grey = self._images()
        if grey is None:
            display_volume.remove_picture()
            return
        picture = _PICTURES[self._shown.kind](*grey, self._shown.value)
        name = f"{self.moving.GetName()} / {self.fixed.GetName()}"
        display_volume.put_picture(self.view, picture, self.fixed, self.fixed_slice, name)

    def _images(self) -> tuple[np.ndarray, np.ndarray] | None:
        """Moving and fixed with even brightness on the pixels of fixed; None if they cannot be compared."""
        key = self._state()
        if key != self._key:
            self._key = key
            self._grey = None
            if self.fixed_slice < volume_slices(self.fixed) and volume_slices(self.moving):
                try:
                    images = (
                        resampled_on(self.moving, self.fixed, self.fixed_slice),
                        grey_slice(self.fixed, self.fixed_slice),
                    )
                except InputError:  # neither grey nor colour: the layers show it
                    return None
                self._grey = tuple(even_brightness(image) for image in images)
        return self._grey

    def _state(self) -> tuple:
        """All that the picture depends on."""
        state: list = [self.fixed_slice]
        for node in (self.moving, self.fixed):
            image, above = node.GetImageData(), node.GetParentTransformNode()
            state += [None if image is None else image.GetMTime(), ijk_to_ras(node).tobytes()]
            state.append(None if above is None else (above.GetID(), above.GetTransformToWorldMTime()))
        return tuple(state)

    def _alive(self) -> bool:
        return not self._closed and None not in (self.moving.GetScene(), self.fixed.GetScene())

    def _covers_its_own(self) -> bool:
        """Whether the layers are still those of the pair: the user can choose others, which the picture must not hide."""
        composite = self._composite()
        if composite is None or not display_volume.is_shown(self.view):
            return True
        layers = composite.GetBackgroundVolumeID(), composite.GetForegroundVolumeID()
        return layers == (self.fixed.GetID(), self.moving.GetID())

    def _composite(self):
        return slicer.mrmlScene.GetSingletonNode(self.view, "vtkMRMLSliceCompositeNode")

    def _observe(self, node, event) -> None:
        self._observers.append((node, node.AddObserver(event, lambda caller, event: self._changed())))

    def _changed(self) -> None:
        if not self._waiting:
            self._waiting = True
            self._later(1, self._follow)

    def _follow(self) -> None:
        """Draw again what changed while it is shown."""
        self._waiting = False
        if not self._alive() or not self._covers_its_own():
            self.close()
        elif display_volume.is_shown(self.view) and self._state() != self._key:
            self._draw()

    def _show_outline(self) -> None:
        node = self._field_of_view
        composite = self._composite()
        if composite is None:
            return
        shown = node is not None and node.GetScene() is not None
        if shown:
            composite.SetLabelOpacity(1.0)
        composite.SetLabelVolumeID(node.GetID() if shown else None)
        views.set_outline(self.view, shown)
