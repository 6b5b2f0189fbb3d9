"""The random appearance of one acquisition of any modality: grey values, sharpness, noise, light, field of view, marks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.ndimage import gaussian_filter

from .grain import speckle, unit_grain
from .number_settings import NumberSettings
from .smooth import smooth_field

_LEVELS = 1024


@dataclass(frozen=True)
class AppearanceSettings(NumberSettings):
    """How much the appearances of two acquisitions may differ; 0 turns a setting off.

    Attributes
    ----------
    remap, non_monotone, inversion : float
        Probability that grey values pass through a smooth random curve; that this curve goes up and down; that bright
        and dark are swapped.
    blur_px, sharpening : float
        Greatest standard deviation of a blur, at the default frame; greatest strength of an unsharp mask. An image gets
        one or the other.
    speckle, noise, grain_px : float
        Greatest standard deviation of multiplicative and of additive noise, greatest size of their grain.
    shading : float
        Greatest standard deviation of the logarithm of a smooth gain.
    saturation : float
        Greatest part of the grey range that is cut off at either end.
    border, marks, stripes : float
        Probability of a black border or round mask, of burnt-in marks, of rows of other brightness.
    """

    subject: ClassVar[str] = "appearance"
    at_most: ClassVar[dict[str, float]] = {
        "remap": 1.0,
        "non_monotone": 1.0,
        "inversion": 1.0,
        "saturation": 0.45,
        "border": 1.0,
        "marks": 1.0,
        "stripes": 1.0,
    }

    remap: float = 0.8
    non_monotone: float = 0.3
    inversion: float = 0.35
    blur_px: float = 1.8
    sharpening: float = 1.0
    speckle: float = 0.4
    noise: float = 0.08
    grain_px: float = 1.2
    shading: float = 0.35
    saturation: float = 0.12
    border: float = 0.25
    marks: float = 0.2
    stripes: float = 0.15


def random_appearance(image: np.ndarray, rng: np.random.Generator, settings: AppearanceSettings) -> np.ndarray:
    """One acquisition of a clean image.

    Parameters
    ----------
    image : numpy.ndarray
        (size, size) in [0, 1].
    rng : numpy.random.Generator
    settings : AppearanceSettings

    Returns
    -------
    numpy.ndarray
        (size, size) float32 in [0, 1].
    """
    values = _remapped(np.clip(np.asarray(image, dtype=np.float32), 0, 1), rng, settings)
    values = _focused(values, rng, settings)
    values = _lit(values, rng, settings)
    values = _noisy(values, rng, settings)
    values = _saturated(values, rng, settings)
    if rng.random() < settings.border:
        values = values * _field_of_view(len(values), rng)
    if rng.random() < settings.marks:
        _burn_marks(values, rng)
    return np.clip(values, 0, 1, out=values)


def _remapped(image: np.ndarray, rng: np.random.Generator, settings: AppearanceSettings) -> np.ndarray:
    curve = np.linspace(0, 1, _LEVELS)
    if rng.random() < settings.remap:
        curve = _up_and_down(rng) if rng.random() < settings.non_monotone else _rising(rng)
    if rng.random() < settings.inversion:
        curve = 1 - curve
    return curve.astype(np.float32)[(image * (_LEVELS - 1)).astype(np.int32)]


def _rising(rng: np.random.Generator) -> np.ndarray:
    """Monotone curve from 0 to 1 whose slope varies smoothly."""
    slope = np.exp(_interpolated(rng.normal(0, 0.9, size=6)))
    return _unit_range(np.cumsum(slope))


def _up_and_down(rng: np.random.Generator) -> np.ndarray:
    """Smooth curve with one or a few turning points."""
    return _unit_range(_interpolated(rng.normal(0, 1, size=int(rng.integers(4, 7)))))


def _interpolated(values: np.ndarray) -> np.ndarray:
    position = np.linspace(0, len(values) - 1, _LEVELS)
    below = np.minimum(position.astype(int), len(values) - 2)
    part = (1 - np.cos(np.pi * (position - below))) / 2  # no kinks at the control values
    return values[below] + part * (values[below + 1] - values[below])


def _unit_range(curve: np.ndarray) -> np.ndarray:
    return (curve - curve.min()) / max(curve.max() - curve.min(), 1e-6)


def _focused(image: np.ndarray, rng: np.random.Generator, settings: AppearanceSettings) -> np.ndarray:
    """Blurred, sharpened, or as it is."""
    choice, strength = rng.random(), float(rng.random())
    if choice < 0.4 and settings.blur_px * strength > 0.2:
        return gaussian_filter(image, settings.blur_px * strength, truncate=2.5)
    if choice < 0.6 and settings.sharpening > 0:
        sharpened = image + np.float32(settings.sharpening * strength) * (
            image - gaussian_filter(image, 1.5, truncate=2)
        )
        return np.clip(sharpened, 0, 1)
    return image


def _lit(image: np.ndarray, rng: np.random.Generator, settings: AppearanceSettings) -> np.ndarray:
    size = len(image)
    strength = settings.shading * rng.random()
    spacing = size / (2, 3, 5)[int(rng.integers(3))]
    gain = np.exp(strength * smooth_field(size, max(spacing, 4.0), rng)[0])
    if rng.random() < settings.stripes:
        gain = gain * _row_gain(size, rng)[:, None]
    return image * gain.astype(np.float32)


def _row_gain(size: int, rng: np.random.Generator) -> np.ndarray:
    logarithm = rng.uniform(0, 0.12) * rng.standard_normal(size)
    for _ in range(int(rng.integers(0, 6))):
        start, rows = int(rng.integers(0, size)), 1 + int(rng.exponential(size / 60))
        logarithm[start : start + rows] += 0.4 * rng.standard_normal()
    return np.exp(logarithm)


def _noisy(image: np.ndarray, rng: np.random.Generator, settings: AppearanceSettings) -> np.ndarray:
    size, grain = len(image), settings.grain_px * rng.random()
    if rng.random() < 0.5 and settings.speckle > 0:
        image = image * speckle(size, settings.speckle * rng.random(), grain, rng)
    # Weak noise more often than strong: after equalisation even weak noise fills a black background.
    if rng.random() < 0.6 and settings.noise > 0:
        image = image + np.float32(settings.noise * rng.random() ** 2) * unit_grain(size, grain, rng)
    return image


def _saturated(image: np.ndarray, rng: np.random.Generator, settings: AppearanceSettings) -> np.ndarray:
    low, high = settings.saturation * rng.random(2)
    return np.clip((image - np.float32(low)) / np.float32(1 - low - high), 0, 1)


def _field_of_view(size: int, rng: np.random.Generator) -> np.ndarray:
    """1 within a disc or a rectangle, 0 beyond it, (size, size) float32."""
    axis = np.arange(size, dtype=np.float32)
    if rng.random() < 0.5:
        row, column = size * rng.uniform(0.45, 0.55, size=2)
        radius = size * rng.uniform(0.4, 0.56)
        distance = np.hypot(axis[:, None] - np.float32(row), axis[None, :] - np.float32(column))
        return np.clip(np.float32(radius) - distance, 0, 1)
    first, last = size * rng.uniform(0, 0.12, size=2), size * (1 - rng.uniform(0, 0.12, size=2))
    rows, columns = ((axis >= start) & (axis < stop) for start, stop in zip(first, last, strict=True))
    return np.outer(rows, columns).astype(np.float32)


def _burn_marks(image: np.ndarray, rng: np.random.Generator) -> None:
    """Draw scale bars and lines of boxes like letters into `image`, in place, near its borders."""
    size = len(image)
    for _ in range(int(rng.integers(1, 4))):
        height = max(1, round(size * rng.uniform(0.005, 0.03)))
        width = max(2, round(size * rng.uniform(0.05, 0.3)))
        near = size * rng.uniform(0.01, 0.12)
        row = int(near if rng.random() < 0.5 else size - near - height)
        column = int(rng.uniform(0, size - width))
        value = np.float32(rng.choice([0.0, 1.0, rng.random()]))
        block = image[max(row, 0) : max(row, 0) + height, column : column + width]
        if rng.random() < 0.5:
            block[...] = value
        else:
            cell = max(1, height // 3)
            letters = rng.random((-(-block.shape[0] // cell), -(-block.shape[1] // cell))) < 0.5
            inked = np.kron(letters, np.ones((cell, cell), dtype=bool))[: block.shape[0], : block.shape[1]]
            block[inked] = value
