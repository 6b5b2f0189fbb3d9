"""Image pairs from files as registration pairs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..errors import InputError
from ..pairs import PairFiles
from ..preprocessing import Preprocessing, pair_frames
from .base import TaskPair, augmented


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
    images = [
        preprocessing.apply(image.array, frame) for image, frame in zip((pair.moving, pair.fixed), frames, strict=True)
    ]
    if not landmarks or pair.moving_landmarks is None or pair.fixed_landmarks is None:
        return TaskPair(*images)
    return TaskPair(
        *images, frames[0].from_image(pair.moving_landmarks.points), frames[1].from_image(pair.fixed_landmarks.points)
    )
