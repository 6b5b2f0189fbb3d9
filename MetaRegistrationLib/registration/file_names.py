"""Names of the files of a registered pair. Needs no torch."""

from __future__ import annotations

from pathlib import Path

RECORD = "registration.json"
_IMAGES = ("moving.nrrd", "fixed.nrrd", "warped.nrrd", "displacement_field.nrrd", "expected_error.nrrd", "overlay.png")
_LANDMARKS = (
    "moving_landmarks.mrk.json",
    "fixed_landmarks.mrk.json",
    "carried_landmarks.mrk.json",
    "landmarks.csv",
)
_TABLES = ("metrics.csv", "summary.json")


def result_files(folder: Path, *, landmarks: bool) -> list[Path]:
    """Every file that `write_registration` may write into `folder`, for a pair with or without landmarks."""
    return [folder / name for name in (*_IMAGES, *(_LANDMARKS if landmarks else ()), RECORD)]


def table_files(folder: Path) -> list[Path]:
    """The files that `write_tables` writes into `folder`."""
    return [folder / name for name in _TABLES]
