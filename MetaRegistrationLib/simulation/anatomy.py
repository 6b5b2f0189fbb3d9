"""Where the vessels of a phantom's macula run: avascular zone, arcades, branches, twigs and capillaries.

Lengths in the constants are pixels of a 400-pixel image of about 6 mm; `unit` scales them to other sizes.
"""

from __future__ import annotations

import numpy as np

from .branches import with_branches
from .vessel_tree import Growth, VesselTree, empty_tree, grown, smoothed, with_trunk

_REFERENCE_SIDE = 400


class Fovea:
    """Foveal avascular zone: a round outline with a few random lobes.

    Attributes
    ----------
    centre : numpy.ndarray
        (row, column) in pixels.
    radius : float
        Mean radius in pixels.
    """

    def __init__(self, size: int, rng: np.random.Generator) -> None:
        unit = size / _REFERENCE_SIDE
        self.centre = size / 2 + unit * rng.uniform(-15, 15, size=2)
        self.radius = float(unit * rng.uniform(15, 25))
        self._waves = [(k, rng.normal(0, 0.2 / k), rng.uniform(0, 2 * np.pi)) for k in range(2, 14)]

    def outline(self, angles: np.ndarray) -> np.ndarray:
        """Points (N, 2) of the outline at `angles` (N,), radians from the column axis."""
        return self.centre + self._radius_at(angles)[:, None] * np.stack([np.sin(angles), np.cos(angles)], axis=1)

    def relative_distance(self, points: np.ndarray) -> np.ndarray:
        """Distance (...,) of points (..., 2) from the centre, where the outline has 1."""
        offset = points - self.centre
        return np.linalg.norm(offset, axis=-1) / self._radius_at(np.arctan2(offset[..., 0], offset[..., 1]))

    def _radius_at(self, angles: np.ndarray) -> np.ndarray:
        return self.radius * (1 + sum(a * np.cos(k * angles + phase) for k, a, phase in self._waves))


def vessel_tree(size: int, fovea: Fovea, rng: np.random.Generator) -> VesselTree:
    """Arcades from the side of the optic disc around the fovea, with the arterioles and venules that leave them."""
    unit = size / _REFERENCE_SIDE
    mirrored = rng.random() < 0.5  # a left or a right eye
    heights = {side: rng.uniform(95, 145) for side in (-1, 1)}
    tree = empty_tree()
    for points, radii in _trunks(heights, rng):
        points[:, 1] = _REFERENCE_SIDE - points[:, 1] if mirrored else points[:, 1]
        points[:, 0] += fovea.centre[0] / unit
        tree = with_trunk(tree, unit * points, unit * radii)

    def guide(points: np.ndarray) -> np.ndarray:
        """Towards the fovea within the arcades, away from it outside them."""
        offset = fovea.centre - points
        inside = np.where(offset[:, 0] > 0, heights[-1], heights[1]) * unit - np.abs(offset[:, 0])
        away = np.linalg.norm(offset, axis=1, keepdims=True)
        return np.clip(inside / (25 * unit), -1, 1)[:, None] * offset / np.maximum(away, 1)

    tree = with_branches(tree, fovea.centre, 1.4 * fovea.radius, unit, rng)
    # Smaller branches fill the gaps.
    growth = Growth(
        step=2.5 * unit,
        sight=45 * unit,
        reach=6 * unit,
        inertia=1.0,
        guidance=0.35,
        wander=0.25,
        tip_radius=0.62 * unit,
    )
    attractors = _scattered(size, 27 * unit, rng, beyond=25 * unit)
    return smoothed(_grown_outside(fovea, rng.uniform(1.3, 1.6), tree, attractors, growth, guide, rng))


def _grown_outside(
    fovea: Fovea, nearest: float, tree: VesselTree, attractors: np.ndarray, growth: Growth, guide, rng
) -> VesselTree:
    """Tree grown towards the attractors, but not nearer to the fovea than `nearest` times the avascular zone."""

    def allowed(points: np.ndarray) -> np.ndarray:
        return fovea.relative_distance(points) > nearest

    return grown(tree, attractors[allowed(attractors)], growth, guide=guide, allowed=allowed, rng=rng)


def _trunks(heights: dict[int, float], rng: np.random.Generator) -> list[tuple[np.ndarray, np.ndarray]]:
    """Trunks as points (N, 2), rows counted from the fovea, and radii (N,): arcades, then smaller vessels."""
    trunks = []
    for side, height in heights.items():
        trunks.append(_arcade(side, height, rng.uniform(2.2, 3.2), rng))
        if rng.random() < 0.75:
            trunks.append(_arcade(side, height + rng.uniform(25, 75), rng.uniform(2.6, 4.6), rng))
    for edge, most in ((1.0, 4), (0.0, 3)):
        for start in rng.uniform(-75, 75, size=rng.integers(1, most + 1)):
            trunks.append(_small_trunk(edge, start, rng))
    return trunks


def _arcade(side: int, height: float, radius: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    from scipy.interpolate import CubicSpline  # only where an eye is drawn: every training imports this file

    columns = np.array([440, 340, 240, 140, 50, -40], dtype=float)
    shape = np.array([rng.uniform(0.5, 1.3), 1.0, 1.05, 0.95, rng.uniform(0.6, 1.2), rng.uniform(0.4, 1.4)])
    columns[1:-1] += rng.normal(0, 12, size=4)
    rows = side * (height * shape + rng.normal(0, 10, size=len(columns)))
    path = CubicSpline(np.arange(len(columns)), np.stack([rows, columns], axis=1))(np.linspace(0, 5, 190))
    return path, np.linspace(radius, radius * rng.uniform(0.4, 0.7), len(path))


def _small_trunk(edge: float, start: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    length = rng.uniform(50, 110)
    along = np.linspace(0, 1, max(int(length / 2.5), 2))
    inwards = 1 - 2 * edge
    columns = (edge * 1.05 - (1 - edge) * 0.05) * _REFERENCE_SIDE + inwards * length * along
    rows = start * (1 - 0.25 * along) + rng.normal(0, 8) * np.sin(2 * np.pi * along)
    return np.stack([rows, columns], axis=1), np.linspace(rng.uniform(1.1, 1.9), 1.05, len(along))


def with_twigs(tree: VesselTree, size: int, fovea: Fovea, rng: np.random.Generator) -> VesselTree:
    """The tree with the finest twigs, between venules and capillaries; its own nodes stay the first ones."""
    unit = size / _REFERENCE_SIDE
    for spacing, sight, reach, inertia in ((15, 26, 5, 1.2), (9, 16, 4, 0.8)):
        attractors = _scattered(size, spacing * unit, rng, beyond=10 * unit)
        growth = Growth(
            step=2.0 * unit,
            sight=sight * unit,
            reach=reach * unit,
            inertia=inertia,
            guidance=0.0,
            wander=0.35,
            tip_radius=0.45 * unit,
            rounds=40,
        )
        tree = _grown_outside(fovea, 1.15, tree, attractors, growth, np.zeros_like, rng)
    return tree


def capillary_lines(size: int, fovea: Fovea, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Capillary mesh as straight lines: starts and ends, (N, 2) each, (row, column) in pixels.

    The edges between the cells of scattered points, with a closed ring around the avascular zone.
    """
    from scipy.spatial import Voronoi

    cells = Voronoi(_scattered(size, 5.5 * size / _REFERENCE_SIDE, rng))
    ridges = np.array(cells.ridge_vertices)
    ridges = ridges[ridges.min(axis=1) >= 0]
    starts, ends = cells.vertices[ridges[:, 0]], cells.vertices[ridges[:, 1]]
    outside = (fovea.relative_distance(starts) > 1) & (fovea.relative_distance(ends) > 1)
    keep = outside & (rng.random(len(ridges)) > 0.2)
    ring = fovea.outline(np.linspace(0, 2 * np.pi, 61))
    return np.concatenate([starts[keep], ring[:-1]]), np.concatenate([ends[keep], ring[1:]])


def _scattered(size: int, spacing: float, rng: np.random.Generator, beyond: float | None = None) -> np.ndarray:
    """Points (N, 2), evenly but irregularly spread over the image and `beyond` pixels (three spacings) around it."""
    beyond = 3 * spacing if beyond is None else beyond
    axis = np.arange(-beyond, size + beyond, spacing)
    grid = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)
    return grid + spacing * rng.uniform(-0.7, 0.7, size=grid.shape)
