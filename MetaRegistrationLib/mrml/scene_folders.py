"""Folders in Slicer's Data module: the nodes of a pair, of an eye and of a training lie in one folder each.

Nodes that the user has put elsewhere stay there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import slicer
import vtk

from .scene import ids

_OURS = "MetaRegistration.Folder"


@contextmanager
def gathered(name: str, *also: Any, beside: Any = None, key: str = "", filled: Sequence[Any] = ()) -> Iterator[None]:
    """Put the nodes that are added inside the block into a folder. Nothing is moved when an error leaves the block.

    Parameters
    ----------
    name : str
        Of a new folder.
    also : node or None
        Further nodes for the folder. Those that lie in another one stay there.
    beside : node, optional
        The folder is the one in which this node lies, if we made it; else one beside it. A node at the top goes into it too.
    key : str, optional
        Identifies the folder; `name` by default.
    filled : sequence of node or None, optional
        Nodes that the block fills: they count as added.
    """
    before = ids()
    yield
    hierarchy = _hierarchy()
    if hierarchy is None:
        return
    added = [node for node in filled if node is not None]
    added += [node for node in _all() if node.GetID() not in before]
    items = [hierarchy.GetItemByDataNode(node) for node in (beside, *also, *added) if node is not None]
    at_top = [item for item in dict.fromkeys(items) if item and _is_top(hierarchy, hierarchy.GetItemParent(item))]
    if added and at_top:
        folder = _folder(hierarchy, name, beside, key or name)
        for item in at_top:
            hierarchy.SetItemParent(item, folder)
    tidy()


def nodes_at_top() -> list:
    """The nodes that lie in no folder."""
    hierarchy = _hierarchy()
    if hierarchy is None:
        return []
    return [node for item in _children(hierarchy) if (node := hierarchy.GetItemDataNode(item)) is not None]


def back_to_top(nodes: Iterable[Any]) -> None:
    """Take nodes out of our folders again."""
    hierarchy = _hierarchy()
    for node in nodes if hierarchy is not None else ():
        item = 0 if node.GetScene() is None else hierarchy.GetItemByDataNode(node)
        if item and _is_ours(hierarchy, hierarchy.GetItemParent(item)):
            hierarchy.SetItemParent(item, hierarchy.GetSceneItemID())
    tidy()


def tidy() -> None:
    """Remove those of our folders that are empty."""
    hierarchy = _hierarchy()
    for item in _children(hierarchy, recursive=True) if hierarchy is not None else ():
        if _is_ours(hierarchy, item) and not _children(hierarchy, item):
            hierarchy.RemoveItem(item, False, False)


def _folder(hierarchy, name: str, beside, key: str) -> int:
    """The folder of a node, made where there is none."""
    item = hierarchy.GetItemByDataNode(beside) if beside is not None else 0
    parent = hierarchy.GetItemParent(item) if item else hierarchy.GetSceneItemID()
    if _is_ours(hierarchy, parent):
        return parent
    for child in _children(hierarchy, parent):
        if _is_ours(hierarchy, child) and hierarchy.GetItemAttribute(child, _OURS) == key:
            return child
    folder = hierarchy.CreateFolderItem(parent, name)
    hierarchy.SetItemAttribute(folder, _OURS, key)
    return folder


def _is_ours(hierarchy, item: int) -> bool:
    return not _is_top(hierarchy, item) and hierarchy.HasItemAttribute(item, _OURS)


def _is_top(hierarchy, item: int) -> bool:
    return item == hierarchy.GetSceneItemID()


def _children(hierarchy, item: int | None = None, recursive: bool = False) -> list[int]:
    found = vtk.vtkIdList()
    hierarchy.GetItemChildren(hierarchy.GetSceneItemID() if item is None else item, found, recursive)
    return [found.GetId(index) for index in range(found.GetNumberOfIds())]


def _hierarchy():
    """The subject hierarchy; None outside Slicer, where nothing fills it."""
    return slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLSubjectHierarchyNode")


def _all() -> list:
    scene = slicer.mrmlScene
    return [scene.GetNthNode(index) for index in range(scene.GetNumberOfNodes())]
