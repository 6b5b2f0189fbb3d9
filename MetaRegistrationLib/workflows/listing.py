"""List the pairs of a folder with their properties, and the files left out with the reason."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..progress import Finished, Item, Message, Reader, Silent, Started
from .folders import PairSelection

if TYPE_CHECKING:
    from ..core.geometry import Geometry
    from ..pairs.files import ImagePair, PairHeaders
    from ..pairs.folders import PairFiles, PairFolder

TASK = "pairs"
IN_FULL = 500
"""Pairs up to which the images are read in full: at most some seconds."""


@dataclass(frozen=True)
class Listing:
    """A folder as it was understood.

    Attributes
    ----------
    folder : PairFolder
        Its usable pairs, and what is left out.
    records : list of dict
        One a usable pair, as of `record`.
    in_full : bool
        Whether the images were read in full; otherwise their headers, so that constant, NaN and damaged pixels do not show.
    """

    folder: PairFolder
    records: list[dict]
    in_full: bool


def list_pairs(
    selection: PairSelection,
    progress: Reader | None = None,
    *,
    pixels: bool | None = None,
    reason: Callable[[Exception], str] = str,
) -> Listing:
    """List the pairs of a folder, with one `item` event a usable pair.

    Parameters
    ----------
    selection : PairSelection
    progress : Reader, optional
    pixels : bool, optional
        Whether the images are read in full; by default those of up to 500 pairs are.
    reason : callable
        What the event at the end says of an error.

    Raises
    ------
    InputError
        There is no such folder, or no usable pair in it.
    """
    from ..pairs.folders import check_each

    progress = progress or Silent()
    found = selection.find(check=False)
    count = len(found.pairs)
    in_full = count <= IN_FULL if pixels is None else pixels
    read = type(found.pairs[0]).load if in_full else type(found.pairs[0]).headers
    progress(Started(TASK, count, detail={"folder": found.root, "layout": found.layout, "in_full": in_full}))
    records = []

    def usable(number: int, files: PairFiles, pair: ImagePair | PairHeaders) -> None:
        records.append(record(files, pair))
        progress(Item(number, count, files.name, records[-1]))

    folder = check_each(found, read, usable)
    if folder.note:
        progress(Message(folder.note, "warning"))
    for item in folder.left_out:
        progress(Message.of(item.error, f"left out: {', '.join(item.files)}: "))
    left_out = [{"files": item.files, "reason": reason(item.error)} for item in folder.left_out]
    values = {"layout": folder.layout, "pairs": len(records), "left_out": left_out, "in_full": in_full}
    progress(Finished(TASK, folder.root, values))
    return Listing(folder, records, in_full)


def record(files: PairFiles, pair: ImagePair | PairHeaders) -> dict:
    """What is known of a pair: files, sizes (width, height; pixels), spacing (x, y; um), field of view (mm), landmarks, split."""
    values: dict = {"name": files.name, "split": files.split}
    for role, path, image, landmarks in (
        ("moving", files.moving, pair.moving, pair.moving_landmarks),
        ("fixed", files.fixed, pair.fixed, pair.fixed_landmarks),
    ):
        rows, columns = image.geometry.size
        values[role] = path
        values[f"{role}_size"] = (columns, rows)
        values[f"{role}_spacing_um"] = _spacing_um(image.geometry)
        values[f"{role}_field_of_view_mm"] = _field_of_view_mm(image.geometry)
        values[f"{role}_landmarks"] = 0 if landmarks is None else len(landmarks)
    return values


def _spacing_um(geometry: Geometry) -> tuple[float, float] | None:
    if not geometry.spacing_known:
        return None
    rows, columns = geometry.spacing
    return round(1000 * columns, 6), round(1000 * rows, 6)


def _field_of_view_mm(geometry: Geometry) -> tuple[float, float] | None:
    """Width and height of the image; a person sees at a glance that 320 mm are not a retina."""
    if not geometry.spacing_known:
        return None
    height, width = (count * step for count, step in zip(geometry.size, geometry.spacing, strict=True))
    return round(width, 6), round(height, 6)
