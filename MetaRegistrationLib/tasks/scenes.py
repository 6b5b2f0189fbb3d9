"""Tasks whose scenes are drawn, not read: random shapes, and eyes in several modalities."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np

from ..core.preprocessing import Preprocessing
from ..simulation.fundus import MODALITIES, DrawnEye, draw_eye, render
from ..simulation.label_maps import random_intensities, random_label_map
from .any_contrast import AnyContrast
from .base import TaskPair

_VALIDATION_SEED = 83


class DrawnTask(ABC):
    """A task whose every pair shows a scene that `_scene` draws, twice."""

    weight = 1.0
    kind = "drawn scenes"

    def __init__(self, name: str, preprocessing: Preprocessing, contrast: AnyContrast):
        self.name, self._preprocessing, self._contrast = name, preprocessing, contrast

    def training_pair(self, rng: np.random.Generator, step: int) -> TaskPair:
        """A random pair with its displacement, augmented."""
        return self._contrast.pair(*self._scene(rng), self._preprocessing, rng)

    def validation_pairs(self, count: int = 2) -> list[TaskPair]:
        """Pairs of scenes that training is unlikely to draw, with landmarks; always the same."""
        found = []
        for index in range(count):
            rng = np.random.default_rng([_VALIDATION_SEED, index])
            found.append(self._contrast.validation_pair(*self._scene(rng), self._preprocessing, rng))
        return found

    @abstractmethod
    def _scene(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Two aligned images of one scene, in [0, 1]."""

    def describe(self) -> dict:
        """Kind and settings."""
        return {"name": self.name, "kind": self.kind, **self._contrast.describe()}


class ShapesTask(DrawnTask):
    """Random label maps whose labels have random grey values, drawn apart for the two images."""

    kind = "random shapes"

    def _scene(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        labels = random_label_map(self._preprocessing.size, rng)
        return random_intensities(labels, rng), random_intensities(labels, rng)


class FundusTask(DrawnTask):
    """Drawn eyes as two of the modalities show them.

    Parameters
    ----------
    modalities : sequence of str
        Of `simulation.fundus.MODALITIES`; both images have the same one where there is but one.
    eyes : int
        Different eyes. Each is drawn once, when first needed, since that takes about a second.
    """

    kind = "drawn eyes"

    def __init__(
        self,
        name: str,
        preprocessing: Preprocessing,
        contrast: AnyContrast,
        *,
        modalities: Sequence[str] = MODALITIES,
        eyes: int = 24,
    ):
        super().__init__(name, preprocessing, contrast)
        self._modalities, self._count = list(modalities), eyes

    def _scene(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        eye = drawn_eye(int(rng.integers(self._count)), self._preprocessing.size)
        count = min(2, len(self._modalities))
        first, *rest = rng.choice(self._modalities, size=count, replace=False)
        second = rest[0] if rest else first
        return render(eye, str(first), rng), render(eye, str(second), rng)

    def describe(self) -> dict:
        """Kind, modalities, number of eyes and settings."""
        return super().describe() | {"modalities": self._modalities, "eyes": self._count}


_eyes: dict[tuple[int, int], DrawnEye] = {}


def drawn_eye(number: int, size: int) -> DrawnEye:
    """Eye `number`, always the same one; kept, since several tasks show the same eyes."""
    if (number, size) not in _eyes:
        _eyes[number, size] = draw_eye(np.random.default_rng([_VALIDATION_SEED, number, size]), size)
    return _eyes[number, size]
