"""The part of *Register* in which the stages are chosen."""

from __future__ import annotations

from .stage_choices import stages_in_words
from .state import PanelState
from .texts import tr as _


class StagesSection:
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
        self._ui.stagesCollapsibleButton.text = _("Stages: {list}").format(list=stages_in_words(self._state.stages))
