"""The panel follows the scene: closed, loaded, and the parameters that are saved with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import slicer
import vtk
from slicer.util import VTKObservationMixin

from .layouts import add_layouts
from .restored_slices import Restored, restore_slices
from .transforms import restore_tolerances
from .visit_nodes import VisitNodes


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
        self._observers: list[int] = []
        self._restored: list[Restored] = []
        self._left_out = False  # a chosen node, or one of the registered visits, is about to be removed
        add_layouts()
        scene = slicer.mrmlScene
        for event, method in (
            (scene.StartCloseEvent, self._closing),
            (scene.EndCloseEvent, self._ready),
            # The parameters of a scene come one after another, and are not complete before the end.
            (scene.StartImportEvent, self._importing),
            (scene.EndImportEvent, self._imported),
            (scene.NodeAboutToBeRemovedEvent, self._leaving),
            (scene.NodeRemovedEvent, self._left),
        ):
            self.addObserver(scene, event, method)
        self.connect()

    def connect(self) -> None:
        """Work on the parameters of the present scene."""
        parameters = self._get_parameters()
        if self._parameters is not None and self._parameters.parameterNode is parameters.parameterNode:
            self._panel.state.notify()  # the scene may have changed while the user was in another module
        else:
            self._choose_restored(parameters)
            self._use(parameters)
            self._panel.say_replaced(getattr(parameters, "replaced", ()))

    def close(self) -> None:
        """The module goes away."""
        self._use(None)
        self.removeObservers()

    def _use(self, parameters: Any) -> None:
        if self._parameters is not None:
            self._disconnect_gui()
            self.removeObserver(self._parameters.parameterNode, vtk.vtkCommand.ModifiedEvent, self._panel.state.notify)
        self._parameters = parameters
        if parameters is not None:
            self._connect_gui(parameters)
            # The mixin would keep the parameters themselves, whose observers in Slicer read each value of the next scene.
            self.addObserver(parameters.parameterNode, vtk.vtkCommand.ModifiedEvent, self._panel.state.notify)
        self._panel.use(parameters)

    def _connect_gui(self, parameters: Any) -> None:
        """Connect, and note the observers that are added for it: Slicer up to 5.10 leaves them at the node.

        Once Python's garbage collector has taken the callback of such an observer, the node's next change ends Slicer.
        """
        add, self._observers = parameters.AddObserver, []

        def noted(event, callback, priority: float = 0.0) -> int:
            self._observers.append(add(event, callback, priority))
            return self._observers[-1]

        parameters.AddObserver = noted  # of this object alone, in front of the class's
        try:
            self._gui_tag = parameters.connectGui(self._ui)
        finally:
            del parameters.AddObserver

    def _disconnect_gui(self) -> None:
        self._parameters.disconnectGui(self._gui_tag)
        for tag in self._observers:  # of one that is gone already VTK makes nothing
            self._parameters.RemoveObserver(tag)
        self._observers = []

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def _leaving(self, caller, event, node) -> None:
        """Choose none instead of a node that is about to be removed.

        A selector of Slicer takes the row of the node out of its list, and Qt then selects the next node, which nobody chose. The
        selectors hear of it after this observer, because of its priority.
        """
        parameters = self._parameters
        if parameters is None or caller.IsClosing():
            return
        holder = parameters.parameterNode
        roles = [holder.GetNthNodeReferenceRole(index) for index in range(holder.GetNumberOfNodeReferenceRoles())]
        # A parameter of several classes of nodes has a role for each: movingMask.0, movingMask.1.
        chosen = [role.partition(".")[0] for role in roles if holder.GetNodeReference(role) is node]
        with self._panel.state.together():
            for name in chosen:
                if hasattr(parameters, name):
                    setattr(parameters, name, None)
        visits = parameters.visitsTable
        self._left_out |= bool(chosen) or (visits is not None and VisitNodes(visits).holds(node))

    def _left(self, caller, event) -> None:
        """A node is gone: what the sections list of the scene has changed, if they used it."""
        if self._left_out and not caller.IsClosing():
            self._left_out = False
            self._panel.state.notify()

    def _closing(self, caller=None, event=None) -> None:
        self._restored = []
        self._use(None)
        self._panel.close()

    def _ready(self, caller=None, event=None) -> None:
        if self._is_entered():
            self.connect()

    def _importing(self, caller=None, event=None) -> None:
        self._use(None)

    def _imported(self, caller=None, event=None) -> None:
        restore_tolerances(slicer.mrmlScene)
        self._restored += restore_slices()  # further scenes may be added before the user comes to the module
        self._ready()

    def _choose_restored(self, parameters: Any) -> None:
        """Choose the slices of a result by the numbers that they have now."""
        for node, before, now in self._restored:
            chosen = parameters.movingSlice, parameters.fixedSlice
            if node in (parameters.transform, parameters.warpedVolume) and chosen == before:
                parameters.movingSlice, parameters.fixedSlice = now
                break
        self._restored = []
