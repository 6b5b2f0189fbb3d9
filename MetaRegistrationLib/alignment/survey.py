"""All shifts at a grid of rotations and scales, by correlation of directions through FFTs."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from .. import calibration
from .affine import CORNERS, similarity
from .structure import Structure, structure
from .turned import Turned, angles_of, moved

LEAST_OVERLAP = calibration.LEAST_OVERLAP.value
_AT_ONCE = 16  # as many as fit into a processor's cache
_NEIGHBOURHOOD = 0.25  # least distance of corners between two distinct candidates; half a side is 1
_REACH = 0.8  # of a side: what leaves a fifth of two equal images in common


@dataclass(frozen=True)
class Range:
    """Rotations (degrees) and scales that are tried, every one with every one."""

    rotations_deg: tuple[float, ...]
    scales: tuple[float, ...]

    def matrices(self) -> np.ndarray:
        """The pull transforms (C, 2, 3), without shift."""
        return np.array([similarity(np.deg2rad(angle), scale) for scale in self.scales for angle in self.rotations_deg])


def steps(lowest: float, highest: float, ratio: float) -> tuple[float, ...]:
    """Scales from `lowest` to `highest`, with 1 among them, a factor of about `ratio` apart."""
    below = max(round(np.log(1 / lowest) / np.log(ratio)), 0)
    above = max(round(np.log(highest) / np.log(ratio)), 0)
    down = np.exp(np.linspace(np.log(lowest), 0, below + 1)) if below else np.ones(1)
    up = np.exp(np.linspace(0, np.log(highest), above + 1)) if above else np.ones(1)
    return tuple(float(scale) for scale in (*down, *up[1:]))


@dataclass(frozen=True, eq=False)
class Peaks:
    """The best candidates of a survey, best first.

    Attributes
    ----------
    matrices : float64 array (K, 2, 3)
        Pull transforms, see `affine`.
    scores : float64 array (K,)
        Above the mean of all candidates.
    chance : float
        Standard deviation of the scores over all candidates.
    """

    matrices: np.ndarray
    scores: np.ndarray
    chance: float

    @property
    def heights(self) -> np.ndarray:
        """Scores in standard deviations (K,)."""
        return self.scores / max(self.chance, 1e-9)


class ScaledStructure:
    """The structure of an image at any smaller scale, found anew at each: fine vessels have no directions at a coarse one.

    Parameters
    ----------
    image : float32 Tensor (2, n, n)
        Values and weight.
    pool : int
        Directions are averaged over so many pixels a side; the search needs no finer ones.
    """

    def __init__(self, image: Tensor, pool: int):
        self._image, self._pool = image, pool
        self._found: dict[int, Structure] = {}
        self.size = image.shape[-1] // pool

    def at(self, scale: float) -> Structure:
        """The structure of the image made smaller by `scale` (at most 1)."""
        side = max(round(self.size * scale), 8)
        if side not in self._found:
            self._found[side] = structure(*resized(self._image, side * self._pool)).pooled(self._pool)
        return self._found[side]


def resized(image: Tensor, side: int) -> tuple[Tensor, Tensor]:
    """Values and weight, each (side, side), of an image (2, n, n) made smaller; only what is defined counts."""
    if image.shape[-1] == side:
        return image[0], image[1]
    stack = torch.stack((image[0] * image[1], image[1]))[None]
    values, weight = functional.interpolate(
        stack, size=(side, side), mode="bilinear", align_corners=False, antialias=True
    )[0]
    defined = (weight > 0.95).float()
    return defined * values / weight.clamp(min=0.05), defined


COMPARED = ("both", "edges", "ridges")
"""What a survey compares. Vessels that are dark in one image and have bright rims in the other agree in their edges alone."""


class Surveyor:
    """Scores of all shifts of a moving structure on a fixed one, under rotations and scales.

    The score of a candidate says by how much it stands above chance. It is the sum of the products of all direction vectors
    over their mean energies and the root of the number of pixels that both images show. Instead of enlarging the moving
    image, the fixed one is made smaller, so that no part of either is left out.

    Parameters
    ----------
    moving, fixed : ScaledStructure
    compared : str
        Names of `COMPARED`. One more costs little: the transforms are shared.
    moved_only : bool
        Leave out shifts by less than two pixels without a rotation or a scale.
    """

    def __init__(self, moving: ScaledStructure, fixed: ScaledStructure, *compared: str, moved_only: bool = False):
        self._moving, self._fixed, self._compared, self._moved_only = moving, fixed, compared, moved_only
        self.size = fixed.size
        self._spectra: dict[tuple[int, int], Tensor] = {}
        self._last: Turned | None = None

    def peaks(self, matrices: np.ndarray, *, count: int = 4) -> list[Peaks]:
        """The best candidates with the linear parts of `matrices` (C, 2, 3), for each name that is compared.

        At most `count`, one per neighbourhood.
        """
        chunks = _chunks(matrices)
        heights, shifts, moments = zip(*self._surveys([matrices[chunk] for chunk in chunks]), strict=True)
        order, total = np.concatenate(chunks), np.sum(moments, axis=0)
        ranked, places = np.concatenate(heights, axis=1), np.concatenate(shifts, axis=1)
        return [
            _best(ranked[k], _shifted(matrices[order], places[k]), total[k], count) for k in range(len(self._compared))
        ]

    def _surveys(self, chunks: list[np.ndarray]) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """`_survey` of each chunk; one angle after the other, so that the scales find the turned image of the last."""
        found = {}
        for index in sorted(range(len(chunks)), key=lambda index: tuple(angles_of(chunks[index]).round(9))):
            found[index] = self._survey(chunks[index])
        return [found[index] for index in range(len(chunks))]

    def _survey(self, matrices: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """For matrices of one scale: greatest score (K, C), its shift (K, C, 2) in half sides, moments of all scores (K, 3).

        K is the number of names that are compared.
        """
        scale = _scale(matrices[0])
        fixed = self._fixed.at(min(scale, 1.0))
        unturned = self._moving.at(1 / max(scale, 1.0))
        moving = self._turned(unturned, matrices)
        # Shifts by whole pixels within reach of where the centres meet.
        middle, reach = (moving.side - fixed.size) / 2, _REACH * self.size
        first = math.ceil(middle - reach)
        count = math.floor(middle + reach) - first + 1
        edges, ridges, area = self._correlations(moving, fixed, first, count)
        whole = max(min(float(fixed.weight.sum()), moving.area), 1.0)
        norm = _contrast(fixed.vectors, fixed.weight) * _contrast(unturned.vectors, unturned.weight)
        allowed = area >= LEAST_OVERLAP * whole
        if self._moved_only:
            unmoved = np.flatnonzero(np.isclose(matrices[:, :, :2], np.eye(2)).all(axis=(1, 2)))
            here = round(middle - first)
            allowed[unmoved, here - 1 : here + 2, here - 1 : here + 2] = False
        number, factor = allowed.sum(), torch.where(allowed, area.clamp(min=1.0).rsqrt() / norm, 0.0)
        highest = [_highest(_agreement(name, edges, ridges) * factor, number) for name in self._compared]
        height, index, moments = map(np.stack, zip(*highest, strict=True))
        shift = np.stack(np.divmod(index, count), axis=-1) + (first - middle)
        # The turned moving image is read at y + d, y being a position of the (smaller) fixed one: R (y + d).
        linear = matrices[:, :, :2] / scale
        shift = np.einsum("cij,kcj->kci", linear, shift * (2 / self.size)) * max(scale, 1.0)
        return height, shift, moments

    def _correlations(self, moving: Turned, fixed: Structure, first: int, count: int) -> Tensor:
        """Sums (3, C, count, count) of products of edges, of ridges, of weights, under shifts from `first` on."""
        spectrum = self._spectrum(fixed, moving.padded, first)
        products = moving.spectra.new_empty((3, moving.spectra.shape[1], *spectrum.shape[1:]))
        for of, parts in zip(products, ((0, 1), (2, 3), (4,)), strict=True):
            torch.mul(moving.spectra[parts[0]], spectrum[parts[0]], out=of)
            for part in parts[1:]:
                of.addcmul_(moving.spectra[part], spectrum[part])
        rows = torch.fft.ifft(products, dim=-2)[..., :count, :]
        return torch.fft.irfft(rows, n=moving.padded, dim=-1)[..., :count]

    def _turned(self, unturned: Structure, matrices: np.ndarray) -> Turned:
        """The moving structure under the rotations of the matrices: that of the last time where nothing else is asked for."""
        angles, last = angles_of(matrices), self._last
        if last is None or not last.is_of(unturned, angles):
            opposites = _comes_in_opposites(matrices)
            self._last = last = Turned.at(unturned, angles, self.size, _REACH * self.size, opposites=opposites)
        return last

    def _spectrum(self, fixed: Structure, padded: int, first: int) -> Tensor:
        """The conjugate transform (5, P, P // 2 + 1) of a fixed structure, moved by `first` pixels along both axes."""
        key = fixed.size, padded
        if key not in self._spectra:
            stack = torch.cat((fixed.vectors, fixed.weight[None]))
            self._spectra[key] = torch.fft.rfft2(stack, s=(padded, padded)).conj().resolve_conj()
        return self._spectra[key] * moved(padded, -first, fixed.weight.device)


def _agreement(compared: str, edges: Tensor, ridges: Tensor) -> Tensor:
    if compared == "edges":
        return edges
    # Ridges change their sign with contrast.
    return ridges.abs() if compared == "ridges" else edges + ridges.abs()


def _highest(scores: Tensor, number: Tensor) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of scores (C, n, n): the greatest of each (C,), its flat index (C,), and number, sum and sum of squares of all (3,)."""
    height, index = scores.flatten(1).max(dim=1)
    moments = torch.stack((number.to(scores), scores.sum(), scores.square().sum()))
    return height.cpu().double().numpy(), index.cpu().numpy(), moments.cpu().double().numpy()


def _best(heights: np.ndarray, places: np.ndarray, moments: np.ndarray, count: int) -> Peaks:
    """The highest candidates, one per neighbourhood, from heights (C,), matrices (C, 2, 3) and the moments of all scores."""
    mean, square = moments[1:] / max(moments[0], 1.0)
    kept = _apart(heights, places, count)
    return Peaks(places[kept], heights[kept] - mean, float(np.sqrt(max(square - mean**2, 0.0))))


def _shifted(matrices: np.ndarray, shifts: np.ndarray) -> np.ndarray:
    return np.concatenate((matrices[:, :, :2], shifts[:, :, None]), axis=2)


def _chunks(matrices: np.ndarray) -> list[np.ndarray]:
    """Indices of matrices of one scale each, at most `_AT_ONCE`; where all have an opposite, theirs before them."""
    scales = np.round([_scale(matrix) for matrix in matrices], 9)
    found = []
    for scale in np.unique(scales):
        group = np.flatnonzero(scales == scale)
        if _comes_in_opposites(matrices[group]):
            group = group.reshape(2, -1)
            starts = range(0, group.shape[1], _AT_ONCE // 2)
            found += [group[:, first : first + _AT_ONCE // 2].ravel() for first in starts]
        else:
            found += [group[first : first + _AT_ONCE] for first in range(0, len(group), _AT_ONCE)]
    return found


def _comes_in_opposites(matrices: np.ndarray) -> bool:
    """Whether the first half are those of the second, turned by half a turn."""
    half, odd = divmod(len(matrices), 2)
    return half > 0 and not odd and np.allclose(matrices[:half, :, :2], -matrices[half:, :, :2])


def _scale(matrix: np.ndarray) -> float:
    return float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))


def _contrast(vectors: Tensor, weight: Tensor) -> float:
    return max(float((vectors.square().sum() / weight.sum().clamp(min=1)).sqrt()), 1e-6)


def _apart(heights: np.ndarray, places: np.ndarray, count: int) -> list[int]:
    """Indices of the highest candidates (C, 2, 3), one per neighbourhood."""
    corners = places @ CORNERS
    kept: list[int] = []
    for candidate in np.argsort(-heights, kind="stable"):
        if len(kept) == count:
            break
        if not any(np.abs(corners[candidate] - corners[other]).max() <= _NEIGHBOURHOOD for other in kept):
            kept.append(int(candidate))
    return kept
