"""The part of *Register* that switches the views: moving, fixed, both compared, and both alternately."""

from __future__ import annotations

from .compare_choice import CompareChoice
from .error_section import ErrorSection
from .state import PanelState
from .texts import tr as _
from .widgets import can_start

FLICKER_MS = 500


class ViewsSection:
    """Controls the widgets that show the pair.

    Parameters
    ----------
    ui : namespace of widgets
    logic : RegisterLogic
    state : PanelState
    """

    def __init__(self, ui, logic, state: PanelState) -> None:
        import qt

        self.ui, self._logic, self._state = ui, logic, state
        self._overlay = None
        self._error = ErrorSection(ui, logic, state, self.show_overlay)
        self._timer = qt.QTimer()
        self._timer.setInterval(FLICKER_MS)
        self._timer.connect("timeout()", self._flick)
        ui.showMovingButton.connect("clicked(bool)", lambda checked: self._show_one("movingVolume"))
        ui.showFixedButton.connect("clicked(bool)", lambda checked: self._show_one("fixedVolume"))
        ui.showOverlayButton.connect("clicked(bool)", lambda checked: self.show_overlay())
        self._choice = CompareChoice(ui, self._compare)
        ui.flickerButton.connect("toggled(bool)", self._flicker)
        ui.fieldOfViewCheckBox.connect("toggled(bool)", lambda on: self._outline())
        state.watch(self.refresh)
        state.watch_views(self._take_over)

    def refresh(self) -> None:
        """Enable what can be shown."""
        parameters = self._state.parameters
        missing = [] if parameters.movingVolume and parameters.fixedVolume else [_("a moving and a fixed volume")]
        ui = self.ui
        if self._overlay is not None and not self._is_of_chosen(self._overlay):
            self._drop(shown_again=not self._state.in_scene)
        self._take_over()
        can_start(ui.showMovingButton, missing, _("Show the moving image, warped once it is registered."))
        can_start(ui.showFixedButton, missing, _("Show the fixed image."))
        can_start(ui.showOverlayButton, missing, _("Show both images compared in one view."))
        can_start(ui.flickerButton, missing, _("Show the moving and the fixed image alternately."))
        self._choice.enable(not missing)
        ui.fieldOfViewCheckBox.visible = self._logic.field_of_view(parameters.fixedVolume) is not None
        self._error.refresh()

    def show_overlay(self) -> None:
        """Show the registered pair overlaid."""
        parameters = self._state.parameters
        moving = self._shown_moving()
        self._drop(keep_picture=True)
        self._overlay = self._logic.show_overlay(
            moving, parameters.fixedVolume, parameters.fixedSlice, self._choice.how, self._outlined()
        )
        self._error.cover()
        self._state.views_changed()

    def show_pair(self) -> None:
        """Show the chosen slices side by side and overlaid, or the one volume that is chosen."""
        parameters = self._state.parameters
        moving, fixed = parameters.movingVolume, parameters.fixedVolume
        slices = parameters.movingSlice, parameters.fixedSlice
        self._drop(keep_picture=None not in (moving, fixed))
        if None not in (moving, fixed):
            self._overlay = self._logic.show_pair(moving, fixed, *slices, self._choice.how, self._outlined())
        elif moving is not None or fixed is not None:
            node, index = (moving, slices[0]) if fixed is None else (fixed, slices[1])
            self._logic.show_one(node, node, index)
        self._error.cover()
        self._state.views_changed()

    def close(self) -> None:
        """Stop the flicker; the scene or the module goes away."""
        self._drop(shown_again=True)

    def _drop(self, *, keep_picture: bool = False, shown_again: bool = False) -> None:
        """End the present comparison, if there is one."""
        self._stop_flicker()
        if self._overlay is not None:
            self._overlay.close(keep_picture=keep_picture, shown_again=shown_again)
            self._overlay = None

    def _take_over(self) -> None:
        """Work on the comparison that the views show already: of a loaded scene, or of a pair that was just loaded."""
        parameters = self._state.parameters
        nodes = self._shown_moving(), parameters.fixedVolume
        if self._overlay is None and self._state.in_scene and None not in nodes:
            self._overlay = self._logic.overlay_of(*nodes, self._outlined())
            if self._overlay is not None:
                self._choice.follow(self._overlay.how)

    def _is_of_chosen(self, overlay) -> bool:
        parameters = self._state.parameters
        moving = parameters.movingVolume, parameters.warpedVolume
        return overlay.fixed is parameters.fixedVolume and any(overlay.moving is node for node in moving)

    def _shown_moving(self):
        """The moving volume under its transform, or else the warped one."""
        parameters = self._state.parameters
        nodes = parameters.movingVolume, parameters.fixedVolume
        if parameters.warpedVolume is not None and not self._logic.is_registered(*nodes, parameters.transform):
            return parameters.warpedVolume
        return parameters.movingVolume

    def _show_one(self, name: str) -> None:
        self._drop()
        parameters = self._state.parameters
        node = self._shown_moving() if name == "movingVolume" else parameters.fixedVolume
        registered = self._logic.is_registered(parameters.movingVolume, parameters.fixedVolume, parameters.transform)
        facing, index = parameters.fixedVolume, parameters.fixedSlice
        if name == "movingVolume" and node is parameters.movingVolume and not registered:
            facing, index = node, parameters.movingSlice
        self._logic.show_one(node, facing, index)
        self._error.cover()
        self._state.views_changed()

    def _outlined(self):
        """The label map to outline in the overlay, or None."""
        if not self.ui.fieldOfViewCheckBox.checked:
            return None
        return self._logic.field_of_view(self._state.parameters.fixedVolume)

    def _outline(self) -> None:
        if self._overlay is not None:
            self._overlay.outline(self._outlined())
            self._error.cover()

    def _compare(self) -> None:
        if self._overlay is None:
            self.show_overlay()
        else:
            self._stop_flicker()
            self._overlay.compare(self._choice.how)
            self._error.cover()

    def _flicker(self, on: bool) -> None:
        if on:
            if self._overlay is None:
                self.show_overlay()
                self._check_flicker(True)
            self._timer.start()
            self._flick()
            return
        self._timer.stop()
        if self._overlay is not None:
            self._overlay.flicker(False)
            self._error.cover()

    def _stop_flicker(self) -> None:
        self._timer.stop()
        self._check_flicker(False)

    def _check_flicker(self, on: bool) -> None:
        """Say whether the images are shown alternately, without a signal."""
        blocked = self.ui.flickerButton.blockSignals(True)
        self.ui.flickerButton.checked = on
        self.ui.flickerButton.blockSignals(blocked)

    def _flick(self) -> None:
        if self._overlay is not None:
            self._overlay.flicker()
            self._error.cover()
