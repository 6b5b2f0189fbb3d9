"""What training sees of a registration task: pairs in the network's frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np


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
