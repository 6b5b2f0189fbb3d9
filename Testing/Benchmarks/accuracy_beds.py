"""The test beds of `accuracy.py`: real repeat scans (R) and simulated ones (S), as pairs in the network's frame."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from MetaRegistrationLib.commands import main as command
from MetaRegistrationLib.core.preprocessing import NetworkGrid, Preprocessing, pair_grids
from MetaRegistrationLib.pairs.folders import ImagePair, PairFiles, find_pairs

BEDS = ("R", "S")
SEED = 0
SIZE = 400
EQUALISED, PLAIN = "equalised", "plain"
_REAL, _SINGLE = "octa_scp_repeat_visits", "octa_scp_single_visits"


@dataclass(frozen=True, eq=False)
class BenchPair:
    """One pair, as files and as every peer gets it.

    Attributes
    ----------
    bed, name : str
    images : ImagePair
        As they were read, in their own pixels, with landmarks.
    frames : dict of str to (moving, fixed)
        Preprocessed images, float32 (400, 400) in [0, 1], by kind of grey values: EQUALISED and PLAIN.
    inside : (moving, fixed)
        Grid pixels, bool (400, 400), where each image is.
    moving_points, fixed_points : float64 (N, 2)
        Landmarks, (row, column) in frame pixels.
    """

    bed: str
    name: str
    images: ImagePair
    frames: dict[str, tuple[np.ndarray, np.ndarray]]
    inside: tuple[np.ndarray, np.ndarray]
    moving_points: np.ndarray
    fixed_points: np.ndarray


def bed_pairs(bed: str, split: str, data: Path, simulated: Path) -> tuple[PairFiles, ...]:
    """Files of a bed's pairs of one split ("test" or "fine_tune"), ordered by name.

    Parameters
    ----------
    bed : {"R", "S"}
    split : str
    data : Path
        The folder with octa_scp_repeat_visits and octa_scp_single_visits.
    simulated : Path
        Folder of the simulated repeats; they are made there when it does not hold them all.
    """
    if bed == "R":
        folder = data / _REAL
    else:
        folder = simulated
        _simulate_once(data / _SINGLE, folder)
    return tuple(sorted(find_pairs(folder, check=False).split(split), key=lambda pair: pair.name))


def _simulate_once(eyes: Path, folder: Path) -> None:
    """`meta-registration simulate` with its default settings; its record is written last, and so tells that all is there."""
    if (folder / "simulation.json").is_file():
        return
    places = {"--images": eyes / "images", "--masks": eyes / "vessel_masks", "--split-csv": eyes / "images.csv"}
    options = [str(part) for option in places.items() for part in option]
    status = command(["simulate", *options, "--output", str(folder), "--seed", str(SEED)])
    if status:
        raise SystemExit(f"The simulated repeats could not be made in {folder}; the reason is above.")


def load(bed: str, files: PairFiles) -> BenchPair:
    """Read a pair and bring it into the frame."""
    images = files.load()
    frames = pair_grids(images.moving.geometry, images.fixed.geometry, SIZE)
    framed = {
        kind: _framed(images, frames, Preprocessing(size=SIZE, equalise=kind == EQUALISED))
        for kind in (EQUALISED, PLAIN)
    }
    inside = frames[0].inside(images.moving.geometry.size), frames[1].inside(images.fixed.geometry.size)
    return BenchPair(
        bed,
        files.name,
        images,
        framed,
        inside,
        frames[0].from_image(images.moving_landmarks.points),
        frames[1].from_image(images.fixed_landmarks.points),
    )


def _framed(images: ImagePair, frames: tuple[NetworkGrid, NetworkGrid], preprocessing: Preprocessing) -> tuple:
    return tuple(
        preprocessing.apply(image.array, frame)
        for image, frame in zip((images.moving, images.fixed), frames, strict=True)
    )
