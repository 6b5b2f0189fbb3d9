"""The live table of distances between landmarks, in the panel and in the scene."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .state import PanelState
from .texts import sentence
from .texts import tr as _
from .widgets import can_start, fill_table, say, set_up_table

_DELAY_MS = 30  # a dragged point moves often


class DistanceDisplay:
    """Fills the table again when landmarks, volumes or the transform change.

    Parameters
    ----------
    ui : namespace of widgets
    logic : LandmarksLogic
    state : PanelState
    host : jobs.job.Host
    """

    def __init__(self, ui, logic, state: PanelState, host: Any) -> None:
        self.ui, self._logic, self._state, self._host = ui, logic, state, host
        self._waiting: object | None = None
        self._said = ""
        set_up_table(ui.distanceTable)

    def refresh(self) -> None:
        """Update after any change in the panel."""
        table = [] if self._state.parameters.distanceTable is not None else [_("a table with landmarks")]
        can_start(self.ui.exportTableButton, table, _("Write the table of distances as CSV."))
        self.update_soon()

    def update_soon(self) -> None:
        """Fill the table when the events that are waiting are done."""
        if self._waiting is None:
            self._waiting = ticket = object()
            self._host.single_shot(_DELAY_MS, lambda: self._update(ticket))

    def close(self) -> None:
        """The scene or the module goes away."""
        self._waiting = None
        fill_table(self.ui.distanceTable, [])

    def _update(self, ticket: object) -> None:
        if ticket is not self._waiting:  # closed meanwhile
            return
        self._waiting = None
        parameters = self._state.parameters
        nodes = (parameters.movingVolume, parameters.fixedVolume, parameters.movingPoints, parameters.fixedPoints)
        if None in nodes or nodes[0] is nodes[1]:
            fill_table(self.ui.distanceTable, [])
            return
        try:
            rows, registered = self._logic.distances(parameters)
        except Exception as error:
            self._said = sentence(error)
            say(self.ui.landmarksStatusLabel, self._said)
            fill_table(self.ui.distanceTable, [])
            return
        if self._said and self.ui.landmarksStatusLabel.text == self._said:
            say(self.ui.landmarksStatusLabel, "")
        self._said = ""
        fill_table(self.ui.distanceTable, table_texts(rows), bold=1)
        self._show_micrometres(not rows or not all(math.isnan(row[3]) for row in rows))
        self._logic.update_table(parameters, rows, registered)
        self._state.measured()

    def _show_micrometres(self, known: bool) -> None:
        """A narrow dock has no room for columns without a number."""
        for column in (3, 4):
            self.ui.distanceTable.setColumnHidden(column, not known)


def table_texts(rows) -> list[list[str]]:
    """Cells of the table: mean and standard deviation first, then a row for each pair."""
    if not rows:
        return []
    values = np.array([row[1:] for row in rows], dtype=float)
    lines = [(_("mean"), *values.mean(axis=0)), (_("standard deviation"), *values.std(axis=0))]
    lines += [(row[0], *row[1:]) for row in rows]
    return [
        [label, *(_number(value, 2 if index < 2 else 1) for index, value in enumerate(numbers))]
        for label, *numbers in lines
    ]


def _number(value: float, decimals: int) -> str:
    return "–" if math.isnan(value) else f"{value:.{decimals}f}"
