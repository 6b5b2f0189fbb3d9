"""Measures of a registration: landmark distance, correlation, folding."""

from __future__ import annotations

import numpy as np


def landmark_distances(points: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Distances (N,) between points and their counterparts, both (N, 2), in their own unit."""
    points, targets = np.asarray(points, dtype=np.float64), np.asarray(targets, dtype=np.float64)
    if points.shape != targets.shape:
        raise ValueError(
            f"landmark_distances: expected as many points as targets, got {points.shape} and {targets.shape}"
        )
    return np.sqrt(np.square(points - targets).sum(axis=-1))


def normalised_cross_correlation(first: np.ndarray, second: np.ndarray, where: np.ndarray | None = None) -> float:
    """Pearson correlation of two images over the pixels `where` both are defined; NaN when either is constant there."""
    first, second = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if first.shape != second.shape:
        raise ValueError(f"normalised_cross_correlation: expected one shape, got {first.shape} and {second.shape}")
    if where is not None:
        first, second = first[where], second[where]
    # The norm below does not show this: the mean of equal values may round to another value.
    if first.size < 2 or np.ptp(first) == 0 or np.ptp(second) == 0:
        return float("nan")
    first, second = first - first.mean(), second - second.mean()
    norm = np.sqrt(np.square(first).sum() * np.square(second).sum())
    return float((first * second).sum() / norm) if norm > 0 else float("nan")


def folding_percent(displacement_px: np.ndarray) -> float:
    """Share of pixels, in percent, where the Jacobian determinant of ``x + u(x)`` is not positive; u is (2, H, W)."""
    import torch  # here alone: the panel measures distances before it is installed

    from .spatial import jacobian_determinant

    determinant = jacobian_determinant(torch.as_tensor(displacement_px)[None])
    return float((determinant <= 0).double().mean() * 100)


def gradient_magnitude(displacement_px: np.ndarray) -> float:
    """Mean of |grad u| (Frobenius norm of forward differences) of a displacement (2, H, W)."""
    field = np.asarray(displacement_px, dtype=np.float64)
    down, right = np.diff(field, axis=1)[:, :, :-1], np.diff(field, axis=2)[:, :-1]
    return float(np.sqrt(np.square(down).sum(axis=0) + np.square(right).sum(axis=0)).mean())
