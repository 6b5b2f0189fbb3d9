"""Simulated visits of one eye over years, with vessels that are lost before the last one."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import ndimage

from ..core.geometry import Geometry
from ..formats.files import writable_folder, write_json
from ..formats.images import write_image
from ..formats.tables import write_table
from ..versions import provenance
from .acquisition import acquire
from .deformation import random_displacement
from .repeats import clean_eye, framed
from .settings import RepeatSettings

_GROUND = 10  # percentile of the eye's grey levels that is left where its vessels are lost
_EDGE_PX = 1.5  # of the lost area, at 400 pixels a side
_FROM_BORDER = 1.3  # radii


@dataclass(frozen=True, eq=False)
class SimulatedVisits:
    """Visits of an eye and the truth about them.

    Attributes
    ----------
    images : list of float32 arrays (size, size)
        In [0, 1], in the order of time; the first is not deformed.
    lost : bool array (size, size)
        Where the last visit has no vessels any more, in the frame of the first.
    """

    images: list[np.ndarray]
    lost: np.ndarray


def simulate_visits(
    eye: np.ndarray,
    count: int,
    *,
    settings: RepeatSettings,
    rng: np.random.Generator,
    size: int = 400,
    lost_px: float = 0.0,
    centre: tuple[float, float] | None = None,
) -> SimulatedVisits:
    """Visits of an eye, each with a deformation and noise of its own.

    Parameters
    ----------
    eye : array (rows, columns)
        OCTA image of any range.
    count : int
        Visits.
    settings : RepeatSettings
    rng : numpy.random.Generator
    size : int
        Rows and columns of the images.
    lost_px : float
        Radius of the area that has lost its vessels at the last visit, in pixels of the first; none for 0.
    centre : (row, column), optional
        Its centre; drawn at random if not given.
    """
    clean = clean_eye(eye, settings)
    if centre is None:
        room = min(_FROM_BORDER * lost_px, 0.45 * size)
        centre = tuple(rng.uniform(room, size - room, 2))
    rows, columns = np.indices((size, size))
    lost = np.hypot(rows - centre[0], columns - centre[1]) < lost_px
    soft = ndimage.gaussian_filter(lost.astype(np.float32), _EDGE_PX * size / 400)
    images = []
    for number in range(count):
        deformation = random_displacement(size, settings, rng) if number else np.zeros((2, size, size), np.float32)
        seen = framed(clean, settings.margin, size, deformation)
        if number and number == count - 1:
            there = np.indices((size, size), dtype=np.float32) + deformation
            share = ndimage.map_coordinates(soft, there, order=1)
            seen = seen * (1 - share) + np.float32(np.percentile(clean, _GROUND)) * share
        images.append(acquire(seen.astype(np.float32), settings, rng))
    return SimulatedVisits(images, lost)


def visit_files(folder: Path, count: int) -> list[Path]:
    """Every file that `write_visits` writes into `folder` for so many visits."""
    images = [folder / f"visit_{number}.png" for number in range(1, count + 1)]
    return [*images, folder / "truth" / "lost.png", folder / "visits.csv", folder / "simulation.json"]


def write_visits(folder: str | os.PathLike, visits: SimulatedVisits, settings: RepeatSettings, extra: dict) -> None:
    """Write visits as `visit_N.png` (8 bit) with `visits.csv`, the lost area as `truth/lost.png`, and `simulation.json`, last."""
    folder = writable_folder(folder)
    writable_folder(folder / "truth")
    rows = []
    for number, image in enumerate(visits.images, 1):
        name = f"visit_{number}"
        write_image(folder / f"{name}.png", np.round(255 * image).astype(np.uint8), Geometry(image.shape))
        rows.append((name, f"{name}.png"))
    lost = np.where(visits.lost, 255, 0).astype(np.uint8)
    write_image(folder / "truth" / "lost.png", lost, Geometry(lost.shape))
    write_table(folder / "visits.csv", ("visit", "image"), rows)
    record = {"visits": len(rows), "settings": settings.to_dict(), **extra, "provenance": provenance()}
    write_json(folder / "simulation.json", record)
