"""Visits of one eye for tests: windows of one phantom, the last with vessels missing in one place."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np

from MetaRegistrationLib.core.geometry import Geometry
from MetaRegistrationLib.formats.image_writing import write_image
from MetaRegistrationLib.formats.tables import write_table
from MetaRegistrationLib.simulation import draw_phantom

SIDE = 240
PLACES = {"2021": (30, 30), "2022": (36, 27), "2023 été": (25, 33)}
LOST = (160, 205, 24)  # row and column in the wide image, radius: capillaries, beside the avascular zone
MARKS = ((90, 80), (120, 170), (190, 110))  # of the wide image, row and column


@cache
def wide() -> np.ndarray:
    """The eye, wider than a visit shows it. Drawn once."""
    eye = 200 * draw_phantom(np.random.default_rng(4), size=SIDE + 60).image
    eye.setflags(write=False)
    return eye


def visit(name: str, noise: float = 6.0) -> np.ndarray:
    """What a visit shows, float32 (240, 240)."""
    eye, (row, column) = wide(), PLACES[name]
    if name == list(PLACES)[-1]:
        rows, columns = np.indices(eye.shape)
        eye = np.where(np.hypot(rows - LOST[0], columns - LOST[1]) < LOST[2], np.percentile(eye, 30), eye)
    grain = np.random.default_rng([7, row, column]).normal(0, noise, (SIDE, SIDE))
    return np.clip(eye[row : row + SIDE, column : column + SIDE] + grain, 0, 255).astype(np.float32)


def visit_folder(folder: Path, names=tuple(PLACES), landmarks: bool = False) -> Path:
    """A folder of visits as PNG, with a table of their dates where there are landmarks."""
    folder.mkdir(parents=True)
    rows = []
    for name in names:
        write_image(folder / f"{name}.png", visit(name).round().astype(np.uint8), Geometry((SIDE, SIDE)))
        if landmarks:
            row, column = PLACES[name]
            write_table(
                folder / f"{name}.csv",
                ("label", "x", "y"),
                [(n, x - column, y - row) for n, (y, x) in enumerate(MARKS)],
            )
        rows.append([f"{name}.png", name, f"{name[:4]}-05-01", f"{name}.csv" if landmarks else ""])
    if landmarks:
        write_table(folder / "visits.csv", ("image", "visit", "date", "landmarks"), rows)
    return folder
