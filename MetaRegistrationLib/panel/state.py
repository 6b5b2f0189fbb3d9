"""The shared state of the sections of the panel."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..pairs.folders import PairFolder
from ..stages import Stages
from .stage_choices import stages_of


class _NoParameters:
    """Stands for the parameters while there is no scene: every one is unset, and setting one does nothing."""

    def __getattr__(self, name: str) -> None:
        return None

    def __setattr__(self, name: str, value: object) -> None:
        pass


@dataclass
class PanelState:
    """State of the panel; `notify` after a change refreshes every section.

    Attributes
    ----------
    parameters : parameter node
        What is saved with the scene: nodes, spacing, epochs, stages, names (see the module file).
    folder : PairFolder or None
        The pairs that were found.
    checkpoint : Path or None
        The chosen one.
    device : str
        As `--device` takes it.
    log : str
        What the last run in a child process wrote.
    names : set of str
        Names of visits and eyes, which no report for others may show.
    measured : callable
        Called when the distances of landmarks are measured, which happens some time after a change.
    done : callable
        Called with the name of a section that has done its work: "register".
    """

    parameters: Any = field(default_factory=_NoParameters)
    folder: PairFolder | None = None
    checkpoint: Path | None = None
    device: str = "cpu"
    log: str = ""
    names: set[str] = field(default_factory=set)
    measured: Callable[[], None] = lambda: None
    done: Callable[[str], None] = lambda section: None
    _watchers: list[Callable[[], None]] = field(default_factory=list)
    _view_watchers: list[Callable[[], None]] = field(default_factory=list)
    _notifying: bool = False

    @property
    def in_scene(self) -> bool:
        """Whether there are parameters of a scene: not while one is closed or loaded."""
        return not isinstance(self.parameters, _NoParameters)

    @property
    def stages(self) -> Stages:
        """The stages of a registration that are chosen."""
        return stages_of(self.parameters)

    @property
    def slices(self) -> tuple[int, int]:
        """The chosen slices of the moving and the fixed volume."""
        return self.parameters.movingSlice, self.parameters.fixedSlice

    def watch(self, refresh: Callable[[], None]) -> None:
        """Call `refresh` after every change."""
        self._watchers.append(refresh)

    def watch_views(self, refresh: Callable[[], None]) -> None:
        """Call `refresh` after every `views_changed`."""
        self._view_watchers.append(refresh)

    def views_changed(self) -> None:
        """A section has shown something else in the views."""
        if self.in_scene:
            for refresh in self._view_watchers:
                refresh()

    def notify(self, *_: object) -> None:
        """Something changed."""
        if self._notifying:  # a section sets widgets, which sets parameters, which notifies
            return
        self._notifying = True
        try:
            for refresh in self._watchers:
                refresh()
        finally:
            self._notifying = False

    @contextmanager
    def together(self) -> Iterator[None]:
        """Notify once after several changes: halfway, parameters of two pairs stand side by side."""
        before, self._notifying = self._notifying, True
        try:
            yield
        finally:
            self._notifying = before
        self.notify()

    def use(self, parameters: Any | None) -> None:
        """Take another scene's parameters, or none."""
        self.parameters = _NoParameters() if parameters is None else parameters
        self.notify()
