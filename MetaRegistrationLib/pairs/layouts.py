"""The four layouts of folders of image pairs, each found by one function."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path

from ..errors import InputError
from ..formats.columns import PIXEL_SIZES, pixel_size_um, understood
from ..formats.earlier_results import may_hold_results, results_of
from ..formats.folder_listing import (
    ListedFolder,
    TablePaths,
    file_key,
    landmarks_beside,
    masked_name,
    name_key,
)
from ..formats.image_files import file_stem, where_it_leads
from ..formats.tables import Row, read_table
from ..formats.units import possible_pixel_um
from .files import PairFiles

TABLE_NAME = "pairs.csv"
_FILE_COLUMNS = (
    "moving",
    "fixed",
    "landmarks",
    "moving_landmarks",
    "fixed_landmarks",
    "moving_mask",
    "fixed_mask",
)
_COLUMNS = {
    **{name: (name,) for name in ("name", *_FILE_COLUMNS, "moving_spacing_um", "fixed_spacing_um", "slice")},
    "moving_mask": ("moving_mask", "mask_moving"),
    "fixed_mask": ("fixed_mask", "mask_fixed"),
    "split": ("split", "set"),
    **PIXEL_SIZES,
}
"""The columns of a table of pairs, each with the names under which it is understood."""
_DESCRIPTIVE = (
    "id",
    "patient",
    "patient_id",
    "subject",
    "subject_id",
    "eye",
    "side",
    "laterality",
    "date",
    "visit",
    "device",
    "quality",
    "n_landmarks",
    "note",
    "notes",
    "comment",
    "comments",
)
"""Columns that only describe a pair. They are not named."""
_MOST_NAME_BYTES = 240
"""Of a name that is given. A folder of results may have 255 on most systems, and equal names get a number."""
_JOINT_NAME_BYTES = 120
LAYOUTS = (
    "pairs.csv with the columns moving and fixed (paths from its own folder)",
    "the subfolders moving and fixed, with images of equal names",
    "images whose names end in _moving and _fixed",
    "one subfolder per pair, with two images (named moving and fixed, or else the first by name is moving)",
)


@dataclass(frozen=True)
class RowLeftOut:
    """A row of a table that cannot be understood, with the reason."""

    row: Row
    error: InputError

    @property
    def name(self) -> str:
        """The name that it gives its pair, else its place."""
        return self.row.text("name") or f"{self.row.path.name}, line {self.row.line}"


@dataclass
class Found:
    """Pairs of one layout in their order before they are checked, and the files that give no pair, with the reason.

    `note` names columns of a table that are not understood.
    """

    layout: str
    pairs: list[PairFiles | RowLeftOut] = field(default_factory=list)
    left_out: list[tuple[tuple[Path, ...], str]] = field(default_factory=list)
    note: str = ""


def find_layout(folder: Path) -> Found | None:
    """Pairs of the first layout of `LAYOUTS` that `folder` follows; None when it follows none."""
    content = _Content(folder)
    table = content.entry(TABLE_NAME)
    if table is not None and table.is_file():
        return from_table(table)
    return _from_two_folders(content) or _from_endings(content) or _from_subfolders(content)


class _Content(ListedFolder):
    """A folder of pairs. Masks are no images: those of one pair cannot be told from a layout."""

    def entry(self, name: str) -> Path | None:
        """The entry with that name in any case."""
        return self._by_key.get(name)

    @cached_property
    def _by_key(self) -> dict[str, Path]:
        found: dict[str, Path] = {}
        for path in self.entries:
            found.setdefault(name_key(path.name), path)
        return found

    def images_by_key(self, found: Found) -> dict[str, Path]:
        """Images by `file_key`. Masks, images of one key, and broken links are left out."""
        found.left_out += _named_masks(self.masks)
        found.left_out += _named_links(self.broken)
        groups: dict[str, list[Path]] = {}
        for path in self.images:
            groups.setdefault(file_key(path), []).append(path)
        for paths in groups.values():
            if len(paths) > 1:
                text = "several images have this name, so that it is unclear which is meant"
                found.left_out.append((tuple(paths), text))
        return {key: paths[0] for key, paths in groups.items() if len(paths) == 1}


def _named_masks(masks: Mapping[Path, str]) -> Iterator[tuple[tuple[Path, ...], str]]:
    for path, image in masks.items():
        yield (path,), f"a mask of {image} by its name. A table {TABLE_NAME} names the tissue masks to use"


def _named_links(links: Iterable[Path]) -> Iterator[tuple[tuple[Path, ...], str]]:
    for path in links:
        yield (path,), where_it_leads(path)


def from_table(path: Path) -> Found:
    """Pairs of a `pairs.csv`; a row that cannot be understood is left out."""
    table = read_table(path, ("moving", "fixed"))
    has_split = any("split" in row.cells for row in table)
    columns = {**_COLUMNS, "split": ("split",)} if has_split else _COLUMNS  # `set` has another meaning then
    rows, note = understood(table, path, columns, _DESCRIPTIVE)
    found, paths = Found(LAYOUTS[0], note=note), TablePaths(path.parent)
    for row in rows:
        try:
            found.pairs.append(_from_row(row, paths))
        except InputError as error:
            found.pairs.append(RowLeftOut(row, error))
    return found


def _from_row(row: Row, table: TablePaths) -> PairFiles:
    for column in ("moving", "fixed"):
        if not row.text(column):
            raise InputError(f"{row.place}: the column {column} is empty. Name an image, or remove the row.")
    size = len(_bytes(row.text("name")))
    if size > _MOST_NAME_BYTES:
        raise InputError(
            f"{row.place}: the name of the pair has {size} bytes, and a folder of results at most {_MOST_NAME_BYTES}. Shorten it"
            " in the column name."
        )
    paths = {column: table.find(row.text(column)) if row.text(column) else None for column in _FILE_COLUMNS}
    sizes = {column: _size(row, column) for column in ("moving_spacing_um", "fixed_spacing_um")}
    index = row.number("slice") if row.text("slice") else None
    if index is not None and (index < 0 or index != int(index)):
        raise InputError(f"{row.place}: slice must be a whole number from 0, but it is {row.text('slice')}.")
    return PairFiles(
        name=row.text("name") or _joint_name(paths["moving"], paths["fixed"]),
        split=row.text("split") or None,
        spacing_um=pixel_size_um(row, partial(_size, row)),
        **sizes,
        slice_index=None if index is None else int(index),
        **paths,
    )


def _size(row: Row, column: str, factor: float = 1) -> float | None:
    """A pixel size of a row, micrometres; None where the cell is empty."""
    size = row.number(column) if row.text(column) else None
    if size is not None and size <= 0:
        raise InputError(f"{row.place}: the pixel size must be above 0. Correct it, or leave it empty.")
    return None if size is None else possible_pixel_um(size * factor, row.place)


def _from_two_folders(content: _Content) -> Found | None:
    folders = [content.entry(name) for name in ("moving", "fixed")]
    if not all(path is not None and path.is_dir() for path in folders):
        return None
    found, sides = Found(LAYOUTS[1]), [_Content(path) for path in folders]
    images = [side.images_by_key(found) for side in sides]
    extra = [_landmarks_below(content, name) for name in ("landmarks", "moving_landmarks", "fixed_landmarks")]
    for key in sorted(images[0].keys() | images[1].keys()):
        moving, fixed = images[0].get(key), images[1].get(key)
        if moving is None or fixed is None:
            found.left_out.append(((moving or fixed,), "unmatched: no image of that name in the other folder"))
            continue
        points = [extra[number + 1].pop(key, None) or sides[number].landmarks.get(key) for number in (0, 1)]
        found.pairs.append(PairFiles(file_stem(moving), moving, fixed, extra[0].pop(key, None), *points))
    # A misspelt name would otherwise cost a pair its landmarks without a word.
    for path in (path for files in extra for path in files.values()):
        found.left_out.append(((path,), "unmatched: no image pair has the name of this landmark file"))
    return found


def _landmarks_below(content: _Content, name: str) -> dict[str, Path]:
    folder = content.entry(name)
    return _Content(folder).landmarks if folder is not None and folder.is_dir() else {}


def _from_endings(content: _Content) -> Found | None:
    found = Found(LAYOUTS[2])
    images, landmarks = content.images_by_key(found), content.landmarks
    roles = {key: re.fullmatch(r"(.+)_(moving|fixed)", key) for key in images}
    if not any(roles.values()):
        return None
    names = {role.group(1) for role in roles.values() if role}
    for name in sorted(names):
        moving, fixed = images.get(f"{name}_moving"), images.get(f"{name}_fixed")
        image = masked_name(name)
        if image in names:  # X_mask_moving beside X_moving
            found.left_out += _named_masks({path: image for path in (moving, fixed) if path is not None})
            continue
        if moving is None or fixed is None:
            missing = "_moving" if moving is None else "_fixed"
            found.left_out.append(((moving or fixed,), f"unmatched: no image of that name ends in {missing}"))
            continue
        side = [landmarks_beside(path, landmarks) for path in (moving, fixed)]
        stem = file_stem(moving)[: -len("_moving")]
        found.pairs.append(PairFiles(stem, moving, fixed, landmarks.get(f"{name}_landmarks"), *side))
    for key in sorted(key for key, role in roles.items() if not role):
        found.left_out.append(((images[key],), "unmatched: its name ends neither in _moving nor in _fixed"))
    return found


def _from_subfolders(content: _Content) -> Found | None:
    found, holds_images = Found(LAYOUTS[3]), False
    for subfolder in (path for path in content.entries if path.is_dir()):
        try:
            inner = _Content(subfolder)
        except OSError as error:
            found.left_out.append(((subfolder,), f"the folder cannot be read: {error.strerror or error}"))
            continue
        if may_hold_results(subfolder, (path.name for path in inner.entries)):
            words = results_of(subfolder)
            if words is not None:
                holds_images = True
                found.left_out.append(((subfolder,), f"it holds {words}, which are no input"))
                continue
        holds_images = holds_images or bool(inner.images)
        roles = _roles(inner.images)
        found.left_out += _named_masks(inner.masks)
        if roles is None:
            text = f"two images were expected in this folder, but it holds {len(inner.images)}"
            found.left_out.append(((subfolder,), text))
            continue
        both = inner.landmarks.get("landmarks") or inner.landmarks.get(f"{name_key(subfolder.name)}_landmarks")
        side = [
            landmarks_beside(path, inner.landmarks) or inner.landmarks.get(f"{role}_landmarks")
            for role, path in zip(("moving", "fixed"), roles, strict=True)
        ]
        found.pairs.append(PairFiles(subfolder.name, *roles, both, *side))
    found.left_out += [((path,), "unmatched: it is beside the subfolders") for path in content.images]
    found.left_out += _named_links(content.broken)
    found.left_out += _named_masks(content.masks)
    return found if holds_images else None


def _roles(images: list[Path]) -> tuple[Path, Path] | None:
    """Moving and fixed image of a folder of one pair; None where they cannot be told."""
    named = [[path for path in images if file_key(path).startswith(role)] for role in ("moving", "fixed")]
    if all(len(paths) == 1 for paths in named):
        return named[0][0], named[1][0]
    if len(images) != 2:
        return None
    first, second = images
    # One name may still show the roles; the order of names decides only if neither does.
    swapped = named[1] == [first] or named[0] == [second]
    return (second, first) if swapped else (first, second)


def _joint_name(moving: Path, fixed: Path) -> str:
    stems = [re.sub(r"[_-]?(moving|fixed)$", "", file_stem(path), flags=re.IGNORECASE) for path in (moving, fixed)]
    return stems[0] if stems[0] and stems[0] == stems[1] else _shortened(f"{file_stem(moving)}_{file_stem(fixed)}")


def _shortened(name: str) -> str:
    """A name of at most `_JOINT_NAME_BYTES`; a longer one ends in a hash of the whole, so that names stay different."""
    content = _bytes(name)
    if len(content) <= _JOINT_NAME_BYTES:
        return name
    end = f"_{hashlib.blake2b(content, digest_size=4).hexdigest()}"
    return content[: _JOINT_NAME_BYTES - len(end)].decode("utf-8", "ignore") + end


def _bytes(name: str) -> bytes:
    return name.encode("utf-8", "surrogatepass")
