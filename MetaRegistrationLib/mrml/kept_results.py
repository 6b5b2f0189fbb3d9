"""Several registrations of one pair side by side: what made each, what it measured, and which one the volumes lie under."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone
from typing import Any, NamedTuple

import slicer

from ..errors import InputError
from ..stages import Stages
from . import stage_notes, transforms
from .results import KEPT
from .stored_registration import belongs

_PREFIX = "MetaRegistration."
_CHECKPOINT, _DISTANCE, _MADE = f"{_PREFIX}Checkpoint", f"{_PREFIX}MeanDistance", f"{_PREFIX}Made"
_STAGES = ("InitialAlignment", "Network", "RefinementSteps")


class KeptResult(NamedTuple):
    """One registration of a pair: its transform node and what is noted on it.

    `distance` is the mean landmark distance as (pixels of the network's frame, micrometres, number of landmarks), as it was when
    the result was last the chosen one; None without landmarks.
    """

    transform: Any
    stages: Stages
    checkpoint: str
    ncc_before: float
    ncc_after: float
    distance: tuple[float, float, int] | None


def kept_results(moving_node, fixed_node) -> list[KeptResult]:
    """The registrations of two volumes in the scene, the latest first."""
    nodes = slicer.util.getNodesByClass("vtkMRMLGridTransformNode")
    found = [(node, stage_notes.measures(node)) for node in nodes if belongs(node, moving_node, fixed_node)]
    found.sort(key=lambda pair: pair[0].GetAttribute(_MADE) or "", reverse=True)
    return [_result(node, noted) for node, noted in found if noted is not None]


def note_made(node, checkpoint: str) -> None:
    """Note on a new result that it is the one in use, when it was made, and by which checkpoint ("" without a network)."""
    node.SetAttribute(_MADE, datetime.now(timezone.utc).isoformat(timespec="microseconds"))
    node.SetAttribute(_CHECKPOINT, checkpoint or None)
    node.SetAttribute(_DISTANCE, None)
    node.SetAttribute(KEPT, None)


def note_distance(node, pixels: float, micrometres: float, count: int) -> None:
    """Note on a result its mean landmark distance; nothing for a count of 0."""
    node.SetAttribute(_DISTANCE, f"{pixels!r} {micrometres!r} {count}" if count else None)


def made_otherwise(node, stages: Stages, checkpoint: str) -> bool:
    """Whether a result was made with other stages or another checkpoint, so that both are worth keeping."""
    return stage_notes.measures(node) is not None and (
        _stages(node) != stages or (node.GetAttribute(_CHECKPOINT) or "") != checkpoint
    )


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
        kept.SetAttribute(KEPT, "yes")
    return kept


def choose(node, former, under: Sequence[Any]) -> None:
    """Put nodes that lie under the transform `former`, and `under`, below another result of the pair.

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
        former.SetAttribute(KEPT, "yes")
    node.SetAttribute(KEPT, None)


def _stages(node) -> Stages:
    initial, network, steps = (node.GetAttribute(_PREFIX + name) for name in _STAGES)
    return Stages(initial or "none", network == "on", int(steps or 0))


def _result(node, noted: stage_notes.Measures) -> KeptResult:
    words = (node.GetAttribute(_DISTANCE) or "").split()
    distance = (float(words[0]), float(words[1]), int(words[2])) if len(words) == 3 else None
    checkpoint = node.GetAttribute(_CHECKPOINT) or ""
    return KeptResult(node, _stages(node), checkpoint, noted.ncc_before, noted.ncc_after, distance)
