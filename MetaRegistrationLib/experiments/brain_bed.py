"""Bed B: simulated repeats of axial brain slices, for what adaptation is worth to a modality the source tasks lacked."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from scipy import ndimage

from .. import calibration
from ..errors import InputError
from ..formats.image_files import file_stem
from ..formats.images import read_volume
from ..progress import Item, Reader, Started
from ..simulation import RepeatSettings, SimulatedRepeat, simulate_repeat, write_repeats
from ..simulation.corners import corner_points
from ..tasks import slices_with_content
from .beds import SEED, TEST, TRAINING

VOLUMES = Path("source_tasks", "brain_t2w")
HELD_OUT = "BraTS-MET-*"
"""The patient whose slices are the test pairs; the source tasks hold it out, too."""
TRAINING_PAIRS, TEST_PAIRS = 22, 24
"""As many to train on as bed R has."""
SETTINGS = RepeatSettings(
    saccade_probability=0.0,
    margin=0.0,  # the volumes end where the brain does, and around it all is black
    denoise_px=0.5,
    speckle=0.1,
    noise=0.0,  # the equalisation would fill the black background with it
    dropout_patches=0.0,
    gain_amplitude=0.08,
    row_jitter=0.0,
    stripes=0.0,
    shadow_probability=0.0,
)
"""Displaced as bed S is; mild noise within the brain and smooth gain, and nothing that only an OCTA scanner does."""
_LEAST_CONTENT = calibration.BRAIN_CONTENT.value
_RIM_PX = 4

Slice = tuple[str, np.ndarray, str]


def simulate_brain_slices(data: Path, folder: Path, size: int, progress: Reader) -> None:
    """Make the pairs of bed B, with exact landmarks.

    Parameters
    ----------
    data : Path
        The data folder; of it, the volumes in `source_tasks/brain_t2w`.
    folder : Path
        Where the pairs are written, their record (simulation.json) last.
    size : int
        Rows and columns of the images.
    progress : Reader

    Raises
    ------
    InputError
        There are no such volumes, or none of the patient of the test pairs, or none but that one.
    """
    slices = _slices(data)
    progress(Started("simulate", len(slices), detail={"settings": SETTINGS.to_dict(), "seed": SEED}))
    extra = {"source": VOLUMES.as_posix(), "held_out": HELD_OUT, "seed": SEED, "size": size}
    write_repeats(folder, _repeats(slices, size, progress), SETTINGS, extra)


def volumes(data: Path) -> list[Path]:
    """The volumes that the slices are taken from."""
    return sorted((data / VOLUMES).glob("*.nii.gz"))


def _slices(data: Path) -> list[Slice]:
    """Name, image and split of all slices."""
    files = volumes(data)
    test = [path for path in files if fnmatch.fnmatch(path.name, HELD_OUT)]
    training = [path for path in files if path not in test]
    if not (test and training):
        raise InputError(
            f"{data / VOLUMES}: bed B needs brain volumes (.nii.gz), those named {HELD_OUT} to test on and others to train on, "
            f"but there are {len(test)} and {len(training)}.",
            field="bed",
            advice="Add them, or choose another {field}.",
        )
    parts = ((training, TRAINING_PAIRS, TRAINING), (test, TEST_PAIRS, TEST))
    return [found for paths, count, split in parts for found in _spread_slices(paths, count, split)]


def _spread_slices(paths: Sequence[Path], count: int, split: str) -> Iterator[Slice]:
    """`count` slices, as many of each volume (the first ones give one more), evenly spread over those with content."""
    for number, path in enumerate(paths):
        volume = read_volume(path)
        chosen = np.flatnonzero(slices_with_content(volume.array, least_content=_LEAST_CONTENT))
        share = min(count // len(paths) + (number < count % len(paths)), len(chosen))
        for index in chosen[np.linspace(0, len(chosen) - 1, share + 2)[1:-1].round().astype(int)]:
            yield f"{file_stem(path)}_slice_{index:03d}", volume.array[index], split


def _repeats(slices: Sequence[Slice], size: int, progress: Reader) -> Iterator[tuple[str, SimulatedRepeat, str]]:
    for number, (name, image, split) in enumerate(slices):
        rng = np.random.default_rng([SEED, number])
        points = corner_points(image, _within_brain(image))
        yield name, simulate_repeat(image, settings=SETTINGS, rng=rng, points=points, size=size), split
        progress(Item(number + 1, len(slices), name))


def _within_brain(image: np.ndarray) -> np.ndarray:
    """Where landmarks may be: in the brain, but not on its rim, whose corners come from the skull-stripping."""
    low, high = float(image.min()), float(image.max())
    brain = ndimage.binary_fill_holes(image > low + 0.01 * (high - low))
    return ndimage.binary_erosion(brain, iterations=_RIM_PX)
