"""Whole OCTA phantoms of a macular superficial plexus: vessel tree, capillary mesh, foveal avascular zone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter

from ..errors import InputError
from .anatomy import Fovea, capillary_lines, vessel_tree, with_twigs
from .deformation import sample_at
from .drawing import draw_discs, sampled_lines
from .smooth import blob, smooth_field
from .vessel_tree import VesselTree

_REFERENCE_SIDE = 400
_SMALLEST_SIZE = 64


@dataclass(frozen=True)
class Phantom:
    """A drawn eye, free of noise.

    Attributes
    ----------
    image : numpy.ndarray
        (size, size) float32 in [0, 1].
    vessel_mask : numpy.ndarray
        (size, size) bool: arterioles and venules, without twigs and capillaries.
    faz_centre : (float, float)
        Centre of the foveal avascular zone, (row, column) in pixels.
    faz_radius_px : float
        Its mean radius.
    """

    image: np.ndarray
    vessel_mask: np.ndarray
    faz_centre: tuple[float, float]
    faz_radius_px: float


def draw_phantom(rng: np.random.Generator, size: int = 400) -> Phantom:
    """Draw an eye.

    Parameters
    ----------
    rng : numpy.random.Generator
    size : int
        Rows and columns, at least 64; the image shows about 6 mm whatever its size.

    Raises
    ------
    InputError
        If the size is smaller than that.
    """
    if size < _SMALLEST_SIZE:
        raise InputError(f"A phantom needs a size of at least {_SMALLEST_SIZE} pixels, but {size} was asked for.")
    fovea = Fovea(size, rng)
    wiggle = _wiggle(size, rng)
    tree = vessel_tree(size, fovea, rng)
    vessels, mask = _draw_vessels(tree, size, wiggle)
    _draw_twigs(vessels, with_twigs(tree, size, fovea, rng), len(tree.points), wiggle)
    mesh = _draw_mesh(size, fovea, wiggle, rng)
    centre = _moved(fovea.centre[None], wiggle)[0]
    return Phantom(
        image=_composed(vessels, mesh, fovea, wiggle, rng),
        vessel_mask=mask,
        faz_centre=(float(centre[0]), float(centre[1])),
        faz_radius_px=fovea.radius,
    )


def _wiggle(size: int, rng: np.random.Generator) -> np.ndarray:
    """Displacement (2, size, size) that bends all vessels a little, as real ones are."""
    unit = size / _REFERENCE_SIDE
    coarse = 2.5 * smooth_field(size, 45 * unit, rng, channels=2)
    fine = 0.8 * smooth_field(size, 11 * unit, rng, channels=2)
    return unit * (coarse + fine)


def _moved(points: np.ndarray, wiggle: np.ndarray) -> np.ndarray:
    return points + sample_at(wiggle, points)


def _draw_vessels(tree: VesselTree, size: int, wiggle: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Image (size, size) of the tree, wider vessels brighter, and its mask."""
    unit = size / _REFERENCE_SIDE
    children = np.flatnonzero(tree.parents >= 0)
    radius = tree.radii()
    parents = tree.parents[children]
    points, line, fraction = sampled_lines(tree.points[parents], tree.points[children])
    points = _moved(points, wiggle)
    # A branch has its own radius from the start, whatever the width of the vessel that it leaves.
    start = np.minimum(radius[parents], 1.15 * radius[children])[line]
    radii = start + fraction * (radius[children][line] - start)
    values = 0.7 + 0.3 * np.clip((radii / unit - 0.7) / 1.5, 0, 1)
    image, mask = np.zeros((size, size), dtype=np.float32), np.zeros((size, size), dtype=np.float32)
    draw_discs(image, points, radii, values)
    draw_discs(mask, points, np.maximum(radii, 0.8), np.ones(len(points)))
    return image, mask >= 0.5


def _draw_twigs(image: np.ndarray, tree: VesselTree, first: int, wiggle: np.ndarray) -> None:
    """Draw the nodes from number `first` on into `image`, thinner and dimmer towards their tips."""
    twigs = np.arange(first, len(tree.points))
    points, line, _ = sampled_lines(tree.points[tree.parents[twigs]], tree.points[twigs])
    radii = np.minimum(tree.radii()[twigs], 0.8 * len(image) / _REFERENCE_SIDE)[line]
    draw_discs(image, _moved(points, wiggle), radii, 0.25 + 0.4 * radii * _REFERENCE_SIDE / len(image))


def _draw_mesh(size: int, fovea: Fovea, wiggle: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Image (size, size) of the capillaries, some brighter than others."""
    starts, ends = capillary_lines(size, fovea, rng)
    brightness = rng.uniform(0.08, 0.55, size=len(starts))
    points, line, _ = sampled_lines(starts, ends)
    image = np.zeros((size, size), dtype=np.float32)
    radii = np.full(len(points), 0.45 * size / _REFERENCE_SIDE)
    draw_discs(image, _moved(points, wiggle), radii, brightness[line])
    return image


def _composed(
    vessels: np.ndarray, mesh: np.ndarray, fovea: Fovea, wiggle: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Vessels over capillaries over a mild background that is darkest within the avascular zone."""
    size = len(vessels)
    unit = size / _REFERENCE_SIDE
    patchy = np.exp(0.2 * smooth_field(size, 60 * unit, rng)[0])
    around = 1 - np.float32(0.35) * blob(size, fovea.centre, np.full(2, 3.0 * fovea.radius))
    pixels = np.moveaxis(np.indices((size, size)), 0, -1) - np.moveaxis(wiggle, 0, -1)
    lit = gaussian_filter((fovea.relative_distance(pixels) > 1).astype(np.float32), 3.5 * unit)
    background = (0.03 + 0.17 * lit) * patchy * around
    image = np.maximum(vessels, background + mesh * patchy * around)
    return np.clip(gaussian_filter(image, 0.55 * unit), 0, 1)
