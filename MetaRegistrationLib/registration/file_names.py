"""Names of the files of a registered pair. Needs no torch."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

RECORD = "registration.json"
COMPACT = "transform.npz"
PARTS = {
    "images": ("moving.nrrd", "fixed.nrrd"),
    "warped": ("warped.nrrd",),
    "field": ("displacement_field.nrrd",),
    "transform": (COMPACT,),
    "error": ("expected_error.nrrd",),
    "landmarks": (),
    "overlay": ("overlay.png",),
}
"""The parts of a result that can be chosen, and their files; `_LANDMARKS` are only written for pairs that have some."""
DEFAULT_PARTS = frozenset(PARTS) - {"transform"}
_LANDMARKS = (
    "moving_landmarks.mrk.json",
    "fixed_landmarks.mrk.json",
    "carried_landmarks.mrk.json",
    "landmarks.csv",
)
_TABLES = ("metrics.csv", "summary.json")


def result_files(folder: Path, *, landmarks: bool, parts: Collection[str] = DEFAULT_PARTS) -> list[Path]:
    """Every file that `write_registration` may write into `folder`, for a pair with or without landmarks."""
    names = [name for part, files in PARTS.items() if part in parts for name in files]
    return [folder / name for name in (*names, *(_LANDMARKS if landmarks and "landmarks" in parts else ()), RECORD)]


def table_files(folder: Path) -> list[Path]:
    """The files that `write_tables` writes into `folder`."""
    return [folder / name for name in _TABLES]
