"""The whole panel: its sections and their shared state."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .adapt_section import AdaptSection
from .advanced_section import AdvancedSection
from .chosen_pair import ChosenPair
from .decimal_comma import take_commas
from .dependency_section import DependencySection
from .folder_section import FolderSection
from .folding import Folding
from .landmarks_section import LandmarksSection
from .masks_section import MasksSection
from .next_step import NextStep
from .pairs_section import PairsSection
from .preloading import Preloading
from .register_section import RegisterSection
from .report_section import ReportSection
from .results_section import ResultsSection
from .slices_section import SlicesSection
from .stages_section import StagesSection
from .state import PanelState
from .texts import tr as _
from .views_section import ViewsSection
from .visits_change_section import VisitsChangeSection
from .visits_measures_section import VisitsMeasuresSection
from .visits_section import VisitsSection
from .widgets import say


class Panel:
    """Puts the sections together.

    Parameters
    ----------
    ui : namespace of widgets
        As `slicer.util.childWidgetVariables` gives it.
    logic : object
        With the parts `host`, `dependency`, `pairs`, `adapt`, `register`, `landmarks` and `visits`, and `new_chart(name)`.
    """

    def __init__(self, ui: Any, logic: Any) -> None:
        self.ui = ui
        self.state = state = PanelState()
        self.folding = Folding(ui)
        state.done = self.folding.done
        self.preloading = Preloading(logic.host, logic.dependency.torch_is_there)
        self.dependency = DependencySection(ui, logic.dependency, state)
        self.chosen = ChosenPair(state)  # the first: the others work on what belongs to the pair
        self.pairs = PairsSection(ui, logic.pairs, state, logic.host)
        self.adapt = AdaptSection(ui, logic.adapt, state, logic.dependency, logic.new_chart)
        # The slices of a newly chosen pair go first: the others compare results with them.
        self.slices = SlicesSection(ui, logic.register, state, logic.host, lambda: self.views.show_pair())
        self.views = ViewsSection(ui, logic.register, state)
        self.stages = StagesSection(ui, state)
        self.masks = MasksSection(ui, state)
        self.advanced = AdvancedSection(ui, state)
        self.register = RegisterSection(
            ui, logic.register, state, logic.dependency, logic.host, self.views.show_overlay
        )
        self.results = ResultsSection(ui, logic.register, state, self.views.show_overlay)
        self.folder = FolderSection(ui, logic.register, state, logic.dependency)
        self.report = ReportSection(ui, state)
        self.landmarks = LandmarksSection(ui, logic.landmarks, state, logic.host)
        self.visits = VisitsSection(ui, logic.visits, state, logic.dependency, logic.host)
        self.change = VisitsChangeSection(ui, logic.visits, state, logic.host)
        self.measures = VisitsMeasuresSection(ui, logic.visits, state, logic.host)
        self.next_step = NextStep(ui, state, self, logic.dependency, self.folding.open)  # the last: it asks the others
        state.measured = self._measured
        self._commas = take_commas(ui)

    def _measured(self) -> None:
        self.results.refresh()
        self.next_step.refresh()

    def use(self, parameters: Any | None) -> None:
        """Work on the parameters of a scene, or on none while there is no scene."""
        self.state.use(parameters)

    def say_replaced(self, values: Sequence[tuple[str, str]]) -> None:
        """Name the parameters of a scene, with their texts, that cannot be read and have their defaults instead."""
        if not values:
            return
        label, names = self.ui.registerStatusLabel, ", ".join(" = ".join(each) for each in values)
        text = _("These values of the scene cannot be read, and the defaults are used instead: {values}.")
        say(label, " ".join(filter(None, (label.text, text.format(values=names)))))

    def enter(self) -> None:
        """The user comes to the module: files may have come and gone."""
        self.adapt.choices.fill_checkpoints()
        self.state.notify()

    def close(self) -> None:
        """Stop all work: the scene is closed, the module reloaded, or Slicer quits."""
        for section in (
            *(self.pairs, self.adapt, self.slices, self.register, self.folder, self.views),
            *(self.visits, self.change, self.measures, self.landmarks),  # the last: the others notify it
        ):
            section.close()
