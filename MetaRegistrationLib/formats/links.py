"""Links of file systems: those that lead to nothing, and paths without links."""

from __future__ import annotations

import os
from pathlib import Path


def is_broken_link(path: Path) -> bool:
    """Whether `path` is a link that leads to nothing, as git-annex, DataLad and unmounted drives leave them."""
    try:
        return path.is_symlink() and not path.exists()
    except (OSError, ValueError):  # no name that a file can have
        return False


def real_path(path: str | os.PathLike) -> Path:
    """`path` without links and dots. Links that form a loop stay, where `Path.resolve` fails on them before Python 3.13."""
    return Path(os.path.realpath(path))
