"""Registered visits as the panel shows them: their table, one after the other, beside their average, with landmarks."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..mrml.visit_nodes import VisitNodes
from .state import PanelState
from .texts import sentence
from .texts import tr as _
from .visits_input import ChosenVisits
from .visits_registered import are_registered
from .visits_table import rows_after, rows_before
from .visits_words import missing_sequence, missing_visits
from .widgets import can_start, fill_table, say, set_up_table, still_missing


class VisitsShown:
    """Controls the table of visits and the widgets that show registered ones.

    Parameters
    ----------
    ui : namespace of widgets
    logic : VisitsLogic
    state : PanelState
    say : callable
        Shows a text as the status of the visits.
    """

    def __init__(self, ui, logic, state: PanelState, say: Callable[[str], None]) -> None:
        self.ui, self._logic, self._state, self._say = ui, logic, state, say
        self._rows: Sequence = []
        self._deleted: list[str] = []
        self._placement = logic.watch_placement(state.notify)
        set_up_table(ui.visitsTable)
        ui.visitsTable.connect("cellClicked(int,int)", lambda row, column: self._row_clicked(row))
        ui.playVisitsButton.connect("clicked(bool)", lambda checked: self._play(checked))
        ui.showVisitsButton.connect("clicked(bool)", lambda checked: self.show())
        ui.visitPointsButton.connect("clicked(bool)", lambda checked: self._place_points())

    @property
    def nodes(self) -> VisitNodes | None:
        """The visits that the scene holds, if there are any."""
        table = self._state.parameters.visitsTable
        return None if table is None else VisitNodes(table)

    @property
    def selected(self) -> dict[str, str] | None:
        """The row of `visits.csv` that is selected in the table, if visits are registered."""
        row = self.ui.visitsTable.currentRow()
        rows = [] if self.nodes is None else self.nodes.rows
        return rows[row] if 0 <= row < len(rows) else None

    def refresh(self, chosen: ChosenVisits | None) -> None:
        """Show the table, and enable what can be shown now."""
        ui, nodes = self.ui, self.nodes
        self._follow(nodes)
        deleted = [] if nodes is None else nodes.deleted
        self._show_rows(nodes, chosen, deleted)
        self._show_notice(nodes, chosen, deleted)
        missing = missing_visits(nodes)
        ui.playVisitsButton.checked = self._logic.playing(nodes)
        play = _("Show the aligned visits one after the other, as Sequences does.")
        can_start(ui.playVisitsButton, missing_sequence(nodes), play)
        can_start(ui.showVisitsButton, missing, _("Show the visits beside their average, with the change overlaid."))
        row = [] if missing or ui.visitsTable.currentRow() >= 0 else [_("a row of the table")]
        can_start(
            ui.visitPointsButton,
            missing + row,
            _(
                "Place landmarks in the visit of the selected row. They are measured if the reference has landmarks too."
            ),
        )

    def show(self) -> None:
        """Show the visits beside their average."""
        if self.nodes is not None:
            self._logic.show(self.nodes)

    def close(self) -> None:
        """The scene or the module goes away."""
        self._placement.close()

    def _follow(self, nodes: VisitNodes | None) -> None:
        """Watch where the visits and their transforms are."""
        self._placement.follow(() if nodes is None else (*nodes.volumes.values(), *nodes.transforms.values()))

    def _show_rows(self, nodes: VisitNodes | None, chosen: ChosenVisits | None, deleted: list[str]) -> None:
        rows: Sequence = []
        if nodes is not None:
            rows = rows_after(nodes.rows, nodes.reference, deleted)
        elif chosen is not None:
            rows = rows_before(chosen.visits)
        if rows != self._rows:
            self._rows = rows
            fill_table(self.ui.visitsTable, rows)

    def _show_notice(self, nodes: VisitNodes | None, chosen: ChosenVisits | None, deleted: list[str]) -> None:
        """Say how registered visits differ from the scene, and from the chosen ones."""
        notices = []
        if deleted:
            text = _("No longer in the scene: {names}. Register all visits again.")
            notices.append(text.format(names=", ".join(deleted)))
        lost = [] if nodes is None else nodes.without_transform
        if lost:
            text = _("The transform is no longer in the scene: {names}. Register all visits again.")
            notices.append(text.format(names=", ".join(lost)))
        moved = [] if nodes is None else self._logic.moved(nodes)
        if moved:
            text = _("Moved, rescaled or edited since the registration: {names}. Register all visits again.")
            notices.append(text.format(names=", ".join(moved)))
        if deleted and deleted != self._deleted:
            self._say("")  # how many were registered
        self._deleted = deleted
        found = None if chosen is None else self._logic.find(chosen)
        if found is not None and not are_registered(chosen, found):
            text = _("Registered before with other visits or dates: {names}. Register all visits again.")
            rows = (f"{row['visit']} ({row['date']})" if row["date"] else row["visit"] for row in found.rows)
            notices.append(text.format(names=", ".join(rows)))
        say(self.ui.visitsNoticeLabel, "\n".join(notices))

    def _row_clicked(self, row: int) -> None:
        nodes = self.nodes
        if nodes is not None and 0 <= row < len(nodes.rows):
            name = nodes.rows[row]["visit"]
            self._logic.select(nodes, name)
            self._say(_why_not_shown(nodes, name))
        self._state.notify()

    def _play(self, on: bool) -> None:
        if self.nodes is not None:
            self._logic.play(self.nodes, on)
        self._state.notify()

    def _place_points(self) -> None:
        try:
            name = self.selected["visit"]
            self._logic.points(self.nodes, name)
        except Exception as error:
            self._say(sentence(error))
            return
        self._say(
            _("Click the landmarks of {name}, in the same order in every visit. Right-click to finish.").format(
                name=name
            )
        )
        self._state.notify()


def _why_not_shown(nodes: VisitNodes, name: str) -> str:
    """Why a registered visit cannot be shown among the others; empty if it can."""
    if name not in nodes.aligned:
        return _("{name} could not be aligned, so it cannot be shown here.").format(name=name)
    return still_missing(missing_sequence(nodes))
