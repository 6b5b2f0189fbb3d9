"""Section *Measure*: place, suggest, load, save, and measure."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..mrml.point_places import count
from .distance_display import DistanceDisplay
from .landmarks_logic import Followed
from .placing import Placing
from .state import PanelState
from .texts import sentence
from .texts import tr as _
from .widgets import can_start, confirm, may_replace, say, window_of

_FILTER = "(*.mrk.json *.fcsv *.csv)"


class LandmarksSection:
    """Controls the widgets of the section.

    Parameters
    ----------
    ui : namespace of widgets
    logic : LandmarksLogic
    state : PanelState
    host : jobs.job.Host
    """

    def __init__(self, ui, logic, state: PanelState, host) -> None:
        self.ui, self._logic, self._state = ui, logic, state
        self._suggested: Any = None
        self._proposed: Any = None
        self._suggested_for: tuple = ()  # moving and fixed volume
        self._shown: tuple = ((), None)  # lists, and whether they are shown
        self._followed = Followed()
        self.display = DistanceDisplay(ui, logic, state, host)
        self.placing = Placing(ui, logic, state, self.display.update_soon)
        for button, action in (
            (ui.suggestButton, self._suggest),
            (ui.acceptSuggestionsButton, self._accept),
            (ui.discardSuggestionsButton, self._discard),
            (ui.loadLandmarksButton, self._load),
            (ui.saveLandmarksButton, self._save),
            (ui.exportTableButton, self._export),
            (ui.placeInFixedButton, self._place_in_fixed),
        ):
            button.connect("clicked(bool)", self._attempt(action))
        ui.placeButton.connect("toggled(bool)", lambda on: self._arrange())
        say(ui.landmarksStatusLabel, "")
        state.watch(self.refresh)
        state.watch_views(self._arrange)

    def refresh(self) -> None:
        """Enable what can be done now."""
        self._forget_deleted()
        ui, parameters = self.ui, self._state.parameters
        pair = [] if parameters.movingVolume and parameters.fixedVolume else [_("a moving and a fixed volume")]
        if not pair:
            self._followed = self._logic.keep_together(parameters, self._followed)
        self._show_chosen_lists()
        points = [] if parameters.movingPoints else [_("moving points")]
        can_start(
            ui.placeButton,
            pair,
            _("Place a landmark in the moving image, then the same one in the fixed image, and repeat."),
        )
        can_start(ui.suggestButton, pair, _("Suggest vessel bifurcations of the moving image as landmarks."))
        can_start(
            ui.loadLandmarksButton,
            pair,
            _(
                "Load .mrk.json, .fcsv or CSV: one file for both images or one for each. The points of a file replace those of"
                " its list."
            ),
        )
        can_start(ui.saveLandmarksButton, [*pair, *points], _("Save as CSV, .mrk.json or .fcsv."))
        can_start(
            ui.placeInFixedButton,
            [*pair, *points, *([] if parameters.transform else [_("a registration")])],
            _("Add the moving landmarks, mapped by the transform, to the scene as points of the fixed image."),
        )
        suggestions = [] if self._suggestions[0] is not None else [_("suggestions")]
        can_start(ui.acceptSuggestionsButton, suggestions, _("Add the suggested points to the point lists."))
        can_start(ui.discardSuggestionsButton, suggestions, _("Remove the suggested points."))
        self.placing.refresh()
        self.display.refresh()
        self._arrange()

    def close(self) -> None:
        """The scene or the module goes away."""
        self._suggested = self._proposed = None
        self._shown, self._followed = ((), None), Followed()
        say(self.ui.landmarksStatusLabel, "")
        self.placing.close()
        self.display.close()

    def _show_chosen_lists(self) -> None:
        """Hide the lists that were chosen before: those of another pair are at the same positions."""
        parameters = self._state.parameters
        lists = parameters.movingPoints, parameters.fixedPoints, *self._suggestions
        chosen = tuple(node for node in lists if node is not None)
        wanted = chosen, bool(parameters.showLandmarks)
        if wanted != self._shown:
            self._logic.show_only(chosen, self._shown[0], visible=wanted[1])
            self._shown = wanted

    def _arrange(self) -> None:
        """Show each list in the views of its image."""
        if not self._state.in_scene:
            return
        parameters = self._state.parameters
        suggested, proposed = self._suggestions
        lists = (parameters.movingPoints, suggested), (parameters.fixedPoints, proposed)
        self._logic.arrange(parameters, *lists, placing=self.ui.placeButton.checked)

    def _attempt(self, action):
        def clicked(checked=False) -> None:
            try:
                action()
            except Exception as error:
                say(self.ui.landmarksStatusLabel, sentence(error))
            self._state.notify()

        return clicked

    def _suggest(self) -> None:
        self._discard()
        self._state.parameters.showLandmarks = True
        self._suggested, self._proposed = self._logic.suggest(self._state.parameters)
        self._suggested_for = self._pair
        text = _(
            "{count} bifurcations are suggested. Delete those that you do not want, then accept the others."
        ).format(count=self._suggested.GetNumberOfControlPoints())
        if self._proposed is not None:
            text += " " + _("Fixed positions are predictions. Correct each one by eye before measuring accuracy.")
        say(self.ui.landmarksStatusLabel, text)

    @property
    def _pair(self) -> tuple:
        return self._state.parameters.movingVolume, self._state.parameters.fixedVolume

    @property
    def _suggestions(self) -> tuple[Any, Any]:
        """Those of the chosen pair, in the moving and in the fixed image; None without any."""
        return (self._suggested, self._proposed) if self._suggested_for == self._pair else (None, None)

    def _forget_deleted(self) -> None:
        """Suggestions that were deleted by hand are none any more."""
        self._suggested, self._proposed = (
            None if node is None or node.GetScene() is None else node for node in (self._suggested, self._proposed)
        )

    def _accept(self) -> None:
        self._forget_deleted()
        suggested, proposed = self._suggestions
        if suggested is None:
            return
        with self.placing.paused():
            count = self._logic.accept(self._state.parameters, suggested, proposed)
        self._discard()
        say(self.ui.landmarksStatusLabel, _("{count} suggestions were accepted.").format(count=count))

    def _discard(self) -> None:
        for node in (self._suggested, self._proposed):
            self._logic.remove(node)
        self._suggested = self._proposed = None
        say(self.ui.landmarksStatusLabel, "")

    def _load(self) -> None:
        import qt

        window = window_of(self.ui.loadLandmarksButton)
        paths = qt.QFileDialog.getOpenFileNames(
            window, _("Load landmarks"), "", _("Landmarks {patterns}").format(patterns=_FILTER)
        )
        if not paths:
            return
        with self.placing.paused():
            text = self._logic.load(self._state.parameters, [Path(path) for path in paths], self._may_replace)
        say(self.ui.landmarksStatusLabel, text)

    def _may_replace(self, lists: list) -> bool:
        """Ask before points are replaced that somebody may have placed."""
        placed = [_("{count} points of {name}").format(count=count(node), name=node.GetName()) for node in lists]
        question = _("The files replace {points}. This cannot be undone. Replace them?")
        text = question.format(points=_(" and ").join(placed))
        return confirm(_("Replace landmarks"), text, self.ui.loadLandmarksButton)

    def _save(self) -> None:
        import qt

        window = window_of(self.ui.saveLandmarksButton)
        path = qt.QFileDialog.getSaveFileName(
            window, _("Save landmarks"), "landmarks.csv", _("CSV (*.csv);;Markups (*.mrk.json);;Fiducial CSV (*.fcsv)")
        )
        if path:
            chosen, button = Path(path), self.ui.saveLandmarksButton
            written = self._logic.save(self._state.parameters, chosen, lambda files: may_replace(chosen, files, button))
            text = _("Saved {files}.").format(files=", ".join(map(str, written))) if written else _("Not saved.")
            say(self.ui.landmarksStatusLabel, text)

    def _export(self) -> None:
        import qt

        window = window_of(self.ui.exportTableButton)
        path = qt.QFileDialog.getSaveFileName(window, _("Export the table"), "distances.csv", "CSV (*.csv)")
        if path:
            self._logic.export_table(self._state.parameters.distanceTable, Path(path))
            say(self.ui.landmarksStatusLabel, _("Exported {file}.").format(file=path))

    def _place_in_fixed(self) -> None:
        node, lost = self._logic.place_in_fixed(self._state.parameters)
        text = _("The copied landmarks are in the point list {name}.").format(name=node.GetName())
        if lost:
            text += " " + _("{count} of them are where the transform folds. Check them.").format(count=lost)
        say(self.ui.landmarksStatusLabel, text)
