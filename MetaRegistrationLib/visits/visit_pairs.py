"""Registrations between the visits of one eye, and alignments that are composed of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from threading import Lock

import numpy as np

from ..stages import LEAST_CONFIDENCE
from .alignment_error import StepError
from .position_maps import positions_at
from .series import AlignedVisit, Visit

_BRIDGES = 12  # visits that a visit is tried to be aligned through, at a time


class VisitPairs:
    """Registrations of pairs of visits, each computed once."""

    def __init__(self, visits: Sequence[Visit], register, tell, many=map, include: Collection[str] = ()) -> None:
        self.visits, self._register, self._tell, self._many = visits, register, tell, many
        self._include = include
        self._made: dict[tuple[int, int], tuple] = {}
        # Positions without confidence, of visits that the user wants all the same.
        self.forced: dict[tuple[int, int], np.ndarray] = {}
        self.errors: dict[tuple[int, int], StepError | None] = {}
        self._telling = Lock()

    def __call__(self, moving: int, fixed: int) -> tuple[np.ndarray | None, float, float, str]:
        """Positions (None if not confident), confidence, NCC after, and the result stage."""
        self.ahead([(moving, fixed)])
        return self._made[moving, fixed]

    def ahead(self, wanted: Iterable[tuple[int, int]]) -> None:
        """Register these (moving, fixed) in advance, unless already done."""
        new = [pair for pair in dict.fromkeys(wanted) if pair not in self._made]
        self._made.update(zip(new, self._many(self._found, new), strict=True))

    def _found(self, pair: tuple[int, int]) -> tuple[np.ndarray | None, float, float, str]:
        moving, fixed = (self.visits[index] for index in pair)
        with self._telling:
            self._tell(f"{moving.name} to {fixed.name}")
        found = self._register(moving.image, fixed.image)
        self.errors[pair] = StepError.of(found)
        alignment = found.alignment
        confidence = found.confidence if alignment is None else alignment.confidence
        confident = not confidence < LEAST_CONFIDENCE
        wanted = confident or moving.name in self._include
        positions = found.moving_positions().astype(np.float32) if wanted else None
        if wanted and not confident:
            self.forced[pair] = positions
        return (positions if confident else None, confidence, found.ncc[1], found.result_stage)


def aligned_directly(pairs: VisitPairs, index: int, reference: int) -> AlignedVisit:
    """A visit by its registration to the reference alone; the reference as it is."""
    visit = pairs.visits[index]
    if index == reference:
        height, width = visit.image.geometry.size
        grid = np.stack(np.meshgrid(np.arange(height), np.arange(width), indexing="ij"), axis=-1)
        return AlignedVisit(visit, grid.astype(np.float32), "", 1.0, 1.0, "reference")
    positions, confidence, ncc, stage = pairs(index, reference)
    return AlignedVisit(visit, positions, "", confidence, ncc, stage)


def all_aligned_through_others(pairs: VisitPairs, found: list[AlignedVisit], reference: int) -> list[AlignedVisit]:
    """All visits, those that could not be aligned directly through others, in several steps if need be."""
    found, tried = list(found), set()
    while True:
        reached = [index for index, entry in enumerate(found) if entry.aligned and index != reference]
        bridges = sorted((index for index in reached if index not in tried), key=lambda index: -found[index].confidence)
        bridges = bridges[:_BRIDGES]
        missing = [index for index, entry in enumerate(found) if not entry.aligned]
        if not bridges or not missing:
            return found
        tried.update(bridges)
        pairs.ahead((index, bridge) for index in missing for bridge in bridges)
        # Only visits of the steps before are bridges, so that no visit depends on the order of the others.
        for index, entry in [(index, aligned_through(pairs, found, index, bridges)) for index in missing]:
            found[index] = entry


def aligned_through(pairs: VisitPairs, found: list[AlignedVisit], index: int, bridges: list[int]) -> AlignedVisit:
    """Through the aligned visit that gives the highest confidence; the direct result if there is none."""
    best = found[index]
    for other in bridges:
        step = found[other]
        positions, confidence, ncc, stage = pairs(index, other)
        if positions is None:
            continue
        lower = min(confidence, step.confidence)
        if not best.aligned or lower > best.confidence:
            composed = positions_at(positions, step.positions)
            best = AlignedVisit(pairs.visits[index], composed, step.visit.name, lower, ncc, stage)
    return best
