"""Folders of pairs as use cases take them, and the messages about a folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import InputError
from ..progress import Message, Reader
from ..words import counted
from .run_options import Shard

if TYPE_CHECKING:
    from ..pairs.folders import LeftOut, PairFiles, PairFolder

READ_BEFORE = 500
"""Pairs of a folder up to which all are read before the first is registered: at most some seconds."""


@dataclass(frozen=True)
class PairSelection:
    """Which pairs of a folder, and how their files are read.

    Attributes
    ----------
    folder : Path
        As `find_pairs` takes it.
    split : str or None
        Only the pairs of this split.
    spacing_um, override_spacing, moving_spacing_um, fixed_spacing_um, slice_index
        As `find_pairs` takes them.
    """

    folder: Path
    split: str | None = None
    spacing_um: float | None = None
    override_spacing: bool = False
    moving_spacing_um: float | None = None
    fixed_spacing_um: float | None = None
    slice_index: int | None = None

    def find(self, *, check: bool = True) -> PairFolder:
        """All pairs of the folder, whatever their split; `check` is as of `find_pairs`."""
        from ..pairs.folders import find_pairs

        return find_pairs(
            self.folder,
            spacing_um=self.spacing_um,
            override_spacing=self.override_spacing,
            moving_spacing_um=self.moving_spacing_um,
            fixed_spacing_um=self.fixed_spacing_um,
            slice_index=self.slice_index,
            check=check,
        )


@dataclass(frozen=True)
class SelectedPairs:
    """The selected pairs of a folder.

    Attributes
    ----------
    folder : PairFolder
    files : tuple of PairFiles
        Those that can be used.
    left_out : list of dict
        Those that cannot be used: `pair` and `reason`.
    """

    folder: PairFolder
    files: tuple[PairFiles, ...]
    left_out: list[dict]


def find_selected(selection: PairSelection, progress: Reader, shard: Shard | None = None) -> SelectedPairs:
    """Those pairs of a folder that are selected; the folder is reported first.

    Each pair of a small folder is read, so that those that cannot be used are left out before. Pairs of a large folder, and
    of a part of one, are read only when they are registered. A pair that is left out before belongs to one of the parts.

    Raises
    ------
    InputError
        There is no such folder, no usable pair in it, or none of the split or of the part.
    """
    folder = selection.find(check=False)
    if shard is None and len(folder.pairs) <= READ_BEFORE:
        folder = selection.find()
    report_folder(folder, progress)
    files, left_out = folder.split(selection.split), folder.pairs_left_out(selection.split)
    if shard is None:
        return SelectedPairs(folder, files, left_out_entries(left_out))
    found = tuple(shard.of_items(files))
    if not found:
        raise InputError(
            f"{{field}} {shard.number}/{shard.count}: there are only {counted(len(files), 'pair')}.", field="shard"
        )
    with_pairs = Shard(shard.number, min(shard.count, len(files)))  # further parts have no results
    return SelectedPairs(folder, found, left_out_entries(with_pairs.of_items(left_out)))


def left_out_entries(left_out: Sequence[LeftOut]) -> list[dict]:
    """Pairs that cannot be used, as `pair` and `reason`."""
    return [{"pair": each.pair, "reason": f"{', '.join(each.files)}: {each.reason}"} for each in left_out]


def report_folder(folder: PairFolder, progress: Reader) -> None:
    """Report the layout, the number of pairs, and each file that was left out, with the reason."""
    progress(Message(f"{folder.root}: {folder.layout}, {counted(len(folder.pairs), 'pair')}"))
    for left in folder.left_out:
        progress(Message.of(left.error, f"left out: {', '.join(left.files)}: "))
