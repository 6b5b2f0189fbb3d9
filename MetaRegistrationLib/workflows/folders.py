"""What commands say of a folder of pairs before they work on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..progress import Message, Reader
from ..words import counted

if TYPE_CHECKING:
    from ..pairs.folders import PairFolder


def report_folder(folder: PairFolder, progress: Reader) -> None:
    """Name the layout, the number of pairs, and each file that was left out with the reason."""
    progress(Message(f"{folder.root}: {folder.layout}, {counted(len(folder.pairs), 'pair')}"))
    for left in folder.left_out:
        progress(Message(f"left out: {', '.join(left.files)}: {left.reason}", "warning"))
