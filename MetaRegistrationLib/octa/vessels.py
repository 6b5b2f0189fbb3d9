"""Vessels in OCTA images: a mask by a ridge filter, and the branch points of a mask's skeleton."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk  # noqa: N813
from scipy import ndimage

from .. import calibration
from ..core.borders import continued
from ..core.gaussian import gaussian
from ..core.specks import without_specks

_EIGHT = np.ones((3, 3), dtype=int)
# Ridge scales in pixels of 18.75 um: 6 mm on 320 pixels.
_SCALES_PX = (1.3, 2.0, 3.0)
_REFERENCE_SIDE = 320
_POLARITY_PX, _POLARITY_PERCENT = 2.0, 98  # scale and percentile at which bright and dark lines are compared
_BORDER_PX = 4
_CANDIDATE = calibration.VESSEL_CANDIDATE.value
_STRONG = calibration.VESSEL_STRONG.value
_LEAST_AREA = calibration.VESSEL_LEAST_AREA.value


@dataclass(frozen=True, eq=False)
class Ridges:
    """Bright lines of an image, freed from shading.

    Attributes
    ----------
    strength : float32 array (H, W)
        0 where the image is not known.
    known : bool array (H, W)
    unit : float
        Pixels of the image in a pixel of 18.75 um.
    """

    strength: np.ndarray
    known: np.ndarray
    unit: float

    @property
    def levels(self) -> tuple[float, float]:
        """Strength that makes a candidate, and the strength at one of its pixels that makes it a vessel."""
        if not self.known.any():
            return 0.0, 0.0
        low, high = np.percentile(self.strength[self.known], [_CANDIDATE, _STRONG])
        return float(low), float(high)

    def vessels(self, levels: tuple[float, float]) -> np.ndarray:
        """The larger vessels by `levels`, bool (H, W)."""
        low, high = levels
        candidates, count = ndimage.label(self.strength > low, structure=_EIGHT)
        index = np.arange(count + 1)
        strong = ndimage.maximum(self.strength, candidates, index) > high
        large = np.bincount(candidates.ravel(), minlength=count + 1) >= _LEAST_AREA * self.unit**2
        keep = strong & large
        keep[0] = False
        return keep[candidates]


def vessel_ridges(image: np.ndarray, unit: float | None = None) -> Ridges:
    """The bright lines of an image; `image` and `unit` as for `vessel_mask`."""
    flat, known, unit = _prepared(image, unit)
    strength = np.where(known, ridge_strength(flat, unit), np.float32(0)) if known.any() else np.zeros_like(image)
    return Ridges(strength, known, unit)


def vessel_mask(image: np.ndarray, unit: float | None = None) -> np.ndarray:
    """Find the larger vessels of an OCTA image.

    Parameters
    ----------
    image : numpy.ndarray
        (rows, columns), vessels bright, any range. Areas that are not finite are no vessels; specks of them are filled
        (`core.specks`).
    unit : float, optional
        Pixels of the image in a pixel of 18.75 um, by which the filters grow. By default the shorter side is taken for 6 mm.

    Returns
    -------
    numpy.ndarray
        (rows, columns) bool; empty for a constant image.
    """
    ridges = vessel_ridges(image, unit)
    return ridges.vessels(ridges.levels)


def vessel_polarity(image: np.ndarray) -> float:
    """How much stronger the bright lines of an image are than the dark ones, as a ratio: more than 1 in OCTA, NaN without lines.

    Parameters
    ----------
    image : numpy.ndarray
        (rows, columns), any range. Areas that are not finite do not count.
    """
    flat, known, unit = _prepared(image)
    inner = ndimage.binary_erosion(known, iterations=max(int(_BORDER_PX * unit), 1), border_value=0)
    if not inner.any():
        return float("nan")
    bright, dark = (
        float(np.percentile(ridge_strength(sign * flat, unit, (_POLARITY_PX,))[inner], _POLARITY_PERCENT))
        for sign in (1, -1)
    )
    return bright / dark if dark > 0 else float("nan")


def _prepared(image: np.ndarray, unit: float | None = None) -> tuple[np.ndarray, np.ndarray, float]:
    """An image without shading and holes, where it is known, and its pixels in one of 18.75 um."""
    image = without_specks(
        np.asarray(image, dtype=np.float32)
    )  # a hole in a vessel would be a ring, with branch points
    known = np.isfinite(image)
    unit = max(min(image.shape) / _REFERENCE_SIDE if unit is None else unit, 0.5)
    if not known.any():
        return image, known, unit
    (image,) = continued((image,), known)  # an edge beside them would be a ridge
    return _flattened(image, unit), known, unit


def _flattened(image: np.ndarray, unit: float) -> np.ndarray:
    """Image minus its local mean, over its local deviation, so that shading and shadows have no effect."""
    sigma = 15 * unit
    centred = image - gaussian(image, sigma)
    deviation = np.sqrt(gaussian(centred**2, 2 * sigma))
    floor = 0.05 * float(np.ptp(image))
    return centred / (deviation + floor) if floor > 0 else np.zeros_like(image)


def ridge_strength(image: np.ndarray, unit: float, scales: Sequence[float] = _SCALES_PX) -> np.ndarray:
    """Greatest, over scales, downward curvature across a bright line less that along it; 0 where none."""
    best = np.zeros_like(image)
    for scale in scales:
        sigma = scale * unit
        rr, rc, cc = (gaussian(image, sigma, order=order) for order in ((2, 0), (1, 1), (0, 2)))
        mean, half_gap = (rr + cc) / 2, np.sqrt(((rr - cc) / 2) ** 2 + rc**2)
        across, along = mean - half_gap, mean + half_gap
        best = np.maximum(best, sigma**1.5 * np.clip(-across - np.abs(along), 0, None))
    return best


def branch_points(mask: np.ndarray, *, shortest_branch_px: int = 8, min_distance_px: float = 6.0) -> np.ndarray:
    """Points where vessels branch or cross.

    Parameters
    ----------
    mask : numpy.ndarray
        (rows, columns), vessels not zero.
    shortest_branch_px : int
        Dead ends of the skeleton shorter than this are no branches.
    min_distance_px : float
        Smallest distance of two points; of nearer ones, the one on the wider vessel is used.

    Returns
    -------
    numpy.ndarray
        (N, 2) float64 as (row, column) in pixels, those on the widest vessels first.
    """
    mask = np.asarray(mask) != 0
    skeleton = _without_spurs(_thinned(mask), shortest_branch_px)
    groups, count = ndimage.label(_branch_pixels(skeleton), structure=_EIGHT)
    if not count:
        return np.zeros((0, 2))
    index = np.arange(1, count + 1)
    centres = np.array(ndimage.center_of_mass(groups > 0, groups, index))
    radii = np.asarray(ndimage.maximum(_vessel_radius(mask), groups, index))
    order = np.argsort(-radii, kind="stable")
    return _merged(centres[order], radii[order], min_distance_px)


def _vessel_radius(mask: np.ndarray) -> np.ndarray:
    # The image's border is no vessel wall: padded by repetition, a vessel that leaves the image keeps its width.
    return ndimage.distance_transform_edt(np.pad(mask, 8, mode="edge"))[8:-8, 8:-8]


def _thinned(mask: np.ndarray) -> np.ndarray:
    # Padded, since the filter neglects the outermost pixels.
    image = sitk.GetImageFromArray(np.pad(mask, 1).astype(np.uint8))
    return sitk.GetArrayFromImage(sitk.BinaryThinning(image))[1:-1, 1:-1] != 0


def _neighbours(skeleton: np.ndarray) -> np.ndarray:
    return ndimage.convolve(skeleton.astype(np.int8), _EIGHT, mode="constant") - skeleton


def _branch_pixels(skeleton: np.ndarray) -> np.ndarray:
    """Skeleton pixels that three or more separate lines leave from (a mere step of a line is not one)."""
    ring = np.stack([_shifted(skeleton, *step) for step in _RING])
    crossings = (ring & ~np.roll(ring, -1, axis=0)).sum(axis=0)
    return skeleton & (crossings >= 3)


# The eight neighbours in order around the pixel.
_RING = ((-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1))


def _shifted(array: np.ndarray, rows: int, columns: int) -> np.ndarray:
    height, width = array.shape
    return np.pad(array, 1)[1 + rows : 1 + rows + height, 1 + columns : 1 + columns + width]


def _without_spurs(skeleton: np.ndarray, shortest_px: int) -> np.ndarray:
    for _ in range(3):  # a spur's removal can leave another one
        junctions = ndimage.binary_dilation(_branch_pixels(skeleton), structure=_EIGHT)
        segments, count = ndimage.label(skeleton & ~junctions, structure=_EIGHT)
        index = np.arange(count + 1)
        length = np.bincount(segments.ravel(), minlength=count + 1)
        has_end = ndimage.maximum(skeleton & (_neighbours(skeleton) == 1), segments, index) > 0
        at_junction = ndimage.maximum(ndimage.binary_dilation(junctions, structure=_EIGHT), segments, index) > 0
        # One pixel of the branch lies within the dilated junction.
        spur = has_end & at_junction & (length + 1 < shortest_px)
        spur[0] = False
        if not spur.any():
            break
        skeleton = _thinned(skeleton & ~spur[segments])
    return skeleton


def _merged(centres: np.ndarray, radii: np.ndarray, min_distance_px: float) -> np.ndarray:
    """Join points that belong to one crossing (nearer than the vessel is wide), then drop those too near to others."""
    kept = np.empty((0, 2))
    free = np.ones(len(centres), dtype=bool)
    for centre, radius in zip(centres, radii, strict=True):
        distance = np.linalg.norm(centres - centre, axis=1)
        if not free[distance == 0].any():
            continue
        crossing = free & (distance <= max(2 * radius, 3.0))
        point = centres[crossing].mean(axis=0)
        free &= ~crossing
        if (np.linalg.norm(kept - point, axis=1) >= min_distance_px).all():
            kept = np.vstack([kept, point])
    return kept
