"""Landmarks placed in pairs: the view that expects the next click."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from .state import PanelState
from .texts import sentence
from .texts import tr as _
from .widgets import say


class Placing:
    """Synchronises the two chosen point lists, and controls the button and the label for placing.

    Parameters
    ----------
    ui : namespace of widgets
    logic : LandmarksLogic
    state : PanelState
    on_points : callable
        Called after points changed.
    """

    def __init__(self, ui, logic, state: PanelState, on_points: Callable[[], None]) -> None:
        self.ui, self._logic, self._state, self._on_points = ui, logic, state, on_points
        self._lists: Any = None
        self._mode: Any = None
        say(ui.nextClickLabel, "")
        ui.placeButton.connect("toggled(bool)", self._toggled)

    def refresh(self) -> None:
        """Follow the point lists that are chosen."""
        parameters = self._state.parameters
        chosen = parameters.movingPoints, parameters.fixedPoints
        if self._lists is not None and self._lists.nodes == chosen:
            return
        self._release()
        if None not in chosen and chosen[0] is not chosen[1]:
            self._lists = self._logic.pair(*chosen, self._points_changed)
        elif self._mode is not None:  # a list went away while points were placed
            self.ui.placeButton.checked = False

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Let points be added without pairing them one by one."""
        self._release()
        try:
            yield
        finally:
            self.refresh()

    def close(self) -> None:
        """Stop placing and let the lists go."""
        self.ui.placeButton.checked = False
        self._release()

    def _release(self) -> None:
        if self._lists is not None:
            self._lists.close()
            self._lists = None

    def _toggled(self, on: bool) -> None:
        if not on:
            self._stop()
            return
        try:
            self._make_missing_lists()
            parameters = self._state.parameters
            self._logic.check_lists(parameters.movingPoints, parameters.fixedPoints)
            parameters.showLandmarks = True
            self._state.notify()
        except Exception as error:
            say(self.ui.landmarksStatusLabel, sentence(error))
            self.ui.placeButton.checked = False
            return
        self._lists.place()
        self._mode = self._logic.watch_place_mode(self._left_place_mode)
        self._name_view()

    def _make_missing_lists(self) -> None:
        parameters = self._state.parameters
        if parameters.movingPoints is None:
            parameters.movingPoints = self._logic.new_list(parameters, moving=True)
        if parameters.fixedPoints is None:
            parameters.fixedPoints = self._logic.new_list(parameters, moving=False)

    def _stop(self) -> None:
        if self._mode is not None:
            self._mode.close()
            self._mode = None
        if self._lists is not None:
            self._lists.stop_placing()
        say(self.ui.nextClickLabel, "")

    def _left_place_mode(self) -> None:
        self.ui.placeButton.checked = False

    def _points_changed(self) -> None:
        kept_in = None if self._lists is None else self._lists.kept_in
        if kept_in is not None:
            text = _("The partner of the deleted point stays: the number of points of {name} is locked.")
            say(self.ui.landmarksStatusLabel, text.format(name=kept_in.GetName()))
        if self.ui.placeButton.checked and self._lists is not None:
            self._lists.place()
            self._name_view()
        self._on_points()

    def _name_view(self) -> None:
        moving = self._lists.expects == 0
        volume = self._state.parameters.movingVolume if moving else self._state.parameters.fixedVolume
        side = _("moving image") if moving else _("fixed image")
        views = self._logic.view_names(volume)
        text = _("Next click: {side}, view {views}.") if views else _("Next click: {side}; it is in no view now.")
        text = text.format(side=side, views=_(" or ").join(views))
        if self._lists.partner is not None:
            label, node = self._lists.partner
            partner = _("It becomes the partner of {label} in {name}.")
            text += " " + partner.format(label=label or _("the point without a label"), name=node.GetName())
        say(self.ui.nextClickLabel, text)
