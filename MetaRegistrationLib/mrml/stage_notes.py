"""What the stages of a registration were and did, noted on the nodes of its result; scene files keep it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ..stages import LEAST_CONFIDENCE

if TYPE_CHECKING:  # it imports torch
    from ..registration import Registration

_PREFIX = "MetaRegistration."


class UncertainAlignment(NamedTuple):
    """An initial alignment that was not sure of itself: the kind that was kept, and why."""

    kept: str
    reason: str


def note_stages(node, registration: Registration) -> None:
    """Note on a result what made it, in place of what was noted before."""
    stages, alignment = registration.stages, registration.alignment
    refinement = registration.refinement
    values = {
        "InitialAlignment": stages.initial,
        "Network": "on" if stages.network else "off",
        "RefinementSteps": str(stages.refine),
        "RefinementStepsTaken": None if refinement is None else str(refinement.steps),
        "AlignmentKept": None if alignment is None else alignment.kind,
        "AlignmentConfidence": None if alignment is None else f"{alignment.confidence:.3f}",
        "AlignmentReason": (alignment and alignment.reason) or None,
    }
    for name, value in values.items():
        node.SetAttribute(_PREFIX + name, value)  # None removes it


def uncertain_alignment(node) -> UncertainAlignment | None:
    """What a result notes of an alignment that was uncertain; None where it was sure, off, or nothing is noted."""
    reason = node.GetAttribute(f"{_PREFIX}AlignmentReason")
    if not reason or float(node.GetAttribute(f"{_PREFIX}AlignmentConfidence") or 0) >= LEAST_CONFIDENCE:
        return None
    return UncertainAlignment(node.GetAttribute(f"{_PREFIX}AlignmentKept") or "none", reason)
