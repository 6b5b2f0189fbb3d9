"""Section *Visits*: choose the visits of an eye, register them all, show them one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..date_orders import DATE_ORDERS, DateOrder
from ..initial_kinds import needs_landmarks
from ..mrml.visit_nodes import VisitNodes
from ..stages import Stages
from ..visits.dates import AmbiguousDate
from ..visits.eyes import Eye
from .earlier_results import not_replaced, start_or_ask
from .stage_choices import missing_for
from .state import PanelState
from .steps import Steps
from .texts import message_text, sentence, stage_text
from .texts import tr as _
from .visits_input import ChosenVisits, VisitsRequest
from .visits_registered import are_registered, contradict
from .visits_table import order_text, rows_after, rows_before
from .visits_words import missing_sequence, missing_visits
from .widgets import (
    can_start,
    empty,
    fill_table,
    last_folder,
    lock,
    on_path,
    remember,
    say,
    set_up_table,
    show_progress,
    still_missing,
    stopped,
)

_CHOICES = (
    "visitsFolderPathLineEdit",
    "visitsEyeComboBox",
    "visitVolumesSelector",
    "visitsSpacingSpinBox",
    "visitsReferenceComboBox",
    "visitsDatesComboBox",
    "regionsSelector",
    "axialLengthSpinBox",
    "deviceAxialLengthSpinBox",
    "visitsOutputPathLineEdit",
    "changeSideComboBox",
)
"""What is registered, and how: locked while it is being registered."""


class VisitsSection:
    """Controls the widgets that choose and register visits.

    Parameters
    ----------
    ui : namespace of widgets
    logic : VisitsLogic
    state : PanelState
    dependency : DependencyLogic
    host : jobs.job.Host
    """

    def __init__(self, ui, logic, state: PanelState, dependency, host) -> None:
        self.ui, self._logic, self._state, self._dependency, self._host = ui, logic, state, dependency, host
        self._folder, self._is_new = "", True
        self._eyes: dict[str, Eye] = {}
        self._left_out: list[str] = []
        self._dates_asked = False
        self._scanned: tuple | None = None
        self._checked: list[str] = []
        self._chosen: ChosenVisits | None = None
        self._problem = ""
        self._shown: tuple | None = None
        self._steps: Steps | None = None
        self._job: Any = None
        self._deleted: list[str] = []
        self._locked = False  # while visits are registered and their results loaded
        self._warnings: list[str] = []
        self._include: tuple[str, ...] = ()
        set_up_table(ui.visitsTable)
        ui.visitsProgressBar.visible = False
        self._show_eyes()
        self._say("")
        on_path(ui.visitsFolderPathLineEdit, self._folder_typed)
        on_path(ui.visitsOutputPathLineEdit, self._output_typed)
        ui.visitsSpacingSpinBox.connect("valueChanged(double)", lambda value: self._spacing_typed())
        for text in (_("ask"), _("day first"), _("month first"), _("no dates from names")):
            ui.visitsDatesComboBox.addItem(text)
        ui.visitsDatesComboBox.connect("activated(int)", lambda index: self._dates_picked())
        ui.visitsEyeComboBox.connect("activated(int)", lambda index: self._eye_picked())
        ui.visitVolumesSelector.connect("checkedNodesChanged()", self._volumes_checked)
        ui.visitsTable.connect("cellClicked(int,int)", lambda row, column: self._row_clicked(row))
        ui.registerVisitsButton.connect("clicked(bool)", lambda checked: self._start_or_cancel())
        ui.playVisitsButton.connect("clicked(bool)", lambda checked: self._play(checked))
        ui.showVisitsButton.connect("clicked(bool)", lambda checked: self._show())
        ui.useVisitButton.connect("clicked(bool)", lambda checked: self._use_selected())
        ui.visitPointsButton.connect("clicked(bool)", lambda checked: self._place_points())
        state.watch(self.refresh)

    @property
    def nodes(self) -> VisitNodes | None:
        """The visits that the scene holds, if there are any."""
        table = self._state.parameters.visitsTable
        return None if table is None else VisitNodes(table)

    @property
    def running(self) -> bool:
        """Whether the visits are being registered or loaded."""
        return self._job is not None or (self._steps is not None and self._steps.running)

    def refresh(self) -> None:
        """Enable what can be done now."""
        ui, parameters = self.ui, self._state.parameters
        if parameters.visitsFolder and parameters.visitsFolder != self._folder:  # that of a scene that was loaded
            self._read(parameters.visitsFolder)
            ui.visitsFolderPathLineEdit.currentPath = parameters.visitsFolder
        elif self._is_new and not (parameters.visitsFolder or parameters.visitsTable):  # that of last time
            self._is_new = False
            last = last_folder(ui.visitsFolderPathLineEdit)
            if last:
                self._folder_typed(last)
        if parameters.visitsOutput and parameters.visitsOutput != ui.visitsOutputPathLineEdit.currentPath:
            ui.visitsOutputPathLineEdit.currentPath = parameters.visitsOutput
        elif self._state.in_scene and not parameters.visitsOutput and self._output():
            parameters.visitsOutput = self._output()  # a new scene keeps the folder that is shown
        self._show_table()
        self._show_notice()
        ui.visitsDatesComboBox.visible = ui.visitsDatesLabel.visible = self._dates_asked
        nodes = self.nodes
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
        blocked = self._missing()
        excluded = [] if self._selected_is_excluded(nodes) else [_("a row of the table whose visit is left out")]
        busy = [_("the end of the present work")] if self.running else []
        can_start(
            ui.useVisitButton,
            busy + missing + excluded + blocked,
            _("Register again, and use the visit of the selected row in spite of what was found."),
        )
        if not self.running:
            ui.registerVisitsButton.text = _("Register all")
            ready = _("Register all visits to the reference, check and average them.")
            can_start(ui.registerVisitsButton, blocked, ready, ui.visitsBlockedLabel)

    def close(self) -> None:
        """Stop all work; the scene or the module goes away."""
        self._say(stopped(self.running))
        self._logic.close()
        if self._steps is not None:
            self._steps.cancel()
        self._job = self._steps = None
        self._lock(False)
        self._chosen, self._eyes, self._scanned, self._problem, self._folder = None, {}, None, "", ""
        self._is_new = False
        empty(self.ui.visitsFolderPathLineEdit)  # the same folder, chosen again, is news then
        self._show_idle()

    def _folder_typed(self, path: str) -> None:
        if path != self._folder:
            self._other_eye()
            self._state.parameters.visitsTable = None  # another folder: what is registered belongs to the one before
            self._read(path)
            self._state.parameters.visitsFolder = path

    def _read(self, path: str) -> None:
        if self._steps is not None and not self._locked:  # a scan in progress belongs to the folder before
            self._steps.cancel()
        self._folder, self._eyes, self._problem, self._scanned, self._left_out = path, {}, "", None, []
        if path.strip():
            try:
                found = self._logic.eyes(path.strip(), self._dates())
                self._eyes = found.eyes
                self._left_out = [*found.notes, *(_left_out_text(item.name, item.error) for item in found.left_out)]
            except Exception as error:
                self._problem = sentence(error)
                self._ask_about_dates(error)
        self._show_eyes()
        self._choose_eye()

    def _dates(self) -> DateOrder:
        """How dates such as 04.03.2021 are read."""
        return ("ask", *DATE_ORDERS)[max(self.ui.visitsDatesComboBox.currentIndex, 0)]

    def _ask_about_dates(self, error: Exception) -> None:
        """Show the choice of day and month where a date needs it; it stays."""
        self._dates_asked = self._dates_asked or isinstance(error, AmbiguousDate)

    def _dates_picked(self) -> None:
        if self.ui.visitVolumesSelector.checkedNodes():
            self._checked = []
            self._volumes_checked()
            return
        self._state.parameters.visitsTable = None
        self._read(self.ui.visitsFolderPathLineEdit.currentPath)

    def _output_typed(self, path: str) -> None:
        self._state.parameters.visitsOutput = path
        self._state.notify()

    def _show_eyes(self) -> None:
        box = self.ui.visitsEyeComboBox
        box.clear()
        for name in self._eyes:
            box.addItem(name)
        wanted = self._state.parameters.visitsEye
        if wanted in self._eyes:
            box.setCurrentIndex(list(self._eyes).index(wanted))
        box.visible = self.ui.visitsEyeLabel.visible = len(self._eyes) > 1

    def _spacing_typed(self) -> None:
        if not self.ui.visitVolumesSelector.checkedNodes() and self._chosen is not None:
            self._state.parameters.visitsTable = None
        self._choose_eye()

    def _other_eye(self) -> None:
        """Forget the inputs of the eye that was chosen before. Inputs that were given before any eye was chosen stay."""
        if self._chosen is not None:
            self._state.parameters.visitsRegions = None
            self._state.parameters.axialLength = 0.0

    def _eye_picked(self) -> None:
        self._other_eye()
        self._state.parameters.visitsEye = self.ui.visitsEyeComboBox.currentText
        self._state.parameters.visitsTable = None
        self._choose_eye()

    def _choose_eye(self) -> None:
        """Read the visits of the chosen eye, unless volumes are checked."""
        if self.ui.visitVolumesSelector.checkedNodes():
            return
        # Not the line: after a scene was loaded, it is filled later.
        folder, eye = self._folder.strip(), self.ui.visitsEyeComboBox.currentText
        wanted = folder, eye, self.ui.visitsSpacingSpinBox.value
        if eye not in self._eyes:
            self._take(None)
            return
        if self._locked:  # read after the running registration, whose results belong to another choice
            self._scanned = None
            self._take(None)
            return
        if wanted == self._scanned:
            return
        self._scanned, self._chosen = wanted, None
        self.ui.registerVisitsButton.enabled = False
        self._run(
            self._logic.scan(folder, self._eyes[eye], wanted[2] or None),
            lambda done: self._say(_("Read {} of {} visits ...").format(*done)),
            self._found,
        )

    def _found(self, chosen: ChosenVisits) -> None:
        self._problem = ""
        length = self._state.parameters.axialLength = (
            self._state.parameters.axialLength or chosen.axial_length_mm or 0.0
        )
        self._take(chosen)
        self._say_chosen(chosen)
        if chosen.axial_length_mm not in (None, length):
            text = _("The table of visits says an axial length of {stated:g} mm. {length:g} mm, as entered, is used.")
            self._say(f"{self.ui.visitsStatusLabel.text}\n{text.format(stated=chosen.axial_length_mm, length=length)}")

    def _say_chosen(self, chosen: ChosenVisits) -> None:
        counted = _("{count} visits of {eye}.").format(count=len(chosen.visits), eye=chosen.name)
        left_out = [_left_out_text("", error) for error in chosen.left_out]
        self._say("\n".join([f"{counted} {order_text(chosen.order)}", *self._left_out, *left_out, *chosen.notes]))

    def _volumes_checked(self) -> None:
        nodes = self.ui.visitVolumesSelector.checkedNodes()
        checked = [node.GetID() for node in nodes]
        if checked == self._checked:  # told also when other nodes come or go
            return
        if not set(checked) & set(self._checked):
            self._other_eye()
        self._checked, self._problem, self._scanned, self._left_out = checked, "", None, []
        self._state.parameters.visitsTable = None
        if not nodes:
            self._choose_eye()
            return
        try:
            chosen = self._logic.of_volumes(nodes, self._dates())
            self._take(chosen)
            self._say_chosen(chosen)
        except Exception as error:
            self._problem = sentence(error)
            self._ask_about_dates(error)
            self._take(None)

    def _take(self, chosen: ChosenVisits | None) -> None:
        """Work on these visits, and on what was registered of them before."""
        if chosen is None or self._chosen is None or chosen.key != self._chosen.key:
            self._include = ()
        self._chosen = chosen
        if chosen is not None:
            self._state.names |= {chosen.name, *(visit.name for visit in chosen.visits)}
            self._take_registered(chosen)
            self._fill_references()
        self._state.notify()

    def _take_registered(self, chosen: ChosenVisits) -> None:
        """Show the registration of these visits; one with other dates is not theirs, nor one with other visits.

        The one that a scene was saved with stays where the folder only has more or fewer visits.
        """
        found, parameters = self._logic.find(chosen), self._state.parameters
        if found is None:
            return
        if are_registered(chosen, found):
            parameters.visitsTable = found.table
        elif parameters.visitsTable is found.table and contradict(chosen, found):
            parameters.visitsTable = None

    def _fill_references(self) -> None:
        box = self.ui.visitsReferenceComboBox
        before = box.currentText
        box.clear()
        names = [visit.name for visit in self._chosen.visits]
        for text in (_("the one with the best quality"), *names):
            box.addItem(text)
        if before in names:
            box.setCurrentIndex(1 + names.index(before))

    def _show_table(self) -> None:
        rows: Sequence = []
        if (nodes := self.nodes) is not None:
            rows = rows_after(nodes.rows, nodes.reference, nodes.deleted)
        elif self._chosen is not None:
            rows = rows_before(self._chosen.visits)
        if rows != self._shown:
            self._shown = rows
            fill_table(self.ui.visitsTable, rows)

    def _show_notice(self) -> None:
        """Say how registered visits differ from the scene, and from the chosen ones."""
        notices = []
        deleted = [] if self.nodes is None else self.nodes.deleted
        if deleted:
            text = _("No longer in the scene: {names}. Register all visits again.")
            notices.append(text.format(names=", ".join(deleted)))
        if deleted and deleted != self._deleted:
            self._say("")  # how many were registered
        self._deleted = deleted
        found = None if self._chosen is None else self._logic.find(self._chosen)
        if found is not None and not are_registered(self._chosen, found):
            text = _("Registered before with other visits or dates: {names}. Register all visits again.")
            rows = (f"{row['visit']} ({row['date']})" if row["date"] else row["visit"] for row in found.rows)
            notices.append(text.format(names=", ".join(rows)))
        say(self.ui.visitsNoticeLabel, "\n".join(notices))

    def _missing(self) -> list[str]:
        missing = list(self._dependency.missing())
        if self._problem:
            missing.append(self._problem)
        elif self._chosen is None:
            missing.append(_("a folder of visits, or checked volumes"))
        elif len(self._chosen.visits) < 2:
            missing += [_("a second visit of the same eye"), *map(sentence, self._chosen.left_out)]
        if not self._output():
            missing.append(_("a folder for the results"))
        return missing + missing_for(self._stages(), self._state.checkpoint)

    def _output(self) -> str:
        return self.ui.visitsOutputPathLineEdit.currentPath.strip()

    def _stages(self) -> Stages:
        """Those under Register; an alignment by landmarks does not serve visits."""
        stages = self._state.stages
        return replace(stages, initial=Stages.initial) if needs_landmarks(stages.initial) else stages

    def _selected_is_excluded(self, nodes: VisitNodes | None) -> bool:
        row = self.ui.visitsTable.currentRow()
        return nodes is not None and 0 <= row < len(nodes.rows) and bool(nodes.rows[row].get("excluded"))

    def _use_selected(self) -> None:
        """Register again with the visit of the selected row, beside those that were asked for before."""
        if self.running or not self._selected_is_excluded(self.nodes):
            return
        self._include += (self.nodes.rows[self.ui.visitsTable.currentRow()]["visit"],)
        self._start_or_cancel()

    def _start_or_cancel(self) -> None:
        if self._job is not None:
            self.ui.registerVisitsButton.enabled = False
            self.ui.registerVisitsButton.text = _("Cancelling ...")
            self._job.cancel()
            return
        try:
            self._start()
        except Exception as error:
            self._job = None
            self._failed(error)

    def _start(self) -> None:
        ui, chosen = self.ui, self._chosen
        index = ui.visitsReferenceComboBox.currentIndex
        side, centre = self._logic.grid_choice(chosen)
        request = VisitsRequest(
            chosen=chosen,
            output=Path(self._output()),
            reference=chosen.visits[index - 1].name if index > 0 else None,
            checkpoint=self._state.checkpoint,
            device=self._state.device,
            stages=self._stages(),
            include=tuple(name for name in self._include if name in {visit.name for visit in chosen.visits}),
            side=side,
            centre=centre,
            regions=self._state.parameters.visitsRegions,
            axial_length=ui.axialLengthSpinBox.value or None,
            device_axial_length=ui.deviceAxialLengthSpinBox.value,
        )
        self._warnings = []
        ended: list = []
        job = start_or_ask(
            request,
            lambda asked: self._logic.start(
                asked, self._event, lambda end: (ended.append(end), self._end(request, end))
            ),
            ui.registerVisitsButton,
        )
        if job is None:
            self._say(not_replaced())
            self._show_idle()
            return
        if ended:  # it could not even start
            return
        self._job = job
        self._lock(True)
        for line in (ui.visitsFolderPathLineEdit, ui.visitsOutputPathLineEdit):
            remember(line)
        show_progress(ui.visitsProgressBar, 0, 0, _("Starting ..."))
        self._say(_("Registering {count} visits ...").format(count=len(chosen.visits)))
        say(ui.visitsBlockedLabel, _("The choice of visits and its settings are locked until the registration ends."))
        ui.registerVisitsButton.text = _("Cancel")
        ui.registerVisitsButton.toolTip = _("Stop within two seconds. The scene is left unchanged.")

    def _event(self, event: dict) -> None:
        if event["event"] == "stage":
            show_progress(self.ui.visitsProgressBar, max(event["index"] - 1, 0), event["total"], stage_text(event))
        elif event["event"] == "message" and event.get("level") == "warning":
            self._warnings.append(message_text(event))
        elif event["event"] == "message":
            self._say(message_text(event))

    def _end(self, request: VisitsRequest, end) -> None:
        self._job, self._state.log = None, end.log
        self._say("\n".join([end.message, *self._warnings]))
        if end.status != "finished":
            self._show_idle()
        elif request.chosen is not self._chosen:
            self._leave(request)
        else:
            self._run(
                self._logic.load(request.chosen, request.output),
                lambda text: self._busy(text),
                lambda nodes: self._loaded(request, nodes, end),
            )

    def _leave(self, request: VisitsRequest) -> None:
        """The results belong to another choice than the present one: they are not shown as its own."""
        text = _("The results of {eye} are in {folder}. They are not shown, because other visits are chosen now.")
        self._left_out.append(text.format(eye=request.chosen.name, folder=request.output))
        self._say("\n".join(self._left_out))
        self._show_idle()

    def _busy(self, text: str) -> None:
        show_progress(self.ui.visitsProgressBar, 0, 0, text)
        self.ui.registerVisitsButton.enabled = False

    def _loaded(self, request: VisitsRequest, nodes: VisitNodes, end) -> None:
        if request.chosen is not self._chosen:
            self._leave(request)
            return
        self._state.parameters.visitsTable = nodes.table
        text = _("{aligned} of {count} visits on {reference}. {order} {end}").format(
            aligned=len(nodes.aligned),
            count=len(nodes.rows),
            reference=nodes.reference,
            order=order_text(nodes.rows[0].get("order", "")),
            end=end.message,
        )
        self._say("\n".join([text, *self._warnings]))
        self._show_idle()
        self._show()

    def _run(self, work, on_step, on_end) -> None:
        if self._steps is not None:
            self._steps.cancel()
        self._steps = Steps(self._host, work, on_step=on_step, on_end=on_end, on_error=self._failed).start()

    def _failed(self, error: Exception) -> None:
        self._problem = sentence(error) if self._chosen is None else ""
        self._say(sentence(error))
        self._show_idle()

    def _show_idle(self) -> None:
        self.ui.visitsProgressBar.visible = False
        if self._locked:
            self._lock(False)
            self._choose_eye()
        self._state.notify()

    def _lock(self, locked: bool) -> None:
        self._locked = locked
        lock((getattr(self.ui, name) for name in _CHOICES), locked)

    def _row_clicked(self, row: int) -> None:
        nodes = self.nodes
        if nodes is not None and 0 <= row < len(nodes.rows):
            name = nodes.rows[row]["visit"]
            self._logic.select(nodes, name)
            self._say(_why_not_shown(nodes, name))
        self.refresh()

    def _play(self, on: bool) -> None:
        if self.nodes is not None:
            self._logic.play(self.nodes, on)
        self.refresh()

    def _show(self) -> None:
        if self.nodes is not None:
            self._logic.show(self.nodes)

    def _place_points(self) -> None:
        nodes, row = self.nodes, self.ui.visitsTable.currentRow()
        try:
            name = nodes.rows[row]["visit"]
            self._logic.points(nodes, name)
        except Exception as error:
            self._say(sentence(error))
            return
        self._say(
            _("Click the landmarks of {name}, in the same order in every visit. Right-click to finish.").format(
                name=name
            )
        )
        self._state.notify()

    def _say(self, text: str) -> None:
        say(self.ui.visitsStatusLabel, text)


def _why_not_shown(nodes: VisitNodes, name: str) -> str:
    """Why a registered visit cannot be shown among the others; empty if it can."""
    if name not in nodes.aligned:
        return _("{name} could not be aligned, so it cannot be shown here.").format(name=name)
    return still_missing(missing_sequence(nodes))


def _left_out_text(name: str, error: Exception) -> str:
    """A line on what is left out; the error names the file."""
    place = f"{name}: " if name and name not in str(error) else ""
    return _("Left out: {reason}").format(reason=place + sentence(error))
