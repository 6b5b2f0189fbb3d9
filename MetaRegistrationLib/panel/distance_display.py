"""The live table of distances between landmarks, in the panel and in the scene."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..error_map.maps import UNCERTAIN_PX
from ..mrml import tables
from .measure_texts import grid_pixels
from .state import PanelState
from .texts import sentence
from .texts import tr as _
from .widgets import can_start, fill_table, say, set_up_table

_DELAY_MS = 30  # a dragged point moves often
_MEANS = 2  # rows of mean and standard deviation


class DistanceDisplay:
    """Fills the table again when landmarks, volumes or the transform change.

    Parameters
    ----------
    ui : namespace of widgets
    logic : LandmarksLogic
    state : PanelState
    host : jobs.job.Host

    Attributes
    ----------
    measured : int
        Landmark pairs whose distances the table shows.
    """

    def __init__(self, ui, logic, state: PanelState, host: Any) -> None:
        self.ui, self._logic, self._state, self._host = ui, logic, state, host
        self._waiting: object | None = None
        self._said = ""
        self.measured = 0
        set_up_table(ui.distanceTable)

    def refresh(self) -> None:
        """Update after any change in the panel."""
        self._enable_export()
        self.update_soon()

    def update_soon(self) -> None:
        """Fill the table when the events that are waiting are done."""
        if self._waiting is None:
            self._waiting = ticket = object()
            self._host.single_shot(_DELAY_MS, lambda: self._update(ticket))

    def close(self) -> None:
        """The scene or the module goes away."""
        self._waiting = None
        self._show([])

    def _update(self, ticket: object) -> None:
        if ticket is not self._waiting:  # closed meanwhile
            return
        self._waiting = None
        parameters = self._state.parameters
        nodes = (parameters.movingVolume, parameters.fixedVolume, parameters.movingPoints, parameters.fixedPoints)
        if None in nodes or nodes[0] is nodes[1]:
            self._show([])
            self._state.measured()
            return
        try:
            rows, registered = self._logic.distances(parameters)
        except Exception as error:
            self._said = sentence(error)
            say(self.ui.landmarksStatusLabel, self._said)
            self._show([])
            self._logic.empty_table(parameters)  # numbers of before would be exported and compared
            self._enable_export()
            self._state.measured()
            return
        if self._said and self.ui.landmarksStatusLabel.text == self._said:
            say(self.ui.landmarksStatusLabel, "")
        self._said = ""
        self._show(rows)
        self._explain(rows)
        self._show_micrometres(not rows or not all(math.isnan(row.before_um) for row in rows))
        self._logic.update_table(parameters, rows, registered)
        self._enable_export()
        self._state.measured()

    def _enable_export(self) -> None:
        filled = tables.has_rows(self._state.parameters.distanceTable)
        missing = [] if filled else [_("a table with landmarks")]
        can_start(self.ui.exportTableButton, missing, _("Write the table of distances as CSV."))

    def _show(self, rows) -> None:
        self.measured = len(rows)
        self.ui.distanceTable.visible = bool(rows)
        say(self.ui.distanceNoteLabel, note_on_before(rows))
        fill_table(self.ui.distanceTable, table_texts(rows), bold=1)

    def _explain(self, rows) -> None:
        """Say of the marked landmarks why they are too uncertain to measure."""
        table = self.ui.distanceTable
        for number, row in enumerate(rows, _MEANS):
            for column in range(table.columnCount if row.uncertain else 0):
                table.item(number, column).setToolTip(_reason(row.bound_px))

    def _show_micrometres(self, known: bool) -> None:
        """A narrow dock has no room for columns without a number."""
        for column in (3, 4):
            self.ui.distanceTable.setColumnHidden(column, not known)


def table_texts(rows) -> list[list[str]]:
    """Cells of the table: mean and standard deviation first, then a row for each pair. Uncertain landmarks are marked."""
    if not rows:
        return []
    values = np.array([row.distances for row in rows], dtype=float)
    lines = [(_("mean"), *values.mean(axis=0)), (_("standard deviation"), *values.std(axis=0))]
    lines += [(_marked(row), *row.distances) for row in rows]
    return [
        [label, *(_number(value, 2 if index < 2 else 1) for index, value in enumerate(numbers))]
        for label, *numbers in lines
    ]


def note_on_before(rows) -> str:
    """What to say where the landmarks are elsewhere in the scene by more than a pixel of the network grid; empty if not."""
    if not rows:
        return ""
    scene, before, pixel = np.mean([(row.scene_um, row.before_um, row.pixel_um) for row in rows], axis=0)
    if not abs(scene - before) > pixel:  # NaN too
        return ""
    return _(
        "Before: the whole moving image on the whole fixed one. Where the volumes are in the scene, without the registration, the"
        " landmarks are {distance:.1f} µm apart on average."
    ).format(distance=scene)


def _marked(row) -> str:
    return _("{label} (uncertain)").format(label=row.label) if row.uncertain else row.label


def _reason(bound_px: float) -> str:
    if math.isnan(bound_px):
        return _("Too uncertain to measure: no error is predicted here, because only one image shows this position.")
    return _(
        "Too uncertain to measure: the predicted error of the registration here has a 95 % bound of {bound:.1f} {unit}, over"
        " {limit:g} {unit}."
    ).format(bound=bound_px, limit=UNCERTAIN_PX, unit=grid_pixels())


def _number(value: float, decimals: int) -> str:
    return "–" if math.isnan(value) else f"{value:.{decimals}f}"
