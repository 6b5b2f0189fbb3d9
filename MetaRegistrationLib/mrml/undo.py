"""The scene as it was before a registration."""

from __future__ import annotations

import slicer
import vtk

from .scene import ids, remove
from .scene_folders import back_to_top, nodes_at_top

_OF_THE_NODE_ITSELF = ("transform", "display", "storage")


class BeforeRegistration:
    """Stores the nodes that a registration will change, so that `restore` can undo it.

    Make it before, call `done` after. Transforms and images are replaced by a registration, never overwritten, so that the
    earlier ones are stored here unchanged.

    Parameters
    ----------
    nodes : list of nodes or None
        Volumes, point lists and transforms that may be changed.
    """

    def __init__(self, nodes: list) -> None:
        self._ids = ids()
        self._states = [(node, _state(node)) for node in nodes if node is not None]
        self._added: set[str] = set()
        self._at_top = nodes_at_top()

    def done(self) -> None:
        """The registration is complete: what is new in the scene came of it."""
        self._added = ids() - self._ids

    def restore(self) -> list[str]:
        """Restore the scene. Nodes that others added later stay.

        Returns
        -------
        list of str
            Names of the nodes that were removed since, and of transforms that nodes were under: neither comes back.
        """
        lost = []
        for node, state in self._states:
            if node.GetScene() is None:
                lost.append(node.GetName())
                continue
            _bring_back(node, state)
            if state["parent"] is not None and node.GetParentTransformNode() is None:
                lost.append(state["parent_name"])
        remove(self._added)
        back_to_top(self._at_top)
        return list(dict.fromkeys(lost))


def _state(node) -> dict:
    state = {
        "attributes": {name: node.GetAttribute(name) for name in node.GetAttributeNames()},
        "references": {
            role: node.GetNodeReferenceID(role)
            for role in (node.GetNthNodeReferenceRole(index) for index in range(node.GetNumberOfNodeReferenceRoles()))
        },
        "parent": node.GetTransformNodeID(),
    }
    parent = node.GetParentTransformNode()
    state["parent_name"] = "" if parent is None else parent.GetName()
    if node.IsA("vtkMRMLVolumeNode"):
        matrix = vtk.vtkMatrix4x4()
        node.GetIJKToRASMatrix(matrix)
        state |= {"matrix": matrix, "image": node.GetImageData()}
    if node.IsA("vtkMRMLTransformNode"):
        state["transform"] = node.GetTransformFromParent()
    return state


def _bring_back(node, state: dict) -> None:
    with slicer.util.NodeModify(node):
        for name in set(node.GetAttributeNames()) - set(state["attributes"]):
            node.RemoveAttribute(name)
        for name, value in state["attributes"].items():
            node.SetAttribute(name, value)
        for role in [node.GetNthNodeReferenceRole(index) for index in range(node.GetNumberOfNodeReferenceRoles())]:
            if role not in state["references"] and role not in _OF_THE_NODE_ITSELF:
                node.SetNodeReferenceID(role, None)
        if "transform" in state:
            node.SetAndObserveTransformFromParent(state["transform"])
        if "matrix" in state:
            node.SetIJKToRASMatrix(state["matrix"])
            node.SetAndObserveImageData(state["image"])
        known = slicer.mrmlScene.GetNodeByID(state["parent"] or "") is not None
        node.SetAndObserveTransformNodeID(state["parent"] if known else None)
