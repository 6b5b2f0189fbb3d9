"""Continuous refinement of affine transforms: Gauss-Newton steps on the correlation of two levels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from .affine import directions, projected
from .normalise import Level
from .search import LEAST_OVERLAP, sampling_grids

_MOVING, _FIXED, _ONE = 6, 7, 8


@dataclass(frozen=True, eq=False)
class Polished:
    """Transforms (K, 2, 3) with their correlations (K,) and shares of overlap (K,)."""

    matrices: np.ndarray
    correlations: np.ndarray
    overlaps: np.ndarray

    @property
    def scores(self) -> np.ndarray:
        """Correlation times the square root of the overlap (K,): a small overlap correlates by chance."""
        return self.correlations * np.sqrt(self.overlaps)


class Polisher:
    """Correlation of a pair of levels under affine transforms, and the steps that raise it."""

    def __init__(self, moving: Level, fixed: Level):
        size = fixed.size
        self._moving = torch.cat((moving.values[None], moving.weight[None], _gradient(moving)))[None]
        self._fixed = fixed
        self._fixed_gradient = _gradient(fixed)
        axis = (torch.arange(size, device=fixed.values.device) + 0.5) * (2 / size) - 1
        self._position = torch.stack(
            (axis[:, None].expand(size, size), axis[None, :].expand(size, size), torch.ones_like(fixed.values))
        )
        self._area = max(min(float(moving.weight.sum()), float(fixed.weight.sum())), 1.0)

    def measure(self, matrices: np.ndarray) -> Polished:
        """Correlation over the overlap of each of the matrices (K, 2, 3)."""
        return self._judged(matrices, self._products(matrices))

    def polish(self, matrices: np.ndarray, kind: str, steps: int) -> Polished:
        """Raise the correlation of each of the matrices (K, 2, 3) within a kind by up to `steps` steps each."""
        current = np.array([projected(matrix, kind) for matrix in matrices])
        products = self._products(current)
        state = self._judged(current, products)
        damping = np.full(len(current), 1e-3)
        pixel = 2 / self._fixed.size
        for _ in range(steps):
            trial = np.array(
                [_step(*values, kind, 3 * pixel) for values in zip(current, products, damping, strict=True)]
            )
            trial_products = self._products(trial)
            judged = self._judged(trial, trial_products)
            better = (judged.correlations > state.correlations) & (judged.overlaps >= LEAST_OVERLAP)
            moved = np.abs(trial - current).max(axis=(1, 2))
            damping = np.where(better, damping * 0.3, damping * 10)
            current[better], products[better] = trial[better], trial_products[better]
            state.correlations[better] = judged.correlations[better]
            state.overlaps[better] = judged.overlaps[better]
            if not (moved > 0.01 * pixel).any():
                break
        return Polished(current, state.correlations, state.overlaps)

    def _products(self, matrices: np.ndarray) -> np.ndarray:
        """Weighted inner products (K, 9, 9) of: six derivatives, moving values, fixed values, ones."""
        grids = sampling_grids(matrices, self._fixed.size, self._moving)
        sampled = functional.grid_sample(self._moving.expand(len(grids), -1, -1, -1), grids, align_corners=False)
        moved, weight = sampled[:, :1] / sampled[:, 1:2].clamp(min=0.01), sampled[:, 1] * self._fixed.weight
        gradient = 0.5 * (sampled[:, 2:] + self._fixed_gradient_through(matrices))
        rows = torch.cat(
            (
                (gradient[:, :, None] * self._position).flatten(1, 2),
                moved,
                self._fixed.values.expand_as(moved),
                self._position[2].expand_as(moved),
            ),
            dim=1,
        ).flatten(2)
        return ((rows * weight.flatten(1)[:, None]) @ rows.transpose(1, 2)).cpu().double().numpy()

    def _fixed_gradient_through(self, matrices: np.ndarray) -> Tensor:
        """What the moving gradient would be if the moving image were the fixed one; the mean of both has less noise."""
        inverse = np.linalg.inv(matrices[:, :, :2]).transpose(0, 2, 1)
        inverse = torch.as_tensor(np.ascontiguousarray(inverse), dtype=torch.float32, device=self._moving.device)
        return torch.einsum("kij,jrc->kirc", inverse, self._fixed_gradient)

    def _judged(self, matrices: np.ndarray, products: np.ndarray) -> Polished:
        overlaps = products[:, _ONE, _ONE] / self._area
        correlations = np.array([_correlation(_centred(product)) for product in products])
        return Polished(matrices, correlations, overlaps)


def _gradient(level: Level) -> Tensor:
    """Derivatives (2, n, n) along rows and columns, a unit being half a side; zero at the border of what is defined."""
    values, weight = level.values, level.weight
    result = values.new_zeros((2, *values.shape))
    result[0, 1:-1] = (values[2:] - values[:-2]) * weight[2:] * weight[:-2]
    result[1, :, 1:-1] = (values[:, 2:] - values[:, :-2]) * weight[:, 2:] * weight[:, :-2]
    return result * (0.25 * level.size)


def _centred(products: np.ndarray) -> np.ndarray:
    """Inner products (8, 8) after the weighted means are taken off."""
    area = max(products[_ONE, _ONE], 1e-12)
    sums = products[:_ONE, _ONE]
    return products[:_ONE, :_ONE] - np.outer(sums, sums) / area


def _correlation(centred: np.ndarray) -> float:
    norm = centred[_MOVING, _MOVING] * centred[_FIXED, _FIXED]
    return float(centred[_MOVING, _FIXED] / np.sqrt(norm)) if norm > 1e-9 else 0.0


def _step(matrix: np.ndarray, products: np.ndarray, damping: float, kind: str, longest: float) -> np.ndarray:
    """The matrix after one damped Gauss-Newton step on the correlation, at most `longest` in any number."""
    centred = _centred(products)
    basis = directions(matrix, kind).reshape(-1, 6)
    moving_norm, fixed_norm = np.sqrt(np.maximum(np.diag(centred)[[_MOVING, _FIXED]], 1e-12))
    correlation = centred[_MOVING, _FIXED] / (moving_norm * fixed_norm)
    with_moving = basis @ centred[:6, _MOVING] / moving_norm
    with_fixed = basis @ centred[:6, _FIXED] / fixed_norm
    curvature = basis @ centred[:6, :6] @ basis.T - np.outer(with_moving, with_moving)
    curvature[np.diag_indices_from(curvature)] *= 1 + damping
    curvature += 1e-9 * np.trace(curvature) * np.eye(len(curvature)) + 1e-12 * np.eye(len(curvature))
    slope = (with_fixed - correlation * with_moving) * moving_norm / max(correlation, 0.3)
    change = (np.linalg.solve(curvature, slope) @ basis).reshape(2, 3)
    change *= min(1.0, longest / max(np.abs(change).max(), 1e-12))
    return projected(matrix + change, kind)
