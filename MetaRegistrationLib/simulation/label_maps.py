"""Random shapes without a modality, after SynthMorph (Hoffmann et al., IEEE TMI 2022): label maps and their images."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter

from .smooth import smooth_field

_REFERENCE_SIDE = 400


def random_label_map(size: int, rng: np.random.Generator) -> np.ndarray:
    """Labels (size, size), int: a patchwork, then perhaps round organs, then perhaps vessel-like lines on top."""
    labels = _patchwork(size, rng) if rng.random() < 0.75 else np.zeros((size, size), dtype=np.int64)
    empty = not labels.any()
    if empty or rng.random() < 0.6:
        labels = _with_organs(labels, rng)
    if rng.random() < 0.45:
        labels = _with_lines(labels, rng)
    if rng.random() < 0.3:
        labels = _on_background(labels, rng)
    return labels


def random_intensities(labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Image (size, size), float32 in [0, 1], with a random grey value for every label and soft edges."""
    greys = rng.random(int(labels.max()) + 1).astype(np.float32)
    if rng.random() < 0.5:
        greys[0] = 0  # many images have a black background
    return gaussian_filter(greys[labels], float(rng.uniform(0.5, 1.0)), truncate=3)


def _patchwork(size: int, rng: np.random.Generator) -> np.ndarray:
    spacing = size / _REFERENCE_SIDE * float(rng.choice([24.0, 40.0, 64.0, 100.0]))
    count = int(rng.integers(3, 9))
    return smooth_field(size, max(spacing, 4.0), rng, channels=count).argmax(axis=0)


def _draw_wavy_ellipse(labels: np.ndarray, label: int, rng: np.random.Generator) -> None:
    """Give the pixels inside of a random ellipse with a few lobes a label, in place."""
    size = len(labels)
    row, column = size * rng.uniform(0.1, 0.9, size=2)
    first, second = size * rng.uniform(0.02, 0.22, size=2)
    angle, phase = rng.uniform(0, np.pi), rng.uniform(0, 6)
    lobes, depth = int(rng.integers(2, 6)), rng.uniform(0, 0.25)
    # Only the window that the ellipse can reach: the angles of all pixels would cost more than all else.
    reach = 1.25 * max(first, second) + 1
    top, left = max(int(row - reach), 0), max(int(column - reach), 0)
    window = labels[top : int(row + reach) + 2, left : int(column + reach) + 2]
    down = np.arange(window.shape[0], dtype=np.float32)[:, None] + np.float32(top - row)
    right = np.arange(window.shape[1], dtype=np.float32)[None, :] + np.float32(left - column)
    cosine, sine = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    along, across = cosine * down + sine * right, cosine * right - sine * down
    outline = 1 + np.float32(depth) * np.cos(lobes * np.arctan2(across, along) + np.float32(phase))
    window[np.hypot(along / np.float32(first), across / np.float32(second)) < outline] = label


def _with_organs(labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    labels = labels.copy()
    first = int(labels.max()) + 1
    for number in range(int(rng.integers(2, 10))):
        _draw_wavy_ellipse(labels, first + number % 6, rng)
    return labels


def _with_lines(labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Labels with curved lines of varying width: where a smooth field is nearly zero."""
    size, labels = len(labels), labels.copy()
    for _ in range(int(rng.integers(1, 4))):
        spacing = size / _REFERENCE_SIDE * float(rng.choice([40.0, 64.0, 100.0]))
        field = smooth_field(size, max(spacing, 4.0), rng)[0]
        # Its slope is about 1 per spacing, so that this is about half the width in pixels.
        labels[np.abs(field) < rng.uniform(0.8, 3) * size / _REFERENCE_SIDE / spacing] = int(labels.max()) + 1
    return labels


def _on_background(labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Labels within a body, with background (0) around it."""
    size = len(labels)
    axis = (np.arange(size, dtype=np.float32) - size / 2) / size
    body = np.hypot(axis[:, None] / rng.uniform(0.3, 0.48), axis[None, :] / rng.uniform(0.3, 0.48))
    wobble = 0.1 * smooth_field(size, size / 5, rng)[0]
    return np.where(body + wobble < 1, labels + 1, 0)
