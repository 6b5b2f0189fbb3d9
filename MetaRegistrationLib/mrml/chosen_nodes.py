"""Which point lists and masks were chosen for which images: noted on them, so that scene files keep it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import slicer

_PREFIX = "MetaRegistration.chosen"
_PLACES = {"movingPoints": 0, "fixedPoints": 1, "mask": 0}
"""What nodes are chosen as, and which of the images they belong to."""
_CLASSES = ("vtkMRMLMarkupsFiducialNode", "vtkMRMLLabelMapVolumeNode", "vtkMRMLSegmentationNode")


def note_chosen(node, what: str, images: Sequence[Any]) -> None:
    """Note that a node is the choice for some images, instead of an earlier one; it stays the choice for others.

    Parameters
    ----------
    node : point list, label map or segmentation
    what : str
        What it is for the images, such as "movingPoints".
    images : sequence of volume nodes
        The pair, or the one volume that a mask belongs to.
    """
    if _number(node, what, images) is not None:
        return
    forget_choice(what, images)
    number = max(_noted(node, what), default=-1) + 1
    for index, image in enumerate(images):
        node.SetNodeReferenceID(_role(what, number, index), image.GetID())


def forget_choice(what: str, images: Sequence[Any]) -> None:
    """Nothing is the choice for these images any more."""
    for node in _nodes():
        number = _number(node, what, images)
        for index in range(len(images) if number is not None else 0):
            node.SetNodeReferenceID(_role(what, number, index), None)


def chosen_for(what: str, images: Sequence[Any]):
    """The node that was chosen for these images; None without one."""
    return next((node for node in _nodes() if _number(node, what, images) is not None), None)


def chosen_with(image) -> list:
    """The point lists and masks that were chosen for an image, in whatever pair."""
    return [
        node
        for node in _nodes()
        if any(
            image in noted[place : place + 1]
            for what, place in _PLACES.items()
            for noted in _noted(node, what).values()
        )
    ]


def is_of_others(node, what: str, images: Sequence[Any]) -> bool:
    """Whether a node is the choice for images of the scene, but not for these."""
    known = [noted for noted in _noted(node, what).values() if None not in noted]
    return bool(known) and tuple(images) not in known


def _nodes() -> list:
    return [node for name in _CLASSES for node in slicer.util.getNodesByClass(name)]


def _number(node, what: str, images: Sequence[Any]) -> int | None:
    """The number of the note on these images; None without one."""
    wanted = tuple(images)
    return next((number for number, noted in _noted(node, what).items() if noted == wanted), None)


def _noted(node, what: str) -> dict[int, tuple]:
    """The images of each note by its number; None for one that is no longer in the scene."""
    roles = [node.GetNthNodeReferenceRole(index) for index in range(node.GetNumberOfNodeReferenceRoles())]
    found: dict[int, dict[int, Any]] = {}
    for role in roles:
        start, _, place = role.partition(f"{_PREFIX}.{what}.")
        if not start and place and node.GetNodeReferenceID(role):
            number, index = map(int, place.split("."))
            found.setdefault(number, {})[index] = node.GetNodeReference(role)
    return {number: tuple(images[index] for index in sorted(images)) for number, images in found.items()}


def _role(what: str, number: int, index: int) -> str:
    return f"{_PREFIX}.{what}.{number}.{index}"
