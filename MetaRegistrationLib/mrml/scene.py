"""The scene as a whole: nodes by attribute, and restoring the scene after a failure."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import slicer


def node_with_attribute(name: str, value: str):
    """The first node whose attribute `name` is `value`, or None."""
    for node in _nodes():
        if node.GetAttribute(name) == value:
            return node
    return None


@contextmanager
def unchanged_on_error() -> Iterator[None]:
    """Remove the nodes that were added inside when an error leaves the block."""
    before = ids()
    try:
        yield
    except BaseException:
        _remove_all_but(before)
        raise


@contextmanager
def without_what_is_added() -> Iterator[None]:
    """Remove the nodes that were added inside: those of intermediate results."""
    before = ids()
    try:
        yield
    finally:
        _remove_all_but(before)


def ids() -> set[str]:
    """Of all nodes."""
    return {node.GetID() for node in _nodes()}


def remove(identifiers: set[str]) -> None:
    """Remove these nodes, as far as they are there."""
    for node in _nodes():
        if node.GetID() in identifiers:
            _remove(node)


def _remove_all_but(identifiers: set[str]) -> None:
    for node in _nodes():
        if node.GetID() not in identifiers:
            _remove(node)


def _remove(node) -> None:
    # The subject hierarchy, which holds all nodes of the scene, may have been made meanwhile.
    if node.GetScene() is not None and not node.IsA("vtkMRMLSubjectHierarchyNode"):
        slicer.mrmlScene.RemoveNode(node)


def _nodes() -> list:
    scene = slicer.mrmlScene
    return [scene.GetNthNode(index) for index in range(scene.GetNumberOfNodes())]
