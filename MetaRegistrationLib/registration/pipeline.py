"""The stages of a registration in their order: initial alignment, networks, refinement, and the choice of the result."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache, cached_property

import numpy as np
import torch
from torch import Tensor

from .. import calibration
from ..alignment import Alignment
from ..alignment.affine import IDENTITY
from ..alignment.aligned_pair import AlignedPair
from ..alignment.pair_alignment import KINDS as SEARCHED
from ..alignment.repeating import confidence_of_only_shift
from ..core.memory import keep_freed_memory
from ..error_map.judge import ErrorJudge, PairJudge
from ..error_map.maps import ErrorMap
from ..error_map.uneven_rows import deviations_of, with_uneven_rows
from ..initial_kinds import NONE, needs_landmarks
from ..preparation import PreparedPair
from ..refinement import Refinement
from ..stages import LEAST_CONFIDENCE, Stages
from .candidates import LITTLE_MOVED_PX, UNMOVED, Candidate, Candidates, Entry, mean_length_px
from .companions import NamedNetwork
from .confidence import confidence_of_map, opinion_of_map, too_little_in_common
from .steps import InitialStep, Landmarks, NetworkStep, RefinementStep

_ERROR = "error"
_LITTLE_PX = calibration.LITTLE_LEFT_PX.value
_LOST_PX = calibration.LOST_PX.value
_TOO_UNCERTAIN = "the predicted error is too large"
_TOO_LITTLE_IN_COMMON = "the images would have too little in common"
_OTHER_SHIFT = "the images fit as well or better at another shift, as those of a repeating texture do"


@dataclass(frozen=True, eq=False)
class StagedField:
    """The field of all stages.

    Attributes
    ----------
    displacement_px : float32 array (2, size, size)
        Pull field in pixels of the network grid, channels (row, column).
    alignment, refinement
        Results of these stages; None if they were off, or if the refinement is not part of the result.
    seconds : dict of str to float
        Time of each stage that ran, by its name in `Stages`, and of the predictions (_ERROR).
    result_stage : str
        The stage whose field this is: "none" (left unchanged), "initial", "network" or "refine".
    error : ErrorMap
        The predicted error of the field.
    candidates : list of dict
        Stage, name and predicted error of every candidate, as plain values.
    """

    displacement_px: np.ndarray
    alignment: Alignment | None
    refinement: Refinement | None
    seconds: dict[str, float]
    result_stage: str
    error: ErrorMap | None = None
    candidates: Sequence[dict] = ()


class Pipeline:
    """Registers prepared pairs through `stages`. The candidate with the least predicted error is the result.

    Without an initial alignment there are no candidates to choose from: the network's field is refined, as in the paper.

    Parameters
    ----------
    stages : Stages
    networks : sequence of NamedNetwork
        That of the checkpoint first, then others whose fields are candidates; not needed if `stages` leaves the network out.
    device : torch.device
    judge : ErrorJudge
    """

    def __init__(self, stages: Stages, networks: Sequence[NamedNetwork], device: torch.device, judge: ErrorJudge):
        keep_freed_memory()
        self._device, self._judge = device, judge
        self._initial = InitialStep(stages.initial, device) if stages.initial != NONE else None
        networks = networks if stages.network else ()
        self._networks = [(each.name, NetworkStep(each.network, device)) for each in networks]
        self._second = next((step for each, step in zip(networks, self._networks, strict=True) if each.second), None)
        self._refinement = RefinementStep(stages.refine, device) if stages.refine else None

    def __call__(self, pair: PreparedPair, landmarks: Landmarks | None = None) -> StagedField:
        """Register a pair.

        Parameters
        ----------
        pair : PreparedPair
        landmarks : (array (N, 2), array (N, 2)), optional
            Corresponding positions on the moving and on the fixed network grid, for an alignment by landmarks.

        Raises
        ------
        InputError
            The alignment needs landmarks, and these do not determine it.
        """
        found = self._staged(pair, landmarks)
        with _timed(found.seconds, _ERROR):
            return replace(found, error=_with_uneven_rows(found.error, pair))

    def _staged(self, pair: PreparedPair, landmarks: Landmarks | None) -> StagedField:
        seconds: dict[str, float] = {}
        if self._initial is None:
            return self._without_alignment(pair, seconds)
        with _timed(seconds, self._initial.name):
            alignment = self._initial(pair, landmarks, self._opinion(pair))
        if alignment.kind != NONE:
            found = _Run(self, AlignedPair.of(pair, alignment), seconds)
            found.run()
            confidence = found.confidence
            if math.isnan(confidence) or confidence >= LEAST_CONFIDENCE:
                return found.staged()
            alignment = replace(
                alignment, kind=NONE, matrix=IDENTITY, bend=None, confidence=confidence, reason=found.why_not
            )
        return self._unchanged(pair, alignment, seconds)

    def candidates(self, pair: PreparedPair, *, every: bool = False) -> tuple[AlignedPair, list[Candidate]]:
        """The aligned pair and all candidates for the result, whether it is confident or not.

        With `every`, those too that are not made where a field is predicted to be right.
        """
        alignment = self._initial(pair, None, self._opinion(pair))
        found = _Run(self, AlignedPair.of(pair, alignment), {}, every=every)
        found.run()
        return found.seen, found.candidates.all

    def _unchanged(self, pair: PreparedPair, alignment: Alignment, seconds: dict[str, float]) -> StagedField:
        seen = AlignedPair.of(pair, None)
        field = seen.start(self._device)
        with _timed(seconds, _ERROR):
            error = self._judge_of(seen)([field])[0]
        return StagedField(field[0].float().cpu().numpy(), alignment, None, _ordered(seconds), UNMOVED, error)

    def _without_alignment(self, pair: PreparedPair, seconds: dict[str, float]) -> StagedField:
        seen = AlignedPair.of(pair, None)
        field, stage, refinement = seen.start(self._device), UNMOVED, None
        if self._networks:
            with _timed(seconds, "network"):
                field, stage = self._networks[0][1](seen), "network"
        if self._refinement:
            with _timed(seconds, "refine"):
                refinement = self._refinement(seen, field)
            field, stage = refinement.displacement_px, "refine"
        with _timed(seconds, _ERROR):
            judge = self._judge_of(seen)
            error = judge.with_torn_rows(judge([field], [stage])[0], field, field)
        return StagedField(field[0].float().cpu().numpy(), None, refinement, _ordered(seconds), stage, error)

    def _opinion(self, pair: PreparedPair) -> Callable[[np.ndarray], float] | None:
        """The confidence in a matrix (2, 3), from the predicted error of the networks' fields after it."""
        if not self._networks:
            return None
        network = self._networks[0][1]
        judge = cache(lambda: self._judge.of_pair(*pair.on_grid, *pair.inside))  # most pairs need no opinion

        def confidence(matrix: np.ndarray) -> float:
            tried = AlignedPair.on_its_grid(pair, Alignment("affine", "affine", matrix, 0.0, 0.0, 0.0, 0.0))
            fields, origins = [network(tried)], ["network"]
            if self._second is not None:
                fields.append(self._second[1].again(tried, fields[0]))
                origins.append("again")
            return max(opinion_of_map(error) for error in judge()(fields, origins))

        return confidence

    def _judge_of(self, seen: AlignedPair) -> PairJudge:
        return self._judge.of_pair(seen.moving, seen.fixed, seen.inside_moving, seen.inside_fixed)


class _Run:
    """The candidates of one aligned pair, stage by stage."""

    def __init__(self, pipeline: Pipeline, seen: AlignedPair, seconds: dict[str, float], *, every: bool = False):
        self._pipeline, self.seen, self._seconds, self._every = pipeline, seen, seconds, every
        self.candidates = Candidates(pipeline._judge_of(seen))
        self._refinement: Refinement | None = None

    def run(self) -> None:
        """Make all candidates that may be the best: a field that is predicted to be right leaves no room for the far ones.

        Where a pattern lies at the same pixels of both images, the alignment alone: the other stages would follow the pattern.
        """
        start = self.seen.start(self._pipeline._device)
        if self.seen.alignment.pattern:
            self._add([Entry("initial", self.seen.alignment.kind, start)])
            return
        own, others = self._pipeline._networks[:1], self._pipeline._networks[1:]
        entries = [Entry("initial", self.seen.alignment.kind, start)]
        if own:
            entries += self._after_alignment(own)
        self._add(entries)  # judged at once, which is faster
        much_is_left = self._much_is_left
        if much_is_left or mean_length_px(self.candidates.best().displacement_px) <= LITTLE_MOVED_PX:
            self._add(self._unmoved(start))
        if much_is_left:
            self._add(self._straight())
            if own and self._much_is_left:
                self._other_networks(others)
        self._refine()

    @property
    def _much_is_left(self) -> bool:
        return self._every or not self.candidates.best().error.expected_px <= _LITTLE_PX

    @cached_property
    def confidence(self) -> float:
        """Confidence in the best candidate, when all are made; NaN for an alignment by landmarks."""
        alignment = self.seen.alignment
        if needs_landmarks(alignment.requested):
            return alignment.confidence
        return min(self._confidence_of_map, self._confidence_of_only_shift)

    @property
    def why_not(self) -> str:
        """Why there is no confidence in the best candidate."""
        if too_little_in_common(self.overlap):
            return _TOO_LITTLE_IN_COMMON
        return _TOO_UNCERTAIN if self._confidence_of_map < LEAST_CONFIDENCE else _OTHER_SHIFT

    @cached_property
    def _confidence_of_map(self) -> float:
        return confidence_of_map(self.candidates.best().error, self.overlap)

    @cached_property
    def _confidence_of_only_shift(self) -> float:
        """1 where the result is refused anyway, a pattern fits at another shift, or an aligner of the user knows the shift."""
        alignment = self.seen.alignment
        if self._confidence_of_map < LEAST_CONFIDENCE or alignment.pattern or alignment.requested not in SEARCHED:
            return 1.0
        seen = self.seen
        images = (seen.moving, seen.fixed, self.candidates.best().displacement_px)
        with _timed(self._seconds, _ERROR):
            return confidence_of_only_shift(*images, inside_moving=seen.inside_moving, inside_fixed=seen.inside_fixed)

    @property
    def overlap(self) -> float:
        """Share of the smaller image that both show under the best candidate."""
        return self.seen.overlap(float(self.candidates.best().error.known.mean()))

    def _unmoved(self, start: Tensor) -> list[Entry]:
        """The images as they are, unless they are of two frames or far apart."""
        if self.seen.view is not None or mean_length_px(start) >= _LOST_PX:
            return []
        return [Entry(UNMOVED, UNMOVED, torch.zeros_like(start))]

    def _straight(self) -> list[Entry]:
        """The alignment without its quadratic term."""
        alignment = self.seen.alignment
        if alignment.bend is None:
            return []
        field = replace(self.seen, alignment=replace(alignment, bend=None)).start(self._pipeline._device)
        return [Entry("initial", f"{alignment.kind}, not bent", field)]

    def _other_networks(self, others: Sequence[tuple[str, NetworkStep]]) -> None:
        """The other networks after the alignment, and one of them again after the best field."""
        self._add(self._after_alignment(others))
        second, best = self._pipeline._second, self.candidates.best()
        if second is None or best.stage != "network":
            return
        name, step = second
        with _timed(self._seconds, "network"):
            again = step.again(self.seen, best.displacement_px)
        self._add([Entry("network", f"{best.name}, {name}", again, "again")])

    def _after_alignment(self, networks: Sequence[tuple[str, NetworkStep]]) -> list[Entry]:
        with _timed(self._seconds, "network"):
            return [Entry("network", name, step(self.seen)) for name, step in networks]

    def _refine(self) -> None:
        refinement = self._pipeline._refinement
        if not refinement:
            return
        best = self.candidates.best(("initial", "network"))
        with _timed(self._seconds, "refine"):
            self._refinement = refinement(self.seen, best.displacement_px)
        self._add([Entry("refine", f"{best.name}, refined", self._refinement.displacement_px)])

    def _add(self, entries: list[Entry]) -> None:
        with _timed(self._seconds, _ERROR):
            self.candidates.add(entries)

    def staged(self) -> StagedField:
        """The best candidate as the result."""
        chosen = self.candidates.best()
        alignment = replace(self.seen.alignment, confidence=self.confidence)
        stored = self.seen.on_prepared_grid(chosen.displacement_px)
        with _timed(self._seconds, _ERROR):
            error = self.candidates.judge.with_torn_rows(chosen.error, chosen.displacement_px, stored)
        field = stored[0].float().cpu().numpy()
        refinement = self._refinement if chosen.stage == "refine" else None
        table = [
            {"stage": each.stage, "name": each.name, "expected_error_px": each.error.expected_px}
            for each in self.candidates.all
        ]
        return StagedField(field, alignment, refinement, _ordered(self._seconds), chosen.stage, error, table)


def _with_uneven_rows(error: ErrorMap | None, pair: PreparedPair) -> ErrorMap | None:
    """An error map that counts rows which lie beside one another in either image as it was recorded."""
    if error is None:
        return None
    found = [deviations_of(side.seen.array, side.tissue, side.grid.scale) for side in (pair.moving, pair.fixed)]
    return with_uneven_rows(error, [*found[0], *found[1]])


def _ordered(seconds: dict[str, float]) -> dict[str, float]:
    """Times in the order of the stages, the predictions last."""
    return {name: seconds[name] for name in sorted(seconds, key=_ERROR.__eq__)}


@contextmanager
def _timed(seconds: dict[str, float], name: str) -> Iterator[None]:
    began = time.perf_counter()
    yield
    seconds[name] = seconds.get(name, 0.0) + time.perf_counter() - began
