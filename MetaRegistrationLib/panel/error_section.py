"""The check box of *Register* that shows the expected error of the result over the views."""

from __future__ import annotations

from collections.abc import Callable

from .state import PanelState


class ErrorSection:
    """Controls the check box. It says what the views show: the scene keeps that, and the user can change it there.

    Parameters
    ----------
    ui : namespace of widgets
    logic : RegisterLogic
    state : PanelState
    show_result : callable
        Shows the registered pair in the views.
    """

    def __init__(self, ui, logic, state: PanelState, show_result: Callable[[], None]) -> None:
        self.ui, self._logic, self._state, self._show_result = ui, logic, state, show_result
        ui.expectedErrorCheckBox.connect("toggled(bool)", self._toggled)

    def refresh(self) -> None:
        """Offer what the result has, and say whether it is shown."""
        if not self._state.in_scene:  # what the views of a scene show is not changed while it is loaded
            return
        box = self.ui.expectedErrorCheckBox
        known, shown = self._logic.update_expected_error(*self._chosen())
        box.visible = known
        blocked = box.blockSignals(True)
        box.checked = shown
        box.blockSignals(blocked)

    def cover(self) -> None:
        """Show it again over views that were filled anew, if it is wanted."""
        if self.ui.expectedErrorCheckBox.checked:
            self._logic.show_expected_error(*self._chosen())

    def _toggled(self, on: bool) -> None:
        if not on:
            self._logic.hide_expected_error()
        elif not self._logic.show_expected_error(*self._chosen()):  # the views show something else
            self._show_result()

    def _chosen(self) -> tuple:
        parameters = self._state.parameters
        results = parameters.transform, parameters.warpedVolume
        return parameters.movingVolume, parameters.fixedVolume, *results, self._state.slices
