"""The part of *Register* in which masks are chosen."""

from __future__ import annotations

from .masking import mask_choices
from .state import PanelState
from .texts import tr as _


class MasksSection:
    """Shows the choices in the header, so that the part can stay closed. The parameter node reads the widgets.

    Parameters
    ----------
    ui : namespace of widgets
    state : PanelState
    """

    def __init__(self, ui, state: PanelState) -> None:
        self._ui, self._state = ui, state
        state.watch(self.refresh)

    def refresh(self) -> None:
        """Show what is chosen."""
        parameters = self._state.parameters
        chosen = mask_choices(parameters.movingMask, parameters.fixedMask)
        self._ui.masksCollapsibleButton.text = _("Masks: {list}").format(list=chosen)
