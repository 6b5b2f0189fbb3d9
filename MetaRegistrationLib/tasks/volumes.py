"""Adjacent axial slices of volumes, and simulated repeats of single ones, as registration pairs."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from weakref import WeakValueDictionary

import numpy as np
import torch

from .. import calibration
from ..core.preprocessing import Preprocessing
from ..core.spatial import warp
from ..errors import InputError
from ..formats.images import Volume, read_volume
from ..simulation import RepeatSettings, random_displacement
from .any_contrast import AnyContrast, unit_image
from .base import TaskPair, augmented
from .simulated import simulated_pair

_LEAST_CONTENT = calibration.SLICE_CONTENT.value


@dataclass(frozen=True)
class HeldVolume:
    """A volume and which of its slices have content."""

    volume: Volume
    content: np.ndarray


# Task sets show the same volumes in several tasks; what one of them holds the others need not read.
_held: WeakValueDictionary[tuple, HeldVolume] = WeakValueDictionary()


def held_volume(path: Path, channel: int | None = None, window: tuple[float, float] | None = None) -> HeldVolume:
    """A volume, clipped to `window`, with its slices that have content; shared with whoever still holds it."""
    key = (path, channel, window)
    found = _held.get(key)
    if found is None:
        volume = read_volume(path, channel=channel)
        if window:
            volume = replace(volume, array=np.clip(volume.array, *window))
        found = _held[key] = HeldVolume(volume, slices_with_content(volume.array))
    return found


class VolumeTask:
    """Adjacent axial slices of volumes (MRI, CT), as in the paper; slices without content are left out.

    Parameters
    ----------
    name : str
    files : sequence of Path
        Training volumes; of many, some are kept in memory at a time and replaced after `rotation` steps.
    validation_files : sequence of Path
        Held-out volumes.
    preprocessing : Preprocessing
    channel : int, optional
        Channel of 4-D images.
    window : (float, float), optional
        Intensities are clipped to this range first (HU for CT).
    deformation : RepeatSettings, optional
        When given, the moving slice is also warped by a random displacement of these settings.
    simulation : RepeatSettings, optional
        When given, some pairs are simulated repeats of one slice instead, whose displacement is known.
    simulated : float
        The share of these, above 0 and at most 1; without `simulation` it has no meaning.
    any_contrast : AnyContrast, optional
        When given, every pair is one slice acquired twice, with appearances of their own and a known displacement.
    """

    in_memory = 16
    rotation = 500
    weight = 1.0

    def __init__(
        self,
        name: str,
        files: Sequence[Path],
        validation_files: Sequence[Path],
        preprocessing: Preprocessing,
        *,
        channel: int | None = None,
        window: tuple[float, float] | None = None,
        deformation: RepeatSettings | None = None,
        simulation: RepeatSettings | None = None,
        simulated: float = 0.5,
        any_contrast: AnyContrast | None = None,
    ):
        if not files:
            raise InputError(f"Task {name}: no volumes to train on.")
        self.name = name
        self._files, self._validation_files = list(files), list(validation_files)
        self._preprocessing, self._channel, self._window = preprocessing, channel, window
        self._deformation, self._simulation, self._simulated = deformation, simulation, simulated
        self._any_contrast = any_contrast
        self._volumes: OrderedDict[Path, HeldVolume] = OrderedDict()

    def __getstate__(self) -> dict:
        return self.__dict__ | {"_volumes": OrderedDict()}  # what another process needs, it reads itself

    def _volume(self, path: Path) -> tuple[Volume, np.ndarray]:
        """The volume and which of its slices have content."""
        if path not in self._volumes:
            self._volumes[path] = held_volume(path, self._channel, self._window)
            while len(self._volumes) > self.in_memory:
                self._volumes.popitem(last=False)
        self._volumes.move_to_end(path)
        return self._volumes[path].volume, self._volumes[path].content

    def _starts(self, path: Path) -> np.ndarray:
        """The first slices of a volume's adjacent pairs."""
        return _first_of_two(self._volume(path)[1])

    def training_pair(self, rng: np.random.Generator, step: int) -> TaskPair:
        """Two adjacent slices of a random volume, or one slice seen twice with its displacement; augmented."""
        if self._any_contrast is not None:
            path, index = self._draw(lambda path: np.flatnonzero(self._volume(path)[1]), "slice", rng, step)
            image = self._unit_slice(path, index)
            return self._any_contrast.pair(image, image, self._preprocessing, rng)
        # Nothing is drawn without a simulation, so that such tasks give the pairs that they always gave.
        if self._simulation is not None and rng.random() < self._simulated:
            path, index = self._draw(lambda path: np.flatnonzero(self._volume(path)[1]), "slice", rng, step)
            return self._repeat(path, index, rng)
        path, start = self._draw(self._starts, "two adjacent slices", rng, step)
        return self._pair(path, start, rng)

    def _draw(
        self, choices: Callable[[Path], np.ndarray], wanted: str, rng: np.random.Generator, step: int
    ) -> tuple[Path, int]:
        """One of the choices (slice indices) that the volumes have, all with equal chances, and its volume."""
        files = self._files
        if len(files) > self.in_memory:
            shuffled = np.random.default_rng([len(files), step // self.rotation]).permutation(len(files))
            files = [files[index] for index in shuffled[: self.in_memory]]
        counts = np.array([len(choices(path)) for path in files], dtype=float)
        if not counts.any():
            raise InputError(f"Task {self.name}: no {wanted} with content in {files[0]} and others.")
        path = files[int(rng.choice(len(files), p=counts / counts.sum()))]
        return path, int(rng.choice(choices(path)))

    def _repeat(self, path: Path, index: int, rng: np.random.Generator) -> TaskPair:
        try:
            return simulated_pair(self._volume(path)[0].array[index], self._preprocessing, self._simulation, rng)
        except InputError as error:
            raise error.within(f"Task {self.name}, slice {index} of {path}: ") from error

    def _pair(self, path: Path, start: int, rng: np.random.Generator | None) -> TaskPair:
        volume = self._volume(path)[0]
        moving, fixed = (self._preprocessing.apply(volume.array[index]) for index in (start, start + 1))
        if rng is not None:
            if self._deformation is not None:
                moving = _deformed(moving, random_displacement(self._preprocessing.size, self._deformation, rng))
            return augmented(TaskPair(moving, fixed), rng)
        return TaskPair(moving, fixed)

    def validation_pairs(self, count: int = 4) -> list[TaskPair]:
        """Pairs spread evenly over the held-out volumes: undeformed, but for tasks of any contrast."""
        if self._any_contrast is not None:
            return [self._validation_pair(path, index) for path in self._validation_files for index in range(2)]
        found = []
        for path in self._validation_files:
            starts = self._starts(path)
            share = max(1, count // len(self._validation_files))
            chosen = np.linspace(0, len(starts) - 1, share + 2)[1:-1].astype(int) if len(starts) else []
            found += [self._pair(path, int(starts[index]), None) for index in np.unique(chosen).astype(int)]
        return found

    def _unit_slice(self, path: Path, index: int) -> np.ndarray:
        return unit_image(self._volume(path)[0].array[index], name=f"Task {self.name}, slice {index} of {path},")

    def _validation_pair(self, path: Path, index: int) -> TaskPair:
        rng = np.random.default_rng([85, index])
        image = self._unit_slice(path, int(rng.choice(np.flatnonzero(self._volume(path)[1]))))
        return self._any_contrast.validation_pair(image, image, self._preprocessing, rng)

    def describe(self) -> dict:
        """Kind, file names and settings."""
        simulation = (
            {"simulation": self._simulation.to_dict(), "simulated": self._simulated} if self._simulation else {}
        )
        return {
            "name": self.name,
            "kind": "adjacent axial slices",
            "volumes": [path.name for path in self._files],
            "validation": [path.name for path in self._validation_files],
            "channel": self._channel,
            "window": list(self._window) if self._window else None,
            "deformation": self._deformation.to_dict() if self._deformation else None,
            **simulation,
            **({"any_contrast": self._any_contrast.describe()} if self._any_contrast else {}),
        }


def slices_with_content(volume: np.ndarray, *, least_content: float = _LEAST_CONTENT) -> np.ndarray:
    """Which slices of a volume (S, H, W) have content, (S,) bool.

    A slice is empty when fewer than `least_content` of its pixels lie above the volume's lowest value by more than a
    hundredth of its range (air, skull-stripped background).
    """
    low, high = float(volume.min()), float(volume.max())
    if not high > low:
        return np.zeros(len(volume), dtype=bool)
    return (volume > low + 0.01 * (high - low)).mean(axis=(1, 2)) >= least_content


def adjacent_pairs(volume: np.ndarray, *, least_content: float = _LEAST_CONTENT) -> np.ndarray:
    """Indices k such that slices k and k + 1 of a volume (S, H, W) both have content (see `slices_with_content`)."""
    return _first_of_two(slices_with_content(volume, least_content=least_content))


def _first_of_two(content: np.ndarray) -> np.ndarray:
    return np.flatnonzero(content[:-1] & content[1:])


def _deformed(image: np.ndarray, displacement: np.ndarray) -> np.ndarray:
    tensors = (
        torch.from_numpy(image)[None, None],
        torch.from_numpy(np.ascontiguousarray(displacement, np.float32))[None],
    )
    return warp(*tensors)[0, 0].numpy()
