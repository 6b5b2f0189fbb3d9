"""The candidates of a registration, and the choice among them by their predicted errors. Only this module chooses."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from .. import calibration
from ..error_map.judge import PairJudge
from ..error_map.maps import ErrorMap

UNMOVED = "none"
"""The stage of images that are left as they are."""
_MOVE_GAIN = calibration.MOVE_GAIN.value
LITTLE_MOVED_PX = calibration.UNCERTAIN_PX.value
"""Images that a field moves by less on average may be aligned already."""


@dataclass(frozen=True, eq=False)
class Candidate:
    """A displacement field that may be the result.

    Attributes
    ----------
    stage : str
        The stage that gave it: "none" (unmoved), "initial", "network" or "refine".
    name : str
        What people read in the record, such as the networks that made it.
    displacement_px : float32 Tensor (1, 2, size, size)
    error : ErrorMap
        Its predicted error.
    """

    stage: str
    name: str
    displacement_px: Tensor
    error: ErrorMap


class Entry(NamedTuple):
    """A field that becomes a candidate; its origin, as the judge knows it, is the stage by default."""

    stage: str
    name: str
    displacement_px: Tensor
    origin: str = ""


class Candidates:
    """All candidates of a pair so far, in the order in which they were made.

    Parameters
    ----------
    judge : PairJudge
    """

    def __init__(self, judge: PairJudge):
        self.judge = judge
        self.all: list[Candidate] = []

    def add(self, entries: Sequence[Entry]) -> None:
        """Predict the errors of fields and add them."""
        if entries:
            fields, origins = (
                [each.displacement_px for each in entries],
                [each.origin or each.stage for each in entries],
            )
            maps = self.judge(fields, origins)
            self.all += [
                Candidate(each.stage, each.name, each.displacement_px, error)
                for each, error in zip(entries, maps, strict=True)
            ]

    def best(self, stages: Iterable[str] | None = None) -> Candidate:
        """The best candidate of all or of some stages, see `best_of`."""
        return best_of([each for each in self.all if stages is None or each.stage in stages])


def best_of(candidates: Sequence[Candidate]) -> Candidate:
    """The candidate with the least predicted error; the earlier one if two are equal.

    Images that are aligned to a pixel or two stay as they are unless a field is predicted to be clearly better: a fit adds its
    own error.
    """
    errors = predicted_errors([each.error for each in candidates])
    best, least = candidates[int(np.argmin(errors))], errors.min() * (1 + _MOVE_GAIN)
    if mean_length_px(best.displacement_px) > LITTLE_MOVED_PX:
        return best
    unmoved = (each for each, error in zip(candidates, errors, strict=True) if each.stage == UNMOVED and error <= least)
    return next(unmoved, best)


def mean_length_px(displacement_px: Tensor) -> float:
    """Mean length of a displacement (1, 2, S, S); `Tensor.norm` along the channels takes a hundred times as long."""
    return float(torch.hypot(*displacement_px.unbind(1)).mean())


def predicted_errors(maps: list[ErrorMap]) -> np.ndarray:
    """The predicted error of each map over the cells that all of them know, in pixels of the network grid.

    A map that knows less than half of what the best one knows cannot be compared: its error is infinite.
    """
    known = np.array([each.known.sum() for each in maps])
    comparable = known >= known.max() / 2
    common = np.logical_and.reduce([each.known for each, fits in zip(maps, comparable, strict=True) if fits])
    return np.array(
        [
            float(each.mean_px[common].mean()) if fits and common.any() else np.inf
            for each, fits in zip(maps, comparable, strict=True)
        ]
    )
