"""Growth of a retinal vessel tree: trunks along the arcades, branches by space colonisation.

Space colonisation (Runions et al. 2005, Modeling and visualization of leaf venation patterns): points that still
need blood attract the nearest node of the tree, which grows towards them until they are reached.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

_MURRAY_EXPONENT = 2.6


@dataclass
class VesselTree:
    """Nodes of vessels: `points` (N, 2) as (row, column) in pixels, `parents` (N,), -1 at a root, always earlier
    than its children, and `least_radii` (N,) in pixels, below which a vessel's radius does not fall."""

    points: np.ndarray
    parents: np.ndarray
    least_radii: np.ndarray

    def added(self, points: np.ndarray, parents: np.ndarray, least_radii: np.ndarray) -> VesselTree:
        return VesselTree(
            np.concatenate([self.points, points]),
            np.concatenate([self.parents, parents]),
            np.concatenate([self.least_radii, least_radii]),
        )

    def radii(self) -> np.ndarray:
        """Radii (N,) in pixels: Murray's law from the tips to the roots."""
        power = np.zeros(len(self.points))
        least = self.least_radii**_MURRAY_EXPONENT
        for node in range(len(self.points) - 1, -1, -1):
            power[node] = max(power[node], least[node])
            if self.parents[node] >= 0:
                power[self.parents[node]] += power[node]
        # The trunks' own size stands: what branches off a drawn trunk shall not swell it.
        return np.where(self.least_radii > 1, self.least_radii, power ** (1 / _MURRAY_EXPONENT))

    def directions(self) -> np.ndarray:
        """Unit vectors (N, 2) from each node's parent to it; zero at roots."""
        step = self.points - self.points[np.maximum(self.parents, 0)]
        return _unit(step)


def empty_tree() -> VesselTree:
    return VesselTree(np.zeros((0, 2)), np.zeros(0, dtype=int), np.zeros(0))


def with_trunk(tree: VesselTree, points: np.ndarray, radii: np.ndarray) -> VesselTree:
    """Tree with one more unbranched vessel through `points` (N, 2), of given radii (N,), in pixels."""
    parents = len(tree.points) + np.arange(len(points)) - 1
    parents[0] = -1
    return tree.added(points, parents, radii)


@dataclass(frozen=True)
class Growth:
    """How branches grow; lengths in pixels.

    `step` a round, towards attractors nearer than `sight`, which are used up within `reach`; `inertia` keeps the
    direction, `guidance` follows the guiding direction, `wander` is the random part; `tip_radius` of new vessels;
    an attractor is given up after `patience` rounds without approach.
    """

    step: float
    sight: float
    reach: float
    inertia: float
    guidance: float
    wander: float
    tip_radius: float
    rounds: int = 150
    patience: int = 3


def grown(
    tree: VesselTree,
    attractors: np.ndarray,
    growth: Growth,
    *,
    guide: Callable[[np.ndarray], np.ndarray],
    allowed: Callable[[np.ndarray], np.ndarray],
    rng: np.random.Generator,
) -> VesselTree:
    """Tree grown towards `attractors` (M, 2).

    At points (N, 2), `guide` gives the preferred directions (N, 2) and `allowed` says where (N,) vessels may be.
    """
    from scipy.spatial import cKDTree

    directions = tree.directions()
    nearest = np.full(len(attractors), np.inf)
    patience = np.full(len(attractors), growth.patience)
    for _ in range(growth.rounds):
        distance, node = cKDTree(tree.points).query(attractors)
        # An attractor that the tree circles around without coming nearer is given up.
        patience = np.where(distance < nearest - 1e-6, growth.patience, patience - 1)
        wanted = (distance > growth.reach) & (patience > 0)
        attractors, distance, node, patience = attractors[wanted], distance[wanted], node[wanted], patience[wanted]
        nearest = np.minimum(nearest[wanted], distance)
        seen = distance < growth.sight
        if not seen.any():
            break
        growing, index = np.unique(node[seen], return_inverse=True)
        pull = np.zeros((len(growing), 2))
        np.add.at(pull, index, _unit(attractors[seen] - tree.points[node[seen]]))
        start = tree.points[growing]
        heading = _unit(pull) + growth.inertia * directions[growing] + growth.guidance * guide(start)
        heading = _unit(heading + growth.wander * rng.standard_normal(heading.shape))
        new = start + growth.step * heading
        fine = allowed(new)
        tree = tree.added(new[fine], growing[fine], np.full(fine.sum(), growth.tip_radius))
        directions = np.concatenate([directions, heading[fine]])
    return tree


def smoothed(tree: VesselTree, rounds: int = 4) -> VesselTree:
    """Tree whose nodes moved towards their neighbours' mean; roots stay."""
    points, inner = tree.points.copy(), tree.parents >= 0
    for _ in range(rounds):
        total, count = points * 2, np.full(len(points), 2.0)
        total[inner] += points[tree.parents[inner]]
        count[inner] += 1
        np.add.at(total, tree.parents[inner], points[inner])
        np.add.at(count, tree.parents[inner], 1)
        points[inner] = (total / count[:, None])[inner]
    return VesselTree(points, tree.parents, tree.least_radii)


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)
