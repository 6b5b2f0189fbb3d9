"""The scene: node selectors follow it, and parameter nodes are saved with it."""

from __future__ import annotations

from pathlib import Path
from typing import Union

import pytest
import slicer
import vtk
from rig_example import EXAMPLE, make_volume
from slicer.parameterNodeWrapper import parameterNodeWrapper


def test_selector_follows_the_scene(rig):
    ui = rig.open_module(EXAMPLE).ui
    volume = make_volume("first")
    slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode")
    assert ui.movingSelector.nodeCount() == 1
    heard = []
    ui.movingSelector.connect("currentNodeChanged(vtkMRMLNode*)", heard.append)
    ui.movingSelector.setCurrentNode(volume)
    assert ui.movingSelector.currentNodeID == volume.GetID() and heard == [volume]
    slicer.mrmlScene.RemoveNode(volume)
    assert ui.movingSelector.currentNode() is None and heard == [volume, None]


def test_selector_creates_nodes_as_its_menu_does(rig):
    selector = slicer.qMRMLNodeComboBox()
    selector.nodeTypes, selector.baseName, selector.noneEnabled = ["vtkMRMLGridTransformNode"], "Registration", True
    selector.setMRMLScene(slicer.mrmlScene)
    assert selector.addNode().GetName() == "Registration"
    assert selector.currentNode().GetClassName() == "vtkMRMLGridTransformNode"


@pytest.mark.parametrize("suffix", [".mrb", ".mrml"])
def test_parameter_node_survives_saving_the_scene(rig, tmp_path, suffix):
    widget = rig.open_module(EXAMPLE)
    node = widget._parameterNode
    volume = make_volume("moving")
    slicer.util.saveNode(volume, str(tmp_path / "moving.nrrd"), {})
    node.moving, node.folder, node.epochs = volume, Path("/data/a é"), 77
    node.preset, node.carry, node.device, node.blend = type(node.preset).QUICK, False, "GPU", 0.25
    path = str(tmp_path / f"scene{suffix}")
    assert slicer.util.saveScene(path, {})
    slicer.mrmlScene.Clear(0)
    assert widget._parameterNode.epochs == 10 and widget._parameterNode.moving is None
    slicer.util.loadScene(path, {})
    widget.initializeParameterNode()
    again = widget._parameterNode
    assert again.moving.GetName() == "moving"
    assert (again.folder, again.epochs, again.carry, again.device, again.blend) == (
        Path("/data/a é"),
        77,
        False,
        "GPU",
        0.25,
    )
    assert again.preset.name == "QUICK"
    assert (widget.ui.epochsBox.value, widget.ui.presetBox.currentText) == (77, "QUICK")
    assert slicer.util.arrayFromVolume(again.moving).max() == 200


def test_a_parameter_of_several_node_types_sets_those_of_its_selector(rig):
    labels, segmentation = "vtkMRMLLabelMapVolumeNode", "vtkMRMLSegmentationNode"

    @parameterNodeWrapper
    class Parameters:
        mask: Union[slicer.vtkMRMLLabelMapVolumeNode, slicer.vtkMRMLSegmentationNode, None]  # noqa: UP007
        shown: slicer.vtkMRMLDisplayableNode

    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScriptedModuleNode")
    parameters, box = Parameters(node), slicer.qMRMLNodeComboBox()
    box.noneEnabled = True
    box.setMRMLScene(rig.scene)
    parameters.connectParametersToGui({"mask": box})
    assert list(box.nodeTypes) == [labels, segmentation] and parameters.mask is None
    for name in (segmentation, labels):
        chosen = slicer.mrmlScene.AddNewNodeByClass(name)
        box.setCurrentNode(chosen)
        assert parameters.mask is chosen and Parameters(node).mask is chosen
    parameters.mask = None
    assert box.currentNode() is None and Parameters(node).mask is None
    with pytest.raises((TypeError, ValueError)):
        parameters.mask = make_volume("volume")
    with pytest.raises(TypeError, match="abstract"):
        parameters.connectParametersToGui({"shown": slicer.qMRMLNodeComboBox()})


def test_parameter_node_refuses_values_outside(rig):
    node = rig.open_module(EXAMPLE)._parameterNode
    with pytest.raises(ValueError):
        node.epochs = 0
    with pytest.raises((TypeError, ValueError)):
        node.epochs = "ten"
    assert node.epochs == 10


def test_nodes_are_in_the_subject_hierarchy(rig):
    """At the top, as Slicer's plugins put them there; nodes that the Data module does not show are not."""
    scene = slicer.mrmlScene
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    volume = make_volume("image")
    item = hierarchy.GetItemByDataNode(volume)
    assert item and hierarchy.GetItemParent(item) == hierarchy.GetSceneItemID()
    assert not hierarchy.GetItemByDataNode(volume.GetDisplayNode())
    folder = hierarchy.CreateFolderItem(hierarchy.GetSceneItemID(), "folder")
    hierarchy.SetItemParent(item, folder)
    scene.RemoveNode(volume)
    children = vtk.vtkIdList()
    hierarchy.GetItemChildren(folder, children)
    assert children.GetNumberOfIds() == 0
    scene.Clear(0)
    assert scene.GetNumberOfNodesByClass("vtkMRMLSubjectHierarchyNode") == 1
