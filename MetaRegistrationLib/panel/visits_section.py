"""Section *Visits*: choose the visits of an eye, register them all, show them one after the other."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..initial_kinds import needs_landmarks
from ..mrml.visit_nodes import VisitNodes
from ..stages import Stages
from .earlier_results import not_replaced, start_or_ask
from .output_path import missing_output, output_folder
from .stage_choices import missing_for
from .state import PanelState
from .steps import Steps
from .texts import message_text, sentence, stage_text
from .texts import tr as _
from .visits_choice import VisitsChoice
from .visits_input import ChosenVisits, VisitsRequest
from .visits_shown import VisitsShown
from .visits_table import order_text
from .visits_words import missing_visits
from .widgets import can_start, keep_path, lock, on_path, remember, say, show_progress, stopped

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
    """Controls the widgets that register visits, and those of its parts.

    Parameters
    ----------
    ui : namespace of widgets
    logic : VisitsLogic
    state : PanelState
    dependency : DependencyLogic
    host : jobs.job.Host

    Attributes
    ----------
    choice : VisitsChoice
    shown : VisitsShown
    """

    def __init__(self, ui, logic, state: PanelState, dependency, host) -> None:
        self.ui, self._logic, self._state, self._dependency, self._host = ui, logic, state, dependency, host
        self._loading: Steps | None = None
        self._job: Any = None
        self._warnings: list[str] = []
        self._include: tuple[ChosenVisits | None, tuple[str, ...]] = None, ()
        ui.visitsProgressBar.visible = False
        self._say("")
        self.choice = VisitsChoice(ui, logic, state, host, self._say)
        self.shown = VisitsShown(ui, logic, state, self._say)
        on_path(ui.visitsOutputPathLineEdit, self._output_typed)
        ui.registerVisitsButton.connect("clicked(bool)", lambda checked: self._start_or_cancel())
        ui.useVisitButton.connect("clicked(bool)", lambda checked: self._use_selected())
        state.watch(self.refresh)

    @property
    def nodes(self) -> VisitNodes | None:
        """The visits that the scene holds, if there are any."""
        return self.shown.nodes

    @property
    def running(self) -> bool:
        """Whether the visits are being read, registered or loaded."""
        loading = self._loading is not None and self._loading.running
        return self._job is not None or loading or self.choice.reading

    def refresh(self) -> None:
        """Enable what can be done now."""
        ui = self.ui
        self.choice.refresh()
        keep_path(self._state, "visitsOutput", ui.visitsOutputPathLineEdit)
        self.shown.refresh(self.choice.chosen)
        blocked = self._missing()
        excluded = [] if self._selected_excluded() else [_("a row of the table whose visit is left out")]
        busy = [_("the end of the present work")] if self.running else []
        can_start(
            ui.useVisitButton,
            busy + missing_visits(self.nodes) + excluded + blocked,
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
        if self._loading is not None:
            self._loading.cancel()
        self._job = self._loading = None
        self._lock(False)
        self.choice.close()
        self.shown.close()
        self._show_idle()

    def _output_typed(self, path: str) -> None:
        self._state.parameters.visitsOutput = path
        self._state.notify()

    def _missing(self) -> list[str]:
        missing, chosen = list(self._dependency.missing()), self.choice.chosen
        if self.choice.problem:
            missing.append(self.choice.problem)
        elif chosen is None:
            missing.append(_("a folder of visits, or checked volumes"))
        elif len(chosen.visits) < 2:
            missing += [_("a second visit of the same eye"), *map(sentence, chosen.left_out)]
        missing += missing_output(self.ui.visitsOutputPathLineEdit)
        return missing + missing_for(self._stages(), self._state.checkpoint)

    def _stages(self) -> Stages:
        """Those under Register; an alignment by landmarks does not serve visits."""
        stages = self._state.stages
        return replace(stages, initial=Stages.initial) if needs_landmarks(stages.initial) else stages

    def _selected_excluded(self) -> str:
        """The visit of the selected row, if it was left out; else empty."""
        row = self.shown.selected
        return row["visit"] if row is not None and row.get("excluded") else ""

    def _included(self) -> tuple[str, ...]:
        """Visits of this choice that are used in spite of what was found."""
        chosen, names = self._include
        return names if chosen is self.choice.chosen else ()

    def _use_selected(self) -> None:
        """Register again with the visit of the selected row, beside those that were asked for before."""
        name = self._selected_excluded()
        if self.running or not name:
            return
        self._include = self.choice.chosen, (*self._included(), name)
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

    def _request(self) -> VisitsRequest:
        """What the widgets ask for."""
        ui, chosen = self.ui, self.choice.chosen
        index = ui.visitsReferenceComboBox.currentIndex
        return VisitsRequest(
            chosen=chosen,
            output=output_folder(ui.visitsOutputPathLineEdit),
            reference=chosen.visits[index - 1].name if index > 0 else None,
            checkpoint=self._state.checkpoint,
            device=self._state.device,
            stages=self._stages(),
            include=tuple(name for name in self._included() if name in {visit.name for visit in chosen.visits}),
            side=self._state.parameters.visitsSide,
            centre=self._logic.centre_choice(chosen),
            regions=self._state.parameters.visitsRegions,
            axial_length=ui.axialLengthSpinBox.value or None,
            device_axial_length=ui.deviceAxialLengthSpinBox.value,
        )

    def _start(self) -> None:
        ui, request = self.ui, self._request()
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
        self._say(_("Registering {count} visits ...").format(count=len(request.chosen.visits)))
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
        elif request.chosen is not self.choice.chosen:
            self._leave(request)
        else:
            self._loading = Steps(
                self._host,
                self._logic.load(request.chosen, request.output),
                on_step=self._busy,
                on_end=lambda nodes: self._loaded(request, nodes, end),
                on_error=self._failed,
            ).start()

    def _leave(self, request: VisitsRequest) -> None:
        """The results belong to another choice than the present one: they are not shown as its own."""
        text = _("The results of {eye} are in {folder}. They are not shown, because other visits are chosen now.")
        notes = self.choice.notes
        notes.append(text.format(eye=request.chosen.name, folder=request.output))
        self._say("\n".join(notes))
        self._show_idle()

    def _busy(self, text: str) -> None:
        show_progress(self.ui.visitsProgressBar, 0, 0, text)
        self.ui.registerVisitsButton.enabled = False

    def _loaded(self, request: VisitsRequest, nodes: VisitNodes, end) -> None:
        if request.chosen is not self.choice.chosen:
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
        left_out = sum(bool(row.get("excluded")) for row in nodes.rows)
        counted = [_("Left out of average and change: {count}.").format(count=left_out)] if left_out else []
        self._say("\n".join([text, *counted, *self._warnings]))
        self._show_idle()
        self.shown.show()

    def _failed(self, error: Exception) -> None:
        self._say(sentence(error))
        self._show_idle()

    def _show_idle(self) -> None:
        self.ui.visitsProgressBar.visible = False
        if self.choice.locked:
            self._lock(False)
            self.choice.choose_eye()
        self._state.notify()

    def _lock(self, locked: bool) -> None:
        self.choice.locked = locked
        lock((getattr(self.ui, name) for name in _CHOICES), locked)

    def _say(self, text: str) -> None:
        say(self.ui.visitsStatusLabel, text)
