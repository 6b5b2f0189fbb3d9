"""The folder for results that the user types: Slicer's working folder is none that a user knows."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from .texts import tr as _


def output_folder(line) -> Path | None:
    """The folder that a ctkPathLineEdit names, `~` being the home folder; None where that is no whole path."""
    path = Path(line.currentPath.strip())
    with suppress(RuntimeError):  # ~name of nobody
        path = path.expanduser()
    return path if path.is_absolute() else None


def missing_output(line) -> list[str]:
    """What is missing before results can be written there."""
    typed = line.currentPath.strip()
    if not typed:
        return [_("a folder for the results")]
    if output_folder(line) is None:
        return [_("a folder for the results by its whole path ({path} is none)").format(path=typed)]
    return []
