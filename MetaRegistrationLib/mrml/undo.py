"""What a registration has changed in the scene, so that it can be undone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
import slicer

from .scene import ids, remove
from .scene_folders import back_to_top, nodes_at_top
from .volumes import ijk_to_ras

_OF_THE_NODE_ITSELF = ("transform", "display", "storage")
_PARENT, _MATRIX, _IMAGE, _TRANSFORM = "parent", "matrix", "image", "transform"
_CONTENTS = (_IMAGE, _TRANSFORM)


class Undone(NamedTuple):
    """What was not restored: names of nodes that were deleted since, and of nodes that were changed since."""

    deleted: list[str]
    changed: list[str]


class Changes:
    """Notes what is changed in several blocks, so that `undo` restores that alone.

    Transforms and images are replaced by a registration, never overwritten. The earlier ones are stored here unchanged.

    Parameters
    ----------
    nodes : list of nodes or None
        Volumes, point lists and transforms that may be changed.
    """

    def __init__(self, nodes: list) -> None:
        self._nodes = list(dict.fromkeys(node for node in nodes if node is not None))
        self._changed: dict[Any, dict[tuple, tuple]] = {
            node: {} for node in self._nodes
        }  # each as it was, as it became
        self._added: set[str] = set()
        self._moved: list = []  # into a folder

    @contextmanager
    def noted(self) -> Iterator[None]:
        """Note what is changed inside, also if an error leaves the block. What is new in the scene came of it."""
        states, before, at_top = [(node, _state(node)) for node in self._nodes], ids(), nodes_at_top()
        try:
            yield
        finally:
            for node, state in states:
                self._note(node, state, _state(node))
            self._added |= ids() - before
            still = nodes_at_top()
            self._moved += [node for node in at_top if node not in still]

    def undo(self) -> Undone:
        """Restore the noted changes, and remove the added nodes. Later changes of the user stay, and are named."""
        undone = Undone([], [])
        for node, changed in self._changed.items():
            if node.GetScene() is None:
                undone.deleted.append(node.GetName())
                continue
            with slicer.util.NodeModify(node):
                _bring_back(node, changed, undone)
        remove(self._added)
        back_to_top(self._moved)
        return Undone(*(list(dict.fromkeys(names)) for names in undone))

    def _note(self, node, before: dict, after: dict) -> None:
        changed = self._changed[node]
        for key in dict.fromkeys((*before, *after)):
            if before.get(key) != after.get(key):
                first = changed[key][0] if key in changed else before.get(key)
                changed[key] = first, after.get(key)


def _state(node) -> dict[tuple, Any]:
    """All of a node that a registration may change; equal where nothing was changed."""
    roles = [node.GetNthNodeReferenceRole(index) for index in range(node.GetNumberOfNodeReferenceRoles())]
    state: dict[tuple, Any] = {("attribute", name): node.GetAttribute(name) for name in node.GetAttributeNames()}
    state |= {("reference", role): node.GetNodeReferenceID(role) for role in roles if role not in _OF_THE_NODE_ITSELF}
    state[_PARENT,] = node.GetParentTransformNode()
    if node.IsA("vtkMRMLVolumeNode"):
        image = node.GetImageData()
        pixels = None if image is None else image.GetPointData().GetScalars()
        state[_MATRIX,] = tuple(ijk_to_ras(node).ravel().tolist())
        state[_IMAGE,] = image, None if pixels is None else pixels.GetMTime()
    if node.IsA("vtkMRMLTransformNode"):
        state[_TRANSFORM,] = node.GetTransformFromParent()
    return state


def _bring_back(node, changed: dict[tuple, tuple], undone: Undone) -> None:
    now = _state(node)
    own = {key for key in changed if key[0] in ("attribute", "reference")}  # of the module: no choice of the user
    others = {key for key in changed if key not in own and now[key] != changed[key][1]}
    if others and now[_PARENT,] is None and _is_gone(changed.get((_PARENT,), (None, None))[1]):
        others.discard((_PARENT,))  # the transform was deleted, and the node not taken out of it
    if others:
        undone.changed.append(node.GetName())
    kept = others | (own if any((content,) in others for content in _CONTENTS) else set())  # the notes on the content
    for key, (before, _after) in changed.items():
        if key not in kept and not _set(node, key, before):
            undone.deleted.append(before.GetName())


def _set(node, key: tuple, value) -> bool:
    """Set one part of a node; False for a parent transform that is gone."""
    kind, *name = key
    if kind == "attribute":
        node.SetAttribute(*name, value)  # None removes it
    elif kind == "reference":
        node.SetNodeReferenceID(*name, value)
    elif kind == _MATRIX:
        node.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(np.reshape(value, (4, 4))))
    elif kind == _IMAGE:
        node.SetAndObserveImageData(value[0])
    elif kind == _TRANSFORM:
        node.SetAndObserveTransformFromParent(value)
    else:
        node.SetAndObserveTransformNodeID(None if value is None or _is_gone(value) else value.GetID())
        return not _is_gone(value)
    return True


def _is_gone(node) -> bool:
    return node is not None and node.GetScene() is None
