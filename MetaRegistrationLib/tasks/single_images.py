"""Simulated repeat visits of single images as registration pairs."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..core.preprocessing import Preprocessing
from ..errors import InputError
from ..formats.image_files import file_stem
from ..formats.images import read_image
from ..simulation import RepeatSettings, simulate_repeat
from .any_contrast import AnyContrast, unit_image
from .base import TaskPair
from .simulated import simulated_pair


class SingleImageTask:
    """Simulated repeat visits of single images (OCTA): a new pair at every draw.

    Parameters
    ----------
    files, validation_files : sequence of Path
    masks : dict of str to Path
        Vessel masks by image stem; they give the validation pairs their landmarks (found on the image where missing).
    settings : RepeatSettings
    any_contrast : AnyContrast, optional
        When given, the two visits get appearances of their own and a warp by these settings; of `settings`, `denoise_px` stays.
    """

    in_memory = 512
    weight = 1.0

    def __init__(
        self,
        name: str,
        files: Sequence[Path],
        validation_files: Sequence[Path],
        preprocessing: Preprocessing,
        *,
        settings: RepeatSettings,
        masks: dict[str, Path] | None = None,
        any_contrast: AnyContrast | None = None,
    ):
        if not files:
            raise InputError(f"Task {name}: no images to train on.")
        self.name = name
        self._files, self._validation_files = list(files), list(validation_files)
        self._preprocessing, self._settings, self._masks = preprocessing, settings, masks or {}
        self._any_contrast = any_contrast
        self._images: OrderedDict[Path, np.ndarray] = OrderedDict()

    def __getstate__(self) -> dict:
        return self.__dict__ | {"_images": OrderedDict()}  # what another process needs, it reads itself

    def _image(self, path: Path) -> np.ndarray:
        if path not in self._images:
            self._images[path] = read_image(path, keep_drawings=True).array
            while len(self._images) > self.in_memory:
                self._images.popitem(last=False)
        return self._images[path]

    def training_pair(self, rng: np.random.Generator, step: int) -> TaskPair:
        """A simulated repeat visit of a random image, augmented, with its displacement."""
        path = self._files[int(rng.integers(len(self._files)))]
        if self._any_contrast is not None:
            image = self._unit_image(path)
            return self._any_contrast.pair(image, image, self._preprocessing, rng)
        return simulated_pair(self._image(path), self._preprocessing, self._settings, rng)

    def validation_pairs(self, count: int = 8) -> list[TaskPair]:
        """Simulated visits of the held-out images, with exact landmarks."""
        if self._any_contrast is not None:
            return [self._validation_pair(path, index) for index, path in enumerate(self._validation_files[:2])]
        found = []
        for index in range(count if self._validation_files else 0):
            path = self._validation_files[index % len(self._validation_files)]
            mask = self._masks.get(file_stem(path))
            visit = simulate_repeat(
                self._image(path),
                settings=self._settings,
                rng=np.random.default_rng([81, index]),
                mask=read_image(mask, luminance=True).array > 0 if mask else None,
                size=self._preprocessing.size,
            )
            pair = self._prepared(visit.moving, visit.fixed)
            found.append(replace(pair, moving_points=visit.moving_points, fixed_points=visit.fixed_points))
        return found

    def _unit_image(self, path: Path) -> np.ndarray:
        return unit_image(self._image(path), self._settings.denoise_px, name=f"Task {self.name}: {path}")

    def _validation_pair(self, path: Path, index: int) -> TaskPair:
        image = self._unit_image(path)
        rng = np.random.default_rng([86, index])
        return self._any_contrast.validation_pair(image, image, self._preprocessing, rng)

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
            **({"any_contrast": self._any_contrast.describe()} if self._any_contrast else {}),
        }
