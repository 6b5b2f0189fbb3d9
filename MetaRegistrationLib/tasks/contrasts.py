"""Volumes of the same patients in several contrasts: one slice seen twice, with a displacement that is known."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..core.preprocessing import Preprocessing
from ..errors import InputError
from ..formats.image_files import file_stem
from .any_contrast import AnyContrast, unit_image
from .base import TaskPair
from .volumes import HeldVolume, held_volume


class ContrastsTask:
    """The same slice of a patient in two different contrasts, one of them warped.

    Parameters
    ----------
    name : str
    patients : dict of str to sequence of Path
        Co-registered volumes of each patient, at least two.
    validation_patients : dict of str to sequence of Path
        Held-out patients.
    preprocessing : Preprocessing
    contrast : AnyContrast
    """

    in_memory = 24
    weight = 1.0

    def __init__(
        self,
        name: str,
        patients: dict[str, Sequence[Path]],
        validation_patients: dict[str, Sequence[Path]],
        preprocessing: Preprocessing,
        contrast: AnyContrast,
    ):
        if not patients:
            raise InputError(f"Task {name}: no patients to train on.")
        self.name = name
        self._patients, self._validation = dict(patients), dict(validation_patients)
        self._preprocessing, self._contrast = preprocessing, contrast
        self._volumes: OrderedDict[Path, HeldVolume] = OrderedDict()

    def __getstate__(self) -> dict:
        return self.__dict__ | {"_volumes": OrderedDict()}  # what another process needs, it reads itself

    def training_pair(self, rng: np.random.Generator, step: int) -> TaskPair:
        """A random slice in two random contrasts, augmented, with its displacement."""
        names = list(self._patients)
        files = self._patients[names[int(rng.integers(len(names)))]]
        return self._contrast.pair(*self._slices(files, rng), self._preprocessing, rng)

    def validation_pairs(self, count: int = 2) -> list[TaskPair]:
        """Pairs of the held-out patients, with landmarks; always the same."""
        found = []
        for files in self._validation.values():
            for index in range(max(1, count // len(self._validation))):
                rng = np.random.default_rng([84, len(found), index])
                images = self._slices(files, rng)
                found.append(self._contrast.validation_pair(*images, self._preprocessing, rng))
        return found

    def _slices(self, files: Sequence[Path], rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        volumes = [self._volume(files[index]) for index in rng.permutation(len(files))[:2]]
        first, second = (held.volume.array for held in volumes)
        if first.shape != second.shape:
            names = " and ".join(path.name for path in files)
            raise InputError(f"Task {self.name}: {names} have different shapes, so they are not co-registered.")
        slices = np.flatnonzero(volumes[0].content & volumes[1].content)
        if not len(slices):
            raise InputError(f"Task {self.name}: no slice has content in all of {', '.join(p.name for p in files)}.")
        index = int(rng.choice(slices))
        name = f"Task {self.name}, slice {index} of {files[0]} or of another contrast,"
        return unit_image(first[index], name=name), unit_image(second[index], name=name)

    def _volume(self, path: Path) -> HeldVolume:
        if path not in self._volumes:
            self._volumes[path] = held_volume(path)
            while len(self._volumes) > self.in_memory:
                self._volumes.popitem(last=False)
        self._volumes.move_to_end(path)
        return self._volumes[path]

    def describe(self) -> dict:
        """Kind, patients and settings."""
        return {
            "name": self.name,
            "kind": "slices in two contrasts",
            "patients": sorted(self._patients),
            "validation": sorted(self._validation),
            **self._contrast.describe(),
        }


def patients_of(folders: Sequence[Sequence[Path]]) -> dict[str, list[Path]]:
    """Files by patient: those of different folders whose names are equal up to the last underscore; at least two."""
    found: dict[str, list[Path]] = {}
    for files in folders:
        for path in files:
            found.setdefault(file_stem(path).rpartition("_")[0], []).append(path)
    return {patient: paths for patient, paths in sorted(found.items()) if patient and len(paths) > 1}
