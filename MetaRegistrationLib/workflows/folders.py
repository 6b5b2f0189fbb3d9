"""Folders of pairs as use cases take them, and the messages about a folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
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

    def reading(self) -> dict:
        """The options by which the files are read, as plain values."""
        return {key: value for key, value in vars(self).items() if key not in ("folder", "split")}


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
    note : dict
        For a part of the pairs: the note by which `merge` compares the parts. Empty for all pairs.
    """

    folder: PairFolder
    files: tuple[PairFiles, ...]
    left_out: list[dict]
    note: dict = field(default_factory=dict)


def find_selected(selection: PairSelection, progress: Reader, shard: Shard | None = None) -> SelectedPairs:
    """Those pairs of a folder that are selected; the folder is reported first.

    Each pair of a small folder is read, so that those that cannot be used are left out before. Pairs of a large folder, and
    of a part of one, are read only when they are registered. The place of a pair among all pairs, those that are left out too,
    says to which part it belongs, so that a file that is missing for a moment moves no other pair.

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
    names = folder.listed(selection.split)
    own = set(shard.of_items(names))
    found = tuple(pair for pair in files if pair.name in own)
    left_out = tuple(each for each in left_out if each.pair in own)
    if not found:
        raise _no_pair(shard, len(names), left_out)
    note = {"part_of": {"pairs": names, "split": selection.split, "reading": selection.reading()}}
    return SelectedPairs(folder, found, left_out_entries(left_out), note)


def _no_pair(shard: Shard, count: int, left_out: Sequence[LeftOut]) -> InputError:
    """The error of a part without a pair that can be used."""
    from ..pairs.folders import with_reasons

    part = f"{{field}} {shard.number}/{shard.count}"
    if not left_out:
        return InputError(f"{part}: there are only {counted(count, 'pair')}.", field="shard")
    told = with_reasons("no pair of this part can be used.", left_out)
    return InputError(f"{part}: {told}", field="shard")


def left_out_entries(left_out: Sequence[LeftOut]) -> list[dict]:
    """Pairs that cannot be used, as `pair` and `reason`."""
    return [{"pair": each.pair, "reason": f"{', '.join(each.files)}: {each.reason}"} for each in left_out]


def report_folder(folder: PairFolder, progress: Reader) -> None:
    """Report the layout, the number of pairs, columns that are not used, and each file that was left out, with the reason."""
    progress(Message(f"{folder.root}: {folder.layout}, {counted(len(folder.pairs), 'pair')}"))
    if folder.note:
        progress(Message(folder.note, "warning"))
    for left in folder.left_out:
        progress(Message.of(left.error, f"left out: {', '.join(left.files)}: "))
