"""A small scripted module whose panel holds many of the rig's stand-ins. It exists only to test the rig."""

import enum
from pathlib import Path
from typing import Annotated

import slicer
import vtk
from slicer.i18n import tr as _
from slicer.parameterNodeWrapper import Choice, WithinRange, parameterNodeWrapper
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
)
from slicer.util import VTKObservationMixin


class Preset(enum.Enum):
    """How much work to do."""

    QUICK = 1
    THOROUGH = 2


@parameterNodeWrapper
class RigExampleParameterNode:
    """What the panel shows."""

    moving: slicer.vtkMRMLScalarVolumeNode
    fixed: slicer.vtkMRMLScalarVolumeNode
    folder: Path
    epochs: Annotated[int, WithinRange(1, 2000)] = 10
    spacing: Annotated[float, WithinRange(0, 1000)] = 7.5
    blend: Annotated[float, WithinRange(0, 1)] = 0.5
    carry: bool = True
    label: str = "adapted"
    preset: Preset = Preset.THOROUGH
    device: Annotated[str, Choice(["CPU", "GPU"])] = "CPU"


class RigExample(ScriptedLoadableModule):
    """Metadata."""

    def __init__(self, parent):
        ScriptedLoadableModule.__init__(self, parent)
        self.parent.title = _("Rig example")
        self.parent.categories = ["Testing"]
        self.started = False
        slicer.app.connect("startupCompleted()", self.onStartup)

    def onStartup(self):
        """Slicer has started."""
        self.started = True


class RigExampleWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """The panel."""

    def __init__(self, parent=None):
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.logic = None
        self._parameterNode = None
        self._parameterNodeGuiTag = None
        self._parameterNodeObservers = []

    def setup(self):
        """Make the panel."""
        ScriptedLoadableModuleWidget.setup(self)
        uiWidget = slicer.util.loadUI(self.resourcePath("UI/RigExample.ui"))
        self.layout.addWidget(uiWidget)
        self.ui = slicer.util.childWidgetVariables(uiWidget)
        uiWidget.setMRMLScene(slicer.mrmlScene)
        self.logic = RigExampleLogic()
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.StartCloseEvent, self.onSceneStartClose)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.EndCloseEvent, self.onSceneEndClose)
        self.ui.applyButton.connect("clicked(bool)", self.onApply)
        self.initializeParameterNode()

    def cleanup(self):
        """Let go of the scene."""
        self.setParameterNode(None)
        self.removeObservers()

    def enter(self):
        """The user comes."""
        self.initializeParameterNode()

    def exit(self):
        """The user leaves."""

    def onSceneStartClose(self, caller, event):
        """The parameter node goes away."""
        self.setParameterNode(None)

    def onSceneEndClose(self, caller, event):
        """A new one comes."""
        if self.parent.isEntered:
            self.initializeParameterNode()

    def initializeParameterNode(self):
        """Use the scene's parameter node."""
        self.setParameterNode(self.logic.getParameterNode())

    def setParameterNode(self, node):
        """Show a parameter node."""
        if self._parameterNode:
            self._parameterNode.disconnectGui(self._parameterNodeGuiTag)
            for tag in self._parameterNodeObservers:  # Slicer up to 5.10 leaves them
                self._parameterNode.RemoveObserver(tag)
            self.removeObserver(self._parameterNode, vtk.vtkCommand.ModifiedEvent, self._checkCanApply)
        self._parameterNode = node
        if node:
            self._parameterNodeGuiTag, self._parameterNodeObservers = self._connect(node)
            self.addObserver(node, vtk.vtkCommand.ModifiedEvent, self._checkCanApply)
            self._checkCanApply()

    def _connect(self, node):
        """Connect the widgets. Returns what connectGui does, and the observers that it added."""
        add, observers = node.AddObserver, []

        def noted(*args):
            observers.append(add(*args))
            return observers[-1]

        node.AddObserver = noted  # of this object alone, in front of the class's
        try:
            return node.connectGui(self.ui), observers
        finally:
            del node.AddObserver

    def _checkCanApply(self, caller=None, event=None):
        ready = bool(self._parameterNode and self._parameterNode.moving and self._parameterNode.fixed)
        self.ui.applyButton.enabled = ready
        self.ui.applyButton.toolTip = _("Register") if ready else _("Choose two volumes")

    def onApply(self, checked):
        """Tell what would be registered."""
        node = self._parameterNode
        self.ui.statusLabel.text = f"{node.moving.GetName()} to {node.fixed.GetName()}, {node.epochs} epochs"
        if not slicer.util.confirmYesNoDisplay(_("Continue?")):
            slicer.util.errorDisplay(_("Cancelled."))


class RigExampleLogic(ScriptedLoadableModuleLogic):
    """Nothing but the parameter node."""

    def getParameterNode(self):
        """The typed parameter node."""
        return RigExampleParameterNode(super().getParameterNode())


class RigExampleTest(ScriptedLoadableModuleTest):
    """The self-test that Slicer would run."""

    def runTest(self):
        """Start with an empty scene."""
        slicer.mrmlScene.Clear()
        self.delayDisplay("It runs")
        self.assertIsNone(RigExampleLogic().getParameterNode().moving)
