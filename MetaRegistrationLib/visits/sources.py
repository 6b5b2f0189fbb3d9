"""Eyes and their visits from files, from a table, or from a folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..date_orders import DateOrder
from .eyes import Eyes, eyes_of_listing
from .folders import list_files, list_folder
from .tables import list_table


def eyes_of_files(paths: Sequence[Path], dates: DateOrder = "ask") -> Eyes:
    """The files as visits of one eye, or of two where their sides differ. Errors as `eyes_of_listing`."""
    return eyes_of_listing(list_files(paths), ", ".join(path.name for path in paths), dates)


def eyes_of_table(path: Path, dates: DateOrder = "ask") -> Eyes:
    """Eyes of a table, whose columns are `tables.COLUMNS`. Errors as `list_table` and `eyes_of_listing`."""
    return eyes_of_listing(list_table(path), path, dates)


def eyes_of_folder(folder: Path, dates: DateOrder = "ask") -> Eyes:
    """Eyes of a folder, as `list_folder` reads it. Errors as it and `eyes_of_listing`."""
    return eyes_of_listing(list_folder(folder), folder, dates)
