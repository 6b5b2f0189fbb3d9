"""The part of *Visits* that compares two of them: the change map, its regions, and the report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..mrml.visit_nodes import VisitNodes, table_rows
from ..visits.sides import SIDES_OR_UNKNOWN
from .state import PanelState
from .steps import Steps
from .texts import sentence
from .texts import tr as _
from .visits_table import offered_pair, region_rows
from .visits_words import missing_visits, side_text
from .widgets import can_start, fill_table, may_replace, say, set_up_table, window_of

_LEAST_UNCERTAIN = 0.5  # percent


class VisitsChangeSection:
    """Controls the widgets of the change map.

    Parameters
    ----------
    ui : namespace of widgets
    logic : VisitsLogic
    state : PanelState
    host : jobs.job.Host
    """

    def __init__(self, ui, logic, state: PanelState, host) -> None:
        self.ui, self._logic, self._state, self._host = ui, logic, state, host
        self._filled: tuple | None = None
        self._table = ""
        self._watched: tuple | None = None
        self._watch: Any = None
        self._steps: Steps | None = None
        self._regions: list | None = None
        self._problem = ""  # that the status says
        self._moved: list[str] = []
        set_up_table(ui.regionsTable)
        for side in SIDES_OR_UNKNOWN:
            ui.changeSideComboBox.addItem(side_text(side))
        say(
            ui.changeMeaningLabel,
            _(
                "For research use: no diagnosis, and no lesions are outlined. Local density of capillaries, later minus earlier"
                " visit, in percentage points. Blue: decreased, orange: increased, where a cluster is larger than those of"
                " repeat scans. Grey lines: not measurable (no overlap, shadow, motion line). A change of"
                " the focal plane, or of blood flow below what the device shows, cannot be distinguished from a change of the"
                " eye."
            ),
        )
        say(ui.changeStatusLabel, "")
        for box in (ui.changeEarlierComboBox, ui.changeLaterComboBox):
            box.connect("activated(int)", lambda index: self.refresh())
        ui.changeSideComboBox.connect("activated(int)", lambda index: self._side_picked(index))
        ui.changeMapButton.connect("clicked(bool)", lambda checked: self._map())
        ui.saveVisitsReportButton.connect("clicked(bool)", lambda checked: self._save())
        state.watch(self.refresh)

    @property
    def nodes(self) -> VisitNodes | None:
        """The visits that the scene holds, if there are any."""
        table = self._state.parameters.visitsTable
        return None if table is None else VisitNodes(table)

    def refresh(self) -> None:
        """Enable what can be done now."""
        nodes = self.nodes
        self._fill_visits(nodes)
        self.ui.changeSideComboBox.setCurrentIndex(SIDES_OR_UNKNOWN.index(self._state.parameters.visitsSide or ""))
        self._follow(nodes)
        self._try_again(nodes)
        self._show_regions(nodes)
        missing = [] if nodes is not None and len(nodes.aligned) > 1 else [_("two registered visits")]
        if not missing and self.ui.changeEarlierComboBox.currentText == self.ui.changeLaterComboBox.currentText:
            missing = [_("two different visits")]
        beside = self.ui.changeBlockedLabel
        can_start(self.ui.changeMapButton, missing, _("Map what changed between the two visits."), beside)
        if nodes is None:
            say(beside, "")
        can_start(
            self.ui.saveVisitsReportButton,
            missing_visits(nodes),
            _(
                "Write one page with the visits, film, average and consistency, and the change with its regions if mapped."
            ),
        )

    def close(self) -> None:
        """Stop all work; the scene or the module goes away."""
        if self._steps is not None:
            self._steps.cancel()
        self._steps = None
        self._stop_watching()
        say(self.ui.changeStatusLabel, "")

    def _fill_visits(self, nodes: VisitNodes | None) -> None:
        """The aligned visits; at first the earliest and the latest, or those of the map that the scene holds."""
        names = () if nodes is None else tuple(nodes.aligned)
        wanted = None if nodes is None else (nodes.table.GetID(), nodes.key, names)
        if wanted == self._filled:
            return
        self._filled = wanted
        table = "" if nodes is None else nodes.table.GetID()
        if table != self._table:
            self._table = table
            say(self.ui.changeStatusLabel, "")  # it describes the visits before
        chosen = ("", "") if nodes is None else (nodes.attribute("Earlier"), nodes.attribute("Later"))
        if not set(chosen) <= set(names):
            chosen = offered_pair([] if nodes is None else nodes.rows)
        for box, name in zip((self.ui.changeEarlierComboBox, self.ui.changeLaterComboBox), chosen, strict=True):
            box.clear()
            for visit in names:
                box.addItem(visit)
            box.setCurrentIndex(names.index(name) if name in names else -1)
        if nodes is not None:
            self._state.parameters.visitsSide = nodes.side

    def _follow(self, nodes: VisitNodes | None) -> None:
        """Watch the landmarks of the visits and the centre."""
        wanted = None if nodes is None else self._logic.points_of(nodes)
        if wanted == self._watched:
            return
        self._stop_watching()
        self._watched = wanted
        if self._problem:  # what it is about may have been deleted
            self._centre_moved()
        if nodes is not None:
            self._watch = self._logic.watch(nodes, self._points_moved, self._centre_moved)

    def _stop_watching(self) -> None:
        if self._watch is not None:
            self._watch.close()
        self._watch = self._watched = None

    def _points_moved(self) -> None:
        nodes = self.nodes
        if nodes is not None:
            self._guarded(lambda: self._logic.update_distances(nodes))
            self._state.notify()

    def _centre_moved(self) -> None:
        nodes = self.nodes
        if nodes is not None:
            problem = self._problem
            found = self._guarded(lambda: self._logic.measure_again(nodes))
            if problem and found is not None:
                self._say_change(found)
            self._state.notify()

    def _try_again(self, nodes: VisitNodes | None) -> None:
        """What a problem is about may have been moved back, or edited back."""
        moved = [] if nodes is None else self._logic.moved(nodes)
        before, self._moved = self._moved, moved
        if self._problem and moved != before:
            self._centre_moved()

    def _side_picked(self, index: int) -> None:
        self._state.parameters.visitsSide = SIDES_OR_UNKNOWN[index]
        if self.nodes is not None:
            self.nodes.attribute("Eye", SIDES_OR_UNKNOWN[index])
            self._centre_moved()

    def _show_regions(self, nodes: VisitNodes | None) -> None:
        table = None if nodes is None else nodes["regions"]
        rows = [] if table is None else region_rows(table_rows(table))
        if rows != self._regions:
            self._regions = rows
            fill_table(self.ui.regionsTable, rows)

    def _map(self) -> None:
        nodes = self.nodes
        earlier, later = self.ui.changeEarlierComboBox.currentText, self.ui.changeLaterComboBox.currentText
        found = self._guarded(lambda: self._logic.change(nodes, earlier, later))
        if found is not None:
            self._logic.show(nodes)
            self._say_change(found)
        self._state.notify()

    def _say_change(self, found) -> None:
        whole = found.rows[-1]
        text = _(
            "From {earlier} to {later}: vessel density decreased on {lost:.1f} % and increased on {gained:.1f} % of the"
            " measurable pixels. {unknown:.0f} % not measurable. Move the point in the views to the fovea."
        ).format(
            earlier=found.earlier.visit.name,
            later=found.later.visit.name,
            lost=whole["lost_percent"],
            gained=whole["gained_percent"],
            unknown=whole["unknown_percent"],
        )
        if (uncertain := whole["uncertain_percent"] or 0.0) >= _LEAST_UNCERTAIN:
            text += " " + _("{share:.0f} % with an uncertain alignment.").format(share=uncertain)
        if found.pixel_mm is None:
            text += " " + _("The pixel size is unknown: the circles are shares of the image, not 1, 3 and 6 mm.")
        say(self.ui.changeStatusLabel, " ".join([text, *(f"{doubt}." for doubt in found.doubts)]))

    def _save(self) -> None:
        import qt

        window = window_of(self.ui.saveVisitsReportButton)
        path = qt.QFileDialog.getSaveFileName(window, _("Save the report"), "report.html", "HTML (*.html)")
        if not path:
            return
        target = Path(path) if Path(path).suffix else Path(f"{path}.html")
        if not may_replace(Path(path), [target], self.ui.saveVisitsReportButton):
            say(self.ui.changeStatusLabel, _("Not saved."))
            return
        self._steps = Steps(
            self._host,
            self._logic.report(self.nodes, target),
            on_step=lambda text: say(self.ui.changeStatusLabel, text),
            on_end=lambda written: say(self.ui.changeStatusLabel, _("Saved {file}.").format(file=written)),
            on_error=lambda error: say(self.ui.changeStatusLabel, sentence(error)),
        ).start()

    def _guarded(self, work):
        """The result of `work`; None, and a sentence that stays until work succeeds, if it fails."""
        label, problem, self._problem = self.ui.changeStatusLabel, self._problem, ""
        try:
            found = work()
        except Exception as error:
            self._problem = sentence(error)
            say(label, self._problem)
            return None
        if problem and label.text == problem:
            say(label, "")
        return found
