"""The Slicer module MetaRegistration: fine-tune, register and measure pairs of 2D images without leaving the window."""

import importlib.util
import sys
from pathlib import Path
from typing import Annotated

import qt
import slicer
from slicer import (
    vtkMRMLGridTransformNode,
    vtkMRMLMarkupsFiducialNode,
    vtkMRMLScalarVolumeNode,
    vtkMRMLTableNode,
)
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.parameterNodeWrapper import WithinRange, parameterNodeWrapper
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
)
from slicer.util import VTKObservationMixin

if importlib.util.find_spec("MetaRegistrationLib") is None:
    # "Additional module paths" puts only this file's folder on the path; the library lies beside that.
    sys.path.append(str(Path(__file__).resolve().parents[1]))


class MetaRegistration(ScriptedLoadableModule):
    """What Slicer shows of the module before it is opened."""

    def __init__(self, parent):
        ScriptedLoadableModule.__init__(self, parent)
        parent.title = _("Meta-Registration")
        parent.categories = [translate("qSlicerAbstractCoreModule", "Registration")]
        parent.dependencies = ["Markups", "Plots", "Tables", "Transforms", "Volumes"]
        parent.contributors = [_("The MetaRegistration authors (see CITATION.cff)")]
        parent.helpText = _(
            "Registers pairs of 2D images, such as OCTA scans of two visits, with a meta-learned network that is "
            "fine-tuned on your own pairs; no landmarks are needed for that."
        )
        parent.acknowledgementText = _("The landmark distances are measured as in the paper that README.md cites.")
        slicer.app.connect("startupCompleted()", registerSampleData)


def registerSampleData():
    """Offer the sample pairs in the Sample Data module."""
    from MetaRegistrationLib.mrml.samples import register_sample_data

    register_sample_data(Path(__file__).parent / "Resources" / "Icons" / "MetaRegistration.png")


@parameterNodeWrapper
class MetaRegistrationParameterNode:
    """What is saved with the scene."""

    folder: str = ""
    spacing: Annotated[float, WithinRange(0, 1000)] = 0.0
    epochs: Annotated[int, WithinRange(1, 100000)] = 10
    adaptedName: str = ""
    movingVolume: vtkMRMLScalarVolumeNode
    movingSlice: Annotated[int, WithinRange(0, 9999)] = 0
    fixedVolume: vtkMRMLScalarVolumeNode
    fixedSlice: Annotated[int, WithinRange(0, 9999)] = 0
    warpedVolume: vtkMRMLScalarVolumeNode
    transform: vtkMRMLGridTransformNode
    movingPoints: vtkMRMLMarkupsFiducialNode
    fixedPoints: vtkMRMLMarkupsFiducialNode
    distanceTable: vtkMRMLTableNode


class MetaRegistrationWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """The panel in Slicer's window; its sections are in MetaRegistrationLib.panel."""

    def __init__(self, parent=None):
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.logic = None
        self.panel = None
        self._parameterNode = None
        self._guiTag = None

    def makeLogic(self):
        """The logic that the panel works with; tests put another one in its place."""
        return MetaRegistrationLogic()

    def setup(self):
        """Build the panel."""
        from MetaRegistrationLib.panel.panel import Panel

        ScriptedLoadableModuleWidget.setup(self)
        uiWidget = slicer.util.loadUI(self.resourcePath("UI/MetaRegistration.ui"))
        self.layout.addWidget(uiWidget)
        self.ui = slicer.util.childWidgetVariables(uiWidget)
        uiWidget.setMRMLScene(slicer.mrmlScene)
        self.logic = self.makeLogic()
        self.panel = Panel(self.ui, self.logic)
        for event, method in (
            (slicer.mrmlScene.StartCloseEvent, self.onSceneStartClose),
            (slicer.mrmlScene.EndCloseEvent, self.onSceneEndClose),
            (slicer.mrmlScene.StartImportEvent, self.onSceneStartImport),
            (slicer.mrmlScene.EndImportEvent, self.onSceneEndImport),
        ):
            self.addObserver(slicer.mrmlScene, event, method)
        self.initializeParameterNode()

    def cleanup(self):
        """The module is reloaded, or Slicer quits."""
        self.setParameterNode(None)
        self.panel.close()
        self.logic.close()
        self.removeObservers()

    def enter(self):
        """The user comes to the module."""
        self.initializeParameterNode()

    def onSceneStartClose(self, caller=None, event=None):
        """The scene goes away, and all work on it."""
        self.setParameterNode(None)
        self.panel.close()

    def onSceneEndClose(self, caller=None, event=None):
        """There is an empty scene."""
        if self.parent.isEntered:
            self.initializeParameterNode()

    def onSceneStartImport(self, caller=None, event=None):
        """A scene is being loaded: its parameters come one after another, and are not complete before the end."""
        self.setParameterNode(None)

    def onSceneEndImport(self, caller=None, event=None):
        """A scene was loaded."""
        self.logic.sceneLoaded()
        if self.parent.isEntered:
            self.initializeParameterNode()

    def initializeParameterNode(self):
        """Work on the parameters of the present scene."""
        self.setParameterNode(self.logic.getParameterNode())

    def setParameterNode(self, parameterNode):
        """Connect parameters to the widgets, in place of those before."""
        modified = "ModifiedEvent"
        if self._parameterNode is not None:
            self._parameterNode.disconnectGui(self._guiTag)
            self.removeObserver(self._parameterNode, modified, self.panel.state.notify)
        self._parameterNode = parameterNode
        if parameterNode is not None:
            self._guiTag = parameterNode.connectGui(self.ui)
            self.addObserver(parameterNode, modified, self.panel.state.notify)
        self.panel.use(parameterNode)


class MetaRegistrationLogic(ScriptedLoadableModuleLogic):
    """What can be done, with or without the panel: see the parts in MetaRegistrationLib.panel."""

    def __init__(self):
        from MetaRegistrationLib.jobs.hosts import QtHost
        from MetaRegistrationLib.panel import (
            adapt_logic,
            dependency_logic,
            landmarks_logic,
            pairs_logic,
            register_logic,
        )

        ScriptedLoadableModuleLogic.__init__(self)
        self.host = QtHost(qt)
        self.dependency = dependency_logic.DependencyLogic()
        self.pairs = pairs_logic.PairsLogic()
        self.adapt = adapt_logic.AdaptLogic(self.host, checkpointsFolder())
        self.register = register_logic.RegisterLogic(self.host)
        self.landmarks = landmarks_logic.LandmarksLogic()

    def getParameterNode(self):
        """The parameters of the present scene."""
        return MetaRegistrationParameterNode(super().getParameterNode())

    def new_chart(self, name):
        """A chart of loss and NCC in the scene."""
        from MetaRegistrationLib.mrml.charts import LossChart

        return LossChart(name)

    def sceneLoaded(self):
        """Set what scene files do not keep."""
        from MetaRegistrationLib.mrml.transforms import restore_tolerances

        restore_tolerances(slicer.mrmlScene)

    def close(self):
        """Stop every child process."""
        self.adapt.close()
        self.register.close()


def checkpointsFolder():
    """The user's folder of adapted checkpoints, outside of the extension, so that an update keeps it."""
    return Path(slicer.app.slicerUserSettingsFilePath).parent / "MetaRegistration" / "Checkpoints"


class MetaRegistrationTest(ScriptedLoadableModuleTest):
    """Runs inside Slicer."""

    def setUp(self):
        """Start with an empty scene."""
        slicer.mrmlScene.Clear()

    def runTest(self):
        """Register a sample pair; PyTorch has to be installed."""
        self.setUp()
        self.test_sample_pair_comes_closer()

    def test_sample_pair_comes_closer(self):
        """The landmarks of a sample pair are nearer to each other after the registration."""
        from MetaRegistrationLib.panel.self_test import mean_distances

        before, after = mean_distances(MetaRegistrationLogic())
        self.assertLess(after, before)
        self.delayDisplay(
            _("Landmarks {before:.2f} px apart before, {after:.2f} px after").format(before=before, after=after)
        )
