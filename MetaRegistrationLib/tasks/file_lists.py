"""The files of a task's folder, and which of them are held out for validation."""

from __future__ import annotations

import fnmatch
from pathlib import Path

from ..errors import InputError


def listed(folder: Path, suffixes: tuple[str, ...], where: str) -> list[Path]:
    """Files of a folder that end in one of the suffixes, by name; at least one."""
    files = [p for p in sorted(folder.iterdir()) if not p.name.startswith(".") and p.name.lower().endswith(suffixes)]
    if not files:
        raise InputError(f"{where}: the folder {folder} holds no file that ends in {', '.join(suffixes)}.")
    return files


def held_out(files: list[Path], patterns: object, where: str) -> tuple[list[Path], list[Path]]:
    """Training and validation files: those whose name matches one of the patterns, or every so-manieth for a share."""
    if patterns is None:
        return files, []
    if isinstance(patterns, (int, float)) and 0 < patterns < 1:
        period = max(2, round(1 / patterns))
        validation = files[period - 1 :: period]
    elif isinstance(patterns, list) and all(isinstance(pattern, str) for pattern in patterns):
        validation = [path for path in files if any(fnmatch.fnmatch(path.name, pattern) for pattern in patterns)]
        if not validation:
            raise InputError(f"{where}: no file matches validation = {patterns}.")
    else:
        raise InputError(
            f"{where}: expected validation as a share below 1 or a list of name patterns, got {patterns!r}."
        )
    kept = set(validation)
    training = [path for path in files if path not in kept]
    if not training:
        raise InputError(f"{where}: validation = {patterns} leaves nothing to train on.")
    return training, validation
