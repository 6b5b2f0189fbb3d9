"""Images of kinds that nothing was trained on, each with itself under a known displacement and in another look."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image as PillowImage
from scipy import ndimage

from MetaRegistrationLib.core.spatial import invert_points

_SEED = 21
_SIDE, _SPACING_PX, _MARGIN_PX = 400, 16, 12
_MEAN_PX = (2.0, 10.0)  # of the local displacement
_SMOOTH_PX = (20.0, 45.0)
_TURN_DEG, _STRETCH, _SHIFT_PX = 8.0, 0.05, 14.0
_NOISE = 0.03
_CHANNELS = (1, 0)  # green and red of a stain: one tissue in two contrasts


def other_kinds(folder: Path, writer) -> None:
    """Write the pairs of `kinds_made` "warped_other_kinds"."""
    for number, (name, first, second) in enumerate(_scenes(folder)):
        rng = np.random.default_rng((_SEED, number))
        displacement = _displacement(first.shape, rng)
        positions = np.indices(first.shape) + displacement
        moving = ndimage.map_coordinates(_look(second, rng), positions, order=3, mode="nearest")
        points = _structured(first)
        moved, converged = invert_points(displacement, points)
        inside = converged & (moved >= 0).all(axis=1) & (moved <= np.array(first.shape) - 1).all(axis=1)
        images = (np.clip(image + rng.normal(0, _NOISE, image.shape), 0, 1) for image in (moving, first))
        writer.add(name, *images, moved[inside], points[inside])


def _scenes(folder: Path) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Name, and one scene in two contrasts where it has colours, else twice the same; the longer side has 400 pixels."""
    for path in sorted(folder.glob("*/images/*")):
        if path.parts[-3] == "sem_sections" and int(path.stem[1:]) % 3:
            continue  # neighbours show nearly the same
        array = np.asarray(PillowImage.open(path))
        channels = [array[..., index] for index in _CHANNELS] if array.ndim == 3 else [array, array]
        zoom = _SIDE / max(array.shape[:2])
        yield (
            f"{path.parts[-3]}_{path.stem}",
            *(_unit(ndimage.zoom(each.astype(np.float32), zoom, order=1)) for each in channels),
        )


def _unit(image: np.ndarray) -> np.ndarray:
    low, high = np.percentile(image, (0.5, 99.5))
    return np.clip((image - low) / max(high - low, 1e-6), 0, 1)


def _look(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Another gain in every region, another gamma."""
    shading = ndimage.gaussian_filter(rng.normal(size=image.shape), 60)
    return np.clip(image ** rng.uniform(0.6, 1.6) * (1 + 0.2 * shading / shading.std()), 0, 1)


def _displacement(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """A small affine transform about the centre, and a smooth field, (2, H, W)."""
    away = np.indices(shape) - (np.array(shape)[:, None, None] - 1) / 2
    angle = np.deg2rad(rng.uniform(-_TURN_DEG, _TURN_DEG))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) - np.eye(2)
    turn += rng.uniform(-_STRETCH, _STRETCH, (2, 2))
    local = np.stack([ndimage.gaussian_filter(rng.normal(size=shape), rng.uniform(*_SMOOTH_PX)) for _ in range(2)])
    local *= rng.uniform(*_MEAN_PX) / np.hypot(*local).mean()
    return np.einsum("ij,jhw->ihw", turn, away) + rng.uniform(-_SHIFT_PX, _SHIFT_PX, 2)[:, None, None] + local


def _structured(image: np.ndarray) -> np.ndarray:
    """Points of a grid around which there is anything to see, (N, 2) in (row, column)."""
    spread = np.sqrt(np.maximum(ndimage.gaussian_filter(image**2, 6) - ndimage.gaussian_filter(image, 6) ** 2, 0))
    axes = (np.arange(_MARGIN_PX, side - _MARGIN_PX, _SPACING_PX) for side in image.shape)
    nodes = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
    nodes = nodes.reshape(-1, 2)
    return nodes[spread[tuple(nodes.T)] > 0.04].astype(np.float64)
