"""Section *Fine-tune*: choose a checkpoint and a device, fine-tune, save the result."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..initial_kinds import needs_landmarks
from ..stages import Stages
from .adapt_choices import AdaptChoices
from .adapt_logic import adapted_field_name
from .job_warnings import JobWarnings
from .pixel_sizes import PixelSizes
from .requests import FineTuningRequest
from .stage_choices import kind_name
from .state import PanelState
from .texts import sentence
from .texts import tr as _
from .training_display import TrainingDisplay, estimate_text
from .widgets import can_start, confirm, say, stopped


class AdaptSection:
    """Controls the widgets of the section.

    Parameters
    ----------
    ui : namespace of widgets
    logic : AdaptLogic
    state : PanelState
    dependency : DependencyLogic
    new_chart : callable
        Makes a LossChart with a name in the scene.
    """

    def __init__(self, ui, logic, state: PanelState, dependency, new_chart) -> None:
        self.ui, self._logic, self._state, self._dependency = ui, logic, state, dependency
        self._new_chart = new_chart
        self._job: Any = None
        self._warnings = JobWarnings()
        self._display: TrainingDisplay | None = None
        self._named_after: Path | None = None  # None in a new scene too
        self._proposed = ""
        self.choices = AdaptChoices(ui, logic, state)
        ui.adaptProgressBar.visible = False
        say(ui.adaptStatusLabel, "")
        ui.fineTuneButton.connect("clicked(bool)", lambda checked: self._start_or_cancel())
        ui.openFolderButton.connect("clicked(bool)", lambda checked: self._open_folder())
        ui.deleteCheckpointButton.connect("clicked(bool)", lambda checked: self._delete())
        ui.adaptedNameLineEdit.connect("textChanged(QString)", lambda text: state.notify())
        state.watch(self.refresh)

    @property
    def running(self) -> bool:
        """Whether a training runs."""
        return self._job is not None

    def refresh(self) -> None:
        """Enable what can be done now."""
        self.choices.refresh()
        ui, state = self.ui, self._state
        self._propose_name()
        ui.deleteCheckpointButton.enabled = self._logic.is_own(state.checkpoint) and not self.running
        self._show_estimate()
        if self.running:
            return
        ui.fineTuneButton.text = _("Resume") if self._logic.resumable(self._name()) else _("Fine-tune")
        can_start(ui.fineTuneButton, self._missing(), self._what_it_does(), ui.fineTuneBlockedLabel)

    def _show_estimate(self) -> None:
        """The time before the start; while a training runs, the bar has the time that is left."""
        ui, found = self.ui, self._estimate()
        ui.estimateLabel.visible = ui.adaptLayoutLabel4.visible = not self.running
        if found is None:
            ui.estimateLabel.text = _("known once a folder is chosen")
        else:
            ui.estimateLabel.text = _("About {time}").format(time=estimate_text(found))

    def _estimate(self):
        state = self._state
        if state.folder is None:
            return None
        return self._logic.estimate(state.folder, self.ui.epochsSpinBox.value, state.device)

    def close(self) -> None:
        """Stop all work; the scene or the module goes away."""
        if self.running:
            say(self.ui.adaptStatusLabel, stopped(True))
        self._logic.close()
        self.choices.close()
        self._job = None
        self._show_idle()

    def _propose_name(self) -> None:
        """Name the result after the folder, until the user types another name."""
        folder, line = self._state.folder, self.ui.adaptedNameLineEdit
        if not self._state.in_scene:
            self._named_after = None
            return
        if folder is None or self.running or folder.root == self._named_after:
            return
        new_scene, self._named_after = self._named_after is None, folder.root
        if line.text in ("", "" if new_scene else self._proposed):
            self._proposed = self._logic.free_name(folder.root.name)
            line.text = self._proposed

    def _missing(self) -> list[str]:
        missing = list(self._dependency.missing())
        if self._state.folder is None:
            missing.append(_("a folder with image pairs"))
        if self._state.checkpoint is None:
            missing.append(_("a checkpoint"))
        if not self._name():
            missing.append(_("a name for the adapted checkpoint"))
        return missing

    def _what_it_does(self) -> str:
        text = _("Fine-tune the checkpoint on the pairs of the folder.")
        initial = self._initial()
        if initial == "none":
            return f"{text} " + _("The pairs are not aligned first, as set under Advanced / Stages.")
        return f"{text} " + _(
            "The pairs are aligned first, as set under Advanced / Stages ({kind}). The network learns what it will see there."
        ).format(kind=kind_name(initial))

    def _initial(self) -> str:
        """The initial alignment of the pairs; one by landmarks does not serve a folder."""
        initial = self._state.stages.initial
        return Stages.initial if needs_landmarks(initial) else initial

    def _name(self) -> str:
        return self.ui.adaptedNameLineEdit.text.strip()

    def _start_or_cancel(self) -> None:
        if self.running:
            self.ui.fineTuneButton.enabled = False
            self.ui.fineTuneButton.text = _("Cancelling ...")
            say(self.ui.adaptStatusLabel, _("Stopping and saving the training so far ..."))
            self._job.cancel()
            return
        try:
            self._start()
        except Exception as error:
            say(self.ui.adaptStatusLabel, sentence(error, adapted_field_name))
            self._job = None
            self._show_idle()

    def _start(self) -> None:
        ui, state = self.ui, self._state
        request = FineTuningRequest(
            folder=state.folder.root,
            checkpoint=state.checkpoint,
            name=self._name(),
            epochs=ui.epochsSpinBox.value,
            device=state.device,
            pixel_sizes=PixelSizes.given_in(ui),
            initial=self._initial(),
        )
        self._warnings = JobWarnings()
        ended = []
        job = self._logic.start(request, self._take, lambda end: (ended.append(end), self._end(end)))
        if ended:  # it could not even start
            return
        self._job = job
        chart = self._new_chart(_("Fine-tuning {name}").format(name=request.name))
        chart.show()
        self._display = TrainingDisplay(ui.adaptProgressBar, ui.adaptStatusLabel, chart, self._estimate())
        self._show_estimate()
        ui.fineTuneButton.text = _("Cancel")
        ui.fineTuneButton.toolTip = _("Stop within two seconds. The training so far is saved.")
        ui.fineTuneButton.enabled = True

    def _take(self, event: dict) -> None:
        self._warnings.take(event)
        if self._display is not None:
            self._display(event)

    def _end(self, end) -> None:
        self._job, self._state.log = None, end.log
        finished = end.status == "finished"
        say(self.ui.adaptStatusLabel, self._warnings.below(end.message) if finished else end.message)
        if finished and end.saved:
            self._state.checkpoint = Path(end.saved)
        self.choices.fill_checkpoints()  # a stopped run can be chosen too
        self._show_idle()

    def _show_idle(self) -> None:
        self._display = None
        self.ui.adaptProgressBar.visible = False
        self.ui.fineTuneButton.enabled = True
        self._state.notify()

    def _open_folder(self) -> None:
        import qt

        folder = self._logic.store.folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            say(self.ui.adaptStatusLabel, sentence(error))
            return
        qt.QDesktopServices.openUrl(qt.QUrl.fromLocalFile(str(folder)))

    def _delete(self) -> None:
        path = self._state.checkpoint
        name = path.parent.name
        question = _("Delete the adapted checkpoint {name}?").format(name=name)
        if not confirm(_("Delete checkpoint"), question, self.ui.deleteCheckpointButton):
            return
        try:
            self._logic.delete(path)
            say(self.ui.adaptStatusLabel, _("Deleted {name}.").format(name=name))
        except Exception as error:
            say(self.ui.adaptStatusLabel, sentence(error))
        self._state.checkpoint = None
        self.choices.fill_checkpoints()
        self._state.notify()
