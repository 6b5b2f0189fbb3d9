"""The part of *Register* with settings that are rarely used."""

from __future__ import annotations

from ..stages import Stages
from .masking import mask_choices
from .pixel_sizes import PixelSizes
from .stage_choices import stages_in_words
from .state import PanelState
from .texts import tr as _


class AdvancedSection:
    """Names the settings that differ from the defaults in the header, so that none works unseen while the part is closed.

    Parameters
    ----------
    ui : namespace of widgets
    state : PanelState
    """

    def __init__(self, ui, state: PanelState) -> None:
        self._ui, self._state = ui, state
        state.watch(self.refresh)

    def refresh(self) -> None:
        """Show what differs."""
        changed = self._changed()
        text = _("Advanced: {list}").format(list="; ".join(changed)) if changed else _("Advanced")
        self._ui.advancedCollapsibleButton.text = text

    def _changed(self) -> list[str]:
        parameters, changed = self._state.parameters, []
        if self._state.stages != Stages():
            changed.append(stages_in_words(self._state.stages))
        if parameters.movingMask is not None or parameters.fixedMask is not None:
            masks = mask_choices(parameters.movingMask, parameters.fixedMask)
            changed.append(_("masks {list}").format(list=masks))
        sizes = PixelSizes.given_in(self._ui)
        if sizes.override_spacing or sizes.moving_spacing_um:
            changed.append(_("pixel spacing"))
        return changed
