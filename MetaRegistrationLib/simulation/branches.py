"""Long branches that leave a phantom's arcades, towards the fovea or away from it, and fork on their way."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .vessel_tree import VesselTree

_STEP_PX = 2.5
_THINNEST_PX = 0.65


@dataclass(frozen=True)
class _Shoot:
    """A branch yet to be drawn: node that it leaves, heading (unit vector), radius and length in pixels, side (1
    towards the fovea, -1 away from it)."""

    node: int
    heading: np.ndarray
    radius: float
    length: float
    side: int


def with_branches(
    tree: VesselTree,
    fovea: np.ndarray,
    clearance: float,
    unit: float,
    rng: np.random.Generator,
) -> VesselTree:
    """Tree with branches every 20 to 45 px along its vessels.

    Parameters
    ----------
    tree : VesselTree
    fovea, clearance
        Position (2,) that branches keep away from, and how far, in pixels.
    unit : float
        Pixels of the image per pixel of the 400-pixel one, that lengths here are given in.
    rng : numpy.random.Generator
    """
    waiting = _first_shoots(tree, fovea, unit, rng)
    while waiting:
        shoot = waiting.pop()
        first = len(tree.points)
        path, headings = _path(tree, shoot, fovea, clearance, unit, rng)
        if len(path) < 3:
            continue
        radii = shoot.radius * np.linspace(1, 0.5, len(path))
        parents = np.concatenate([[shoot.node], first + np.arange(len(path) - 1)])
        tree = tree.added(path, parents, np.maximum(radii, _THINNEST_PX * unit))
        waiting.extend(_forks(shoot, first, headings, radii, unit, rng))
    return tree


def _first_shoots(tree: VesselTree, fovea: np.ndarray, unit: float, rng: np.random.Generator) -> list[_Shoot]:
    directions, shoots = tree.directions(), []
    gap = rng.uniform(0, 30)
    for node in np.flatnonzero(tree.parents >= 0):
        gap -= np.linalg.norm(tree.points[node] - tree.points[tree.parents[node]]) / unit
        if gap > 0:
            continue
        gap = rng.uniform(18, 42)
        offset = fovea - tree.points[node]
        distance = np.linalg.norm(offset)
        side = 1 if rng.random() < 0.65 else -1
        length = distance * rng.uniform(0.55, 1.0) if side == 1 else unit * rng.uniform(30, 130)
        # Branches leave forwards, at an angle to the trunk.
        heading = side * offset / distance + rng.uniform(0.3, 1.1) * directions[node]
        radius = min(unit * rng.uniform(1.1, 2.5), 0.75 * tree.least_radii[node])
        shoots.append(_Shoot(int(node), heading / np.linalg.norm(heading), radius, length, side))
    return shoots


def _path(
    tree: VesselTree, shoot: _Shoot, fovea: np.ndarray, clearance: float, unit: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Points (N, 2) and headings (N, 2) of a branch, which ends at the fovea's clearance or at another vessel."""
    step = _STEP_PX * unit
    point, heading, bend = tree.points[shoot.node], shoot.heading, 0.0
    target = fovea + unit * rng.normal(0, 35, size=2)
    points, headings = [], []
    for number in range(int(shoot.length / step)):
        bend = 0.85 * bend + rng.normal(0, 0.04)
        steering = shoot.side * (target - point)
        heading = heading + 0.07 * steering / max(np.linalg.norm(steering), 1e-9) + bend * heading[::-1] * (1, -1)
        heading = heading / np.linalg.norm(heading)
        point = point + step * heading
        clear = number < 4 or _distance(tree.points, point) > 5 * unit
        if not clear or np.linalg.norm(point - fovea) < clearance:
            break
        points.append(point)
        headings.append(heading)
    return np.array(points).reshape(-1, 2), np.array(headings).reshape(-1, 2)


def _distance(points: np.ndarray, point: np.ndarray) -> float:
    squares = (points - point) ** 2
    return float(np.sqrt((squares[:, 0] + squares[:, 1]).min()))  # several times as fast as a sum over an axis of two


def _forks(
    shoot: _Shoot, first: int, headings: np.ndarray, radii: np.ndarray, unit: float, rng: np.random.Generator
) -> list[_Shoot]:
    forks, sense = [], rng.choice([-1, 1])
    position = rng.integers(5, 14)
    while position < len(headings) - 2:
        angle = sense * np.deg2rad(rng.uniform(30, 65))
        turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        radius = radii[position] * rng.uniform(0.6, 0.95)
        length = min(shoot.length, 110 * unit) * rng.uniform(0.25, 0.75)
        if radius > _THINNEST_PX * unit:
            forks.append(_Shoot(first + int(position), turn @ headings[position], radius, length, shoot.side))
        position, sense = position + rng.integers(5, 16), -sense
    return forks
