"""Registration tasks: sources of (moving, fixed) pairs in the network's frame, for training and for validation."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np
import torch

from .errors import InputError
from .images import Volume, read_image, read_volume
from .pairs import PairFiles
from .preprocessing import Preprocessing, pair_frames
from .simulation import RepeatSettings, random_displacement, simulate_repeat
from .spatial import warp


@dataclass(frozen=True)
class TaskPair:
    """One pair in the frame: images float32 (size, size) in [0, 1]; points (N, 2) in frame pixels (row, column) or None."""

    moving: np.ndarray
    fixed: np.ndarray
    moving_points: np.ndarray | None = None
    fixed_points: np.ndarray | None = None


class Task(Protocol):
    """What training needs of a registration task."""

    name: str

    def training_pair(self, rng: np.random.Generator, step: int) -> TaskPair:
        """A random pair; the same for an equal state of `rng` and an equal `step`."""

    def validation_pairs(self) -> list[TaskPair]:
        """Held-out pairs, always the same."""

    def describe(self) -> dict:
        """Plain values for a checkpoint's history."""


def augmented(pair: TaskPair, rng: np.random.Generator) -> TaskPair:
    """`pair` with moving and fixed swapped, mirrored and turned by quarter turns at random (the same for both images)."""
    moving, fixed = (pair.fixed, pair.moving) if rng.random() < 0.5 else (pair.moving, pair.fixed)
    turns, mirror = int(rng.integers(4)), rng.random() < 0.5

    def turned(image: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray(np.rot90(np.fliplr(image) if mirror else image, turns))

    return TaskPair(turned(moving), turned(fixed))


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
    """

    in_memory = 16
    rotation = 500

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
    ):
        if not files:
            raise InputError(f"Task {name}: no volumes to train on.")
        self.name = name
        self._files, self._validation_files = list(files), list(validation_files)
        self._preprocessing, self._channel, self._window = preprocessing, channel, window
        self._deformation = deformation
        self._volumes: OrderedDict[Path, tuple[Volume, np.ndarray]] = OrderedDict()

    def _volume(self, path: Path) -> tuple[Volume, np.ndarray]:
        """The volume and the first slices of its adjacent pairs."""
        if path not in self._volumes:
            volume = read_volume(path, channel=self._channel)
            if self._window:
                volume = replace(volume, array=np.clip(volume.array, *self._window))
            self._volumes[path] = (volume, adjacent_pairs(volume.array))
            while len(self._volumes) > self.in_memory:
                self._volumes.popitem(last=False)
        self._volumes.move_to_end(path)
        return self._volumes[path]

    def training_pair(self, rng: np.random.Generator, step: int) -> TaskPair:
        """Two adjacent slices of a random volume, augmented."""
        files = self._files
        if len(files) > self.in_memory:
            shuffled = np.random.default_rng([len(files), step // self.rotation]).permutation(len(files))
            files = [files[index] for index in shuffled[: self.in_memory]]
        weights = None
        if len(files) <= self.in_memory:
            counts = np.array([len(self._volume(path)[1]) for path in files], dtype=float)
            if not counts.any():
                raise InputError(f"Task {self.name}: no two adjacent slices with content in its volumes.")
            weights = counts / counts.sum()
        path = files[int(rng.choice(len(files), p=weights))]
        starts = self._volume(path)[1]
        return self._pair(path, int(rng.choice(starts)), rng)

    def _pair(self, path: Path, start: int, rng: np.random.Generator | None) -> TaskPair:
        volume = self._volume(path)[0]
        moving, fixed = (self._preprocessing.apply(volume.array[index]) for index in (start, start + 1))
        if rng is not None:
            if self._deformation is not None:
                moving = _deformed(moving, random_displacement(self._preprocessing.size, self._deformation, rng))
            return augmented(TaskPair(moving, fixed), rng)
        return TaskPair(moving, fixed)

    def validation_pairs(self, count: int = 4) -> list[TaskPair]:
        """Pairs spread evenly over the held-out volumes (undeformed)."""
        found = []
        for path in self._validation_files:
            starts = self._volume(path)[1]
            share = max(1, count // len(self._validation_files))
            chosen = np.linspace(0, len(starts) - 1, share + 2)[1:-1].astype(int) if len(starts) else []
            found += [self._pair(path, int(starts[index]), None) for index in chosen]
        return found

    def describe(self) -> dict:
        """Kind, file names and settings."""
        return {
            "name": self.name,
            "kind": "adjacent axial slices",
            "volumes": [path.name for path in self._files],
            "validation": [path.name for path in self._validation_files],
            "channel": self._channel,
            "window": list(self._window) if self._window else None,
            "deformation": self._deformation.to_dict() if self._deformation else None,
        }


def adjacent_pairs(volume: np.ndarray, *, least_content: float = 0.02) -> np.ndarray:
    """Indices k such that slices k and k + 1 of a volume (S, H, W) both have content.

    A slice is empty when fewer than `least_content` of its pixels lie above the volume's lowest value by more than a
    hundredth of its range (air, skull-stripped background).
    """
    low, high = float(volume.min()), float(volume.max())
    if not high > low:
        return np.zeros(0, dtype=int)
    content = (volume > low + 0.01 * (high - low)).mean(axis=(1, 2)) >= least_content
    return np.flatnonzero(content[:-1] & content[1:])


def _deformed(image: np.ndarray, displacement: np.ndarray) -> np.ndarray:
    tensors = torch.from_numpy(image)[None, None], torch.from_numpy(np.ascontiguousarray(displacement, np.float32))[None]
    return warp(*tensors)[0, 0].numpy()


class SingleImageTask:
    """Simulated repeat visits of single images (OCTA): a new pair at every draw.

    Parameters
    ----------
    files, validation_files : sequence of Path
    masks : dict of str to Path
        Vessel masks by image stem; they give the validation pairs their landmarks (found on the image where missing).
    settings : RepeatSettings
    """

    in_memory = 512

    def __init__(
        self,
        name: str,
        files: Sequence[Path],
        validation_files: Sequence[Path],
        preprocessing: Preprocessing,
        *,
        settings: RepeatSettings,
        masks: dict[str, Path] | None = None,
    ):
        if not files:
            raise InputError(f"Task {name}: no images to train on.")
        self.name = name
        self._files, self._validation_files = list(files), list(validation_files)
        self._preprocessing, self._settings, self._masks = preprocessing, settings, masks or {}
        self._images: OrderedDict[Path, np.ndarray] = OrderedDict()

    def _image(self, path: Path) -> np.ndarray:
        if path not in self._images:
            self._images[path] = read_image(path).array
            while len(self._images) > self.in_memory:
                self._images.popitem(last=False)
        return self._images[path]

    def training_pair(self, rng: np.random.Generator, step: int) -> TaskPair:
        """A simulated repeat visit of a random image, augmented."""
        path = self._files[int(rng.integers(len(self._files)))]
        visit = simulate_repeat(
            self._image(path), settings=self._settings, rng=rng, landmarks=False, size=self._preprocessing.size
        )
        return augmented(self._prepared(visit.moving, visit.fixed), rng)

    def validation_pairs(self, count: int = 8) -> list[TaskPair]:
        """Simulated visits of the held-out images, with exact landmarks."""
        found = []
        for index in range(count if self._validation_files else 0):
            path = self._validation_files[index % len(self._validation_files)]
            mask = self._masks.get(path.stem)
            visit = simulate_repeat(
                self._image(path),
                settings=self._settings,
                rng=np.random.default_rng([81, index]),
                mask=read_image(mask).array > 0 if mask else None,
                size=self._preprocessing.size,
            )
            pair = self._prepared(visit.moving, visit.fixed)
            found.append(replace(pair, moving_points=visit.moving_points, fixed_points=visit.fixed_points))
        return found

    def _prepared(self, moving: np.ndarray, fixed: np.ndarray) -> TaskPair:
        return TaskPair(self._preprocessing.apply(moving), self._preprocessing.apply(fixed))

    def describe(self) -> dict:
        """Kind, number of images and settings of the simulation."""
        return {
            "name": self.name,
            "kind": "simulated repeat visits of single images",
            "images": len(self._files),
            "validation": [path.name for path in self._validation_files],
            "simulation": self._settings.to_dict(),
        }


class PairTask:
    """Image pairs from files; their landmarks serve validation alone, training never sees them.

    Parameters
    ----------
    pairs, held_out : sequence of PairFiles
        To train on, and to validate on.
    memory : int
        Bytes of prepared pairs that are kept; what does not fit is read again each time.
    """

    def __init__(
        self,
        name: str,
        pairs: Sequence[PairFiles],
        held_out: Sequence[PairFiles],
        preprocessing: Preprocessing,
        *,
        memory: int = 2**30,
    ):
        if not pairs:
            raise InputError(f"Task {name}: no pairs to train on.")
        self.name = name
        self.pairs = list(pairs)
        self._held_out, self._preprocessing = list(held_out), preprocessing
        self._room = memory // (2 * 4 * preprocessing.size**2)
        self._prepared: dict[int, TaskPair] = {}

    def __len__(self) -> int:
        return len(self.pairs)

    def pair(self, index: int) -> TaskPair:
        """Training pair `index`, without landmarks."""
        if index not in self._prepared:
            pair = prepare_pair(self.pairs[index], self._preprocessing, landmarks=False)
            if len(self._prepared) >= self._room:
                return pair
            self._prepared[index] = pair
        return self._prepared[index]

    def training_pair(self, rng: np.random.Generator, step: int) -> TaskPair:
        """A random pair, augmented."""
        return augmented(self.pair(int(rng.integers(len(self.pairs)))), rng)

    def validation_pairs(self) -> list[TaskPair]:
        """The held-out pairs, with landmarks where they exist."""
        return [prepare_pair(files, self._preprocessing) for files in self._held_out]

    def describe(self) -> dict:
        """Kind and names of the pairs."""
        return {
            "name": self.name,
            "kind": "image pairs",
            "pairs": [pair.name for pair in self.pairs],
            "validation": [pair.name for pair in self._held_out],
        }


def prepare_pair(files: PairFiles, preprocessing: Preprocessing, *, landmarks: bool = True) -> TaskPair:
    """Read a pair and bring images and landmarks into the frame."""
    pair = files.load()
    frames = pair_frames(pair.moving.geometry, pair.fixed.geometry, preprocessing.size)
    images = [preprocessing.apply(image.array, frame) for image, frame in zip((pair.moving, pair.fixed), frames, strict=True)]
    if not landmarks or pair.moving_landmarks is None or pair.fixed_landmarks is None:
        return TaskPair(*images)
    return TaskPair(
        *images, frames[0].from_image(pair.moving_landmarks.points), frames[1].from_image(pair.fixed_landmarks.points)
    )


