"""Faults of recording and storing: lines that do not fit those beside them, lines that are repeated, compression blocks."""

from __future__ import annotations

import math

import numpy as np
from scipy import ndimage

_USUAL_LINES = 51  # among which a line is judged
_JUMP, _REPEAT = 0.6, 0.35  # logarithms of the ratio to the usual difference, from which on a line counts
_MOST_JUMP, _MOST_REPEAT = 1.5, 2.0
_LEAST_SEEN = 0.3  # of a line
_FLOOR = 1e-3  # of the variance
_BLOCK = 8  # pixels, of JPEG and most video
_BESIDE_BLOCKS = 17
_MOST_BLOCKS = 4.0


def line_faults(local: np.ndarray, known: np.ndarray, unit: float) -> tuple[float, float]:
    """How much lines jump, and how much they are repeated: means over the lines, along both axes together.

    A jump is where two neighbouring lines differ more than usual around them, a repetition where they differ less.

    Parameters
    ----------
    local : float32 array (H, W)
        Grey values less their local mean.
    known : bool array (H, W)
        Pixels to use.
    unit : float
        Pixels of the image in one of 18.75 um. Interpolated lines alternately differ more and less, and are averaged.
    """
    jumps = repeats = 0.0
    floor = _FLOOR * float(local[known].var())
    for image, seen in ((local, known), (local.T, known.T)):
        both = seen[1:] & seen[:-1]
        count = both.sum(axis=1)
        steps = np.where(both, image[1:] - image[:-1], 0)
        energy = np.einsum("ij,ij->i", steps, steps) / np.maximum(count, 1)
        energy = ndimage.uniform_filter1d(energy, max(math.ceil(unit - 0.05), 1))
        energy = energy[count > _LEAST_SEEN * image.shape[1]]
        if len(energy) < _USUAL_LINES:
            continue
        usual = ndimage.median_filter(energy, _USUAL_LINES, mode="nearest")
        ratio = np.log((energy + floor) / (usual + floor))
        jumps += float(np.clip(ratio - _JUMP, 0, _MOST_JUMP).mean())
        repeats += float(np.clip(-ratio - _REPEAT, 0, _MOST_REPEAT).mean())
    return jumps, repeats


def blockiness(filled: np.ndarray, known: np.ndarray) -> float:
    """How much larger differences of neighbours are at every eighth line than at any other of the eight; 1 for none.

    Parameters
    ----------
    filled : float32 array (H, W)
    known : bool array (H, W)
        Pixels to use.
    """
    found = [_block_ratio(filled, known), _block_ratio(filled.T, known.T)]
    return math.sqrt(math.prod(found))


def _block_ratio(image: np.ndarray, known: np.ndarray) -> float:
    both = known[1:] & known[:-1]
    steps = np.where(both, np.abs(image[1:] - image[:-1]), 0).sum(axis=1) / np.maximum(both.sum(axis=1), 1)
    blocks = len(steps) // _BLOCK
    if blocks < 3 or not steps.any():
        return 1.0
    usual = ndimage.median_filter(steps, _BESIDE_BLOCKS, mode="nearest")
    relative = steps / np.maximum(usual, _FLOOR * float(steps.max()))
    by_place = np.sort(np.median(relative[: blocks * _BLOCK].reshape(-1, _BLOCK), axis=0))
    return float(min(by_place[-1] / max(by_place[-2], 1e-6), _MOST_BLOCKS))
