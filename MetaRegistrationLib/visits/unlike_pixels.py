"""Visits with pixels of unlike sizes, whose densities are not compared.

The density of capillaries is computed from the texture of an image, which depends on the size of its pixels and on what the
device interpolates. A scan that is interpolated to pixels of half the size has 1.1 points more, of 15.7.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from .. import calibration
from .changes import MeasureChange, Verdict
from .measures import Measurement
from .own_pixels import size_of
from .series import AlignedVisit

_UNLIKE = calibration.UNLIKE_PIXELS.value
TEXTURE_MEASURES = ("capillary_density", "vessel_density", "nonperfused_area")
"""The measures that rest on the texture of an image."""


def sizes_of(entries: Iterable[AlignedVisit]) -> dict[str, float]:
    """The sizes of the pixels of aligned visits, in those of the reference, by visit."""
    return {entry.visit.name: size_of(entry) for entry in entries}


def unlike(sizes: Mapping[str, float], names: Collection[str] | None = None) -> bool:
    """Whether the pixels of visits (of all, without `names`) differ in size; `sizes` is by visit."""
    found = [size for name, size in sizes.items() if names is None or name in names]
    return bool(found) and max(found) > _UNLIKE * min(found)


def without_texture(rows: Iterable[Measurement], sizes: Mapping[str, float]) -> list[Measurement]:
    """Measurements that can be compared with one another: without those of the texture, if the visits have unlike pixels."""
    rows = list(rows)
    if not unlike(sizes, {row.visit for row in rows}):
        return rows
    return [row for row in rows if row.measure not in TEXTURE_MEASURES]


def not_comparable(changes: Sequence[MeasureChange]) -> list[MeasureChange]:
    """Changes between visits with unlike pixels: those of the texture are not comparable."""
    return [
        replace(change, verdict=Verdict.NOT_COMPARABLE) if change.measure in TEXTURE_MEASURES else change
        for change in changes
    ]


def sizes_text(sizes: Mapping[str, float]) -> str:
    """A sentence on visits with unlike pixels; empty if they are alike."""
    if not unlike(sizes):
        return ""
    largest = max(sizes.values())
    shown = ", ".join(f"{name} {size / largest:.2f}" for name, size in sizes.items())
    return (
        f"Different pixel sizes (of the largest: {shown}): the density of capillaries, the vessel density and the non-perfused"
        " area depend on the size of pixels. They are not compared."
    )
