"""The saved results of one pair: settings and measures of each, and which one is applied to the volumes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import slicer

from ..errors import InputError
from ..registration.measures import PairMeasures
from ..stages import Stages
from . import transforms
from .registration_node import MeanDistance, RegistrationNode
from .stored_registration import belongs


class SavedResult(NamedTuple):
    """One registration of a pair: its transform node and the notes on it.

    `stages` is None where they cannot be read. `distance` is as it was when the result was last the chosen one; None without
    landmarks.
    """

    transform: Any
    stages: Stages | None
    checkpoint: str
    measures: PairMeasures
    distance: MeanDistance | None


def saved_results(moving_node, fixed_node, slices: tuple[int, int]) -> list[SavedResult]:
    """The registrations of these slices of two volumes in the scene, the latest first."""
    nodes = slicer.util.getNodesByClass("vtkMRMLGridTransformNode")
    found = [RegistrationNode(node) for node in nodes if belongs(node, moving_node, fixed_node, slices)]
    measured = [(result, result.outcome) for result in found]
    measured.sort(key=lambda pair: pair[0].made, reverse=True)
    return [
        SavedResult(result.node, result.stages, result.checkpoint, outcome.measures, result.mean_distance)
        for result, outcome in measured
        if outcome is not None
    ]


def made_otherwise(node, stages: Stages, checkpoint: str, slices: tuple[int, int]) -> bool:
    """Whether a result was made of other slices, with other stages or another checkpoint, so that both are worth saving."""
    result = RegistrationNode(node)
    if result.outcome is None:
        return False
    return not result.is_of_slices(slices) or result.stages != stages or result.checkpoint != checkpoint


def keep(node) -> Any:
    """A second node with the result of `node`, which is about to get another one.

    The transform is shared: a registration replaces that of its node, and does not overwrite it.
    """
    kept = slicer.mrmlScene.AddNewNodeByClass(node.GetClassName(), slicer.mrmlScene.GenerateUniqueName(node.GetName()))
    with slicer.util.NodeModify(kept):
        kept.SetAndObserveTransformFromParent(node.GetTransformFromParent())
        for name in node.GetAttributeNames():
            kept.SetAttribute(name, node.GetAttribute(name))
        for index in range(node.GetNumberOfNodeReferenceRoles()):
            role = node.GetNthNodeReferenceRole(index)
            if role not in ("transform", "display", "storage"):
                kept.SetNodeReferenceID(role, node.GetNodeReferenceID(role))
        RegistrationNode(kept).saved = True
    return kept


def choose(node, former, under: Sequence[Any]) -> None:
    """Apply another result of the pair to the nodes under the transform `former`, and to `under`.

    Raises
    ------
    InputError
        One of them is under another non-linear transform; none was moved.
    """
    scene = slicer.mrmlScene
    placed = [scene.GetNthNode(index) for index in range(scene.GetNumberOfNodes())]
    moved = [other for other in placed if former is not None and other.IsA("vtkMRMLTransformableNode")]
    moved = [other for other in moved if other.GetTransformNodeID() == former.GetID()]
    nodes = list(dict.fromkeys([*moved, *filter(None, under)]))
    for other in nodes:
        if former is not None:
            transforms.remove_transform(other, former)
    before = [(other, other.GetTransformNodeID()) for other in nodes]
    try:
        for other in nodes:
            transforms.apply_transform(other, node)
    except InputError:
        for other, parent in before:
            other.SetAndObserveTransformNodeID(parent)
            if former is not None:
                transforms.apply_transform(other, former)
        raise
    if former is not None:
        RegistrationNode(former).saved = True
    RegistrationNode(node).saved = False
