"""A registration task as training sees it: pairs on the network grid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np


@dataclass(frozen=True)
class TaskPair:
    """One pair on the network grid.

    Images are float32 (size, size) in [0, 1]; points (N, 2) in grid pixels (row, column) or None; `displacement_px`, where
    the truth is known (simulated pairs), is the pull field (2, size, size) that takes moving to fixed.
    """

    moving: np.ndarray
    fixed: np.ndarray
    moving_points: np.ndarray | None = None
    fixed_points: np.ndarray | None = None
    displacement_px: np.ndarray | None = None


class Task(Protocol):
    """What training needs of a registration task."""

    name: str
    weight: float
    """How often pretraining draws the task, relative to the others."""

    def training_pair(self, rng: np.random.Generator, step: int) -> TaskPair:
        """A random pair; the same for an equal state of `rng` and an equal `step`."""

    def validation_pairs(self) -> list[TaskPair]:
        """Held-out pairs, always the same."""

    def describe(self) -> dict:
        """Plain values for a checkpoint's history."""


def augmented(pair: TaskPair, rng: np.random.Generator) -> TaskPair:
    """`pair` mirrored and turned by quarter turns at random (the same for both images), without its points.

    Moving and fixed are also swapped at random, unless the displacement is known: it is known in one direction only.
    """
    swapped = rng.random() < 0.5 and pair.displacement_px is None
    moving, fixed = (pair.fixed, pair.moving) if swapped else (pair.moving, pair.fixed)
    turns, mirror = int(rng.integers(4)), rng.random() < 0.5

    def turned(image: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray(np.rot90(np.fliplr(image) if mirror else image, turns))

    displacement = pair.displacement_px
    if displacement is not None:
        rows, columns = (turned(channel) for channel in displacement)
        if mirror:
            columns = -columns
        for _ in range(turns):  # a quarter turn against the clock takes columns to rows, upwards
            rows, columns = -columns, rows
        displacement = np.stack([rows, columns])
    return TaskPair(turned(moving), turned(fixed), displacement_px=displacement)
