"""The scene as a whole: nodes by attribute, and a scene that is as it was when something fails."""

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
    before = {node.GetID() for node in _nodes()}
    try:
        yield
    except BaseException:
        for node in _nodes():
            if node.GetID() not in before and node.GetScene() is not None:
                slicer.mrmlScene.RemoveNode(node)
        raise


def is_in_scene(node) -> bool:
    """Whether a node is still in the scene."""
    return node is not None and node.GetScene() is not None


def _nodes() -> list:
    scene = slicer.mrmlScene
    return [scene.GetNthNode(index) for index in range(scene.GetNumberOfNodes())]
