"""Random deformations of many kinds and sizes: global, elastic, fine, drifts and jumps of rows, sliding organs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch.nn.functional import interpolate

from ..core.spatial import exponential, jacobian_determinant
from .number_settings import NumberSettings
from .smooth import smooth_field

_SQUARINGS = 6
_SMALLEST_JACOBIAN = 0.1
_REFERENCE_SIDE = 400


@dataclass(frozen=True)
class WarpSettings(NumberSettings):
    """How far apart two images may be; lengths in pixels of a 400-pixel frame, 0 turns a part off.

    Attributes
    ----------
    translation_px, rotation_deg, scaling, quadratic_px : float
        Standard deviations of the global part: shift, turn, stretch and shear (of 1), bend at the corners.
    elastic_px, fine_px, drift_px, organ_px : float
        Greatest standard deviation of smooth elastic fields, of fine local ones, of drifts along the rows, and greatest
        shift of an organ.
    jump_px : float
        Standard deviation of the sideways jumps of bands of rows.
    global_part, elastic_part, fine_part, drift_part, organ_part, jump_part : float
        Probability that a pair has each part.
    """

    subject: ClassVar[str] = "warp"
    at_most: ClassVar[dict[str, float]] = {
        "translation_px": 100.0,
        "rotation_deg": 60.0,
        "scaling": 0.3,
        "quadratic_px": 50.0,
        **dict.fromkeys(("global_part", "elastic_part", "fine_part", "drift_part", "organ_part", "jump_part"), 1.0),
    }

    translation_px: float = 9.0
    rotation_deg: float = 3.0
    scaling: float = 0.03
    quadratic_px: float = 4.0
    elastic_px: float = 8.0
    fine_px: float = 2.0
    drift_px: float = 4.0
    organ_px: float = 40.0
    jump_px: float = 3.0
    global_part: float = 0.75
    elastic_part: float = 0.8
    fine_part: float = 0.4
    drift_part: float = 0.15
    organ_part: float = 0.2
    jump_part: float = 0.1


def random_warp(size: int, rng: np.random.Generator, settings: WarpSettings | None = None) -> np.ndarray:
    """Draw a pull field.

    All but the jumps is free of folds: the Jacobian determinant stays above 0.1.

    Parameters
    ----------
    size : int
        Rows and columns of the frame.
    rng : numpy.random.Generator
    settings : WarpSettings, optional

    Returns
    -------
    numpy.ndarray
        (2, size, size) float32, channels (row, column), in pixels of the frame.
    """
    settings = settings or WarpSettings()
    unit = size / _REFERENCE_SIDE
    velocity = _velocity(max(size // 4, 16), size, rng, settings)
    matrix, shift, bend = _global_map(rng, settings)
    jumps = _jumps(size, rng, settings)
    for _ in range(30):
        local = _flow(velocity, size)
        total = _after_global(local, matrix, unit * shift, unit * bend)
        if float(jacobian_determinant(torch.from_numpy(total)[None]).min()) > _SMALLEST_JACOBIAN:
            break
        velocity, bend = 0.8 * velocity, 0.8 * bend
    total[1] += np.float32(unit) * jumps[:, None]
    return total


def _velocity(side: int, size: int, rng: np.random.Generator, settings: WarpSettings) -> np.ndarray:
    """Velocity (2, side, side) of the local part, in pixels of a 400-pixel frame, on a coarse grid."""
    velocity = np.zeros((2, side, side), dtype=np.float32)
    step = size / side

    def smooth(spacing_px: float, channels: int = 2) -> np.ndarray:
        return smooth_field(side, max(spacing_px * size / _REFERENCE_SIDE / step, 2.0), rng, channels)

    if rng.random() < settings.elastic_part:
        # Small ones more often than large ones, and not more than the scale carries.
        for spacing in rng.choice([60.0, 90.0, 130.0, 200.0], size=int(rng.integers(1, 3)), replace=False):
            strongest = min(settings.elastic_px, spacing / 10)
            velocity += np.float32(strongest * rng.random() ** 1.5) * smooth(float(spacing))
    if rng.random() < settings.fine_part:
        spacing = float(rng.choice([24.0, 36.0]))
        velocity += np.float32(settings.fine_px * rng.random()) * smooth(spacing)
    if rng.random() < settings.drift_part:
        velocity += np.float32(settings.drift_px * rng.random()) * smooth(60.0)[:, :, :1]
    if rng.random() < settings.organ_part:
        velocity += _organs(side, rng, settings, smooth)
    return velocity


def _organs(side: int, rng: np.random.Generator, settings: WarpSettings, smooth) -> np.ndarray:
    """One to three regions with a soft boundary that each move as a whole."""
    total = np.zeros((2, side, side), dtype=np.float32)
    for _ in range(int(rng.integers(1, 4))):
        shape = smooth(float(rng.choice([90.0, 150.0])), channels=1)[0]
        inside = 1 / (1 + np.exp(-(shape - rng.uniform(0, 0.8)) / rng.uniform(0.1, 0.4)))
        angle, length = rng.uniform(0, 2 * np.pi), settings.organ_px * rng.uniform(0.1, 1)
        shift = length * np.array([np.sin(angle), np.cos(angle)])
        # A later organ lies on top of an earlier one, so that shifts do not add up.
        total = total * (1 - inside) + (shift[:, None, None] * inside)
    return total.astype(np.float32)


def _flow(velocity: np.ndarray, size: int) -> np.ndarray:
    """Displacement (2, size, size), in pixels, of the flow along a velocity on a coarser grid."""
    side = velocity.shape[-1]
    if not velocity.any():
        return np.zeros((2, size, size), dtype=np.float32)
    in_cells = torch.from_numpy(velocity)[None] * ((side - 1) / (_REFERENCE_SIDE - 1))
    flow = exponential(in_cells, _SQUARINGS) * ((size - 1) / (side - 1))
    return interpolate(flow, size=(size, size), mode="bicubic", align_corners=True)[0].numpy()


def _global_map(rng: np.random.Generator, settings: WarpSettings) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Linear map less the identity (2, 2), shift (2,) and bends (2, 3) at the corners."""
    if rng.random() >= settings.global_part:
        return np.zeros((2, 2)), np.zeros(2), np.zeros((2, 3))
    part = rng.random()  # some pairs close together, some far apart
    angle = np.deg2rad(settings.rotation_deg * part * rng.standard_normal())
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    stretch = np.eye(2) + settings.scaling * part * rng.uniform(-2, 2, size=(2, 2))
    shift = settings.translation_px * part * rng.standard_normal(2)
    bend = settings.quadratic_px * part * rng.standard_normal((2, 3)) * (rng.random() < 0.5)
    return turn @ stretch - np.eye(2), shift, bend


def _after_global(local: np.ndarray, matrix: np.ndarray, shift: np.ndarray, bend: np.ndarray) -> np.ndarray:
    """The local displacement, then the global map: both free of folds, so that their sequence is too."""
    size = local.shape[-1]
    axis = np.arange(size, dtype=np.float32) - np.float32((size - 1) / 2)
    row, column = local[0] + axis[:, None], local[1] + axis[None, :]
    half = np.float32(size / 2)
    total = local.copy()
    for channel in range(2):
        along_row, along_column = matrix[channel].astype(np.float32)
        total[channel] += along_row * row + along_column * column + np.float32(shift[channel])
        if bend[channel].any():
            first, mixed, last = (bend[channel] / half**2).astype(np.float32)
            total[channel] += first * row**2 + mixed * row * column + last * column**2
    return total


def _jumps(size: int, rng: np.random.Generator, settings: WarpSettings) -> np.ndarray:
    """Sideways shift (size,) of the rows: zero but for a few bands in some pairs."""
    shifts = np.zeros(size, dtype=np.float32)
    if rng.random() < settings.jump_part:
        for _ in range(int(rng.integers(1, 4))):
            start, rows = int(rng.integers(0, size)), int(rng.integers(max(size // 50, 1), max(size // 6, 2)))
            shifts[start : start + rows] += settings.jump_px * rng.standard_normal()
    return shifts
