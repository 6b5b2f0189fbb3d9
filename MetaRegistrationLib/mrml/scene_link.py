"""The panel follows the scene: closed, loaded, and the parameters that are saved with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import slicer
import vtk
from slicer.util import VTKObservationMixin

from .transforms import restore_tolerances


class SceneLink(VTKObservationMixin):
    """Connects the parameters of the present scene with the widgets.

    Parameters
    ----------
    ui : namespace of widgets
    panel : Panel
    get_parameters : callable
        Gives the parameter node of the present scene.
    is_entered : callable
        Whether the user is in the module: while not, no parameters are made.
    """

    def __init__(self, ui: Any, panel: Any, get_parameters: Callable[[], Any], is_entered: Callable[[], bool]) -> None:
        VTKObservationMixin.__init__(self)
        self._ui, self._panel, self._get_parameters, self._is_entered = ui, panel, get_parameters, is_entered
        self._parameters: Any = None
        self._gui_tag: Any = None
        scene = slicer.mrmlScene
        for event, method in (
            (scene.StartCloseEvent, self._closing),
            (scene.EndCloseEvent, self._ready),
            # The parameters of a scene come one after another, and are not complete before the end.
            (scene.StartImportEvent, self._importing),
            (scene.EndImportEvent, self._imported),
        ):
            self.addObserver(scene, event, method)
        self.connect()

    def connect(self) -> None:
        """Work on the parameters of the present scene."""
        self._use(self._get_parameters())

    def close(self) -> None:
        """The module goes away."""
        self._use(None)
        self.removeObservers()

    def _use(self, parameters: Any) -> None:
        if self._parameters is not None:
            self._parameters.disconnectGui(self._gui_tag)
            self.removeObserver(self._parameters, vtk.vtkCommand.ModifiedEvent, self._panel.state.notify)
        self._parameters = parameters
        if parameters is not None:
            self._gui_tag = parameters.connectGui(self._ui)
            self.addObserver(parameters, vtk.vtkCommand.ModifiedEvent, self._panel.state.notify)
        self._panel.use(parameters)

    def _closing(self, caller=None, event=None) -> None:
        self._use(None)
        self._panel.close()

    def _ready(self, caller=None, event=None) -> None:
        if self._is_entered():
            self.connect()

    def _importing(self, caller=None, event=None) -> None:
        self._use(None)

    def _imported(self, caller=None, event=None) -> None:
        restore_tolerances(slicer.mrmlScene)
        self._ready()
