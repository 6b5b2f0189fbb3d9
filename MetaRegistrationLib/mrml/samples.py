"""Pairs for Slicer's Sample Data module: the shipped phantoms, and real same-eye scans that are downloaded on request."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import slicer

from .. import resources
from ..errors import InputError
from ..formats.images import read_image
from ..formats.landmarks import read_landmark_pairs
from ..formats.tables import read_table
from .markups import FIXED_COLOUR, MOVING_COLOUR, node_from_landmarks
from .overlay import show_pair_and_overlay
from .scene_folders import gathered
from .volumes import volume_from_image

CATEGORY = "Meta-Registration"
_ROSSA = (
    "https://raw.githubusercontent.com/nhjydywd/OCTA-FRNet/53e87f8c9b9392c1dcababea07e986f111f4017c/dataset/ROSSA"
    "/train_sam/image"
)

_ROLES = ("moving", "fixed", "landmarks")
_SIDES = ("moving", "fixed")


class SamplePair(NamedTuple):
    """The nodes of a sample pair; without landmarks there are no point lists."""

    moving: Any
    fixed: Any
    moving_points: Any = None
    fixed_points: Any = None


class RealPair(NamedTuple):
    """Two scans of one eye in the public ROSSA data set: number of each image and SHA256 of its file."""

    moving: int
    fixed: int
    moving_sha256: str
    fixed_sha256: str


REAL_PAIRS = (
    RealPair(
        310,
        311,
        "52e1b6ee99be7822b3eee06c228d33c819313cecdc4946ea82cc1f9e167878f7",
        "10ba4d9ba4e9a3f7e6fc70641d16e93f6ab5b217dac237d6a6ddb1002f8d1460",
    ),
    RealPair(
        320,
        322,
        "bb6c5541b746693d06d9ca315abe96aee6d0e74b065b6a4c47fb740ecc87bf42",
        "c3546d2c06352093c104407eea4822e3356dad2adf13ac95659de4b139e99149",
    ),
    RealPair(
        504,
        506,
        "71d27f5df3c7d91d7561eec3e79b8f12b495b8ca7f1892b308b9bebe535afdb0",
        "c3009dc012ba8d2f99220153c5b33c14ef26bc839b133a988946aee1fbc267a6",
    ),
)


def register_sample_data(
    thumbnail: str | Path | None = None, chosen: Callable[[SamplePair], object] = lambda pair: None
) -> bool:
    """Offer our sample pairs in the Sample Data module; nothing is read or downloaded before the user asks.

    Parameters
    ----------
    thumbnail : path, optional
        Picture for the pairs that are downloaded; the phantom pairs show themselves.
    chosen : callable, optional
        Called with each pair that the user has loaded.

    Returns
    -------
    bool
        False where Slicer has no Sample Data module.
    """
    try:
        import SampleData
    except ImportError:
        return False
    logic = SampleData.SampleDataLogic
    if hasattr(logic, "registerCustomSampleDataCategory"):  # newer versions of Slicer
        logic.registerCustomSampleDataCategory(CATEGORY, CATEGORY)
    for row in _phantom_rows():
        logic.registerCustomSampleDataSource(**_phantom_source(*row, _loader(load_phantom, chosen)))
    for number, pair in enumerate(REAL_PAIRS, 1):
        logic.registerCustomSampleDataSource(**_real_source(number, pair, thumbnail, _loader(load_real, chosen)))
    return True


def _loader(load: Callable[[Any], SamplePair], chosen: Callable[[SamplePair], object]) -> Callable[[Any], list]:
    """What the Sample Data module calls with a source: it loads the pair, shows it, and returns its nodes."""

    def loaded(source) -> list:
        try:
            pair = load(source)
        except (ValueError, InputError) as error:  # Sample Data itself writes it into the log only
            slicer.util.errorDisplay(f"{source.sampleName} could not be loaded: {error}")
            return []
        chosen(pair)
        show_pair_and_overlay(pair.moving, pair.fixed)
        return [node for node in pair if node is not None]

    return loaded


def load_phantom(source) -> SamplePair:
    """Load the phantom pair of a sample data source with its landmarks."""
    name = source.sampleName
    moving, fixed, landmarks = next(row[1:] for row in _phantom_rows() if row[0] == name)
    return _pair(name, [moving, fixed], landmarks)


def load_real(source) -> SamplePair:
    """Download the pair of a sample data source, unless Slicer's cache has it, and load it.

    Raises
    ------
    ValueError
        A file cannot be downloaded.
    """
    import SampleData

    logic = SampleData.SampleDataLogic()
    files = zip(source.uris, source.fileNames, source.checksums, strict=True)
    paths = [Path(logic.downloadFileIntoCache(uri, name, checksum)) for uri, name, checksum in files]
    return _pair(source.sampleName, paths)


def _pair(name: str, paths: list[Path], landmarks: Path | None = None) -> SamplePair:
    """A pair in a folder of its own. As all images, it is read by the library: Slicer would stack numbered neighbours."""
    images = [read_image(path) for path in paths]
    with gathered(name):
        nodes = [volume_from_image(image, f"{name} {side}") for image, side in zip(images, _SIDES, strict=True)]
        points = [] if landmarks is None else read_landmark_pairs(landmarks)
        for found, image, side, colour in zip(points, images, _SIDES, (MOVING_COLOUR, FIXED_COLOUR), strict=False):
            nodes.append(node_from_landmarks(found, image.geometry, f"{name} {side} points", colour=colour))
    return SamplePair(*nodes)


def _phantom_rows() -> list[tuple[str, Path, Path, Path]]:
    """Name, moving image, fixed image and landmarks of each shipped pair."""
    folder = resources.sample_pairs()
    rows = read_table(folder / "pairs.csv", ("moving", "fixed", "landmarks", "name"))
    return [
        (row.text("name"), *(folder / row.text(column) for column in ("moving", "fixed", "landmarks"))) for row in rows
    ]


def _phantom_source(name: str, moving: Path, fixed: Path, landmarks: Path, loader: Callable[[Any], list]) -> dict:
    files = (moving, fixed, landmarks)
    return {
        "category": CATEGORY,
        "sampleName": name,
        "uris": [path.as_uri() for path in files],
        "fileNames": [f"{name}_{role}{path.suffix}" for role, path in zip(_ROLES, files, strict=True)],
        "nodeNames": [f"{name} {role}" for role in _ROLES],
        "customDownloader": loader,
        "thumbnailFileName": str(moving),
    }


def _real_source(number: int, pair: RealPair, thumbnail: str | Path | None, loader: Callable[[Any], list]) -> dict:
    name = f"OCTA same-eye pair {number}"
    return {
        "category": CATEGORY,
        "sampleName": name,
        "uris": [f"{_ROSSA}/{image}.png" for image in pair[:2]],
        "fileNames": [f"rossa_{image:04d}.png" for image in pair[:2]],
        "nodeNames": [f"{name} {side}" for side in _SIDES],
        "checksums": [f"SHA256:{digest}" for digest in pair[2:]],
        "customDownloader": loader,
        "thumbnailFileName": str(thumbnail) if thumbnail is not None else None,
    }
