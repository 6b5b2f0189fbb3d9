"""Simulated repeat visits as a folder of image pairs, with a record of what made them."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from ..core.geometry import Geometry
from ..errors import InputError
from ..formats.files import writable_folder, write_json
from ..formats.images import write_image
from ..formats.landmarks import Landmarks, write_landmark_pairs
from ..formats.tables import write_table
from ..versions import provenance
from .repeats import SimulatedRepeat
from .settings import RepeatSettings

_COLUMNS = ("moving", "fixed", "landmarks", "split", "name")


def repeat_files(folder: Path, names: Iterable[str]) -> list[Path]:
    """Every file that `write_repeats` may write into `folder` for pairs of these names."""
    pairs = [
        folder / part / f"{name}{suffix}"
        for name in names
        for part, suffix in (("moving", ".png"), ("fixed", ".png"), ("landmarks", ".csv"))
    ]
    return [*pairs, folder / "pairs.csv", folder / "simulation.json"]


def write_repeats(
    folder: str | os.PathLike,
    repeats: Iterable[tuple[str, SimulatedRepeat, str | None]],
    settings: RepeatSettings,
    extra: dict,
) -> None:
    """Write pairs into `folder`, one after the other.

    Into it go `moving/NAME.png` and `fixed/NAME.png` (8 bit), `landmarks/NAME.csv` (pixels of the images; none for a
    pair without landmarks), `pairs.csv` (brought up to date after every pair) and `simulation.json` (last).

    Parameters
    ----------
    folder : path
        Made when it is not there; files of the same names are replaced.
    repeats : iterable of (name, SimulatedRepeat, split)
        The name, without suffix, becomes file names; the split may be None.
    settings : RepeatSettings
        What the repeats were simulated with.
    extra : dict
        Plain values for the record, such as the seed.

    Raises
    ------
    InputError
        If the folder cannot be written to, or a name comes twice or is no plain file name.
    """
    folder = writable_folder(folder)
    for part in ("moving", "fixed", "landmarks"):
        writable_folder(folder / part)
    rows: list[tuple[str, ...]] = []
    used: set[str] = set()
    for name, repeat, split in repeats:
        _check_name(name, used)
        used.add(name.casefold())
        rows.append(_write_pair(folder, name, repeat, split))
        # After every pair, so that an interrupted simulation leaves a folder that still says what it holds.
        write_table(folder / "pairs.csv", _COLUMNS, rows)
    record = {"pairs": len(rows), "settings": settings.to_dict(), **extra, "provenance": provenance()}
    write_json(folder / "simulation.json", record)


def _check_name(name: str, used: set[str]) -> None:
    if not name or Path(name).name != name or "\\" in name:
        raise InputError(f"A simulated pair cannot be named {name!r}: give a name that can be a file's.")
    if name.casefold() in used:  # such files would overwrite one another on Windows and macOS
        raise InputError(f"Two simulated pairs are named {name}: give each pair a name of its own.")


def _write_pair(folder: Path, name: str, repeat: SimulatedRepeat, split: str | None) -> tuple[str, ...]:
    paths = [f"{role}/{name}.png" for role in ("moving", "fixed")]
    for path, image in zip(paths, (repeat.moving, repeat.fixed), strict=True):
        write_image(folder / path, np.rint(255 * image).astype(np.uint8), Geometry(size=image.shape))
    landmarks = f"landmarks/{name}.csv" if len(repeat.fixed_points) else ""
    if landmarks:
        labels = tuple(str(number) for number in range(1, len(repeat.fixed_points) + 1))
        points = (np.round(part, 3) for part in (repeat.moving_points, repeat.fixed_points))
        write_landmark_pairs(folder / landmarks, *(Landmarks(labels, part) for part in points))
    return (*paths, landmarks, split or "", name)
