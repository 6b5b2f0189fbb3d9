"""Section *Whole folder*: every pair of the folder is registered in a child process."""

from __future__ import annotations

from typing import Any

from .earlier_results import not_replaced, start_or_ask
from .job_warnings import JobWarnings
from .output_path import missing_output, output_folder
from .pixel_sizes import PixelSizes
from .requests import FolderRequest
from .stage_choices import missing_for
from .state import PanelState
from .texts import message_text, sentence
from .texts import tr as _
from .widgets import can_start, keep_path, on_path, remember, say, show_progress, stopped


class FolderSection:
    """Controls the widgets that register a folder.

    Parameters
    ----------
    ui : namespace of widgets
    logic : RegisterLogic
    state : PanelState
    dependency : DependencyLogic
    """

    def __init__(self, ui, logic, state: PanelState, dependency) -> None:
        self.ui, self._logic, self._state, self._dependency = ui, logic, state, dependency
        self._job: Any = None
        self._warnings = JobWarnings()
        ui.registerProgressBar.visible = False
        ui.registerFolderButton.connect("clicked(bool)", lambda checked: self._start_or_cancel())
        on_path(ui.outputPathLineEdit, self._output_typed)
        say(ui.registerFolderStatusLabel, "")
        state.watch(self.refresh)

    @property
    def running(self) -> bool:
        """Whether the folder is being registered."""
        return self._job is not None

    def refresh(self) -> None:
        """Enable what can be done now."""
        if self.running:
            return
        keep_path(self._state, "folderOutput", self.ui.outputPathLineEdit)
        missing = list(self._dependency.missing())
        if self._state.folder is None:
            missing.append(_("a folder with image pairs"))
        missing += missing_output(self.ui.outputPathLineEdit)
        missing += missing_for(self._state.stages, self._state.checkpoint)
        self.ui.registerFolderButton.text = _("Register the whole folder")
        can_start(
            self.ui.registerFolderButton,
            missing,
            _("Register every pair of the folder and write the same files as the command line."),
            self.ui.registerFolderBlockedLabel,
        )

    def close(self) -> None:
        """Stop all work; the scene or the module goes away."""
        say(self.ui.registerFolderStatusLabel, stopped(self.running))
        self._logic.close()
        self._job = None
        self._show_idle()

    def _output_typed(self, path: str) -> None:
        self._state.parameters.folderOutput = path
        self._state.notify()

    def _start_or_cancel(self) -> None:
        if self.running:
            self.ui.registerFolderButton.enabled = False
            self.ui.registerFolderButton.text = _("Cancelling ...")
            self._job.cancel()
            return
        try:
            self._start()
        except Exception as error:
            say(self.ui.registerFolderStatusLabel, sentence(error))
            self._job = None
            self._show_idle()

    def _start(self) -> None:
        output = output_folder(self.ui.outputPathLineEdit)
        if output is None or self._state.folder is None:
            self.refresh()
            return
        remember(self.ui.outputPathLineEdit)
        request = FolderRequest(
            folder=self._state.folder.root,
            output=output,
            checkpoint=self._state.checkpoint,
            device=self._state.device,
            pixel_sizes=PixelSizes.given_in(self.ui),
            stages=self._state.stages,
            pairs=self._state.folder.pairs,
        )
        self._warnings = JobWarnings()
        ended: list = []
        job = start_or_ask(
            request,
            lambda asked: self._logic.start_folder(asked, self._take, lambda end: (ended.append(end), self._end(end))),
            self.ui.registerFolderButton,
        )
        if job is None:
            say(self.ui.registerFolderStatusLabel, not_replaced())
            return
        if ended:  # it could not even start
            return
        self._job = job
        show_progress(self.ui.registerProgressBar, 0, 0, _("Starting ..."))
        say(self.ui.registerFolderStatusLabel, _("Registering the folder ..."))
        self.ui.registerFolderButton.text = _("Cancel")
        self.ui.registerFolderButton.toolTip = _("Stop within two seconds. The results so far are saved.")

    def _take(self, event: dict) -> None:
        if event["event"] == "item":
            text = _("{index} of {total}: {name}").format(**event)
            show_progress(self.ui.registerProgressBar, event["index"], event["total"], text)
        elif event["event"] == "message":
            self._warnings.take(event)
            say(self.ui.registerFolderStatusLabel, message_text(event))

    def _end(self, end) -> None:
        self._job, self._state.log = None, end.log
        say(self.ui.registerFolderStatusLabel, self._warnings.below(end.message))
        self._show_idle()

    def _show_idle(self) -> None:
        self.ui.registerProgressBar.visible = False
        self._state.notify()
