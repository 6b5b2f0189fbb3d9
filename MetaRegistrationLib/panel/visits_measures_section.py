"""The parts of *Visits* for measures: regions and axial length before, changes, charts and the FAZ after the registration."""

from __future__ import annotations

import math
from contextlib import suppress
from typing import Any

from ..errors import InputError
from ..eye_length import EyeLength
from ..mrml.faz_curves import CHANGED, FOUND, KEPT
from ..mrml.region_export import names_of
from ..mrml.visit_nodes import CHARTED, VisitNodes
from ..visits.measure_files import CHANGE_COLUMNS
from .state import PanelState
from .texts import sentence
from .texts import tr as _
from .visits_words import measure_text, missing_sequence, missing_visits, number_text
from .widgets import can_start, fill_table, say, set_up_table

_SHOWN = ("earlier", "later", "region", "measure", "difference", "cor", "verdict")
_NUMBERS = ("difference", "cor")
_LATER_MS = 50


class VisitsMeasuresSection:
    """Controls the widgets of regions, axial length, changes, charts and FAZ.

    Parameters
    ----------
    ui : namespace of widgets
    logic : VisitsLogic
    state : PanelState
    host : jobs.job.Host
    """

    def __init__(self, ui, logic, state: PanelState, host) -> None:
        self.ui, self._logic, self._state, self._host = ui, logic.measures, state, host
        self._open = True
        self._table = ""
        self._rows: list | None = None
        self._charts: list[str] | None = None
        self._watched: tuple | None = None
        self._watch: Any = None
        self._browser: Any = None
        self._kept = ""  # what the status says of a kept FAZ
        set_up_table(ui.measureChangesTable)
        say(ui.fazLabel, "")
        say(ui.measuresNoticeLabel, "")
        say(ui.measuresStatusLabel, "")
        ui.showChartButton.connect("clicked(bool)", lambda checked: self._show_chart())
        ui.drawFazButton.connect("clicked(bool)", lambda checked: self._draw())
        ui.keepFazButton.connect("clicked(bool)", lambda checked: self._keep())
        state.watch(self.refresh)

    @property
    def nodes(self) -> VisitNodes | None:
        """The visits that the scene holds, if there are any."""
        table = self._state.parameters.visitsTable
        return None if table is None else VisitNodes(table)

    def refresh(self) -> None:
        """Show what there is, and enable what can be done now."""
        nodes, self._open = self.nodes, True
        table = "" if nodes is None else nodes.table.GetID()
        if table != self._table:
            self._table = table
            say(self.ui.measuresStatusLabel, "")  # it describes the visits before
        self._show_options()
        self._follow(nodes)
        self._fill_changes(nodes)
        self._show_notice(nodes)
        self._fill_charts(nodes)
        charts = missing_visits(nodes) or ([] if self._charts else [_("measures")])
        can_start(
            self.ui.showChartButton, charts, _("Draw the measure of the whole image over the dates of the visits.")
        )
        self._show_zone()

    def _make_room(self) -> None:
        """Lay the section out again once its contents have grown: a part within a part keeps its earlier height."""
        self._host.single_shot(_LATER_MS, self._lay_out)

    def _lay_out(self) -> None:
        if self._open:
            self.ui.measuresCollapsibleButton.updateGeometry()

    def close(self) -> None:
        """The scene or the module goes away."""
        self._stop_watching()
        self._open = False
        say(self.ui.measuresStatusLabel, "")

    def _show_options(self) -> None:
        """The header of the options, so that the part can stay closed."""
        parameters, ui = self._state.parameters, self.ui
        chosen = []
        if parameters.visitsRegions is not None:
            chosen.append(parameters.visitsRegions.GetName())
            self._state.names |= set(names_of(parameters.visitsRegions)) - {""}
        if parameters.axialLength:
            chosen.append(_("{length:g} mm").format(length=parameters.axialLength))
        text = _("Regions and axial length: {list}").format(list=", ".join(chosen) or _("none"))
        ui.visitsOptionsCollapsibleButton.text = text

    def _follow(self, nodes: VisitNodes | None) -> None:
        """Watch the curves of the visits, and which visit the views show."""
        browser = None if nodes is None else nodes["browser"]
        zones = () if nodes is None else tuple(nodes.zones.values())
        identifiers = tuple(None if node is None else node.GetID() for node in (browser, *zones))
        wanted = None if nodes is None else identifiers
        if wanted == self._watched:
            return
        self._stop_watching()
        self._watched = wanted
        if nodes is None:
            return
        self._watch = self._logic.watch(nodes, self._zone_moved)
        if browser is not None:
            self._browser = self._logic.watch_browser(nodes, self._show_zone)

    def _stop_watching(self) -> None:
        if self._watch is not None:
            self._watch.close()
        if self._browser is not None:
            self._browser.close()
        self._watch = self._browser = self._watched = None

    def _zone_moved(self, visit: str) -> None:
        nodes = self.nodes
        if nodes is not None and nodes.zone(visit) is not None:
            self._logic.changed(nodes, visit)
            if self._kept and self.ui.measuresStatusLabel.text == self._kept:
                say(self.ui.measuresStatusLabel, "")
            self._show_zone()

    def _show_zone(self) -> None:
        """The curve of the shown visit, and its measures."""
        ui, nodes = self.ui, self.nodes
        visit = "" if nodes is None else self._logic.show_zone(nodes)
        lacking, text = self._zone(nodes, visit)
        missing = missing_sequence(nodes) or ([] if visit else [_("a visit that the views show")])
        can_start(
            ui.drawFazButton, missing, _("Draw the FAZ of the shown visit by clicks in the views, or add points.")
        )
        ready = _("Keep the corrected FAZ in a table, and in faz_corrected.csv beside the results.")
        can_start(
            ui.keepFazButton,
            missing or lacking,
            ready,
        )
        changed = text != ui.fazLabel.text
        say(ui.fazLabel, text)
        if changed:
            self._make_room()

    def _zone(self, nodes: VisitNodes | None, visit: str) -> tuple[list[str], str]:
        """What is missing before the FAZ of a visit can be kept, and a sentence on it."""
        unmeasured = [_("a FAZ of the shown visit that can be measured")]
        if not visit:
            return unmeasured, ""
        try:
            zone, state = self._logic.zone(nodes, visit)
            fault = self._logic.fault(nodes, visit, zone)
        except InputError as error:
            return unmeasured, sentence(error)
        if fault:
            return unmeasured, fault
        if zone is None:
            return unmeasured, self._logic.why_no_zone(nodes, visit)
        untouched = [_("a correction by hand (this FAZ is as the program found it)")]
        return untouched if state == FOUND else [], _zone_text(visit, zone, state)

    def _fill_changes(self, nodes: VisitNodes | None) -> None:
        table = None if nodes is None else nodes["changes"]
        rows = [] if table is None else _change_rows(table.GetTable())
        if rows != self._rows:
            self._rows = rows
            fill_table(self.ui.measureChangesTable, rows)
            self._make_room()

    def _show_notice(self, nodes: VisitNodes | None) -> None:
        """Say for which earlier choice the table was measured."""
        others: list[str] = []
        if nodes is not None and nodes["changes"] is not None:
            with suppress(InputError):  # the reference is gone, which the sentence on the FAZ says
                others = self._logic.other_than_measured(nodes, self._length())
        text = _("These measures are of an earlier choice of {list}. Register all measures again.")
        before = self.ui.measuresNoticeLabel.text
        say(self.ui.measuresNoticeLabel, text.format(list=", ".join(others)) if others else "")
        if self.ui.measuresNoticeLabel.text != before:
            self._make_room()

    def _length(self) -> EyeLength | None:
        parameters = self._state.parameters
        return EyeLength(parameters.axialLength, parameters.deviceAxialLength) if parameters.axialLength else None

    def _fill_charts(self, nodes: VisitNodes | None) -> None:
        charts = [] if nodes is None else self._logic.charts(nodes)
        if charts == self._charts:
            return
        self._charts = charts
        self.ui.measureChartComboBox.clear()
        for measure in charts:
            self.ui.measureChartComboBox.addItem(measure_text(measure))

    def _show_chart(self) -> None:
        index = self.ui.measureChartComboBox.currentIndex
        if self.nodes is None or not 0 <= index < len(self._charts):
            return
        if not self._logic.show_chart(self.nodes, self._charts[index]):
            say(self.ui.measuresStatusLabel, _("This Slicer has no plot views: the report shows the values."))

    def _draw(self) -> None:
        nodes = self.nodes
        try:
            self._logic.draw_zone(nodes, self._logic.shown_visit(nodes))
        except Exception as error:
            say(self.ui.measuresStatusLabel, sentence(error))
            return
        say(self.ui.measuresStatusLabel, _("Click points on the border of the FAZ. Right-click to finish."))
        self._state.notify()

    def _keep(self) -> None:
        nodes = self.nodes
        visit = self._logic.shown_visit(nodes)
        try:
            written = self._logic.keep(nodes, visit)
        except Exception as error:
            say(self.ui.measuresStatusLabel, sentence(error))
        else:
            text = _("Kept in {file}.").format(file=written)
            if written is None:
                text = _("Kept in a table of the scene. The results folder is no longer there, so no file was written.")
            self._kept = text
            say(self.ui.measuresStatusLabel, text)
        self._state.notify()


def _zone_text(visit: str, zone, state: str) -> str:
    ends = {KEPT: _("corrected by hand"), CHANGED: _("changed by hand, not kept yet")}
    return _("FAZ of {visit}: {area}, perimeter {perimeter}, circularity {circularity} ({state}).").format(
        visit=visit,
        area=number_text(zone.area_mm2, "mm2"),
        perimeter=number_text(zone.perimeter_mm, "mm"),
        circularity=number_text(zone.circularity),
        state=ends.get(state, _("found by the program")),
    )


def _change_rows(table) -> list[tuple[str, ...]]:
    """The rows of the main measures, by the columns of `changes.csv`."""
    shown = {measure_text(measure) for measure in CHARTED}
    rows = []
    for number in range(table.GetNumberOfRows()):
        row = {name: table.GetValue(number, index).ToString() for index, name in enumerate(CHANGE_COLUMNS)}
        if row["measure"] in shown:
            rows.append(tuple(_cell(row, column) for column in _SHOWN))
    return rows


def _cell(row: dict[str, str], column: str) -> str:
    if column not in _NUMBERS:
        return row[column]
    try:
        value = float(row[column])
    except ValueError:
        value = math.nan
    return number_text(value, row["unit"], sign=column == "difference")
