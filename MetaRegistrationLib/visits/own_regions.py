"""Regions that the user drew on one visit, brought to the pixels of the reference."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..core.geometry import Geometry
from ..errors import InputError
from ..formats.label_maps import LabelMap
from .series import Series, Visit

_RESERVED = re.compile(r"whole|cent(re|er)|inner|outer|(inner|outer)[ _].*")
_NOT_IN_CELLS = re.compile(r"[\x00-\x1f\x7f]")
_FORMULA = ("=", "+", "-", "@")  # a spreadsheet computes a cell that begins with one
_SAME_DIRECTION = 0.1
_SAME_SIZE = 0.05  # relative difference of pixel sizes that are still those of one image


@dataclass(frozen=True, eq=False)
class GivenRegions:
    """Regions as the user gave them.

    Attributes
    ----------
    labels : LabelMap
        Its names as `region_names` made them.
    source : str
        The file or the argument, the beginning of messages.
    visit : str or None
        The visit on whose pixels they are drawn; None for the reference, or the only one that they fit.
    """

    labels: LabelMap
    source: str
    visit: str | None = None


@dataclass(frozen=True, eq=False)
class OwnRegions:
    """Regions on the pixels of the reference.

    Attributes
    ----------
    masks : dict of str to bool array (H, W)
    visit : str
        The visit on which they were drawn.
    others : tuple of str
        Further visits that they fit as well.
    source : str
    """

    masks: dict[str, np.ndarray]
    visit: str
    others: tuple[str, ...] = ()
    source: str = ""


def given_regions(labels: LabelMap, source: str, visit: str | None = None) -> GivenRegions:
    """Regions under names that tables can have.

    Raises
    ------
    InputError
        Two names differ only in case, or a name is empty, that of a standard region, or no cell of a table.
    """
    names = region_names(labels.regions, source)
    renamed = dict(zip(names, labels.regions.values(), strict=True))
    return GivenRegions(LabelMap(renamed, labels.geometry, labels.empty), source, visit)


def region_names(names: Iterable[str], source: str) -> list[str]:
    """The names without blanks around them. Errors as of `given_regions`."""
    found: list[str] = []
    for name in (unicodedata.normalize("NFC", str(name)).strip() for name in names):
        if not name or _NOT_IN_CELLS.search(name) or name.startswith(_FORMULA):
            raise InputError(
                f"{source}: {name!r} cannot be the name of a region. Use letters, numbers, spaces, - and _."
            )
        if _RESERVED.fullmatch(name.casefold()):
            raise InputError(f"{source}: a standard region has the name {name!r}. Rename the region.")
        if name.casefold() in (other.casefold() for other in found):
            raise InputError(f"{source}: two regions are called {name!r}. Rename one.")
        found.append(name)
    return found


def fitting(given: GivenRegions, visits: Sequence[Visit]) -> list[str]:
    """Names of the visits on whose pixels the regions can have been drawn; of the one that was named, its own.

    Raises
    ------
    InputError
        They fit none of the visits, or not the one that was named.
    """
    if given.visit is not None:
        named = next((visit for visit in visits if visit.name == given.visit), None)
        if named is None:
            known = ", ".join(visit.name for visit in visits)
            raise InputError(f"{{field}}: there is no visit {given.visit!r}; there are {known}.", field="regions_visit")
        if _size(given) != named.image.geometry.size and _crop(given, named) is None:
            raise InputError(_unfit(given, [named]))
        return [named.name]
    placed = [visit.name for visit in visits if _same_place(given, visit) or _crop(given, visit) is not None]
    if placed:
        return placed
    sized = [visit for visit in visits if visit.image.geometry.size == _size(given)]
    if not sized:
        raise InputError(_unfit(given, visits))
    found = [visit.name for visit in sized if not _other_pixels(given, visit)]
    if not found:
        own, other = given.labels.geometry, sized[0].image.geometry
        raise InputError(
            f"{given.source}: pixels as those of a visit were expected, such as {other} ({sized[0].name}), but it has {own}.",
            field="regions_visit",
            advice="If it was drawn on a visit all the same, say on which with {field}.",
        )
    return found


def on_reference(given: GivenRegions, series: Series) -> OwnRegions:
    """The regions on the pixels of the reference, by the nearest pixel.

    Raises
    ------
    InputError
        They fit no visit, several visits but not the reference, or a visit that could not be aligned.
    """
    by_name = {entry.visit.name: entry for entry in series.visits}
    reference = series.visits[series.reference].visit.name
    names = fitting(given, [entry.visit for entry in series.visits])
    if len(names) > 1 and reference not in names:
        raise InputError(
            f"{given.source}: the regions fit the visits {', '.join(names)}, but not the reference {reference}.",
            field="regions_visit",
            advice="Say on which visit they are drawn with {field}.",
        )
    chosen = by_name[reference if reference in names else names[0]]
    if not chosen.aligned:
        raise InputError(
            f"{given.source}: the regions are drawn on {chosen.visit.name}, which could not be aligned. Draw them on"
            " another visit."
        )
    masks = {
        name: _nearest(_whole(mask, given, chosen.visit), chosen.positions)
        for name, mask in given.labels.regions.items()
    }
    others = tuple(name for name in names if name != chosen.visit.name)
    return OwnRegions(masks, chosen.visit.name, others, given.source)


def _size(given: GivenRegions) -> tuple[int, int]:
    return next(iter(given.labels.regions.values())).shape


def _same_place(given: GivenRegions, visit: Visit) -> bool:
    own, other = given.labels.geometry, visit.image.geometry
    return own is not None and not own.unplaced and own.same_place(other)


def _other_pixels(given: GivenRegions, visit: Visit) -> bool:
    """Whether both state pixel sizes, and these or the directions of rows and columns contradict."""
    own, other = given.labels.geometry, visit.image.geometry
    if own is None or not (own.spacing_known and other.spacing_known):
        return False
    turned = not np.allclose(np.array(own.direction)[:, :2], np.array(other.direction)[:, :2], atol=_SAME_DIRECTION)
    return turned or not np.allclose(own.spacing, other.spacing, rtol=_SAME_SIZE)


def _crop(given: GivenRegions, visit: Visit) -> tuple[int, int] | None:
    """First row and column of regions that were saved as a part of a visit's frame, as Slicer can; None where they are not."""
    own, other = given.labels.geometry, visit.image.geometry
    if own is None or own.size == other.size:
        return None
    rows, columns = own.size
    first = np.round(other.to_pixels(own.to_physical(np.zeros(2)))).astype(int)
    part = Geometry(
        own.size, other.spacing, tuple(other.to_physical(first)), other.direction, spacing_known=other.spacing_known
    )
    last = np.add(first, (rows, columns))
    inside = (first >= 0).all() and (last <= other.size).all()
    return (int(first[0]), int(first[1])) if inside and not own.unplaced and own.same_place(part) else None


def _whole(mask: np.ndarray, given: GivenRegions, visit: Visit) -> np.ndarray:
    """A region on all pixels of the visit."""
    first = _crop(given, visit)
    if first is None:
        return mask
    found = np.zeros(visit.image.geometry.size, bool)
    found[first[0] : first[0] + mask.shape[0], first[1] : first[1] + mask.shape[1]] = mask
    return found


def _nearest(mask: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """A region (h, w) at the positions (H, W, 2), False beyond its frame."""
    rows, columns = np.moveaxis(np.floor(positions + 0.5).astype(np.int64), -1, 0)
    inside = (rows >= 0) & (columns >= 0) & (rows < mask.shape[0]) & (columns < mask.shape[1])
    found = np.zeros(inside.shape, bool)
    found[inside] = mask[rows[inside], columns[inside]]
    return found


def _unfit(given: GivenRegions, visits: Sequence[Visit]) -> str:
    rows, columns = _size(given)
    sizes: Mapping[str, list[str]] = {}
    for visit in visits:
        high, wide = visit.image.geometry.size
        sizes.setdefault(f"{wide} x {high}", []).append(visit.name)
    expected = " or ".join(f"{size} ({', '.join(names)})" for size, names in sizes.items())
    return (
        f"{given.source}: regions of {expected} pixels were expected, as a visit has, but they have {columns} x {rows}."
        " Draw them on the image of a visit."
    )
