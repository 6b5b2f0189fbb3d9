"""The search for a transform, the transform itself and its confidence."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import chain

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from .. import calibration
from ..core.spatial import sample_grid
from ..preparation import PreparedPair
from ..stages import LEAST_CONFIDENCE
from .affine import CORNERS, IDENTITY, sampling_grids, stretches, to_frame
from .aligner import AlignmentContext
from .blocks import BlockMatcher
from .coincidence import coincidence, confidence_of_coincidence
from .confidence import confidence
from .quadratic import bent
from .refine_transform import RefinedTransform, agreeing_nearby, agreement_under, refine_transform
from .result import Alignment
from .survey import COMPARED, Peaks, Range, ScaledStructure, Surveyor, resized, steps

KINDS = ("none", "translation", "rigid", "affine")
"""The kinds of transform that can be searched for."""

_STRUCTURE, _POOLED, _BLOCKS = 128, 2, 200
_NEAR = Range(tuple(np.arange(-8.0, 8.1, 4.0)), steps(0.91, 1.1, 1.1))
_USUAL = Range(tuple(np.arange(-16.0, 16.1, 4.0)), steps(0.79, 1.27, 1.1))
_WHOLE = Range(tuple(np.arange(-180.0, 179.0, 6.0)), steps(0.4, 2.5, 1.13))
_FINE = Range(tuple(np.arange(-16.0, 16.1, 2.0)), steps(0.79, 1.27, 1.05))
_FINER_WHOLE = Range(tuple(np.arange(-180.0, 179.0, 3.0)), steps(0.4, 2.5, 1.08))
_MIRRORED = Range(_WHOLE.rotations_deg, steps(0.88, 1.13, 1.13))
_PEAKS = 10
_SCOUTED = 120
_MANY_PEAKS, _VERIFIED = 16, 2
_TRIED = {"near": 1, "usual": 2, "whole": 3}
_MOST_ANISOTROPIC = calibration.MOST_ANISOTROPIC.value
_IN_PLACE = calibration.IN_PLACE.value
_ENDS = calibration.SEARCH_ENDS.value
_COINCIDES = calibration.COINCIDES.value


class SearchedAlignment:
    """An `Aligner` that searches for the transform.

    Parameters
    ----------
    name : str
        One of `KINDS`.
    """

    needs_landmarks = False

    def __init__(self, name: str):
        self.name = name

    def __call__(self, pair: PreparedPair, context: AlignmentContext) -> Alignment:
        """See `align`."""
        moving, fixed = pair.moving, pair.fixed
        return align(
            moving.on_grid,
            fixed.on_grid,
            self.name,
            inside_moving=moving.inside,
            inside_fixed=fixed.inside,
            extent_moving=moving.extent,
            extent_fixed=fixed.extent,
            device=context.device,
            second_opinion=context.second_opinion,
        )


def align(
    moving: np.ndarray,
    fixed: np.ndarray,
    kind: str = "affine",
    *,
    inside_moving: np.ndarray | None = None,
    inside_fixed: np.ndarray | None = None,
    extent_moving: tuple[float, float] = (1.0, 1.0),
    extent_fixed: tuple[float, float] = (1.0, 1.0),
    device: torch.device | str = "cpu",
    second_opinion: Callable[[np.ndarray], float] | None = None,
) -> Alignment:
    """Find the global transform between two images of any contrasts.

    Directions of edges and ridges are compared (`structure`). All shifts that leave a fifth of the smaller image in common
    are tried, first under rotations of up to 8 degrees and scales from 0.9 to 1.1. If the result is not very confident, the
    rotations go up to 16 degrees and the scales from 0.8 to 1.25. If it is not confident then, edges and ridges
    are compared alone. If that is not enough, or if the details of a candidate do not coincide, all rotations and scales from 0.4
    to 2.5 are tried, and a mirror image of about the same scale, which is named and not applied. If blocks confirm no candidate,
    finer surveys give more, which are judged by all pixels together (`coincidence`).
    Agreeing blocks of the fixed image then refine the transform. An affine transform gets a quadratic term if the blocks
    need one (`quadratic`). If the images do not agree beyond chance, the result is the identity.

    Parameters
    ----------
    moving, fixed : float arrays (S, S)
        Images on network grids of one size; grey values of any range.
    kind : str
        One of `KINDS`.
    inside_moving, inside_fixed : bool arrays (S, S), optional
        Tissue masks; every pixel by default.
    extent_moving, extent_fixed : (float, float)
        Heights and widths that the network grids cover, relative to one another. An image that was stretched to its grid
        is compared in its right shape.
    device : torch.device or str
        Where search and refinement run.
    second_opinion : callable, optional
        ``second_opinion(matrix)`` gives the confidence, 0 to 1, in a matrix between grid positions, as in `Alignment`. If no
        affine transform makes enough blocks agree, it is called with the best candidates and with the identity: a network can
        recognise a pair in spite of a strong local deformation.

    Raises
    ------
    ValueError
        The kind is unknown, the images are not square or differ in size, or values are not finite.
    """
    began = time.perf_counter()
    _check(moving, fixed, kind, inside_moving, inside_fixed)
    # Apple's devices lack float64 and, in older versions, FFTs; the processor beside them is as fast here.
    device = torch.device("cpu") if torch.device(device).type == "mps" else torch.device(device)
    shapes = [np.asarray(extent, dtype=float) / max(extent) for extent in (extent_moving, extent_fixed)]
    canvases = [
        _canvas(frame, inside, shape, device)
        for frame, inside, shape in zip((moving, fixed), (inside_moving, inside_fixed), shapes, strict=True)
    ]

    def of_frames(matrix: np.ndarray) -> np.ndarray:
        return to_frame(np.diag(1 / shapes[0]) @ matrix @ np.diag([*shapes[1], 1.0]), len(fixed))

    opinion = None if second_opinion is None else lambda matrix: second_opinion(of_frames(matrix))
    found = _Search(*canvases, kind, opinion).found()
    return Alignment(
        kind,
        kind if found.kept else "none",
        of_frames(found.matrix) if found.kept else IDENTITY,
        found.before,
        found.after,
        found.confidence,
        time.perf_counter() - began,
        found.reason,
        found.directions,
        None if found.bend is None else _bend_of_frames(found.bend, shapes, len(fixed)),
        tuple(of_frames(matrix) for matrix in found.rejected),
    )


@dataclass(frozen=True, eq=False)
class _Found:
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


@dataclass(frozen=True, eq=False)
class _Candidate:
    refined: RefinedTransform
    confidence: float
    by_opinion: bool = False


class _Search:
    """The search on two canvases: values and weight, (2, S, S)."""

    def __init__(self, moving: Tensor, fixed: Tensor, kind: str, opinion: Callable[[np.ndarray], float] | None = None):
        self._kind, self._opinion = kind, opinion
        self._moving, self._fixed = moving, fixed
        self._structures = [_structure(canvas) for canvas in (moving, fixed)]
        self._matcher = BlockMatcher(moving, fixed, _BLOCKS)

    def found(self) -> _Found:
        """The best candidate of the ranges, or the identity."""
        if self._kind == "none":
            share = agreement_under(self._matcher, IDENTITY, "both").share
            return _Found(IDENTITY, False, share, share, 0.0)
        for name, image in zip(("moving", "fixed"), self._structures, strict=True):
            if image.at(1.0).blank:
                return _Found(IDENTITY, False, 0.0, 0.0, 0.0, f"the {name} image is blank")
        tried = self._tried()
        best = max(tried, key=lambda candidate: candidate.confidence)
        unmoved = agreement_under(self._matcher, IDENTITY, best.refined.directions)
        before = unmoved.share
        if best.confidence < LEAST_CONFIDENCE:
            rejected = tuple(candidate.refined.matrix for candidate in tried if not candidate.by_opinion)
            return _Found(IDENTITY, False, before, before, best.confidence, self._why(), rejected=rejected)
        refined = best.refined
        if unmoved.agreeing >= refined.agreeing and _near(refined.matrix):
            # The images are already aligned: the fit would only add its own error.
            refined = unmoved
        curved = bent(self._matcher, refined) if self._kind == "affine" else None
        if curved is not None:
            return _Found(
                curved.matrix, True, before, curved.share, best.confidence, "", refined.directions, curved.bend
            )
        return _Found(refined.matrix, True, before, refined.share, best.confidence, "", refined.directions)

    def _tried(self) -> list[_Candidate]:
        """Candidates, from the ranges that are searched first, until one is confident."""
        near = self._best(_NEAR, "near")  # most visits of an eye differ by little
        if near.confidence > _ENDS:
            return [near]
        tried: list[_Candidate] = []
        for compared in COMPARED:
            tried.append(self._best(_USUAL, "usual", compared))
            if tried[-1].confidence >= LEAST_CONFIDENCE:
                break
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
            places = {
                id(each.refined): each.refined for each in tried
            }  # an opinion is of a place that was found before
            tried += self._by_coincidence(chain(places.values(), self._promising_many()))
        return tried

    def _by_coincidence(self, places: Iterable[RefinedTransform]) -> list[_Candidate]:
        """The first transform under which details coincide, for images so noisy that few blocks agree; else none."""
        for place in places:
            found = _Candidate(place, confidence_of_coincidence(self._coincidence(place)))
            if found.confidence >= LEAST_CONFIDENCE:
                return [found]
        return []

    def _promising_many(self) -> Iterator[RefinedTransform]:
        """Transforms from the peaks of finer surveys, those first whose neighbourhood most blocks agree on."""
        fine = [_structure(canvas, pooled=1) for canvas in (self._moving, self._fixed)]
        surveys = [(fine, _FINE)] + [(self._structures, _FINER_WHOLE)] * (self._kind != "translation")
        for images, searched in surveys:
            matrices = _limited(searched, self._kind).matrices()
            found = Surveyor(*images, "both", "edges").peaks(matrices, count=_MANY_PEAKS)
            starts = np.concatenate([peaks.matrices for peaks in found])
            agreeing = [-agreeing_nearby(self._scout, matrix, self._kind) for matrix in starts]
            for index in np.argsort(agreeing, kind="stable")[:_VERIFIED]:
                yield self._refined(self._matcher, self._scout, starts[index])

    def _coincidence(self, place: RefinedTransform) -> float:
        grid = sampling_grids(place.matrix[None], self._moving.shape[-1], self._moving)
        return coincidence(*sample_grid(self._moving[None], grid), self._fixed)

    def _by_opinion(self, *places: RefinedTransform) -> list[_Candidate]:
        """Transforms with the second opinion on them."""
        if self._opinion is None:
            return []
        return [_Candidate(place, self._opinion(place.matrix), by_opinion=True) for place in places]

    def _best(self, searched: Range, name: str, compared: str = "both") -> _Candidate:
        """The candidate of a range with the highest confidence."""
        peaks = self._peaks(self._structures[0], _limited(searched, self._kind), compared)
        best = None
        for index in self._promising(peaks, _TRIED[name]):
            refined = self._refined(self._matcher, self._scout, peaks.matrices[index])
            found = _Candidate(refined, confidence(peaks, index, refined, whole=name == "whole"))
            if best is None or found.confidence > best.confidence:
                best = found
            if best.confidence > _ENDS:
                break
        return best

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

    def _peaks(self, moving: ScaledStructure, searched: Range, compared: str = "both") -> Peaks:
        return Surveyor(moving, self._structures[1], compared).peaks(searched.matrices(), count=_PEAKS)[0]

    def _refined(self, matcher: BlockMatcher, scout: BlockMatcher, start: np.ndarray) -> RefinedTransform:
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
        peaks = self._peaks(_structure(flipped), _limited(_MIRRORED, self._kind))
        matchers = (BlockMatcher(flipped, self._fixed, size) for size in (_BLOCKS, _SCOUTED))
        refined = self._refined(*matchers, peaks.matrices[0])
        if confidence(peaks, 0, refined, whole=True) >= LEAST_CONFIDENCE:
            return "the moving image looks like a mirror image of the fixed one"
        return "the images do not agree beyond chance"


def _bend_of_frames(bend: np.ndarray, shapes: list[np.ndarray], size: int) -> np.ndarray:
    """A bend between canvases, half a side being 1, as one of `Alignment`."""
    rows, columns = shapes[1]
    return size / 2 * bend * [rows * rows, rows * columns, columns * columns] / shapes[0][:, None]


def _near(matrix: np.ndarray) -> bool:
    return bool(np.abs((matrix - IDENTITY) @ CORNERS).max() < _IN_PLACE)


def _limited(searched: Range, kind: str) -> Range:
    """The part of a range that a kind of transform has."""
    if kind == "translation":
        return Range((0.0,), (1.0,))
    return Range(searched.rotations_deg, (1.0,)) if kind == "rigid" else searched


def _canvas(frame: np.ndarray, inside: np.ndarray | None, shape: np.ndarray, device: torch.device) -> Tensor:
    """Values and weight (2, S, S) of an image in its right shape: (height, width), the greater one 1."""
    values = torch.as_tensor(np.array(frame, dtype=np.float32))
    weight = torch.ones_like(values) if inside is None else torch.as_tensor(np.array(inside, dtype=np.float32))
    stack = torch.stack((values * weight, weight))[None]
    size = values.shape[-1]
    sides = [max(round(size * float(part)), 16) for part in shape]
    if sides != [size, size]:
        small = interpolate(stack, size=tuple(sides), mode="bilinear", align_corners=False, antialias=True)
        stack = stack.new_zeros(1, 2, size, size)
        top, left = ((size - side) // 2 for side in sides)
        stack[..., top : top + sides[0], left : left + sides[1]] = small
    return stack[0].to(device)


def _structure(canvas: Tensor, pooled: int = _POOLED) -> ScaledStructure:
    return ScaledStructure(torch.stack(resized(canvas, _STRUCTURE)), pooled)


def _check(moving, fixed, kind, inside_moving, inside_fixed) -> None:
    if kind not in KINDS:
        raise ValueError(f"align: expected a kind of {', '.join(KINDS)}, got {kind!r}")
    shape = np.shape(fixed)
    if len(shape) != 2 or shape[0] != shape[1]:
        raise ValueError(f"align: expected square images, got {shape}")
    for name, array in (("moving", moving), ("inside_moving", inside_moving), ("inside_fixed", inside_fixed)):
        if array is not None and np.shape(array) != shape:
            raise ValueError(f"align: expected {name} of shape {shape} as the fixed image has, got {np.shape(array)}")
    for name, array in (("moving", moving), ("fixed", fixed)):
        if not np.isfinite(array).all():
            raise ValueError(f"align: expected finite values, got others in {name}")
