"""All translations at a grid of rotations and scales, by masked cross-correlation through FFTs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from scipy.fft import next_fast_len
from torch import Tensor
from torch.nn import functional

from .affine import similarity
from .normalise import Level

ROTATIONS_DEG = np.arange(-12.0, 12.1, 1.5)
SCALES = np.exp(np.array([-0.06, 0.0, 0.06]))
LEAST_OVERLAP = 0.35
_WORTH_A_TRY = 0.8
_NEIGHBOURHOOD = 0.04
_AT_ONCE = 9  # as many as fit into a processor's cache


@dataclass(frozen=True, eq=False)
class Peaks:
    """The best places that the search found, best first.

    Attributes
    ----------
    matrices : float64 array (K, 2, 3)
        Pull transforms, see `affine`.
    scores : float64 array (K,)
        Correlation times the square root of the share of overlap.
    chance : float
        Standard deviation of the scores over all places.
    """

    matrices: np.ndarray
    scores: np.ndarray
    chance: float


def grid(kind: str) -> np.ndarray:
    """The linear transforms (C, 2, 3) that are tried for a kind, all without shift."""
    rotations = [0.0] if kind == "translation" else ROTATIONS_DEG
    scales = SCALES if kind == "affine" else [1.0]
    return np.array([similarity(np.deg2rad(angle), scale) for scale in scales for angle in rotations])


class Scorer:
    """Scores of all shifts of a moving level on a fixed one, under any linear transform."""

    def __init__(self, moving: Level, fixed: Level):
        self.reach = fixed.size // 2
        self._padded = next_fast_len(
            fixed.size + self.reach, real=True
        )  # shifts within reach do not run into one another
        self._moving = torch.stack((moving.values, moving.weight))[None]
        self._spectra = self._spectrum(torch.stack((fixed.values, fixed.weight))).conj()
        self._area = max(min(float(moving.weight.sum()), float(fixed.weight.sum())), 1.0)
        self._norm = self._area * _contrast(moving) * _contrast(fixed)

    def __call__(self, matrices: np.ndarray) -> tuple[Tensor, Tensor]:
        """Scores at each of the linear transforms `matrices` (C, 2, 3).

        The score of a shift is ``sum(f m) / (|f| |m| sqrt(share))``: f the fixed and m the transformed moving values where
        both are defined, |f| and |m| their norms if their contrast there is that of the whole, over the area
        of the smaller image, and share the part of that area in which both are defined.

        Returns
        -------
        scores : Tensor (C, T, T)
            Index [k, i, j] is the shift (i - reach, j - reach) in pixels; zero where the overlap is too small.
        allowed : bool Tensor (C, T, T)
            Where the share is at least `LEAST_OVERLAP`.
        """
        grids = sampling_grids(matrices, self._moving.shape[-1], self._moving)
        moved = functional.grid_sample(self._moving.expand(len(grids), -1, -1, -1), grids, align_corners=False)
        side = (self._padded, self._padded)
        products = torch.fft.irfft2(self._spectrum(moved) * self._spectra, s=side)
        # A circular correlation holds the negative shifts at its end.
        products = products.roll((self.reach, self.reach), dims=(-2, -1))
        products = products[..., : 2 * self.reach + 1, : 2 * self.reach + 1]
        share = products[:, 1] / self._area
        allowed = share >= LEAST_OVERLAP
        return products[:, 0] * share.clamp(min=0.01).rsqrt() * allowed / self._norm, allowed

    def _spectrum(self, images: Tensor) -> Tensor:
        return torch.fft.rfft2(images, s=(self._padded, self._padded))


def find_peaks(moving: Level, fixed: Level, kind: str, *, count: int = 4) -> Peaks:
    """The best places of the whole search, at most `count`, and none far below the best.

    Two in one neighbourhood count as one.
    """
    matrices = grid(kind)
    heights, shifts, chance = _survey(Scorer(moving, fixed), matrices)
    kept: list[int] = []
    for candidate in np.argsort(-heights, kind="stable"):
        if len(kept) == count or (kept and heights[candidate] < _WORTH_A_TRY * heights[kept[0]]):
            break
        near = [np.abs(shifts[candidate] - shifts[other]).max() <= _NEIGHBOURHOOD * fixed.size for other in kept]
        if not any(near):
            kept.append(int(candidate))
    found = matrices[kept].copy()
    found[:, :, 2] = np.einsum("kij,kj->ki", found[:, :, :2], shifts[kept] * (2 / fixed.size))
    return Peaks(found, heights[kept], chance)


def _survey(scorer: Scorer, matrices: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Greatest score (C,) and its shift in pixels (C, 2) for each matrix; standard deviation of all scores."""
    heights, indices, moments = [], [], np.zeros(3)
    for first in range(0, len(matrices), _AT_ONCE):
        scores, allowed = scorer(matrices[first : first + _AT_ONCE])
        height, index = scores.flatten(1).max(dim=1)
        heights.append(height)
        indices.append(index)
        moments += torch.stack((allowed.float().sum(), scores.sum(), scores.square().sum())).cpu().double().numpy()
    mean, square = moments[1:] / max(moments[0], 1.0)
    width = 2 * scorer.reach + 1
    index = torch.cat(indices).cpu().numpy()
    shifts = np.stack(np.divmod(index, width), axis=1) - scorer.reach
    return torch.cat(heights).cpu().double().numpy(), shifts, float(np.sqrt(max(square - mean**2, 0.0)))


def sampling_grids(matrices: np.ndarray, size: int, like: Tensor) -> Tensor:
    """Grids (C, n, n, 2) for `grid_sample` without aligned corners: its axes are (column, row)."""
    swapped = np.asarray(matrices)[:, ::-1][:, :, [1, 0, 2]]
    theta = torch.as_tensor(np.ascontiguousarray(swapped), dtype=torch.float32, device=like.device)
    return functional.affine_grid(theta, [len(swapped), 1, size, size], align_corners=False)


def _contrast(level: Level) -> float:
    energy, area = float(level.values.square().sum()), float(level.weight.sum())
    return max((energy / max(area, 1.0)) ** 0.5, 1e-6)
