"""Which nodes are the results of which pair of volumes: noted as node references, which scene files keep."""

from __future__ import annotations

import slicer

KEPT = "MetaRegistration.Kept"
"""Attribute of results that are kept for comparison, beside the one in use."""


def note_pair(node, moving_node, fixed_node) -> None:
    """Note on a result the volumes that it came from, by the roles that transforms have for them."""
    for role, volume in zip(_roles(), (moving_node, fixed_node), strict=True):
        node.SetNodeReferenceID(role, volume.GetID() if volume is not None else None)


def is_of_pair(node, moving_node, fixed_node) -> bool:
    """Whether a node is a result of these two volumes."""
    return [node.GetNodeReference(role) for role in _roles()] == [moving_node, fixed_node]


def is_of_another_pair(node, moving_node, fixed_node) -> bool:
    """Whether a node is a result, and of other volumes than these two."""
    noted = any(node.GetNodeReference(role) is not None for role in _roles())
    return noted and not is_of_pair(node, moving_node, fixed_node)


def result_of_pair(class_name: str, moving_node, fixed_node):
    """The result of this class for two volumes in the scene that is in use, or the latest; None without any."""
    found = [node for node in slicer.util.getNodesByClass(class_name) if is_of_pair(node, moving_node, fixed_node)]
    used = [node for node in found if node.GetAttribute(KEPT) is None]
    return (used or found or [None])[-1]


def _roles() -> tuple[str, str]:
    roles = slicer.vtkMRMLTransformNode
    return roles.GetMovingNodeReferenceRole(), roles.GetFixedNodeReferenceRole()
