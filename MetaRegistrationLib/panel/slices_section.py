"""The part of *Pairs* that picks a slice of each volume, and shows it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .state import PanelState


class SlicesSection:
    """Controls the two numbers of slices.

    Parameters
    ----------
    ui : namespace of widgets
    logic : RegisterLogic
    state : PanelState
    host : jobs.job.Host
    show : callable
        Shows the chosen slices of the chosen volumes in the views.
    """

    def __init__(self, ui, logic, state: PanelState, host: Any, show: Callable[[], None]) -> None:
        self.ui, self._logic, self._state, self._host, self._show = ui, logic, state, host, show
        self._seen: tuple = (None, (), ())  # parameters, volumes, slices
        self._wanted = self._showing = False
        state.watch(self.refresh)

    def refresh(self) -> None:
        """Start a newly chosen stack at its middle slice, and show newly picked slices."""
        parameters = self._state.parameters
        volumes = parameters.movingVolume, parameters.fixedVolume
        counts = [self._logic.slices(node) for node in volumes]
        ui = self.ui
        rows = (ui.movingSliceLabel, ui.movingSliceSpinBox), (ui.fixedSliceLabel, ui.fixedSliceSpinBox)
        for (label, box), count in zip(rows, counts, strict=True):
            label.visible = box.visible = box.enabled = count > 1
            if count:
                box.maximum = count - 1
        before, volumes_before, slices_before = self._seen
        same_scene = before is parameters  # the slices of a scene that is opened, or returned to, are not changed
        if same_scene and volumes != volumes_before:
            self._begin(volumes, volumes_before)
            if max(counts) > 1:
                self._show_soon()
        elif same_scene and self._slices() != slices_before:
            self._show_soon()
        self._seen = parameters, volumes, self._slices()

    def close(self) -> None:
        """The scene or the module goes away."""
        self._wanted = False

    def _begin(self, volumes: tuple, before: tuple) -> None:
        parameters = self._state.parameters
        starts = self._logic.start_slices(*volumes, parameters.transform)
        for name, node, other, start in zip(("movingSlice", "fixedSlice"), volumes, before, starts, strict=True):
            if node is not None and node is not other:
                setattr(parameters, name, start)

    def _slices(self) -> tuple:
        return self._state.parameters.movingSlice, self._state.parameters.fixedSlice

    def _show_soon(self) -> None:
        """Show when the sections have taken the change in: new views let the event loop run, and more changes in."""
        self._wanted = True
        self._host.single_shot(1, self._show_wanted)

    def _show_wanted(self) -> None:
        if self._showing:  # called by the event loop amid the loop below, which sees what is wanted
            return
        self._showing = True
        try:
            while self._wanted:
                self._wanted = False
                self._show()
        finally:
            self._showing = False
