"""What a registration was, did and measured, noted on the nodes of its result; scene files keep it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ..stages import LEAST_CONFIDENCE

if TYPE_CHECKING:  # it imports torch
    from ..registration.registrar import Registration

_PREFIX = "MetaRegistration."
_MEASURES = ("NCCBefore", "NCCAfter", "FoldingPercent")


class UncertainAlignment(NamedTuple):
    """An initial alignment that was not sure of itself: the kind that was kept, and why."""

    kept: str
    reason: str


class OtherInitial(NamedTuple):
    """The initial alignment that a checkpoint was adapted with, and the other one that it was used with."""

    adapted: str
    used: str


class Measures(NamedTuple):
    """What was measured of a registration.

    `initial` is the kind of alignment that was kept, None where it was off; `alignment_alone` as the function of that name.
    """

    ncc_before: float
    ncc_after: float
    folding_percent: float
    initial: str | None
    alignment_alone: bool = False


def alignment_alone(registration: Registration) -> bool:
    """Whether stages after the initial alignment were asked for, and left out because they did not improve on it."""
    stages = registration.stages
    return registration.kept == "initial" and bool(stages.network or stages.refine)


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
        "AlignmentAlone": "yes" if alignment_alone(registration) else None,
    }
    _note(node, values)


def note_checkpoint(node, adapted_initial: str | None) -> None:
    """Note on a result with which initial alignment its checkpoint was adapted, if that is known."""
    _note(node, {"AdaptedInitial": adapted_initial})


def note_measures(node, ncc_before: float, ncc_after: float, folding_percent: float) -> None:
    """Note on a result what was measured, to the last digit."""
    _note(node, dict(zip(_MEASURES, map(repr, map(float, (ncc_before, ncc_after, folding_percent))), strict=True)))


def uncertain_alignment(node) -> UncertainAlignment | None:
    """What a result notes of an alignment that was uncertain; None where it was sure, off, or nothing is noted."""
    reason = node.GetAttribute(f"{_PREFIX}AlignmentReason")
    if not reason or float(node.GetAttribute(f"{_PREFIX}AlignmentConfidence") or 0) >= LEAST_CONFIDENCE:
        return None
    return UncertainAlignment(node.GetAttribute(f"{_PREFIX}AlignmentKept") or "none", reason)


def other_initial(node) -> OtherInitial | None:
    """What a result notes of a checkpoint that was adapted with another initial alignment; None where it notes none."""
    adapted, used = (node.GetAttribute(_PREFIX + name) for name in ("AdaptedInitial", "InitialAlignment"))
    return None if not adapted or adapted == used else OtherInitial(adapted, used or "none")


def measures(node) -> Measures | None:
    """What a result notes of its measures; None where it notes none."""
    texts = [node.GetAttribute(_PREFIX + name) for name in _MEASURES]
    if not all(texts):
        return None
    kept, alone = (node.GetAttribute(_PREFIX + name) for name in ("AlignmentKept", "AlignmentAlone"))
    return Measures(*map(float, texts), kept, alone is not None)


def _note(node, values: dict[str, str | None]) -> None:
    for name, value in values.items():
        node.SetAttribute(_PREFIX + name, value)  # None removes it
