"""Registers all visits of one eye to one of them, directly or through another visit, and says which of them agree."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace

from ..errors import InputError
from ..formats.images import Image
from .alignment_error import alignment_errors
from .consistency import suspects_reference
from .quality import quality
from .round_trips import round_trips, round_trips_between_others, ways_round
from .series import AlignedVisit, Series, Visit
from .trust import LEAST_QUALITY, Reason, exclusions
from .visit_pairs import VisitPairs, aligned_directly, aligned_through, all_aligned_through_others

_CANDIDATES = 3  # for the reference
_CHOSEN = "chosen"


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
    pairs = VisitPairs(visits, register, tell, many, include)
    if reference is not None:
        series = _to_chosen(names.index(reference), qualities, pairs, include)
    else:
        chosen, why = _reference(visits, qualities, pairs)
        series = _with_better_reference(_aligned_to(chosen, why, qualities, pairs, include), pairs, include)
    errors = alignment_errors(series, pairs.errors)
    return replace(series, visits=[entry.with_error(error) for entry, error in zip(series.visits, errors, strict=True)])


def check_names(names: Sequence[str], include: Collection[str]) -> None:
    """Raise an `InputError` if one of `include` is not among the names of the visits."""
    missing = [name for name in include if name not in names]
    if missing:
        raise InputError(f"{{field}}: there is no visit {missing[0]!r}; there are {', '.join(names)}.", field="include")


def _reference(visits: Sequence[Visit], qualities: list[float], pairs: VisitPairs) -> tuple[int, str]:
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
    return [(index, reference) for index in ring] + [
        (ring[second], ring[first]) for first, second in ways_round(len(ring))
    ]


def _to_chosen(chosen: int, qualities: list[float], pairs: VisitPairs, include: Collection[str]) -> Series:
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


def _aligned_to(chosen: int, why: str, qualities: list[float], pairs: VisitPairs, include: Collection[str]) -> Series:
    """The series of a reference, with what is excluded from it."""
    pairs.ahead(_needed(len(pairs.visits), chosen))
    aligned = all_aligned_through_others(
        pairs, [aligned_directly(pairs, index, chosen) for index in range(len(pairs.visits))], chosen
    )
    loops = round_trips(pairs, aligned, chosen)
    series = Series(chosen, why, aligned, qualities, loops)
    if suspects_reference(series.inconsistent, aligned):
        series = replace(series, between_px=round_trips_between_others(pairs, series))
    return _judged(series, pairs, include)


def _aligned_through_one(
    chosen: int,
    order: Sequence[int],
    qualities: list[float],
    pairs: VisitPairs,
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
        found[index] = aligned_directly(pairs, index, chosen)
    composed = {index: aligned_through(pairs, found, index, [hub]) for index in others}
    missing = [index for index in others if not composed[index].aligned]
    pairs.ahead((index, chosen) for index in missing)
    for index in others:
        found[index] = aligned_directly(pairs, index, chosen) if index in missing else composed[index]
    aligned = all_aligned_through_others(pairs, found, chosen)
    loops, between = (
        (round_trips(pairs, aligned, chosen), {}) if before is None else (before.round_trip_px, before.between_px)
    )
    series = Series(chosen, _CHOSEN, aligned, qualities, loops, between_px=between)
    return _judged(series, pairs, include)


def _judged(series: Series, pairs: VisitPairs, include: Collection[str]) -> Series:
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


def _with_better_reference(series: Series, pairs: VisitPairs, include: Collection[str]) -> Series:
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
