"""The four layouts of folders of image pairs, each found by one function."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import InputError
from ..formats.earlier_results import may_hold_results, results_of
from ..formats.image_files import file_stem, file_suffix, is_hidden, is_image_file
from ..formats.landmarks import LANDMARK_SUFFIXES
from ..formats.tables import Row, read_table
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
LAYOUTS = (
    "pairs.csv with the columns moving and fixed (paths from its own folder)",
    "the subfolders moving and fixed, with images of equal names",
    "images whose names end in _moving and _fixed",
    "one subfolder per pair, with two images (named moving and fixed, or else the first by name is moving)",
)


@dataclass
class Found:
    """Pairs of one layout before they are checked, and the files that it could not pair, with the reason."""

    layout: str
    pairs: list[PairFiles] = field(default_factory=list)
    left_out: list[tuple[tuple[Path, ...], str]] = field(default_factory=list)


def find_layout(folder: Path) -> Found | None:
    """Pairs of the first layout of `LAYOUTS` that `folder` follows; None when it follows none."""
    table = _entry(folder, TABLE_NAME)
    if table is not None and table.is_file():
        return from_table(table)
    return _from_two_folders(folder) or _from_endings(folder) or _from_subfolders(folder)


def from_table(path: Path) -> Found:
    """Pairs of a `pairs.csv`; a row that cannot be understood is left out."""
    found = Found(LAYOUTS[0])
    for row in read_table(path, ("moving", "fixed")):
        try:
            found.pairs.append(_from_row(row))
        except InputError as error:
            found.left_out.append(((path,), str(error)))
    return found


def _from_row(row: Row) -> PairFiles:
    folder = row.path.parent
    for column in ("moving", "fixed"):
        if not row.text(column):
            raise InputError(f"{row.place}: the column {column} is empty. Name an image, or remove the row.")
    paths = {column: _resolved(folder, row.text(column)) if row.text(column) else None for column in _FILE_COLUMNS}
    sizes = {column: _size(row, column) for column in ("spacing_um", "moving_spacing_um", "fixed_spacing_um")}
    if row.text("spacing") and sizes["spacing_um"] is None:
        sizes["spacing_um"] = _size(row, "spacing") * 1000
    index = row.number("slice") if row.text("slice") else None
    if index is not None and (index < 0 or index != int(index)):
        raise InputError(f"{row.place}: slice must be a whole number from 0, but it is {row.text('slice')}.")
    return PairFiles(
        name=row.text("name") or _joint_name(paths["moving"], paths["fixed"]),
        split=row.text("split") or None,
        **sizes,
        slice_index=None if index is None else int(index),
        **paths,
    )


def _size(row: Row, column: str) -> float | None:
    """A pixel size of a row; None where the cell is empty."""
    size = row.number(column) if row.text(column) else None
    if size is not None and size <= 0:
        raise InputError(f"{row.place}: the pixel size must be above 0. Correct it, or leave it empty.")
    return size


def _from_two_folders(folder: Path) -> Found | None:
    moving_folder, fixed_folder = _entry(folder, "moving"), _entry(folder, "fixed")
    if not all(path is not None and path.is_dir() for path in (moving_folder, fixed_folder)):
        return None
    found = Found(LAYOUTS[1])
    images = [_images_by_key(side, found) for side in (moving_folder, fixed_folder)]
    beside = [_landmarks_by_key(side) for side in (moving_folder, fixed_folder)]
    extra = [_landmarks_by_key(_entry(folder, name)) for name in ("landmarks", "moving_landmarks", "fixed_landmarks")]
    for key in sorted(images[0].keys() | images[1].keys()):
        moving, fixed = images[0].get(key), images[1].get(key)
        if moving is None or fixed is None:
            found.left_out.append(((moving or fixed,), "unmatched: no image of that name in the other folder"))
            continue
        side = [extra[number + 1].pop(key, None) or beside[number].get(key) for number in (0, 1)]
        found.pairs.append(PairFiles(file_stem(moving), moving, fixed, extra[0].pop(key, None), *side))
    # A misspelt name would otherwise cost a pair its landmarks without a word.
    for path in (path for files in extra for path in files.values()):
        found.left_out.append(((path,), "unmatched: no image pair has the name of this landmark file"))
    return found


def _from_endings(folder: Path) -> Found | None:
    found = Found(LAYOUTS[2])
    images = _images_by_key(folder, found)
    roles = {key: re.fullmatch(r"(.+)_(moving|fixed)", key) for key in images}
    if not any(roles.values()):
        return None
    landmarks = _landmarks_by_key(folder)
    names = sorted({role.group(1) for role in roles.values() if role})
    for name in names:
        moving, fixed = images.get(f"{name}_moving"), images.get(f"{name}_fixed")
        if moving is None or fixed is None:
            missing = "_moving" if moving is None else "_fixed"
            found.left_out.append(((moving or fixed,), f"unmatched: no image of that name ends in {missing}"))
            continue
        side = [_landmarks_of(landmarks, f"{name}_moving"), _landmarks_of(landmarks, f"{name}_fixed")]
        stem = file_stem(moving)[: -len("_moving")]
        found.pairs.append(PairFiles(stem, moving, fixed, landmarks.get(f"{name}_landmarks"), *side))
    for key in sorted(key for key, role in roles.items() if not role):
        found.left_out.append(((images[key],), "unmatched: its name ends neither in _moving nor in _fixed"))
    return found


def _from_subfolders(folder: Path) -> Found | None:
    found, holds_images = Found(LAYOUTS[3]), False
    for subfolder in (path for path in _entries(folder) if path.is_dir()):
        entries = _entries(subfolder)
        if may_hold_results(subfolder, (path.name for path in entries)):
            words = results_of(subfolder)
            if words is not None:
                holds_images = True
                found.left_out.append(((subfolder,), f"it holds {words}, which are no input"))
                continue
        images = [path for path in entries if is_image_file(path)]
        holds_images = holds_images or bool(images)
        named = [[path for path in images if _key(path).startswith(role)] for role in ("moving", "fixed")]
        if all(len(paths) == 1 for paths in named):
            moving, fixed = named[0][0], named[1][0]
        elif len(images) == 2:
            # One name may still show the roles; the order of names decides only if neither does.
            moving, fixed = reversed(images) if named[1] == images[:1] or named[0] == images[1:] else images
        else:
            found.left_out.append(
                ((subfolder,), f"two images were expected in this folder, but it holds {len(images)}")
            )
            continue
        landmarks = _landmarks_by_key(subfolder)
        both = landmarks.get("landmarks") or landmarks.get(f"{_key(subfolder)}_landmarks")
        side = [
            _landmarks_of(landmarks, _key(path)) or landmarks.get(f"{role}_landmarks")
            for role, path in (("moving", moving), ("fixed", fixed))
        ]
        found.pairs.append(PairFiles(subfolder.name, moving, fixed, both, *side))
    found.left_out += [((path,), "unmatched: it is beside the subfolders") for path in _loose_images(folder)]
    return found if holds_images else None


def _loose_images(folder: Path) -> list[Path]:
    return [path for path in _entries(folder) if is_image_file(path)]


def _entries(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if not is_hidden(path))


def _entry(folder: Path, name: str) -> Path | None:
    """Entry of `folder` with that name in any case."""
    return next((path for path in _entries(folder) if path.name.lower() == name), None)


def _key(path: Path) -> str:
    # macOS may store the same accent in another form.
    stem = path.name if path.is_dir() else file_stem(path)
    return unicodedata.normalize("NFC", stem).casefold()


def _images_by_key(folder: Path, found: Found) -> dict[str, Path]:
    """Images of `folder` by key. Several of one key are left out, because it is unclear which is meant."""
    groups: dict[str, list[Path]] = {}
    for path in _loose_images(folder):
        groups.setdefault(_key(path), []).append(path)
    for paths in groups.values():
        if len(paths) > 1:
            found.left_out.append((tuple(paths), "several images have this name, so that it is unclear which is meant"))
    return {key: paths[0] for key, paths in groups.items() if len(paths) == 1}


def _landmarks_by_key(folder: Path | None) -> dict[str, Path]:
    """Landmark files of `folder` by key; of one key the first in the order of `LANDMARK_SUFFIXES`."""
    files: Iterable[Path] = _entries(folder) if folder is not None and folder.is_dir() else ()
    ranked = [path for path in files if path.is_file() and file_suffix(path) in LANDMARK_SUFFIXES]
    ranked.sort(key=lambda path: LANDMARK_SUFFIXES.index(file_suffix(path)), reverse=True)
    return {_key(path): path for path in ranked}


def _landmarks_of(landmarks: dict[str, Path], key: str) -> Path | None:
    return landmarks.get(key) or landmarks.get(f"{key}_landmarks")


def _resolved(folder: Path, text: str) -> Path:
    path = folder / text
    # A table written on Windows is read elsewhere too.
    try:
        there = path.exists()
    except (OSError, ValueError):  # no name that a file can have
        there = True
    return path if there or "\\" not in text else folder / text.replace("\\", "/")


def _joint_name(moving: Path, fixed: Path) -> str:
    stems = [re.sub(r"[_-]?(moving|fixed)$", "", file_stem(path), flags=re.IGNORECASE) for path in (moving, fixed)]
    return stems[0] if stems[0] and stems[0] == stems[1] else f"{file_stem(moving)}_{file_stem(fixed)}"
