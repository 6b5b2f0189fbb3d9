"""The table of saved results in *Register*: several registrations of one pair, to compare and select."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from ..mrml.saved_results import SavedResult
from .measure_texts import compared_cells, compared_titles, grid_pixels
from .stage_choices import stages_in_words
from .state import PanelState
from .texts import sentence
from .texts import tr as _
from .widgets import fill_table, say, set_up_table


class ResultsSection:
    """Shows the saved results of the chosen pair and slices if there is one to choose. A click selects one.

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
        self._shown: list | None = None
        self._results: Sequence[SavedResult] = ()
        set_up_table(ui.resultsTable)
        ui.resultsTable.connect("cellClicked(int,int)", lambda row, column: self._choose(row))
        state.watch(self.refresh)

    def refresh(self) -> None:
        """Show what the scene holds of this pair now."""
        table, parameters = self.ui.resultsTable, self._state.parameters
        pair = parameters.movingVolume, parameters.fixedVolume
        self._results = self._logic.saved_results(*pair, self._state.slices)
        shown = [result.transform is parameters.transform for result in self._results]
        table.visible = choice = not all(shown)
        rows = [_cells(*each) for each in zip(self._results, shown, strict=True)] if choice else []
        if rows != self._shown:
            self._shown = rows
            _set_columns(table)
            fill_table(table, rows)

    def _choose(self, row: int) -> None:
        if not 0 <= row < len(self._results):
            return
        parameters = self._state.parameters
        chosen = self._results[row].transform
        if chosen is parameters.transform:
            return
        try:
            with self._state.together():
                under = parameters.movingVolume, parameters.movingPoints, parameters.fixedPoints
                self._logic.choose_result(chosen, parameters.transform, *under)
                parameters.transform = chosen
        except Exception as error:
            say(self.ui.registerStatusLabel, sentence(error))
            return
        say(self.ui.registerStatusLabel, _("The selected result is applied to the volumes."))
        self._show_result()


def _set_columns(table) -> None:
    titles = [_("shown"), _("stages"), _("checkpoint"), *compared_titles(), _("landmarks")]
    table.setColumnCount(len(titles))
    table.setHorizontalHeaderLabels(titles)


def _cells(result: SavedResult, current: bool) -> list[str]:
    """A row: which one is shown, stages, checkpoint, measures, mean landmark distance."""
    distance = "–"
    if result.distance is not None:
        pixels, micrometres, count = result.distance
        distance = f"{pixels:.2f} {grid_pixels()}"
        if not math.isnan(micrometres):
            distance += " " + _("({micrometres:.0f} µm)").format(micrometres=micrometres)
        distance += " " + _("of {count}").format(count=count)
    return [
        "●" if current else "",
        _("unknown") if result.stages is None else stages_in_words(result.stages, with_steps=True),
        result.checkpoint or "–",
        *compared_cells(result.measures),
        distance,
    ]
