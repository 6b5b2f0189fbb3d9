"""The search for a transform: ranges, candidates, and what confirms one of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import chain

import numpy as np
import torch
from torch import Tensor

from .. import calibration
from ..core.spatial import sample_grid
from ..stages import LEAST_CONFIDENCE
from .affine import CORNERS, IDENTITY, sampling_grids, stretches
from .blocks import BlockMatcher
from .coincidence import coincidence, confidence_of_coincidence, details
from .confidence import confidence
from .fixed_pattern import MatcherBesidePattern, coarse_confidence, may_be_a_pattern, moves
from .quadratic import bent
from .refine_transform import RefinedTransform, agreeing_nearby, agreement_under, refine_transform
from .repeating import HALF_CONFIDENT, SIZE, other_fit, reduced
from .structure import Structure
from .survey import COMPARED, Peaks, Range, ScaledStructure, Surveyor, resized, steps

_STRUCTURE, _POOLED, _BLOCKS = 128, 2, 200
_NARROW = Range(tuple(np.arange(-8.0, 8.1, 4.0)), steps(0.91, 1.1, 1.1))
_USUAL = Range(tuple(np.arange(-16.0, 16.1, 4.0)), steps(0.79, 1.27, 1.1))
_WHOLE = Range(tuple(np.arange(-180.0, 179.0, 6.0)), steps(0.4, 2.5, 1.13))
_FINE = Range(tuple(np.arange(-16.0, 16.1, 2.0)), steps(0.79, 1.27, 1.05))
_FINER_WHOLE = Range(tuple(np.arange(-180.0, 179.0, 3.0)), steps(0.4, 2.5, 1.08))
_MIRRORED = Range(_WHOLE.rotations_deg, steps(0.88, 1.13, 1.13))
_PEAKS = 10
_SCOUTED = 120
_MANY_PEAKS, _VERIFIED, _HIGHEST = 16, 2, 2
_LED_BY_BLOCKS = COMPARED[:2]  # comparisons in finer surveys whose peaks blocks lead on from
_FINE_ALONE = "the images agree in fine detail at the same pixels alone, as by a pattern of a camera"
_TRIED = {"narrow": 1, "usual": 2, "whole": 3}
_MOST_ANISOTROPIC = calibration.MOST_ANISOTROPIC.value
_IN_PLACE = calibration.IN_PLACE.value
_ENDS = calibration.SEARCH_ENDS.value
_COINCIDES = calibration.COINCIDES.value


@dataclass(frozen=True, eq=False)
class Found:
    """The outcome of the search; shares of agreeing blocks before and after."""

    matrix: np.ndarray
    kept: bool
    before: float
    after: float
    confidence: float
    reason: str = ""
    directions: str = "both"
    bend: np.ndarray | None = None
    rejected: tuple[np.ndarray, ...] = ()
    pattern: bool = False


@dataclass(frozen=True, eq=False)
class _Candidate:
    refined: RefinedTransform
    confidence: float
    by_opinion: bool = False
    peak: tuple[Peaks, int] | None = None  # where it began


class Search:
    """The search on two canvases: values and weight, (2, S, S)."""

    def __init__(self, moving: Tensor, fixed: Tensor, kind: str, opinion: Callable[[np.ndarray], float] | None = None):
        self._kind, self._opinion = kind, opinion
        self._moving, self._fixed = moving, fixed
        self._structures = [_structure(canvas) for canvas in (moving, fixed)]
        self._matcher = BlockMatcher(moving, fixed, _BLOCKS)

    def found(self) -> Found:
        """The best candidate of the ranges, or the identity."""
        if self._kind == "none":
            share = agreement_under(self._matcher, IDENTITY, "both").share
            return Found(IDENTITY, False, share, share, 0.0)
        for name, image in zip(("moving", "fixed"), self._structures, strict=True):
            if image.at(1.0).blank:
                known = bool(image.at(1.0).weight.any())
                reason = f"the {name} image is blank" if known else f"pixels are unknown all over the {name} image"
                return Found(IDENTITY, False, 0.0, 0.0, 0.0, reason)
        tried = self._tried()
        best = max(tried, key=lambda candidate: candidate.confidence)
        unmoved = agreement_under(self._matcher, IDENTITY, best.refined.directions)
        before = unmoved.share
        if best.confidence < LEAST_CONFIDENCE:
            rejected = tuple(candidate.refined.matrix for candidate in tried if not candidate.by_opinion)
            return Found(IDENTITY, False, before, before, best.confidence, self._why(), rejected=rejected)
        if may_be_a_pattern(unmoved.matches):
            found = self._found_by_pattern(best, before)
            if found is not None:
                return found
        refined = best.refined
        if unmoved.agreeing >= refined.agreeing and _is_in_place(refined.matrix):
            # The images are already aligned: the fit would only add its own error.
            refined = unmoved
        curved = bent(self._matcher, refined) if self._kind == "affine" else None
        if curved is not None:
            return Found(
                curved.matrix, True, before, curved.share, best.confidence, "", refined.directions, curved.bend
            )
        return Found(refined.matrix, True, before, refined.share, best.confidence, "", refined.directions)

    def _tried(self) -> list[_Candidate]:
        """Candidates, from the ranges that are searched first, until one is confident."""
        narrow = self._best(_NARROW, "narrow")  # most visits of an eye differ by little
        if narrow.confidence > _ENDS:
            return [narrow]
        tried: list[_Candidate] = []
        for compared in COMPARED:
            tried.append(self._best(_USUAL, "usual", compared))
            if tried[-1].confidence >= LEAST_CONFIDENCE:
                break
        best = max(tried, key=lambda candidate: candidate.confidence)
        if best.confidence < LEAST_CONFIDENCE:
            tried.append(self._by_fine_blocks(best))
            best = max(tried, key=lambda candidate: candidate.confidence)
        if best.confidence < LEAST_CONFIDENCE:
            tried += self._by_opinion(best.refined, agreement_under(self._matcher, IDENTITY, "both"))
            if max(each.confidence for each in tried) >= LEAST_CONFIDENCE:
                return tried
        elif best.confidence > _ENDS or self._coincidence(best.refined) >= _COINCIDES:
            return tried
        if self._kind != "translation":
            tried.append(self._best(_WHOLE, "whole"))
            if max(each.confidence for each in tried) < LEAST_CONFIDENCE:
                tried += self._by_opinion(tried[-1].refined)
        if max(each.confidence for each in tried) < LEAST_CONFIDENCE:
            # An opinion is of a place that was found before.
            places = {id(each.refined): each.refined for each in tried}
            tried += self._by_coincidence(chain(places.values(), self._promising_many()))
        return tried

    def _found_by_pattern(self, best: _Candidate, before: float) -> Found | None:
        """The outcome where a pattern at the same pixels made the best candidate; None where the candidate stands."""
        beside = self._beside_pattern()
        if beside is not None:
            place = beside.refined
            return Found(place.matrix, True, before, place.share, beside.confidence, "", place.directions, pattern=True)
        coarse = coarse_confidence(self._moved(best.refined), self._fixed)
        if coarse >= LEAST_CONFIDENCE:
            return None
        return Found(IDENTITY, False, before, before, coarse, _FINE_ALONE, rejected=(best.refined.matrix,))

    def _beside_pattern(self) -> _Candidate | None:
        """The candidate that blocks agree on if none may be found at its own pixels; None if there is none."""
        searched = _limited(_USUAL, self._kind).matrices()
        peaks = Surveyor(*self._structures, "both", moved_only=True).peaks(searched, count=_PEAKS)[0]
        fine, coarse = (MatcherBesidePattern(matcher) for matcher in (self._matcher, self._scout))
        for index in range(min(_TRIED["usual"], len(peaks.matrices))):
            refined = self._refined(fine, coarse, peaks.matrices[index])
            if not moves(refined.matrix, refined.matches.centres):
                continue
            by_blocks = confidence(peaks, index, refined, whole=False)
            by_details = confidence_of_coincidence(self._coincidence(refined)) if by_blocks <= _ENDS else 0.0
            certain = by_blocks > _ENDS or by_details >= LEAST_CONFIDENCE
            if certain and not self._repeats(refined):
                return _Candidate(refined, max(by_blocks, by_details))
        return None

    def _repeats(self, place: RefinedTransform) -> bool:
        """Whether the images fit as well at a third place, apart from that and from their own pixels."""
        change = place.matrix - IDENTITY
        shift = (place.matches.centres @ change[:, :2].T + change[:, 2]).mean(axis=0) * (SIZE / 2)
        return other_fit(*reduced(self._moved(place), self._fixed), without=shift) > HALF_CONFIDENT

    def _by_coincidence(self, places: Iterable[RefinedTransform]) -> list[_Candidate]:
        """The first transform under which details coincide, for images so noisy that few blocks agree; else none."""
        for place in places:
            found = _Candidate(place, confidence_of_coincidence(self._coincidence(place)))
            if found.confidence >= LEAST_CONFIDENCE:
                return [found]
        return []

    def _promising_many(self) -> Iterator[RefinedTransform]:
        """Transforms from the peaks of more surveys: those near which most blocks agree, then the highest ones as they are.

        Where few blocks can be matched, they neither agree nor lead anywhere, and a high peak of a fine survey is near enough.
        """
        if self._kind != "translation":
            yield from self._agreed_on(self._whole_peaks[1:])
        fine = [_structure(canvas, pooled=1) for canvas in (self._moving, self._fixed)]
        yield from self._agreed_on(self._many_peaks(fine, _FINE, _LED_BY_BLOCKS))
        if self._kind != "translation":
            found = self._many_peaks(self._structures, _FINER_WHOLE, COMPARED)
            yield from self._agreed_on(found[: len(_LED_BY_BLOCKS)])
            for peaks in found:
                yield from (agreement_under(self._matcher, each, "both") for each in peaks.matrices[:_HIGHEST])

    def _many_peaks(self, images: list[ScaledStructure], searched: Range, compared: tuple[str, ...]) -> list[Peaks]:
        return Surveyor(*images, *compared).peaks(_limited(searched, self._kind).matrices(), count=_MANY_PEAKS)

    def _agreed_on(self, found: list[Peaks]) -> Iterator[RefinedTransform]:
        """Transforms from the peaks near which most blocks agree."""
        starts = np.concatenate([peaks.matrices for peaks in found])
        agreeing = [-agreeing_nearby(self._scout, matrix, self._kind) for matrix in starts]
        for index in np.argsort(agreeing, kind="stable")[:_VERIFIED]:
            yield self._refined(self._matcher, self._scout, starts[index])

    @cached_property
    def _whole_peaks(self) -> list[Peaks]:
        """Those of the whole range, by each comparison."""
        return self._peaks(self._structures[0], _limited(_WHOLE, self._kind), *COMPARED)

    def _moved(self, place: RefinedTransform) -> Tensor:
        grid = sampling_grids(place.matrix[None], self._moving.shape[-1], self._moving)
        return sample_grid(self._moving[None], grid)[0]

    def _coincidence(self, place: RefinedTransform) -> float:
        return coincidence(details(self._moved(place)), self._fixed_details)

    @cached_property
    def _fixed_details(self) -> Structure:
        return details(self._fixed)

    def _by_opinion(self, *places: RefinedTransform) -> list[_Candidate]:
        """Transforms with the second opinion on them."""
        if self._opinion is None:
            return []
        return [_Candidate(place, self._opinion(place.matrix), by_opinion=True) for place in places]

    def _best(self, searched: Range, name: str, compared: str = "both") -> _Candidate:
        """The candidate of a range with the highest confidence."""
        if name == "whole":
            peaks = self._whole_peaks[0]
        else:
            peaks = self._peaks(self._structures[0], _limited(searched, self._kind), compared)[0]
        best = None
        for index in self._promising(peaks, _TRIED[name]):
            refined = self._refined(self._matcher, self._scout, peaks.matrices[index])
            found = _Candidate(refined, confidence(peaks, index, refined, whole=name == "whole"), peak=(peaks, index))
            if best is None or found.confidence > best.confidence:
                best = found
            if best.confidence > _ENDS:
                break
        return best

    def _by_fine_blocks(self, best: _Candidate) -> _Candidate:
        """The best candidate of the usual range, without coarse blocks to lead the way: on strong deformations they stray."""
        peaks, index = best.peak
        refined = self._refined(self._matcher, None, peaks.matrices[index])
        return _Candidate(refined, confidence(peaks, index, refined, whole=False))

    def _promising(self, peaks: Peaks, count: int) -> Iterator[int]:
        """Indices of peaks: the highest one, then those whose neighbourhood most blocks agree on, `count` in all."""
        yield 0
        others = range(1, len(peaks.scores))
        agreeing = [-agreeing_nearby(self._scout, peaks.matrices[index], self._kind) for index in others]
        yield from (others[place] for place in np.argsort(agreeing, kind="stable")[: count - 1])

    @cached_property
    def _scout(self) -> BlockMatcher:
        """Coarser blocks, which judge many peaks in little time, and find the way to the right one."""
        return BlockMatcher(self._moving, self._fixed, _SCOUTED)

    def _peaks(self, moving: ScaledStructure, searched: Range, *compared: str) -> list[Peaks]:
        return Surveyor(moving, self._structures[1], *compared).peaks(searched.matrices(), count=_PEAKS)

    def _refined(self, matcher: BlockMatcher, scout: BlockMatcher | None, start: np.ndarray) -> RefinedTransform:
        refined = refine_transform(matcher, start, self._kind, scout)
        if self._kind == "affine":
            least, greatest = stretches(refined.matrix)
            if least <= 0 or greatest / least > _MOST_ANISOTROPIC:
                return refine_transform(matcher, start, "similarity", scout)
        return refined

    def _why(self) -> str:
        """Why no alignment was found: different content, or a mirror image."""
        if self._kind == "translation":
            return "the images do not agree beyond chance"
        flipped = self._moving.flip(-1)
        peaks = self._peaks(_structure(flipped), _limited(_MIRRORED, self._kind), "both")[0]
        matchers = (BlockMatcher(flipped, self._fixed, size) for size in (_BLOCKS, _SCOUTED))
        refined = self._refined(*matchers, peaks.matrices[0])
        if confidence(peaks, 0, refined, whole=True) >= LEAST_CONFIDENCE:
            return "the moving image looks like a mirror image of the fixed one"
        return "the images do not agree beyond chance"


def _is_in_place(matrix: np.ndarray) -> bool:
    return bool(np.abs((matrix - IDENTITY) @ CORNERS).max() < _IN_PLACE)


def _limited(searched: Range, kind: str) -> Range:
    """The part of a range that a kind of transform has."""
    if kind == "translation":
        return Range((0.0,), (1.0,))
    return Range(searched.rotations_deg, (1.0,)) if kind == "rigid" else searched


def _structure(canvas: Tensor, pooled: int = _POOLED) -> ScaledStructure:
    return ScaledStructure(torch.stack(resized(canvas, _STRUCTURE)), pooled)
