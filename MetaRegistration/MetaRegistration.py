"""The Slicer module MetaRegistration: fine-tune, register and measure pairs of 2D images without leaving the window."""

import importlib.util
import sys
from pathlib import Path
from typing import Annotated, Union

import qt
import slicer
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.parameterNodeWrapper import Choice, WithinRange, parameterNodeWrapper
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
)

if importlib.util.find_spec("MetaRegistrationLib") is None:
    # "Additional module paths" puts only this file's folder on the path; the library lies beside that.
    sys.path.append(str(Path(__file__).resolve().parents[1]))

from MetaRegistrationLib.eye_length import DEVICE_MM
from MetaRegistrationLib.panel.stage_choices import InitialAlignment
from MetaRegistrationLib.stages import Stages

USER_GUIDE = "https://github.com/MetaRegistration/SlicerMetaRegistration/blob/main/Documentation/User/index.md"


def forgetLibrary():
    """Let the next import of anything of the library read its files again; objects that live on keep their old code."""
    for name in list(sys.modules):
        if name.partition(".")[0] == "MetaRegistrationLib":
            del sys.modules[name]
    importlib.invalidate_caches()


class MetaRegistration(ScriptedLoadableModule):
    """What Slicer shows of the module before it is opened."""

    def __init__(self, parent):
        ScriptedLoadableModule.__init__(self, parent)
        parent.title = _("Meta-Registration")
        parent.categories = [translate("qSlicerAbstractCoreModule", "Registration")]
        parent.dependencies = [
            "Colors",
            "Markups",
            "Plots",
            "Segmentations",
            "Sequences",
            "SubjectHierarchy",
            "Tables",
            "Transforms",
            "Volumes",
        ]
        parent.contributors = [_("The MetaRegistration authors (see CITATION.cff)")]
        parent.helpText = _(
            "Registers pairs of 2D images, such as OCTA scans of two visits, with a meta-learned network that is "
            "fine-tuned on your own pairs; no landmarks are needed for that."
        )
        parent.helpText += f' <a href="{USER_GUIDE}">{_("User guide")}</a>'
        parent.acknowledgementText = _("The landmark distances are measured as in the paper that README.md cites.")
        slicer.app.connect("startupCompleted()", registerSampleData)
        slicer.app.connect("startupCompleted()", registerLayouts)


def registerSampleData():
    """Offer the sample pairs in the Sample Data module."""
    from MetaRegistrationLib.mrml.samples import register_sample_data

    register_sample_data(Path(__file__).parent / "Resources" / "Icons" / "MetaRegistration.png", chooseSamplePair)


def registerLayouts():
    """Let Slicer know the layouts of the module, so that a saved scene comes back with them before the panel is opened."""
    from MetaRegistrationLib.mrml.layouts import add_layouts

    add_layouts()


def chooseSamplePair(pair):
    """Choose a sample pair in the parameters of the scene, so that the panel is ready for it, opened or not."""
    from MetaRegistrationLib.panel.chosen_pair import choose_pair

    parameters = MetaRegistrationLogic().getParameterNode()
    with slicer.util.NodeModify(parameters.parameterNode):  # halfway, nodes of two pairs stand side by side
        choose_pair(parameters, pair)


# Slicer's wrapper connects no A | B with a selector.
MaskNode = Union[slicer.vtkMRMLLabelMapVolumeNode, slicer.vtkMRMLSegmentationNode, None]  # noqa: UP007


@parameterNodeWrapper
class MetaRegistrationParameterNode:
    """What is saved with the scene."""

    folder: str = ""
    spacing: Annotated[float, WithinRange(0, 1000)] = 0.0
    movingSpacing: Annotated[float, WithinRange(0, 1000)] = 0.0
    overrideSpacing: bool = False
    checkpoint: str = ""
    epochs: Annotated[int, WithinRange(1, 100000)] = 10
    adaptedName: str = ""
    initialAlignment: InitialAlignment = InitialAlignment(Stages.initial)
    useNetwork: bool = Stages.network
    refinementSteps: Annotated[int, WithinRange(0, 1000)] = Stages.refine
    movingVolume: slicer.vtkMRMLScalarVolumeNode
    movingSlice: Annotated[int, WithinRange(0, 9999)] = 0
    fixedVolume: slicer.vtkMRMLScalarVolumeNode
    fixedSlice: Annotated[int, WithinRange(0, 9999)] = 0
    movingMask: MaskNode
    fixedMask: MaskNode
    showFieldOfView: bool = True
    showLandmarks: bool = True
    warpedVolume: slicer.vtkMRMLScalarVolumeNode
    transform: slicer.vtkMRMLGridTransformNode
    movingPoints: slicer.vtkMRMLMarkupsFiducialNode
    fixedPoints: slicer.vtkMRMLMarkupsFiducialNode
    distanceTable: slicer.vtkMRMLTableNode
    folderOutput: str = ""
    visitsFolder: str = ""
    visitsEye: str = ""
    visitsSpacing: Annotated[float, WithinRange(0, 1000)] = 0.0
    visitsReference: str = ""
    visitsSide: Annotated[str, Choice(["", "right", "left"])] = ""
    visitsOutput: str = ""
    visitsTable: slicer.vtkMRMLTableNode
    visitsRegions: MaskNode
    axialLength: Annotated[float, WithinRange(0, 40)] = 0.0
    deviceAxialLength: Annotated[float, WithinRange(15, 40)] = DEVICE_MM


class MetaRegistrationWidget(ScriptedLoadableModuleWidget):
    """The panel in Slicer's window; its sections are in MetaRegistrationLib.panel."""

    def makeLogic(self):
        """The logic that the panel works with; tests put another one in its place."""
        return MetaRegistrationLogic()

    def setup(self):
        """Build the panel."""
        from MetaRegistrationLib.mrml.scene_link import SceneLink
        from MetaRegistrationLib.panel.panel import Panel

        ScriptedLoadableModuleWidget.setup(self)
        uiWidget = slicer.util.loadUI(self.resourcePath("UI/MetaRegistration.ui"))
        self.layout.addWidget(uiWidget)
        self.ui = slicer.util.childWidgetVariables(uiWidget)
        uiWidget.setMRMLScene(slicer.mrmlScene)
        self.logic = self.makeLogic()
        self.panel = Panel(self.ui, self.logic)
        self.link = SceneLink(self.ui, self.panel, self.logic.getParameterNode, lambda: self.parent.isEntered)

    def cleanup(self):
        """The module is reloaded, or Slicer quits."""
        self.panel.dependency.close()
        self.link.close()
        self.panel.close()
        self.panel.preloading.close()
        self.logic.close()

    def onReload(self):
        """Reload (developer mode): Slicer reads this file again, and the library has to be too."""
        forgetLibrary()
        ScriptedLoadableModuleWidget.onReload(self)

    def enter(self):
        """The user comes to the module."""
        with self.panel.state.together():  # each of the two would refresh the whole panel
            self.link.connect()
            self.panel.enter()
        self.panel.preloading.start_when_idle(lambda: self.parent.isEntered)


class MetaRegistrationLogic(ScriptedLoadableModuleLogic):
    """What can be done, with or without the panel; its parts are those of MetaRegistrationLib.panel.logic."""

    def __init__(self):
        from MetaRegistrationLib.panel.logic import add_parts

        ScriptedLoadableModuleLogic.__init__(self)
        add_parts(self, qt, Path(slicer.app.slicerUserSettingsFilePath).parent)

    def getParameterNode(self):
        """The parameters of the present scene, with defaults instead of values that cannot be read."""
        from MetaRegistrationLib.mrml.readable_parameters import readable_parameters

        return readable_parameters(super().getParameterNode(), MetaRegistrationParameterNode)

    def close(self):
        """Stop every child process."""
        self.adapt.close()
        self.register.close()
        self.visits.close()


class MetaRegistrationTest(ScriptedLoadableModuleTest):
    """Runs inside Slicer."""

    def setUp(self):
        """Start with an empty scene. Skipped without PyTorch, which a machine that builds extensions does not have."""
        if not MetaRegistrationLogic().dependency.torch_is_there():
            self.skipTest(_("PyTorch is not installed: open the module and press Install PyTorch, then test again."))
        slicer.mrmlScene.Clear()

    def runTest(self):
        """Register a sample pair."""
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
