"""Affine pull transforms in coordinates that do not depend on the resolution.

A transform is a float64 array (2, 3), or a stack of them: ``moving = matrix @ (row, column, 1)``. A network grid
reaches from -1 to 1 along both axes, edge to edge. One matrix therefore serves all resolutions; `to_frame` gives it in pixels.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

IDENTITY = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
CORNERS = np.array([[-1.0, -1.0, 1.0, 1.0], [-1.0, 1.0, -1.0, 1.0], [1.0, 1.0, 1.0, 1.0]])
"""The corners of the network grid as columns, with a one below."""


def to_frame(matrix: np.ndarray, size: int) -> np.ndarray:
    """The matrix (2, 3) between pixel positions of a network grid of `size` pixels."""
    linear, shift = matrix[:, :2], matrix[:, 2]
    centre = np.full(2, (size - 1) / 2)
    return np.column_stack((linear, shift * size / 2 + centre - linear @ centre))


def similarity(angle: float, scale: float, shift: np.ndarray | tuple[float, float] = (0.0, 0.0)) -> np.ndarray:
    """Rotation by `angle` (radians), scaling, then a shift: a matrix (2, 3)."""
    cosine, sine = scale * np.cos(angle), scale * np.sin(angle)
    return np.array([[cosine, -sine, shift[0]], [sine, cosine, shift[1]]])


def projected(matrix: np.ndarray, kind: str) -> np.ndarray:
    """The nearest matrix of the kind (one of `KINDS`, or "similarity"), with the same shift."""
    if kind == "affine":
        return matrix
    if kind == "translation":
        return np.column_stack((np.eye(2), matrix[:, 2]))
    across, along = matrix[1, 0] - matrix[0, 1], matrix[0, 0] + matrix[1, 1]
    scale = np.hypot(across, along) / 2 if kind == "similarity" else 1.0
    return similarity(np.arctan2(across, along), scale, matrix[:, 2])


def rotation_deg(matrix: np.ndarray) -> float:
    """Rotation of the matrix, degrees."""
    return float(np.rad2deg(np.arctan2(matrix[1, 0] - matrix[0, 1], matrix[0, 0] + matrix[1, 1])))


def stretches(matrix: np.ndarray) -> np.ndarray:
    """Least and greatest factor (2,) by which the matrix stretches a length; negative least for a mirror image."""
    values = np.linalg.svd(matrix[:, :2], compute_uv=False)
    return np.array([values[1] * np.sign(np.linalg.det(matrix[:, :2])), values[0]])


def sampling_grids(matrices: np.ndarray, size: int, like: Tensor) -> Tensor:
    """Grids (C, n, n, 2) for `grid_sample` without aligned corners: its axes are (column, row)."""
    swapped = np.asarray(matrices)[:, ::-1][:, :, [1, 0, 2]]
    theta = torch.as_tensor(np.ascontiguousarray(swapped), dtype=torch.float32, device=like.device)
    return functional.affine_grid(theta, [len(swapped), 1, size, size], align_corners=False)
