"""What is missing before the module can compute, and the button that installs it."""

from __future__ import annotations

from .state import PanelState
from .texts import sentence
from .texts import tr as _
from .widgets import say


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
        ui.installTorchButton.connect("clicked(bool)", lambda checked: self._install())
        state.watch(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show the frame when something is missing."""
        missing = not self._logic.torch_is_there()
        self.ui.dependencyFrame.visible = missing
        if missing:
            text = _(
                "PyTorch is missing. Install it to train and to register. Without it, pairs can be viewed and landmarks measured."
            )
            say(self.ui.dependencyLabel, self._problem or text)

    def _install(self) -> None:
        try:
            there = self._logic.install()
            self._problem = "" if there else _("PyTorch was not installed, because the installation was declined.")
        except Exception as error:
            self._problem = sentence(error)
        self._state.notify()
