"""Drawn eyes as several modalities show them: colour fundus, angiogram, OCTA; the vessels are the same in all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter

from .anatomy import Fovea, capillary_lines
from .branches import with_branches
from .drawing import draw_discs, sampled_lines
from .smooth import blob, smooth_field
from .vessel_tree import VesselTree, empty_tree, smoothed, with_trunk

_REFERENCE_SIDE = 400
MODALITIES = ("colour", "angiogram", "octa")


@dataclass(frozen=True)
class DrawnEye:
    """Layers of an eye, each (size, size) float32 in [0, 1].

    Attributes
    ----------
    vessels, mesh : numpy.ndarray
        Arterioles and venules; the capillaries.
    disc, macula, avascular : numpy.ndarray
        Optic disc, the dark spot around the fovea, and the foveal avascular zone.
    """

    vessels: np.ndarray
    mesh: np.ndarray
    disc: np.ndarray
    macula: np.ndarray
    avascular: np.ndarray


def draw_eye(rng: np.random.Generator, size: int = 400) -> DrawnEye:
    """Draw the layers of an eye with its optic disc in the picture (half a second or so)."""
    unit = size / _REFERENCE_SIDE
    fovea = Fovea(size, rng)
    side = 1 if rng.random() < 0.5 else -1  # a left or a right eye
    away = unit * np.array([rng.uniform(-20, 20), side * rng.uniform(105, 145)])
    tree = _trees(fovea, away, unit, rng)
    axis = np.arange(size, dtype=np.float32)
    row, column = fovea.centre + away
    distance = np.hypot(axis[:, None] - row, (axis[None, :] - column) / rng.uniform(0.85, 1))
    pixels = np.moveaxis(np.indices((size, size)), 0, -1)
    outside = (fovea.relative_distance(pixels) > 1).astype(np.float32)
    return DrawnEye(
        vessels=_drawn_vessels(tree, size),
        mesh=_drawn_mesh(size, fovea, rng),
        disc=np.clip((unit * rng.uniform(19, 28) - distance) / (2 * unit) + 0.5, 0, 1).astype(np.float32),
        macula=blob(size, fovea.centre, np.full(2, unit * rng.uniform(18, 35))),
        avascular=1 - gaussian_filter(outside, 3 * unit),
    )


def render(eye: DrawnEye, modality: str, rng: np.random.Generator) -> np.ndarray:
    """The eye as one of `MODALITIES` shows it, (size, size) float32 in [0, 1]; its light and lesions are random."""
    return {"colour": _colour, "angiogram": _angiogram, "octa": _octa}[modality](eye, rng)


def _trees(fovea: Fovea, away: np.ndarray, unit: float, rng: np.random.Generator) -> VesselTree:
    """Two arteries and veins towards each quarter of the retina, from the disc, with their branches."""
    from scipy.interpolate import CubicSpline

    tree = empty_tree()
    disc = fovea.centre + away
    temporal = -np.sign(away[1])
    for upper in (-1, 1):
        for _ in range(2):
            for outline in (_temporal(upper, rng), _nasal(upper, rng)):
                path = CubicSpline(np.arange(len(outline)), outline)(np.linspace(0, len(outline) - 1, 150))
                points = disc + unit * path * np.array([1, temporal])
                thick = unit * rng.uniform(1.8, 4.0)
                tree = with_trunk(tree, points, np.linspace(thick, thick * rng.uniform(0.3, 0.6), len(points)))
    return smoothed(with_branches(tree, fovea.centre, 1.5 * fovea.radius, unit, rng))


def _temporal(upper: int, rng: np.random.Generator) -> np.ndarray:
    """Points (row, column) of an arcade around the macula, from the disc; columns grow towards the macula."""
    rows = upper * np.array([0, 50, 95, rng.uniform(100, 145), rng.uniform(95, 150), rng.uniform(60, 160)])
    columns = np.array([0, 12, 60, 135, 220, 330]) + rng.normal(0, 8, size=6) * (np.arange(6) > 0)
    return np.stack([rows + rng.normal(0, 8, size=6) * (np.arange(6) > 1), columns], axis=1)


def _nasal(upper: int, rng: np.random.Generator) -> np.ndarray:
    slope = rng.uniform(0.3, 2.0)
    columns = -np.array([0, 20, 60, 110, 160]) + rng.normal(0, 6, size=5) * (np.arange(5) > 0)
    return np.stack([upper * slope * np.array([0, 22, 60, 105, 150]) + rng.normal(0, 6, size=5), columns], axis=1)


def _drawn_vessels(tree: VesselTree, size: int) -> np.ndarray:
    unit = size / _REFERENCE_SIDE
    children = np.flatnonzero(tree.parents >= 0)
    parents, radius = tree.parents[children], np.maximum(tree.least_radii, 0.6 * unit)
    points, line, _ = sampled_lines(tree.points[parents], tree.points[children])
    radii = np.minimum(radius[children], 1.2 * radius[parents])[line]
    image = np.zeros((size, size), dtype=np.float32)
    draw_discs(image, points, radii, 0.5 + 0.5 * np.clip(radii / (2 * unit), 0, 1))
    return image


def _drawn_mesh(size: int, fovea: Fovea, rng: np.random.Generator) -> np.ndarray:
    starts, ends = capillary_lines(size, fovea, rng)
    # The outermost cells of the mesh may end very far outside; drawing them would take gigabytes.
    near = np.linalg.norm(ends - starts, axis=1) < size / 8
    starts, ends = starts[near], ends[near]
    points, line, _ = sampled_lines(starts, ends)
    image = np.zeros((size, size), dtype=np.float32)
    values = rng.uniform(0.1, 0.7, size=len(starts))[line]
    draw_discs(image, points, np.full(len(points), 0.45 * size / _REFERENCE_SIDE), values)
    return image


def _colour(eye: DrawnEye, rng: np.random.Generator) -> np.ndarray:
    """Dark vessels on a bright, unevenly lit ground, with disc, macula and now and then lesions (the green channel)."""
    size = len(eye.vessels)
    ground = rng.uniform(0.45, 0.65) + 0.05 * smooth_field(size, size / 4, rng)[0]
    ground += rng.uniform(0, 0.03) * smooth_field(size, size / 40, rng)[0]  # choroid
    ground += rng.uniform(0.1, 0.35) * eye.disc - rng.uniform(0.05, 0.25) * eye.macula
    ground += _lesions(size, rng, depth=rng.choice([-0.25, 0.25]))
    image = ground * (1 - rng.uniform(0.3, 0.6) * eye.vessels)
    return _unit_clipped(image)


def _angiogram(eye: DrawnEye, rng: np.random.Generator) -> np.ndarray:
    """Bright vessels on a dark ground, a trace of the capillaries, leaking spots."""
    size = len(eye.vessels)
    ground = rng.uniform(0.12, 0.3) + 0.03 * smooth_field(size, size / 4, rng)[0]
    ground += rng.uniform(0, 0.2) * eye.mesh + rng.uniform(0, 0.25) * eye.disc - 0.1 * eye.macula
    ground += _lesions(size, rng, depth=0.4)
    return _unit_clipped(np.maximum(ground, rng.uniform(0.7, 1) * eye.vessels))


def _octa(eye: DrawnEye, rng: np.random.Generator) -> np.ndarray:
    """Vessels and capillaries bright, the avascular zone black; no disc but its vessels."""
    patchy = np.exp(0.2 * smooth_field(len(eye.vessels), len(eye.vessels) / 6, rng)[0])
    mesh = eye.mesh * patchy * (1 - 0.6 * eye.disc) + 0.12 * (1 - eye.avascular) * patchy
    return _unit_clipped(np.maximum(rng.uniform(0.5, 0.9) * mesh, rng.uniform(0.75, 1) * eye.vessels))


def _lesions(size: int, rng: np.random.Generator, depth: float) -> np.ndarray:
    total = np.zeros((size, size), dtype=np.float32)
    if rng.random() < 0.3:
        for _ in range(int(rng.integers(1, 9))):
            radii = size * rng.uniform(0.005, 0.03, size=2)
            total += np.float32(depth * rng.uniform(0.3, 1)) * blob(size, size * rng.uniform(0.1, 0.9, size=2), radii)
    return total


def _unit_clipped(image: np.ndarray) -> np.ndarray:
    return np.clip(image, 0, 1).astype(np.float32)
