"""Which visits are chosen: of an eye of a folder, or checked volumes of the scene."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..date_orders import DATE_ORDERS, DateOrder
from ..visits.dates import AmbiguousDate
from ..visits.eyes import Eye
from .state import PanelState
from .steps import Steps
from .texts import sentence
from .texts import tr as _
from .visits_input import ChosenVisits
from .visits_registered import are_registered, contradict
from .visits_table import order_text
from .widgets import empty, last_folder, on_path


class VisitsChoice:
    """Controls the widgets that choose visits.

    Parameters
    ----------
    ui : namespace of widgets
    logic : VisitsLogic
    state : PanelState
    host : jobs.job.Host
    say : callable
        Shows a text as the status of the visits.

    Attributes
    ----------
    chosen : ChosenVisits or None
    problem : str
        Why the visits of the folder, or the checked volumes, cannot be used; empty if they can.
    notes : list of str
        What was left out of the folder, and where results are that do not belong to the present choice.
    locked : bool
        True during a registration. The choice does not change then. `choose_eye` reads it again afterwards.
    """

    def __init__(self, ui, logic, state: PanelState, host, say: Callable[[str], None]) -> None:
        self.ui, self._logic, self._state, self._host, self._say = ui, logic, state, host, say
        self.chosen: ChosenVisits | None = None
        self.problem = ""
        self.notes: list[str] = []
        self.locked = False
        self._folder, self._is_new = "", True
        self._eyes: dict[str, Eye] = {}
        self._dates_asked = False
        self._scanned: tuple | None = None
        self._checked: list[str] = []
        self._steps: Steps | None = None
        for text in (_("ask"), _("day first"), _("month first"), _("no dates from names")):
            ui.visitsDatesComboBox.addItem(text)
        self._show_eyes()
        on_path(ui.visitsFolderPathLineEdit, self._folder_typed)
        ui.visitsSpacingSpinBox.connect("valueChanged(double)", lambda value: self._spacing_typed())
        ui.visitsDatesComboBox.connect("activated(int)", lambda index: self._dates_picked())
        ui.visitsEyeComboBox.connect("activated(int)", lambda index: self._eye_picked())
        ui.visitsReferenceComboBox.connect("currentIndexChanged(int)", self._reference_picked)
        ui.visitVolumesSelector.connect("checkedNodesChanged()", self._volumes_checked)

    @property
    def reading(self) -> bool:
        """Whether the visits of a folder are being read."""
        return self._steps is not None and self._steps.running

    def refresh(self) -> None:
        """Read the folder of a scene that was loaded, or in a new scene the folder of last time."""
        ui, parameters = self.ui, self._state.parameters
        if parameters.visitsFolder and parameters.visitsFolder != self._folder:
            self._read(parameters.visitsFolder)
            ui.visitsFolderPathLineEdit.currentPath = parameters.visitsFolder
        elif self._is_new and not (parameters.visitsFolder or parameters.visitsTable):
            self._is_new = False
            last = last_folder(ui.visitsFolderPathLineEdit)
            if last:
                self._folder_typed(last)
        ui.visitsDatesComboBox.visible = ui.visitsDatesLabel.visible = self._dates_asked

    def close(self) -> None:
        """Stop reading, and choose nothing; the scene or the module goes away."""
        self._stop_reading()
        self.chosen, self._eyes, self._scanned, self.problem, self._folder = None, {}, None, "", ""
        self._is_new = False
        empty(self.ui.visitsFolderPathLineEdit)  # the same folder, chosen again, is news then

    def choose_eye(self) -> None:
        """Read the visits of the chosen eye, unless volumes are checked."""
        if self.ui.visitVolumesSelector.checkedNodes():
            return
        # Not the line: after a scene was loaded, it is filled later.
        folder, eye = self._folder.strip(), self.ui.visitsEyeComboBox.currentText
        wanted = folder, eye, self.ui.visitsSpacingSpinBox.value
        if eye not in self._eyes:
            self._take(None)
            return
        if self.locked:  # read after the running registration, whose results belong to another choice
            self._scanned = None
            self._take(None)
            return
        if wanted == self._scanned:
            return
        self._stop_reading()
        self._scanned, self.chosen = wanted, None
        self.ui.registerVisitsButton.enabled = False
        self._steps = Steps(
            self._host,
            self._logic.scan(folder, self._eyes[eye], wanted[2] or None),
            on_step=lambda done: self._say(_("Read {} of {} visits ...").format(*done)),
            on_end=self._found,
            on_error=self._failed,
        ).start()

    def _stop_reading(self) -> None:
        if self._steps is not None:
            self._steps.cancel()
        self._steps = None

    def _folder_typed(self, path: str) -> None:
        if path != self._folder:
            self._other_eye()
            self._state.parameters.visitsTable = None  # another folder: what is registered belongs to the one before
            self._read(path)
            self._state.parameters.visitsFolder = path

    def _read(self, path: str) -> None:
        self._stop_reading()
        self._folder, self._eyes, self.problem, self._scanned, self.notes = path, {}, "", None, []
        if path.strip():
            try:
                found = self._logic.eyes(path.strip(), self._dates())
                self._eyes = found.eyes
                self.notes = [*found.notes, *(_left_out_text(item.name, item.error) for item in found.left_out)]
            except Exception as error:
                self.problem = sentence(error)
                self._ask_about_dates(error)
        self._show_eyes()
        self.choose_eye()

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
        if not self.ui.visitVolumesSelector.checkedNodes() and self.chosen is not None:
            self._state.parameters.visitsTable = None
        self.choose_eye()

    def _other_eye(self) -> None:
        """Forget the inputs of the eye that was chosen before. Inputs that were given before any eye was chosen stay."""
        if self.chosen is not None:
            self._state.parameters.visitsSide = self._state.parameters.visitsReference = ""
            self._state.parameters.visitsRegions = None
            self._state.parameters.axialLength = 0.0

    def _eye_picked(self) -> None:
        picked = self.ui.visitsEyeComboBox.currentText
        if self.chosen is not None and self._scanned is not None and self._scanned[1] == picked:
            return  # the same eye once more
        self._other_eye()
        self._state.parameters.visitsEye = picked
        self._state.parameters.visitsTable = None
        self.choose_eye()

    def _found(self, chosen: ChosenVisits) -> None:
        self.problem = ""
        length = self._state.parameters.axialLength = (
            self._state.parameters.axialLength or chosen.axial_length_mm or 0.0
        )
        self._take(chosen)
        self._say_chosen(chosen)
        if chosen.axial_length_mm not in (None, length):
            text = _("The table of visits says an axial length of {stated:g} mm. {length:g} mm, as entered, is used.")
            self._say(f"{self.ui.visitsStatusLabel.text}\n{text.format(stated=chosen.axial_length_mm, length=length)}")

    def _failed(self, error: Exception) -> None:
        self.problem = sentence(error)
        self._say(self.problem)
        self._state.notify()

    def _say_chosen(self, chosen: ChosenVisits) -> None:
        counted = _("{count} visits of {eye}.").format(count=len(chosen.visits), eye=chosen.name)
        left_out = [_left_out_text("", error) for error in chosen.left_out]
        self._say("\n".join([f"{counted} {order_text(chosen.order)}", *self.notes, *left_out, *chosen.notes]))

    def _volumes_checked(self) -> None:
        nodes = self.ui.visitVolumesSelector.checkedNodes()
        checked = [node.GetID() for node in nodes]
        if checked == self._checked:  # told also when other nodes come or go
            return
        if not set(checked) & set(self._checked):
            self._other_eye()
        self._checked, self.problem, self._scanned, self.notes = checked, "", None, []
        self._state.parameters.visitsTable = None
        if not nodes:
            self.choose_eye()
            return
        try:
            chosen = self._logic.of_volumes(nodes, self._dates())
            self._take(chosen)
            self._say_chosen(chosen)
        except Exception as error:
            self.problem = sentence(error)
            self._ask_about_dates(error)
            self._take(None)

    def _take(self, chosen: ChosenVisits | None) -> None:
        """Choose these visits, and what was registered of them before."""
        self.chosen = chosen
        if chosen is not None:
            self._state.names |= {chosen.name, *(visit.name for visit in chosen.visits)}
            self._take_registered(chosen)
            self._fill_references(chosen)
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

    def _fill_references(self, chosen: ChosenVisits) -> None:
        box, names = self.ui.visitsReferenceComboBox, [visit.name for visit in chosen.visits]
        wanted = self._state.parameters.visitsReference
        blocked = box.blockSignals(True)
        box.clear()
        for text in (_("the one with the best quality"), *names):
            box.addItem(text)
        box.setCurrentIndex(1 + names.index(wanted) if wanted in names else 0)
        box.blockSignals(blocked)

    def _reference_picked(self, index: int) -> None:
        box = self.ui.visitsReferenceComboBox
        self._state.parameters.visitsReference = box.itemText(index) if index > 0 else ""


def _left_out_text(name: str, error: Any) -> str:
    """A line on what is left out; the error names the file."""
    place = f"{name}: " if name and name not in str(error) else ""
    return _("Left out: {reason}").format(reason=place + sentence(error))
