"""A folder of image pairs: its layout, its pairs, and the files left out, with reasons."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import TypeVar

from ..errors import TOKEN, InputError
from ..formats.device_names import is_device, numbered
from ..formats.earlier_results import results_of
from ..formats.folder_listing import listed
from ..formats.image_files import as_text
from ..formats.written_files import NAME as LIST
from .files import ImagePair, PairError, PairFiles
from .layouts import LAYOUTS, Found, RowLeftOut, find_layout, from_table

__all__ = [
    "ImagePair",
    "LeftOut",
    "PairError",
    "PairFiles",
    "PairFolder",
    "check_each",
    "find_pairs",
    "with_reasons",
]

_SHOWN = 10
_Read = TypeVar("_Read")
_OF_ALL_PAIRS = ("metrics.csv", "summary.json", LIST, "film")
"""Names of results beside the folders of the pairs, and of a folder that is no pair's."""


@dataclass(frozen=True)
class LeftOut:
    """Files that are not used.

    Attributes
    ----------
    files : tuple of str
        Relative to the folder.
    error : InputError
        Why, without the files.
    pair : str
        The pair that is left out with them; empty where there is none, such as for a mask or an image without a partner.
    split : str or None
        The split of that pair.
    """

    files: tuple[str, ...]
    error: InputError
    pair: str = ""
    split: str | None = None

    @classmethod
    def of(cls, pair: PairFiles, error: PairError, root: Path) -> LeftOut:
        """A pair of the folder `root` that cannot be used."""
        return cls(_names(error.files, root), _without_files(error, error.files), pair.name, pair.split)

    @classmethod
    def of_row(cls, left: RowLeftOut, name: str, root: Path) -> LeftOut:
        """A row of a table that cannot be understood, with the name of its pair."""
        row = left.row
        return cls(_names((row.path,), root), _without_files(left.error, (row.path,)), name, row.text("split") or None)

    @property
    def reason(self) -> str:
        """Why, in the library's own words."""
        return str(self.error)


@dataclass(frozen=True)
class PairFolder:
    """Pairs of a folder.

    Attributes
    ----------
    root : Path
        The folder.
    layout : str
        The recognised layout in words, one of `layouts.LAYOUTS`.
    pairs : tuple of PairFiles
        The pairs, with unique names.
    left_out : tuple of LeftOut
        Files that seem to be part of a pair and are not used.
    order : tuple of str
        Names of all pairs in the order of the folder, those that are left out too.
    note : str
        The columns of a pairs.csv that are not understood, in words; empty without such.
    """

    root: Path
    layout: str
    pairs: tuple[PairFiles, ...]
    left_out: tuple[LeftOut, ...]
    order: tuple[str, ...] = ()
    note: str = ""

    def split(self, name: str | None) -> tuple[PairFiles, ...]:
        """Pairs of the split `name`, all pairs for None; `InputError` when there is no such pair."""
        chosen = tuple(pair for pair in self.pairs if name is None or pair.split == name)
        if not chosen:
            if left_out := self.pairs_left_out(name):
                raise with_reasons(f"{self.root}: no pair of the split {name!r} can be used.", left_out)
            splits = sorted({pair.split for pair in self.pairs if pair.split})
            there = f"The splits there are {', '.join(splits)}" if splits else "None of its pairs names a split"
            raise InputError(f"{self.root}: no pair belongs to the split {name!r}. {there}.")
        return chosen

    def pairs_left_out(self, split: str | None) -> tuple[LeftOut, ...]:
        """Pairs of a split that are left out, of all splits for None; files that belong to no pair are not among them."""
        return tuple(each for each in self.left_out if each.pair and (split is None or each.split == split))

    def listed(self, split: str | None) -> tuple[str, ...]:
        """Names of all pairs of a split in the order of the folder, those that are left out too."""
        splits = {pair.name: pair.split for pair in self.pairs} | {each.pair: each.split for each in self.left_out}
        return tuple(name for name in self.order if split is None or splits[name] == split)


def find_pairs(
    folder: str | Path,
    *,
    spacing_um: float | None = None,
    override_spacing: bool = False,
    moving_spacing_um: float | None = None,
    fixed_spacing_um: float | None = None,
    slice_index: int | None = None,
    check: bool = True,
) -> PairFolder:
    """Find the image pairs of a folder.

    Parameters
    ----------
    folder : path
        Folder in one of the layouts of `layouts.LAYOUTS`, tried in that order, or the path of a pairs.csv. A
        pairs.csv may also have the columns name, landmarks (both images, pixels), moving_landmarks, fixed_landmarks,
        moving_mask, fixed_mask (images that are not zero where there is tissue), split, spacing (mm a pixel), spacing_um,
        moving_spacing_um, fixed_spacing_um and slice; `PairFolder.note` names other columns. Elsewhere landmarks are beside
        the images (`X.csv` beside `X.png`; `X_landmarks.csv` for both images) or in the folders landmarks,
        moving_landmarks and fixed_landmarks.
    spacing_um : float, optional
        Pixel size in micrometres for images without one; a pairs.csv may override it for its rows.
    override_spacing : bool
        Given pixel sizes override those in the files.
    moving_spacing_um, fixed_spacing_um : float, optional
        Pixel size of all moving or fixed images, which overrides their files; a pairs.csv may override it for its rows.
    slice_index : int, optional
        Slice to take from stacks; a pairs.csv may override it for its rows.
    check : bool
        Read every image and landmark file, and leave out the pairs that cannot be used. Without it only missing files
        are noticed.

    Raises
    ------
    InputError
        There is no such folder, or no pair in it that can be used.
    """
    root, found = _found(Path(folder))
    left_out = [LeftOut(_names(files, root), InputError(reason)) for files, reason in found.left_out]
    named = list(zip(found.pairs, _unique_names(each.name for each in found.pairs), strict=True))
    left_out += [LeftOut.of_row(row, name, root) for row, name in named if isinstance(row, RowLeftOut)]
    found_pairs = [(pair, name) for pair, name in named if isinstance(pair, PairFiles)]
    pairs = []
    for pair, name in found_pairs:
        pair = replace(
            pair,
            name=name,
            spacing_um=spacing_um if pair.spacing_um is None else pair.spacing_um,
            override_spacing=override_spacing,
            moving_spacing_um=moving_spacing_um if pair.moving_spacing_um is None else pair.moving_spacing_um,
            fixed_spacing_um=fixed_spacing_um if pair.fixed_spacing_um is None else pair.fixed_spacing_um,
            slice_index=slice_index if pair.slice_index is None else pair.slice_index,
        )
        try:
            pair.load() if check else pair.check_paths()
            pairs.append(pair)
        except PairError as error:
            left_out.append(LeftOut.of(pair, error, root))
    if not found_pairs:
        raise with_reasons(f"{folder}: {_no_pairs(root)}", left_out)
    order = tuple(name for _, name in named)
    return _usable(folder, PairFolder(root, found.layout, tuple(pairs), tuple(left_out), order, found.note))


def check_each(
    found: PairFolder,
    read: Callable[[PairFiles], _Read],
    usable: Callable[[int, PairFiles, _Read], None],
) -> PairFolder:
    """Read the pairs of a folder in turn, and leave out those that cannot be used.

    Parameters
    ----------
    found : PairFolder
    read : callable
        Such as `PairFiles.load` or `PairFiles.headers`.
    usable : callable
        Takes the number of a pair, counted from 1, its files, and what `read` gives.

    Raises
    ------
    InputError
        No pair can be used.
    """
    pairs, left_out = [], list(found.left_out)
    for number, files in enumerate(found.pairs, start=1):
        try:
            pair = read(files)
        except PairError as error:
            left_out.append(LeftOut.of(files, error, found.root))
            continue
        pairs.append(files)
        usable(number, files, pair)
    return _usable(found.root, replace(found, pairs=tuple(pairs), left_out=tuple(left_out)))


def _usable(folder: str | Path, found: PairFolder) -> PairFolder:
    if not found.pairs:
        raise with_reasons(
            f"{folder}: no usable image pair. {_results(found.root)}Layout: {found.layout}.", list(found.left_out)
        )
    return found


def _found(path: Path) -> tuple[Path, Found]:
    if path.is_file():
        if path.suffix.lower() != ".csv":
            raise InputError(f"{path}: a folder of image pairs or a pairs.csv was expected, but this is another file.")
        return path.parent, from_table(path)
    if not path.is_dir():
        raise InputError(f"{path}: no such folder of image pairs. Check the path.")
    found = find_layout(path)
    if found is None:
        raise InputError(f"{path}: {_no_pairs(path)}")
    return path, found


def _no_pairs(folder: Path) -> str:
    return f"no image pairs were found. {_results(folder)}{_expected(folder)}"


def _results(folder: Path) -> str:
    """A sentence on the results that a folder holds, or nothing."""
    words = results_of(folder)
    return "" if words is None else f"It holds {words}, which are no input. Name the folder of the images. "


def _expected(folder: Path) -> str:
    layouts = "".join(f"\n  - {layout}" for layout in LAYOUTS)
    return f"Expected one of{layouts}\nbut found {_content(folder)}."


def _content(folder: Path) -> str:
    names = [path.name + ("/" if path.is_dir() else "") for path in listed(folder)]
    if not names:
        return "an empty folder"
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def with_reasons(problem: str, left_out: Sequence[LeftOut]) -> InputError:
    """`problem` with the files left out and the reasons. The first field of a reason is that of the whole error."""
    if not left_out:
        return InputError(problem)
    field = next((item.error.field for item in left_out if item.error.field), None)
    lines = "".join(f"\n  - {', '.join(item.files)}: {_with_token(item.error, field)}" for item in left_out[:_SHOWN])
    more = f"\n  and {len(left_out) - _SHOWN} more" if len(left_out) > _SHOWN else ""
    return InputError(f"{problem} Left out:{lines}{more}", field=field)


def _with_token(error: InputError, field: str | None) -> str:
    """The error's text. The token stays for `field`; another field gets its English name."""
    return error.told(TOKEN) if error.field == field else str(error)


def _unique_names(names: Iterable[str]) -> list[str]:
    """Names become those of folders of results: on Windows too, and unique in any case."""
    used = set(_OF_ALL_PAIRS)
    counts: dict[str, int] = {}  # thousands of pairs may share a name
    result: list[str] = []
    for given in names:
        name = base = re.sub(r'[<>:"/\\|?*\x00-\x1f]', "_", given).strip(" .") or "pair"
        key = base.casefold()
        while name.casefold() in used or is_device(name):
            counts[key] = counts.get(key, 1) + 1
            name = numbered(base, counts[key])
        used.add(name.casefold())
        result.append(name)
    return result


def _without_files(error: InputError, paths: Iterable[Path]) -> InputError:
    """The error without the files at its start, because it is shown after their names."""
    files = ", ".join(map(str, paths))
    starts = [files + sign for sign in (": ", ", ")]  # the second one is before a line or one of both images
    start = next(filter(error.problem.startswith, starts), "")
    return InputError(error.problem.removeprefix(start), field=error.field, advice=error.advice)


def _names(files: Iterable[Path], root: Path) -> tuple[str, ...]:
    return tuple(
        as_text(PurePosixPath(*path.relative_to(root).parts) if path.is_relative_to(root) else path) for path in files
    )
