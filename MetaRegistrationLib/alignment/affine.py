"""Affine pull transforms in coordinates that do not depend on the resolution.

A transform is a float64 array (2, 3), or a stack of them: ``moving = matrix @ (row, column, 1)``. Here a frame reaches from
-1 to 1 along both axes, edge to edge, so that one matrix serves all resolutions; `to_frame` gives it in pixels.
"""

from __future__ import annotations

import numpy as np

IDENTITY = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
CORNERS = np.array([[-1.0, -1.0, 1.0, 1.0], [-1.0, 1.0, -1.0, 1.0], [1.0, 1.0, 1.0, 1.0]])
"""The frame's corners as columns, with a one below."""


def to_frame(matrix: np.ndarray, size: int) -> np.ndarray:
    """The matrix (2, 3) between pixel positions of a frame of `size` pixels."""
    linear, shift = matrix[:, :2], matrix[:, 2]
    centre = np.full(2, (size - 1) / 2)
    return np.column_stack((linear, shift * size / 2 + centre - linear @ centre))


def similarity(angle: float, scale: float, shift: np.ndarray | tuple[float, float] = (0.0, 0.0)) -> np.ndarray:
    """Rotation by `angle` (radians), scaling, then a shift: a matrix (2, 3)."""
    cosine, sine = scale * np.cos(angle), scale * np.sin(angle)
    return np.array([[cosine, -sine, shift[0]], [sine, cosine, shift[1]]])


def directions(matrix: np.ndarray, kind: str) -> np.ndarray:
    """How a matrix may change: (P, 2, 3), one derivative a parameter of the kind."""
    basis = np.zeros((6, 2, 3))
    basis[np.arange(6), np.arange(6) // 3, np.arange(6) % 3] = 1
    if kind == "affine":
        return basis
    shifts = basis[[2, 5]]
    if kind == "translation":
        return shifts
    turned = np.zeros((2, 3))
    turned[:, :2] = np.array([[0.0, -1.0], [1.0, 0.0]]) @ matrix[:, :2]
    return np.concatenate((turned[None], shifts))


def projected(matrix: np.ndarray, kind: str) -> np.ndarray:
    """The nearest matrix of the kind, with the same shift."""
    if kind == "affine":
        return matrix
    if kind == "translation":
        return np.column_stack((np.eye(2), matrix[:, 2]))
    angle = np.arctan2(matrix[1, 0] - matrix[0, 1], matrix[0, 0] + matrix[1, 1])
    return similarity(angle, 1.0, matrix[:, 2])


def rotation_deg(matrix: np.ndarray) -> float:
    """Rotation of the matrix, degrees."""
    return float(np.rad2deg(np.arctan2(matrix[1, 0] - matrix[0, 1], matrix[0, 0] + matrix[1, 1])))


def stretches(matrix: np.ndarray) -> np.ndarray:
    """Least and greatest factor (2,) by which the matrix stretches a length; negative least for a mirror image."""
    values = np.linalg.svd(matrix[:, :2], compute_uv=False)
    return np.array([values[1] * np.sign(np.linalg.det(matrix[:, :2])), values[0]])
