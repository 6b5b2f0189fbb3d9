"""Stand-in for qSlicerSubjectHierarchyPluginLogic: an item of the subject hierarchy for every node that the Data module shows."""

from __future__ import annotations

from typing import Any

import slicer
import vtk

_SHOWN = (
    "vtkMRMLVolumeNode",
    "vtkMRMLSegmentationNode",
    "vtkMRMLMarkupsNode",
    "vtkMRMLModelNode",
    "vtkMRMLTransformNode",
    "vtkMRMLTableNode",
    "vtkMRMLTextNode",
    "vtkMRMLPlotChartNode",
    "vtkMRMLPlotSeriesNode",
)


def _node(scene: Any):
    return slicer.vtkMRMLSubjectHierarchyNode.ResolveSubjectHierarchy(scene)


def follow(scene: Any) -> None:
    """Add an item at the top for each node that comes, and remove the item of each node that goes."""

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def added(caller, event, node):
        if not scene.IsImporting():
            _add(scene, node)

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def leaving(caller, event, node):
        if scene.IsClosing() or node.IsA("vtkMRMLSubjectHierarchyNode"):
            return
        hierarchy = _node(scene)
        item = hierarchy.GetItemByDataNode(node)
        if item:
            hierarchy.RemoveItem(item, False, False)

    def imported(caller, event):
        _node(scene)
        for index in range(scene.GetNumberOfNodes()):
            _add(scene, scene.GetNthNode(index))

    for event, callback in (
        (scene.NodeAddedEvent, added),
        (scene.NodeAboutToBeRemovedEvent, leaving),
        (scene.EndImportEvent, imported),
        (scene.EndCloseEvent, lambda *_: _node(scene)),
    ):
        scene.AddObserver(event, callback)
    _node(scene)


def _add(scene: Any, node: Any) -> None:
    if node is None or node.GetHideFromEditors() or not any(node.IsA(name) for name in _SHOWN):
        return
    hierarchy = _node(scene)
    if not hierarchy.GetItemByDataNode(node):
        hierarchy.CreateItem(hierarchy.GetSceneItemID(), node)
