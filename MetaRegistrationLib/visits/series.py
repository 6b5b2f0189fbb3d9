"""All visits of one eye, registered to one of them directly or through another visit, and checked by round-trip errors."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from threading import Lock

import numpy as np
from scipy import ndimage

from .. import calibration
from ..errors import InputError
from ..eye_length import EyeLength
from ..formats.images import Image, tissue
from ..formats.landmarks import Landmarks, match_landmarks
from ..stages import LEAST_CONFIDENCE
from .alignment_error import AlignmentError, StepError, alignment_errors
from .consistency import inconsistent_visits, suspects_reference, triangles
from .dates import When
from .no_signal import no_signal
from .quality import quality
from .trust import LEAST_QUALITY, Exclusion, Reason, exclusions, low_quality
from .unknown import usual_area

LEAST_CONSISTENCY_PX = calibration.CONSISTENCY_PX.value
"""Least median round-trip error that is inconsistent, in pixels of the network grid (400 x 400)."""
_FRAME = 400
_EVERY = 8  # pixels between the points of a round trip
_SMOOTHED_FROM = 1.25  # pixels of an image for one of the reference
_CANDIDATES = 3  # for the reference
_BRIDGES = 12  # visits that a visit is tried to be aligned through, at a time
_CHOSEN = "chosen"
_WITNESSES = 5  # visits between which round trips are measured if the reference may be at fault


@dataclass(frozen=True, eq=False)
class Visit:
    """One image of the eye.

    Attributes
    ----------
    name : str
    image : Image
    date : str
        As tables and pages show it.
    landmarks : Landmarks or None
        In pixels of the image.
    when : When or None
        The date as it can be compared; None if it is unknown.
    centre_xy : (float, float) or None
        Centre of the ETDRS grid, (x, y) in pixels of the image, if one was given.
    """

    name: str
    image: Image
    date: str = ""
    landmarks: Landmarks | None = None
    when: When | None = None
    centre_xy: tuple[float, float] | None = None


@dataclass(frozen=True, eq=False)
class AlignedVisit:
    """A visit on the pixels of the reference.

    Attributes
    ----------
    visit : Visit
    positions : float32 array (H, W, 2) or None
        Position of each pixel of the reference in this image, (row, column); None if it could not be aligned.
    via : str
        The visit through which it was aligned; empty if directly.
    confidence : float
        That of the alignment; through another visit, the lower of the two.
    ncc : float
        NCC after, on the network grid of the registration; through another visit, that with the other visit.
    result_stage : str
        As `Registration.result_stage`.
    error : AlignmentError or None
        The predicted error; through another visit, the sum of the two. None if none was predicted.
    """

    visit: Visit
    positions: np.ndarray | None
    via: str = ""
    confidence: float = math.nan
    ncc: float = math.nan
    result_stage: str = "none"
    error: AlignmentError | None = None

    @property
    def aligned(self) -> bool:
        """Whether it can be used."""
        return self.positions is not None

    @property
    def uncertain(self) -> np.ndarray | None:
        """Pixels of the reference, bool (H, W), at which the alignment is too uncertain to measure; None if no error was
        predicted.
        """
        return None if self.error is None else self.error.uncertain

    @property
    def finer(self) -> bool:
        """Whether its pixels are much smaller than those of the reference."""
        return math.sqrt(abs(usual_area(self.positions))) > _SMOOTHED_FROM

    @cached_property
    def warped(self) -> tuple[np.ndarray, np.ndarray]:
        """The image on the reference's pixels, float32 (H, W), interpolated once, and where it shows tissue, bool (H, W).

        Bands without signal show none.

        An image of much smaller pixels is smoothed first, so that its noise is that of the reference's pixels.
        """
        places = np.moveaxis(self.positions, -1, 0)
        array = np.where(np.isfinite(self.visit.image.array), self.visit.image.array, 0).astype(np.float32)
        signal = tissue(self.visit.image)
        signal = signal & ~no_signal(array, signal)
        step = math.sqrt(abs(usual_area(self.positions)))
        if step > _SMOOTHED_FROM:
            array = ndimage.gaussian_filter(array, 0.5 * math.sqrt(step**2 - 1))
        values = ndimage.map_coordinates(array, places, order=1, mode="nearest")
        shown = ndimage.map_coordinates(signal.astype(np.float32), places, order=1, mode="constant")
        seen = shown > 0.999
        return np.where(seen, values, np.float32(0)), seen


@dataclass(frozen=True, eq=False)
class Series:
    """The aligned visits of an eye.

    Attributes
    ----------
    reference : int
        Index of the visit that all others were registered to.
    why : str
        Why it was chosen.
    visits : list of AlignedVisit
        In the order given, the reference included.
    qualities : list of float
    round_trip_px : dict of (str, str) to float
        Median round-trip error from a visit over another one to the reference, pixels of the network grid (400 x 400).
    between_px : dict of (str, str, str) to float
        The same from a visit over another one to a third that is not the reference; measured if the reference may be at fault.
    order : str
        What the order of the visits rests on, a key of `orders.ORDERS`.
    side : str
        "right", "left" or "" (unknown).
    excluded : dict of str to Exclusion
        Names of the visits that are out of average and change, and why (`trust`).
    asked : dict of str to Exclusion
        Names of the visits that would be excluded if the user had not asked for them.
    eye_length : EyeLength or None
        The axial length, if it is known.
    """

    reference: int
    why: str
    visits: list[AlignedVisit]
    qualities: list[float]
    round_trip_px: dict[tuple[str, str], float] = field(default_factory=dict)
    order: str = "given"
    side: str = ""
    excluded: dict[str, Exclusion] = field(default_factory=dict)
    asked: dict[str, Exclusion] = field(default_factory=dict)
    between_px: dict[tuple[str, str, str], float] = field(default_factory=dict)
    eye_length: EyeLength | None = None

    @property
    def pixel_mm(self) -> tuple[float, float] | None:
        """Distance between rows and between columns of the reference on the retina, mm; None if it is unknown.

        It is what the file states, scaled by the axial length where that is known.
        """
        geometry = self.visits[self.reference].visit.image.geometry
        if not geometry.spacing_known:
            return None
        scale = 1.0 if self.eye_length is None else self.eye_length.scale
        return float(geometry.spacing[0]) * scale, float(geometry.spacing[1]) * scale

    @property
    def poor(self) -> dict[str, Exclusion]:
        """Visits of low signal quality that are used because fewer than two would be left without them, and nobody asked."""
        by_name = {entry.visit.name: value for entry, value in zip(self.visits, self.qualities, strict=True)}
        names = [entry.visit.name for entry in self.used if entry.visit.name not in self.asked]
        return {name: low_quality(by_name[name]) for name in names if by_name[name] < LEAST_QUALITY}

    @property
    def used(self) -> list[AlignedVisit]:
        """The visits that are averaged, and compared unless others are named: aligned and not excluded."""
        return [entry for entry in self.visits if entry.aligned and entry.visit.name not in self.excluded]

    @property
    def centre_xy(self) -> tuple[float, float] | None:
        """The centre of the ETDRS grid, (x, y) in pixels of the reference, if a visit has one; that of the reference first."""
        entries = [self.visits[self.reference], *self.visits]
        given = next((entry for entry in entries if entry.aligned and entry.visit.centre_xy is not None), None)
        if given is None:
            return None
        away = np.linalg.norm(given.positions - np.array(given.visit.centre_xy[::-1]), axis=-1)
        row, column = np.unravel_index(int(np.argmin(away)), away.shape)
        return float(column), float(row)

    def landmark_distance_px(self, index: int) -> float:
        """Mean distance of a visit's landmarks from the mapped ones of the reference, in pixels of the visit; NaN without."""
        entry, fixed = self.visits[index], self.visits[self.reference].visit.landmarks
        if index == self.reference or not entry.aligned or fixed is None or entry.visit.landmarks is None:
            return math.nan
        try:
            moving, fixed = match_landmarks(entry.visit.landmarks, fixed)
        except InputError as error:
            raise error.within(f"{entry.visit.name}: ") from None
        return float(np.linalg.norm(_at(entry.positions, fixed.points) - moving.points, axis=-1).mean())

    @cached_property
    def inconsistent(self) -> list[str]:
        """Visits at fault where round-trip errors are over `LEAST_CONSISTENCY_PX`."""
        return self.inconsistent_over(LEAST_CONSISTENCY_PX)

    def inconsistent_over(self, limit_px: float) -> list[str]:
        """Visits at fault where round-trip errors are over a limit; the reference, if the others agree without it."""
        names = [entry.visit.name for entry in self.visits]
        poor = [name for name, value in zip(names, self.qualities, strict=True) if value < LEAST_QUALITY]
        return inconsistent_visits(names[self.reference], names, self.round_trip_px, self.between_px, limit_px, poor)


def align_series(
    visits: Sequence[Visit],
    register: Callable[[Image, Image], object],
    reference: str | None = None,
    tell: Callable[[str], None] = lambda text: None,
    many: Callable[..., Iterable] = map,
    include: Collection[str] = (),
) -> Series:
    """Register all visits to one, and find out which of them may be averaged and compared.

    Parameters
    ----------
    visits : sequence of Visit
        At least two, each name once.
    register : callable
        ``register(moving, fixed)`` gives a `Registration`, as a `Registrar` does.
    reference : str, optional
        Name of the visit that stays in place. By default, the one with the best `quality`, or the next best to which more
        can be aligned, or after which fewer are excluded; none of low quality, if others are not. To a visit of low quality, or
        one that the others do not agree with, all are aligned through the best one of the others.
    tell : callable
        Called with a sentence before each registration.
    many : callable
        As `map`. One that calls its function in parallel calls `register` in parallel.
    include : collection of str
        Names of visits that are used whatever is found (`trust`).

    Raises
    ------
    InputError
        Fewer than two visits, two of one name, or no visit of the name `reference` or of a name in `include`.
    """
    names = [visit.name for visit in visits]
    if len(visits) < 2 or len(set(names)) < len(names):
        raise InputError(
            f"A series needs at least two visits, each with a name of its own; got {', '.join(names) or 'none'}."
        )
    if reference is not None and reference not in names:
        raise InputError(f"There is no visit {reference!r} to be the reference; there are {', '.join(names)}.")
    check_names(names, include)
    qualities = [quality(visit.image) for visit in visits]
    pairs = _Pairs(visits, register, tell, many, include)
    if reference is not None:
        series = _to_chosen(names.index(reference), qualities, pairs, include)
    else:
        chosen, why = _reference(visits, qualities, pairs)
        series = _with_better_reference(_aligned_to(chosen, why, qualities, pairs, include), pairs, include)
    errors = alignment_errors(series, pairs.errors)
    return replace(
        series, visits=[replace(entry, error=error) for entry, error in zip(series.visits, errors, strict=True)]
    )


def check_names(names: Sequence[str], include: Collection[str]) -> None:
    """Raise an `InputError` if one of `include` is not among the names of the visits."""
    missing = [name for name in include if name not in names]
    if missing:
        raise InputError(f"{{field}}: there is no visit {missing[0]!r}; there are {', '.join(names)}.", field="include")


def _to_chosen(chosen: int, qualities: list[float], pairs: _Pairs, include: Collection[str]) -> Series:
    """The series of the reference that the user chose."""
    order = _good_first(qualities, [index for index in range(len(qualities)) if index != chosen])
    if qualities[chosen] < LEAST_QUALITY <= qualities[order[0]]:
        found = _aligned_through_one(chosen, order, qualities, pairs, include)
        if found is not None:
            return found
    series = _aligned_to(chosen, _CHOSEN, qualities, pairs, include)
    own = series.excluded.get(series.visits[chosen].visit.name)
    if own is None or own.reason is not Reason.INCONSISTENT:
        return series
    found = _aligned_through_one(chosen, order, qualities, pairs, include, series)
    return found or series


def _aligned_to(chosen: int, why: str, qualities: list[float], pairs: _Pairs, include: Collection[str]) -> Series:
    """The series of a reference, with what is excluded from it."""
    pairs.ahead(_needed(len(pairs.visits), chosen))
    aligned = _through_others(pairs, [_direct(pairs, index, chosen) for index in range(len(pairs.visits))], chosen)
    loops = _loops(pairs, aligned, chosen)
    series = Series(chosen, why, aligned, qualities, loops)
    if suspects_reference(series.inconsistent, aligned):
        series = replace(series, between_px=_between(pairs, series))
    return _judged(series, pairs, include)


def _aligned_through_one(
    chosen: int,
    order: Sequence[int],
    qualities: list[float],
    pairs: _Pairs,
    include: Collection[str],
    before: Series | None = None,
) -> Series | None:
    """The series of a poor reference: all visits are aligned to the first of `order` that is aligned to it.

    Errors of the alignment with the reference are then common to all, so that the others still fit one another. None if none
    can be aligned to the reference. Round trips `before` tell that the reference is at fault, and are kept.
    """
    hub = next((index for index in order[:_CANDIDATES] if pairs(index, chosen)[0] is not None), None)
    if hub is None:
        return None
    count = len(pairs.visits)
    others = [index for index in range(count) if index not in (hub, chosen)]
    pairs.ahead((index, hub) for index in others)
    found = [AlignedVisit(visit, None) for visit in pairs.visits]
    for index in (chosen, hub):
        found[index] = _direct(pairs, index, chosen)
    through = {index: _through(pairs, found, index, [hub]) for index in others}
    missing = [index for index in others if not through[index].aligned]
    pairs.ahead((index, chosen) for index in missing)
    for index in others:
        found[index] = _direct(pairs, index, chosen) if index in missing else through[index]
    aligned = _through_others(pairs, found, chosen)
    loops, between = (
        (_loops(pairs, aligned, chosen), {}) if before is None else (before.round_trip_px, before.between_px)
    )
    series = Series(chosen, _CHOSEN, aligned, qualities, loops, between_px=between)
    return _judged(series, pairs, include)


def _judged(series: Series, pairs: _Pairs, include: Collection[str]) -> Series:
    """The series with what is excluded from it, and with positions of visits that the user wants all the same."""
    forced = [
        entry if entry.aligned else replace(entry, positions=pairs.forced.get((index, series.reference)))
        for index, entry in enumerate(series.visits)
    ]
    against = exclusions(series)
    excluded = exclusions(series, include) if include else against
    asked = {name: against[name] for name in against if name not in excluded}
    return replace(series, visits=forced, excluded=excluded, asked=asked)


def _good_first(qualities: Sequence[float], indices: Sequence[int]) -> list[int]:
    """From the best to the worst quality; those of low quality only if all are."""
    order = sorted(indices, key=lambda index: -qualities[index])
    return [index for index in order if qualities[index] >= LEAST_QUALITY] or order


def _with_better_reference(series: Series, pairs: _Pairs, include: Collection[str]) -> Series:
    """The series of another reference if the present one is excluded, or most others are because of it."""
    order = _good_first(series.qualities, range(len(series.visits)))
    # A visit that is in use is a better reference than one that is excluded.
    order.sort(key=lambda index: series.visits[index].visit.name in series.excluded)
    best = series
    for candidate in order[:_CANDIDATES]:
        if not _is_doubtful(best):
            break
        if candidate == best.reference:
            continue
        why = "best image quality among those that agree with most others"
        found = _aligned_to(candidate, why, series.qualities, pairs, include)
        if (_reference_used(found), len(found.used)) > (_reference_used(best), len(best.used)):
            best = found
    return best


def _is_doubtful(series: Series) -> bool:
    """Whether the reference is excluded, or the other visits are because they disagree with it."""
    against = sum(exclusion.reason is not Reason.DUPLICATE for exclusion in series.excluded.values())
    return not _reference_used(series) or against > len(series.visits) / 2


def _reference_used(series: Series) -> bool:
    return series.visits[series.reference].visit.name not in series.excluded


class _Pairs:
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


def _reference(visits: Sequence[Visit], qualities: list[float], pairs: _Pairs) -> tuple[int, str]:
    order = _good_first(qualities, range(len(visits)))
    best, reached = order[0], -1
    pairs.ahead(_needed(len(visits), order[0]))
    for candidate in order[:_CANDIDATES]:
        pairs.ahead((other, candidate) for other in range(len(visits)) if other != candidate)
        count = sum(pairs(other, candidate)[0] is not None for other in range(len(visits)) if other != candidate)
        if count > reached:
            best, reached = candidate, count
        if count == len(visits) - 1:
            break
    why = (
        "best image quality"
        if best == order[0]
        else "best image quality among those to which most others can be aligned"
    )
    return best, f"{why} ({reached} of {len(visits) - 1} others are aligned to it directly)"


def _needed(count: int, reference: int) -> list[tuple[int, int]]:
    """The registrations (moving, fixed) that are needed if all visits can be aligned to the reference."""
    ring = [index for index in range(count) if index != reference]
    return [(index, reference) for index in ring] + [(ring[second], ring[first]) for first, second in _ways(len(ring))]


def _ways(count: int) -> list[tuple[int, int]]:
    """Pairs of aligned visits whose round-trip error is measured, so that each visit is in one at least."""
    odd = [(count - 2, count - 1)] if count % 2 and count > 1 else []
    return [(place, place + 1) for place in range(0, count - 1, 2)] + odd


def _direct(pairs: _Pairs, index: int, reference: int) -> AlignedVisit:
    visit = pairs.visits[index]
    if index == reference:
        height, width = visit.image.geometry.size
        grid = np.stack(np.meshgrid(np.arange(height), np.arange(width), indexing="ij"), axis=-1)
        return AlignedVisit(visit, grid.astype(np.float32), "", 1.0, 1.0, "reference")
    positions, confidence, ncc, stage = pairs(index, reference)
    return AlignedVisit(visit, positions, "", confidence, ncc, stage)


def _through_others(pairs: _Pairs, found: list[AlignedVisit], reference: int) -> list[AlignedVisit]:
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
        for index, entry in [(index, _through(pairs, found, index, bridges)) for index in missing]:
            found[index] = entry


def _through(pairs: _Pairs, found: list[AlignedVisit], index: int, bridges: list[int]) -> AlignedVisit:
    """Through the aligned visit that gives the highest confidence; the direct result if there is none."""
    best = found[index]
    for other in bridges:
        step = found[other]
        positions, confidence, ncc, stage = pairs(index, other)
        if positions is None:
            continue
        lower = min(confidence, step.confidence)
        if not best.aligned or lower > best.confidence:
            composed = _at(positions, step.positions)
            best = AlignedVisit(pairs.visits[index], composed, step.visit.name, lower, ncc, stage)
    return best


def _loops(pairs: _Pairs, visits: list[AlignedVisit], reference: int) -> dict[tuple[str, str], float]:
    """Round-trip errors: each visit is in one round trip, and in two if the first error is too large."""
    ring = [index for index, entry in enumerate(visits) if entry.aligned and index != reference]
    count, found = len(ring), {}
    wanted = _ways(count)
    pairs.ahead((ring[second], ring[first]) for first, second in wanted)
    for first, second in wanted:
        if (first, second) in found:
            continue
        between = pairs(ring[second], ring[first])[0]
        miss = math.nan if between is None else _miss(between, visits[ring[first]], visits[ring[second]])
        found[first, second] = miss
        if not miss <= LEAST_CONSISTENCY_PX and count > 2:  # which of the two is inconsistent?
            beside = [((first - 1) % count, first), (second, (second + 1) % count)]
            wanted += [tuple(sorted(pair)) for pair in beside if tuple(sorted(pair)) not in found]
    names = [visits[index].visit.name for index in ring]
    return {(names[first], names[second]): px for (first, second), px in sorted(found.items())}


def _between(pairs: _Pairs, series: Series) -> dict[tuple[str, str, str], float]:
    """Round-trip errors between the best visits without the reference."""
    members = [index for index, entry in enumerate(series.visits) if entry.aligned and index != series.reference]
    members = sorted(members, key=lambda index: -series.qualities[index])[:_WITNESSES]
    wanted = list(triangles(members))
    pairs.ahead(pair for start, over, end in wanted for pair in ((start, over), (start, end), (over, end)))
    found = {}
    for start, over, end in wanted:
        between = pairs(start, over)[0]
        first, second = (_direct(pairs, index, end) for index in (over, start))
        measured = between is not None and first.aligned and second.aligned
        names = tuple(pairs.visits[index].name for index in (start, over, end))
        found[names] = _miss(between, first, second) if measured else math.nan
    return found


def _miss(between: np.ndarray, first: AlignedVisit, second: AlignedVisit) -> float:
    start = first.positions[::_EVERY, ::_EVERY]
    direct = second.positions[::_EVERY, ::_EVERY]
    over = _at(between, start)
    sizes = [np.asarray(entry.visit.image.geometry.size) for entry in (first, second)]
    inside = np.all(
        [
            ((at >= 0) & (at <= size - 1)).all(-1)
            for at, size in ((start, sizes[0]), (over, sizes[1]), (direct, sizes[1]))
        ],
        axis=0,
    )
    if not inside.any():
        return math.nan
    return float(np.median(np.linalg.norm((over - direct)[inside] * (_FRAME / sizes[1]), axis=-1)))


def _at(positions: np.ndarray, places: np.ndarray) -> np.ndarray:
    """`positions` (h, w, 2) at other positions (H, W, 2) of the same image, linear; extrapolated beyond the border."""
    limits = np.array(positions.shape[:2]) - 1.0
    inside = np.clip(places, 0, limits)
    at = np.moveaxis(inside, -1, 0)
    found = np.stack(
        [ndimage.map_coordinates(channel, at, order=1, mode="nearest") for channel in np.moveaxis(positions, -1, 0)], -1
    )
    return (found + (places - inside)).astype(np.float32)
