"""Which visits of a series may be averaged and compared, and why the others may not.

Most visits decide what is usual: the reference itself may be the one that differs.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

import numpy as np

from .. import calibration
from .comparable import LEAST_VESSEL_AGREEMENT, vessels_agree
from .copies import copies

if TYPE_CHECKING:
    from .series import AlignedVisit, Series

_SAME_FIELD = calibration.SAME_FIELD.value
_LEAST_SHARED = calibration.LEAST_SHARED_FIELD.value
LEAST_QUALITY = calibration.LEAST_SIGNAL_QUALITY.value
"""Visits of a lower signal quality are excluded, if at least two others are left."""
POOR_BUT_USED = "Used all the same: fewer than two visits would be left."
"""What is said of visits of low signal quality that are not excluded."""
_LEAST_LEFT = 2


class Reason(Enum):
    """Why a visit is excluded from average and change. The value is the beginning of what people read."""

    NOT_ALIGNED = "not aligned with the reference"
    DUPLICATE = "a copy of"
    INVERTED = "inverted grey values or another modality"
    FIELD = "another field of view"
    INCONSISTENT = "inconsistent alignment"
    LOW_QUALITY = "low signal quality"
    OTHER_EYE = "another eye or a wrong alignment"


@dataclass(frozen=True)
class Exclusion:
    """A visit's reason, and the rest of its text."""

    reason: Reason
    rest: str = ""

    @property
    def text(self) -> str:
        """The reason in plain English."""
        return f"{self.reason.value}{self.rest}"

    @classmethod
    def of_text(cls, text: str) -> Exclusion:
        """Inverse of `text`, for a table that is read back.

        Raises
        ------
        ValueError
            The text begins as no reason does.
        """
        for reason in Reason:
            if text.startswith(reason.value):
                return cls(reason, text[len(reason.value) :])
        raise ValueError(f"of_text: expected the reason of an exclusion, got {text!r}")


def low_quality(value: float) -> Exclusion:
    """The reason of a visit of low signal quality."""
    shown = min(value, LEAST_QUALITY - 0.1)  # 2.96 is not the least 3.0
    return Exclusion(Reason.LOW_QUALITY, f": {shown:.1f}, least {LEAST_QUALITY:.1f}")


def exclusions(series: Series, asked: Collection[str] = ()) -> dict[str, Exclusion]:
    """The visits that should not be averaged or compared, by name, each with one reason.

    Copies are found first, so that a scan counts once when most visits decide which contrast and which field of view is usual.
    Visits of low signal quality stay if fewer than two others would be left.

    Parameters
    ----------
    series : Series
    asked : collection of str
        Names of visits that the user wants to use whatever is found. They count for the others as any visit does.
    """
    judged = _Judged(series, asked)
    for judge in (_not_aligned, _copied, _inverted, _other_field, _inconsistent, _low_quality, _other_eye):
        judged.found |= judge(judged)
    return {name: judged.found[name] for name in (entry.visit.name for entry in series.visits) if name in judged.found}


class _Judged:
    """A series, and what was found of its visits so far."""

    def __init__(self, series: Series, asked: Collection[str]) -> None:
        self.series, self.asked = series, asked
        self.found: dict[str, Exclusion] = {}

    @property
    def left(self) -> list[int]:
        """Indices of the aligned visits without a reason so far."""
        visits = enumerate(self.series.visits)
        return [index for index, entry in visits if entry.aligned and entry.visit.name not in self.found]

    def of(self, found: dict[int, Exclusion]) -> dict[str, Exclusion]:
        """By name, without those that the user wants."""
        names = {index: self.series.visits[index].visit.name for index in found}
        return {names[index]: exclusion for index, exclusion in found.items() if names[index] not in self.asked}


def _not_aligned(judged: _Judged) -> dict[str, Exclusion]:
    series, found = judged.series, {}
    reference = series.visits[series.reference]
    for index, entry in enumerate(series.visits):
        if entry.aligned:
            continue
        ratio = _stated_ratio(entry, reference)
        if ratio and not _same_field(ratio):
            found[index] = Exclusion(
                Reason.FIELD, f", {ratio:.2f} times that of the reference, and not aligned with it"
            )
        else:
            tried = ", nor through another visit" if len(series.visits) > 2 else ""
            found[index] = Exclusion(Reason.NOT_ALIGNED, tried)
    return judged.of(found)


def _copied(judged: _Judged) -> dict[str, Exclusion]:
    left = judged.left
    visits = [judged.series.visits[index] for index in left]
    return judged.of(
        {
            left[copy]: Exclusion(Reason.DUPLICATE, f" {visits[first].visit.name}")
            for copy, first in copies(visits).items()
        }
    )


def _inverted(judged: _Judged) -> dict[str, Exclusion]:
    left = judged.left
    signs = [_sign(judged.series, index) for index in left]
    negative = signs.count(-1)
    usual = -1 if negative > len(left) - negative else 1
    against = ": the NCC with the reference is below 0" if usual == 1 else ": the NCC with most other visits is below 0"
    odd = (index for index, sign in zip(left, signs, strict=True) if sign != usual)
    return judged.of({index: Exclusion(Reason.INVERTED, against) for index in odd})


def _sign(series: Series, index: int) -> int:
    """Whether the grey values of a visit go with those of the reference, 1, or against them, -1."""
    entry, sign = series.visits[index], 1
    by_name = {other.visit.name: other for other in series.visits}
    for _ in series.visits:  # the NCC of a visit through another one is that with the other one
        sign *= -1 if entry.ncc < 0 else 1
        if not entry.via:
            break
        entry = by_name[entry.via]
    return sign


def _other_field(judged: _Judged) -> dict[str, Exclusion]:
    series, left = judged.series, judged.left
    sizes = [field_size(series, index) for index in left]
    groups = [[index for index, size in zip(left, sizes, strict=True) if _same_field(size / own)] for own in sizes]
    # Of groups of one size, that of the reference is the usual one.
    usual = max(groups, key=lambda group: (len(group), series.reference in group), default=[])
    typical = float(np.median([size for index, size in zip(left, sizes, strict=True) if index in usual] or [1.0]))
    found = {}
    for index, size in zip(left, sizes, strict=True):
        if index not in usual:
            found[index] = Exclusion(Reason.FIELD, f", {size / typical:.2f} times as wide as usual here")
        elif series.reference in usual and (shared := shared_field(series, index)) < _LEAST_SHARED:
            found[index] = Exclusion(Reason.FIELD, f", which shares {100 * shared:.0f} % with that of the reference")
    return judged.of(found)


def _inconsistent(judged: _Judged) -> dict[str, Exclusion]:
    limit = calibration.INCONSISTENT_PX.value
    names = judged.series.inconsistent_over(limit)
    over = Exclusion(Reason.INCONSISTENT, f", with a round-trip error over {limit:g} px")
    return judged.of({index: over for index in judged.left if judged.series.visits[index].visit.name in names})


def _low_quality(judged: _Judged) -> dict[str, Exclusion]:
    """Low signal quality, which is also why an alignment is inconsistent."""
    visits, qualities = judged.series.visits, judged.series.qualities
    inconsistent = {name for name, found in judged.found.items() if found.reason is Reason.INCONSISTENT}
    aligned = [index for index, entry in enumerate(visits) if entry.aligned]
    low = {
        index: low_quality(qualities[index])
        for index in aligned
        if qualities[index] < LEAST_QUALITY and (index in judged.left or visits[index].visit.name in inconsistent)
    }
    found = judged.of(low)
    others = [index for index in judged.left if visits[index].visit.name not in found]
    return found if len(others) >= _LEAST_LEFT else {}


def _other_eye(judged: _Judged) -> dict[str, Exclusion]:
    """Visits whose larger vessels do not agree with those of the reference; with most others, if these agree without it.

    Visits of low signal quality are not judged, and none is if the reference is excluded: their vessels may be lost.
    """
    series, left = judged.series, judged.left
    if series.reference not in left:
        return {}
    good = [index for index in left if not series.qualities[index] < LEAST_QUALITY or index == series.reference]
    usual = _usual_eye(series, good)
    whose = "those of the reference" if usual == series.reference else "those of most other visits"
    agreements = {index: vessels_agree(series.visits[usual], series.visits[index]) for index in good if index != usual}
    return judged.of(
        {
            index: Exclusion(Reason.OTHER_EYE, f": the agreement of its larger vessels with {whose} is {agreement:.2f}")
            for index, agreement in agreements.items()
            if agreement < LEAST_VESSEL_AGREEMENT
        }
    )


def _usual_eye(series: Series, good: list[int]) -> int:
    """The visit that shows the usual eye: the reference, unless most others agree with one of them and not with it."""

    def agree(first: int, second: int) -> bool:
        return not vessels_agree(series.visits[first], series.visits[second]) < LEAST_VESSEL_AGREEMENT

    others = [index for index in good if index != series.reference]
    against = [index for index in others if not agree(series.reference, index)]
    least = max(len(others) // 2 + 1, _LEAST_LEFT)
    if len(against) < least:
        return series.reference
    groups = {index: sum(agree(index, other) for other in against) for index in against}
    best = max(groups, key=groups.__getitem__)
    return best if groups[best] >= least else series.reference


def field_size(series: Series, index: int) -> float:
    """Width of an aligned visit's field of view in widths of the reference's, by the registration."""
    entry = series.visits[index]
    size, target = (math.prod(one.visit.image.geometry.size) for one in (entry, series.visits[series.reference]))
    return math.sqrt(size / target / abs(entry.area))


def shared_field(series: Series, index: int) -> float:
    """Share of the reference's frame that lies in a visit's frame, 0 to 1, whatever of it is tissue."""
    positions = series.visits[index].positions
    limits = np.array(series.visits[index].visit.image.geometry.size) - 0.5
    return float(((positions >= -0.5) & (positions <= limits)).all(-1).mean())


def _same_field(ratio: float) -> bool:
    return 1 / _SAME_FIELD <= ratio <= _SAME_FIELD


def _stated_ratio(entry: AlignedVisit, reference: AlignedVisit) -> float | None:
    """Width of a visit's field of view in widths of the reference's, by the sizes that the files state; else None."""
    places = [one.visit.image.geometry for one in (entry, reference)]
    if not all(place.spacing_known for place in places):
        return None
    areas = [math.prod(place.size) * math.prod(place.spacing) for place in places]
    return math.sqrt(areas[0] / areas[1])
