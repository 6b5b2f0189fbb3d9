"""Outlines that enclose no area that could be measured: those that cross themselves or leave the image."""

from __future__ import annotations

import numpy as np

_SAME = 1e-2  # pixels between points that are one
_BESIDE = 1e-4  # pixels
_OUTSIDE = 0.5  # pixels beyond the middle of the outermost ones: their border


def crosses_itself(outline: np.ndarray) -> bool:
    """Whether a closed curve through points (N, 2) crosses itself."""
    start = np.asarray(outline, float)
    start = start[np.linalg.norm(start - np.roll(start, -1, axis=0), axis=1) > _SAME]
    # Where a point of the curve is on another segment, sides are told apart from beside it.
    start = start + np.random.default_rng(0).uniform(-_BESIDE, _BESIDE, start.shape)
    end = np.roll(start, -1, axis=0)
    # The two ends of each segment (second axis) on either side of each other one (first axis).
    apart = _is_left(start, end, start) != _is_left(start, end, end)
    numbers = np.arange(len(start))
    steps = (numbers[None] - numbers[:, None]) % max(len(start), 1)
    not_adjacent = (steps > 1) & (steps < len(start) - 1)
    return bool((apart & apart.T & not_adjacent).any())


def leaves(outline: np.ndarray, size: tuple[int, int]) -> bool:
    """Whether a point (row, column) of a curve is outside an image of `size`."""
    points = np.asarray(outline, float)
    return bool(((points < -_OUTSIDE) | (points > np.asarray(size) - 1 + _OUTSIDE)).any())


def _is_left(start: np.ndarray, end: np.ndarray, point: np.ndarray) -> np.ndarray:
    """Whether points (second axis) are on the left of segments (first axis)."""
    along, across = (end - start)[:, None], point[None] - start[:, None]
    return along[..., 0] * across[..., 1] > along[..., 1] * across[..., 0]
