"""Simulated repeat visits: two acquisitions of one eye with a known deformation between them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from scipy.ndimage import gaussian_filter
from torch.nn.functional import grid_sample

from ..errors import InputError
from ..octa.vessels import branch_points, vessel_mask
from .acquisition import acquire
from .deformation import inverse_field, invert_at, random_displacement
from .settings import RepeatSettings

_BORDER_PX = 8.0
_LANDMARK_DISTANCE_PX = 12.0
_MOST_LANDMARKS = 30
_SMALLEST_EYE = 16


@dataclass(frozen=True)
class SimulatedRepeat:
    """A pair of simulated acquisitions and the truth about them.

    Attributes
    ----------
    moving, fixed : numpy.ndarray
        (size, size) float32 in [0, 1].
    displacement_px : numpy.ndarray or None
        (2, size, size) float32, channels (row, column): the pull field on the fixed grid that aligns moving to fixed.
    moving_points, fixed_points : numpy.ndarray
        Corresponding landmarks (N, 2) float64 as (row, column) in pixels.
    deformation_px : numpy.ndarray
        (2, size, size) float32, as it was drawn: the pull field on the moving grid that aligns fixed to moving, the inverse of
        `displacement_px`.
    """

    moving: np.ndarray
    fixed: np.ndarray
    displacement_px: np.ndarray | None
    moving_points: np.ndarray
    fixed_points: np.ndarray
    deformation_px: np.ndarray


def simulate_repeat(
    eye: np.ndarray,
    *,
    settings: RepeatSettings,
    rng: np.random.Generator,
    mask: np.ndarray | None = None,
    points: np.ndarray | None = None,
    landmarks: bool = True,
    with_field: bool = False,
    size: int = 400,
) -> SimulatedRepeat:
    """Simulate a repeat visit of an eye known from one image.

    Parameters
    ----------
    eye : numpy.ndarray
        (rows, columns) OCTA image of any range.
    settings : RepeatSettings
    rng : numpy.random.Generator
        The same state gives the same pair, whether landmarks and field are asked for or not.
    mask : numpy.ndarray, optional
        (rows, columns) vessel mask of the eye; found in the image when landmarks are asked for without it.
    points : numpy.ndarray, optional
        (N, 2) as (row, column) in pixels of the eye: what to take landmarks from instead of the branch points of vessels.
    landmarks : bool
        Whether to find landmarks: branch points of the vessels (or `points`), at most 30, spread over both images.
    with_field : bool
        Whether to compute `displacement_px` of the result (about half a second at 400 x 400).
    size : int
        Rows and columns of the frame.

    Raises
    ------
    InputError
        If the eye is not a finite 2D image of at least 16 x 16 pixels, or the mask's shape differs from it.
    """
    clean = clean_eye(eye, settings)
    deformation = random_displacement(size, settings, rng)
    fixed = acquire(framed(clean, settings.margin, size), settings, rng)
    moving = acquire(framed(clean, settings.margin, size, deformation), settings, rng)
    moving_points = fixed_points = np.zeros((0, 2))
    if landmarks:
        if points is None:
            points = _vessel_branches(eye, mask)
        moving_points, fixed_points = _landmarks(points, np.shape(eye), deformation, settings.margin)
    return SimulatedRepeat(
        moving=moving,
        fixed=fixed,
        displacement_px=inverse_field(deformation) if with_field else None,
        moving_points=moving_points,
        fixed_points=fixed_points,
        deformation_px=deformation,
    )


def clean_eye(eye: np.ndarray, settings: RepeatSettings) -> np.ndarray:
    """The eye in [0, 1] as float32, its own noise smoothed away; zero for a constant image."""
    eye = np.asarray(eye, dtype=np.float32)
    if eye.ndim != 2 or min(eye.shape) < _SMALLEST_EYE:
        raise InputError(
            f"An eye to simulate a repeat visit of must be a 2D image of at least {_SMALLEST_EYE} x {_SMALLEST_EYE} "
            f"pixels, but its shape is {eye.shape}: give a single grey image."
        )
    if not np.isfinite(eye).all():
        raise InputError("An eye to simulate a repeat visit of has NaN or infinite pixels: replace them first.")
    low, high = np.percentile(eye, [0.5, 99.5])
    if high <= low:
        low, high = eye.min(), eye.max()
    scale = 1 / (high - low) if high > low else 0.0
    clean = np.clip((eye - np.float32(low)) * np.float32(scale), 0, 1)
    return gaussian_filter(clean, settings.denoise_px, truncate=3) if settings.denoise_px else clean


def framed(eye: np.ndarray, margin: float, size: int, deformation: np.ndarray | None = None) -> np.ndarray:
    """Values of the eye at x + deformation(x) for the pixels x of the frame; black beyond the eye.

    The frame leaves out `margin`, as a part of the eye's image, at each side.
    """
    axis = np.arange(size, dtype=np.float32)
    position = np.stack(np.broadcast_arrays(axis[:, None], axis[None, :]), axis=-1)
    if deformation is not None:
        position = position + np.moveaxis(deformation, 0, -1)
    limits = np.array(eye.shape, dtype=np.float32) - 1
    normalised = 2 * _frame_to_eye(position, eye.shape, margin, size) / limits - 1
    grid = torch.from_numpy(np.ascontiguousarray(normalised[..., ::-1], dtype=np.float32))
    sampled = grid_sample(torch.from_numpy(eye)[None, None], grid[None], padding_mode="zeros", align_corners=True)
    return sampled[0, 0].numpy()


def _eye_per_frame_pixel(shape: tuple[int, ...], margin: float, size: int) -> np.ndarray:
    return np.array(shape, dtype=np.float32) * np.float32((1 - 2 * margin) / size)


def _frame_to_eye(position: np.ndarray, shape: tuple[int, ...], margin: float, size: int) -> np.ndarray:
    start = np.array(shape, dtype=np.float32) * np.float32(margin)
    return (position + np.float32(0.5)) * _eye_per_frame_pixel(shape, margin, size) + start - np.float32(0.5)


def _eye_to_frame(pixels: np.ndarray, shape: tuple[int, ...], margin: float, size: int) -> np.ndarray:
    start = np.array(shape) * margin
    return (pixels + 0.5 - start) / _eye_per_frame_pixel(shape, margin, size) - 0.5


def _vessel_branches(eye: np.ndarray, mask: np.ndarray | None) -> np.ndarray:
    shape = np.shape(eye)
    if mask is None:
        mask = vessel_mask(eye)
    elif np.shape(mask) != shape:
        raise InputError(f"The vessel mask's shape {np.shape(mask)} differs from the eye's {shape}: give its own mask.")
    return branch_points(mask)


def _landmarks(
    points: np.ndarray, shape: tuple[int, ...], deformation: np.ndarray, margin: float
) -> tuple[np.ndarray, np.ndarray]:
    size = deformation.shape[1]
    fixed = _eye_to_frame(np.asarray(points, dtype=np.float64).reshape(-1, 2), shape, margin, size)
    moving, converged = invert_at(deformation, fixed)
    usable = converged & _well_inside(fixed, size) & _well_inside(moving, size)
    chosen = _spread_out(fixed[usable])
    return moving[usable][chosen], fixed[usable][chosen]


def _well_inside(points: np.ndarray, size: int) -> np.ndarray:
    return ((points >= _BORDER_PX) & (points <= size - 1 - _BORDER_PX)).all(axis=1)


def _spread_out(points: np.ndarray) -> np.ndarray:
    """Indices of at most 30 points: the first, then again and again the one farthest from those chosen."""
    if not len(points):
        return np.zeros(0, dtype=int)
    chosen = [0]
    distance = np.linalg.norm(points - points[0], axis=1)
    while len(chosen) < _MOST_LANDMARKS and distance.max() >= _LANDMARK_DISTANCE_PX:
        chosen.append(int(distance.argmax()))
        distance = np.minimum(distance, np.linalg.norm(points - points[chosen[-1]], axis=1))
    return np.array(chosen)
