"""What is missing before the module can compute, and the button that installs it."""

from __future__ import annotations

from .state import PanelState
from .texts import sentence
from .texts import tr as _
from .widgets import say, show_progress


class DependencySection:
    """Shows a frame while PyTorch is missing.

    Parameters
    ----------
    ui : namespace of widgets
    logic : DependencyLogic
    state : PanelState
    """

    def __init__(self, ui, logic, state: PanelState) -> None:
        self.ui, self._logic, self._state = ui, logic, state
        self._problem = ""
        self._installation = None
        self._step = None
        ui.dependencyProgressBar.visible = False
        ui.installTorchButton.connect("clicked(bool)", lambda checked: self._install_or_cancel())
        state.watch(self.refresh)
        self.refresh()

    @property
    def running(self) -> bool:
        """Whether PyTorch is being installed."""
        return self._step is not None

    def refresh(self) -> None:
        """Show the frame when something is missing."""
        missing = not self._logic.torch_is_there()
        self.ui.dependencyFrame.visible = missing or self._step is not None
        if self._step is not None or not missing:
            return
        text = _(
            "PyTorch is missing. It is the library that runs the networks of this module: fine-tuning, registration and visits"
            " need it. Without it, pairs can be viewed and landmarks measured. The download has about 0.2 GB, on a computer with"
            " an NVIDIA GPU up to 3 GB; on the disk it takes about three times as much."
        )
        say(self.ui.dependencyLabel, self._problem or text)

    def close(self) -> None:
        """The module goes away."""
        if self._installation is not None:
            self._installation.close()

    def _install_or_cancel(self) -> None:
        if self._step is not None:
            if self._installation is not None:
                self._installation.cancel()
            return
        self._problem = ""
        try:
            self._installation = self._logic.install(self._show, self._ended)
        except Exception as error:
            self._ended(sentence(error))

    def _show(self, step) -> None:
        self._step = step
        button = self.ui.installTorchButton
        button.text, button.enabled = _("Cancel"), step.can_cancel
        say(self.ui.dependencyLabel, step.text)
        done, total = (0, 0) if step.share is None else (round(100 * step.share), 100)
        show_progress(self.ui.dependencyProgressBar, done, total)

    def _ended(self, problem: str) -> None:
        if self._installation is not None:
            self._state.log = self._installation.log
        self._installation = self._step = None
        self._problem = problem
        self.ui.dependencyProgressBar.visible = False
        button = self.ui.installTorchButton
        button.text, button.enabled = _("Install PyTorch"), True
        self._state.notify()
