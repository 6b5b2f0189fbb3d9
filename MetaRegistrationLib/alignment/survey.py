"""All shifts at a grid of rotations and scales, by correlation of directions through FFTs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from .. import calibration
from .affine import CORNERS, similarity
from .structure import Structure, structure

LEAST_OVERLAP = calibration.LEAST_OVERLAP.value
_AT_ONCE = 16  # as many as fit into a processor's cache
_NEIGHBOURHOOD = 0.25  # least distance of corners between two distinct candidates; half a side is 1
_SIDES = sorted(2**twos * 3**threes for twos in range(1, 15) for threes in range(4))
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


def fast_side(side: int) -> int:
    """The next side whose Fourier transform is fast: of 135 or 52 pixels it takes twice as long as of 144 or 54."""
    return next(fast for fast in _SIDES if fast >= side)


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
    """

    def __init__(self, moving: ScaledStructure, fixed: ScaledStructure, *compared: str):
        self._moving, self._fixed, self._compared = moving, fixed, compared
        self.size = fixed.size
        self._padded = fast_side(int(np.ceil(((1 + np.sqrt(2)) / 2 + _REACH) * self.size)))

    def peaks(self, matrices: np.ndarray, *, count: int = 4) -> list[Peaks]:
        """The best candidates with the linear parts of `matrices` (C, 2, 3), for each name that is compared.

        At most `count`, one per neighbourhood.
        """
        chunks = _chunks(matrices)
        heights, shifts, moments = zip(*(self._survey(matrices[chunk]) for chunk in chunks), strict=True)
        order, total = np.concatenate(chunks), np.sum(moments, axis=0)
        ranked, moved = np.concatenate(heights, axis=1), np.concatenate(shifts, axis=1)
        return [
            _best(ranked[k], _shifted(matrices[order], moved[k]), total[k], count) for k in range(len(self._compared))
        ]

    def _survey(self, matrices: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """For matrices of one scale: greatest score (K, C), its shift (K, C, 2) in half sides, moments of all scores (K, 3).

        K is the number of names that are compared.
        """
        scale = _scale(matrices[0])
        fixed = self._fixed.at(min(scale, 1.0))
        unturned = self._moving.at(1 / max(scale, 1.0))
        opposites = len(matrices) // 2 if _comes_in_opposites(matrices) else 0
        moving = _turned(unturned, matrices[opposites:])
        side = (self._padded, self._padded)
        spectrum = torch.fft.rfft2(torch.cat((fixed.vectors, fixed.weight[None])), s=side).conj()
        moved = torch.fft.rfft2(moving, s=side)
        products = moved * spectrum
        if opposites:  # half a turn more is the conjugate, and a shift
            products = torch.cat((moved.conj() * spectrum, products))
        products = torch.stack((products[:, :2].sum(dim=1), products[:, 2:4].sum(dim=1), products[:, 4]), dim=1)
        edges, ridges, area = torch.fft.irfft2(products, s=side).unbind(1)
        whole = max(min(float(fixed.weight.sum()), float(moving[0, 4].sum())), 1.0)
        norm = _contrast(fixed.vectors, fixed.weight) * _contrast(unturned.vectors, unturned.weight)
        added = np.where(np.arange(len(matrices)) < opposites, moving.shape[-1] - 1, 0)
        reached = self._reached(moving.shape[-1], fixed.size, area.device)
        reached = torch.stack([reached.roll((-shift, -shift), (0, 1)) for shift in (int(added[0]), 0)])
        allowed = (area >= LEAST_OVERLAP * whole) & reached[(np.arange(len(matrices)) >= opposites).astype(int)]
        factor, number = area.clamp(min=1.0).rsqrt(), allowed.float().sum()
        scores = (torch.where(allowed, _agreement(name, edges, ridges) * factor, 0.0) / norm for name in self._compared)
        highest = [_highest(each, number) for each in scores]
        height, index, moments = map(np.stack, zip(*highest, strict=True))
        shift = np.stack(np.divmod(index, self._padded), axis=-1).astype(np.float64)
        shift = (shift + added[:, None]) % self._padded
        # A circular correlation holds the negative shifts at its end; zero is where the centres meet.
        shift = np.where(shift > self._padded / 2, shift - self._padded, shift)
        shift -= (moving.shape[-1] - fixed.size) / 2
        # The turned moving image is read at y + d, y being a position of the (smaller) fixed one: R (y + d).
        linear = matrices[:, :, :2] / scale
        shift = np.einsum("cij,kcj->kci", linear, shift * (2 / self.size)) * max(scale, 1.0)
        return height, shift, moments

    def _reached(self, moving_side: int, fixed_side: int, device: torch.device) -> Tensor:
        axis = torch.arange(self._padded, dtype=torch.float32, device=device)
        axis = torch.where(axis > self._padded / 2, axis - self._padded, axis) - (moving_side - fixed_side) / 2
        near = axis.abs() <= (_REACH * self.size)
        return near[:, None] & near[None, :]


def _agreement(compared: str, edges: Tensor, ridges: Tensor) -> Tensor:
    if compared == "edges":
        return edges
    # Ridges change their sign with contrast.
    return ridges.abs() if compared == "ridges" else edges + ridges.abs()


def _highest(scores: Tensor, number: Tensor) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of scores (C, n, n): the greatest of each (C,), its flat index (C,), and number, sum and sum of squares of all (3,)."""
    height, index = scores.flatten(1).max(dim=1)
    moments = torch.stack((number, scores.sum(), scores.square().sum()))
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


def _turned(small: Structure, matrices: np.ndarray) -> Tensor:
    """(C, 5, N, N): the structure under the rotation of each of the matrices, nothing of it cut off."""
    angles = np.array([np.arctan2(matrix[1, 0] - matrix[0, 1], matrix[0, 0] + matrix[1, 1]) for matrix in matrices])
    reach = float(np.max(np.abs(np.cos(angles)) + np.abs(np.sin(angles))))
    side = 2 * int(np.ceil(small.size * reach / 2))
    if (small.size - side) % 2:
        side += 1
    factor = side / small.size
    theta = small.vectors.new_tensor([[[np.cos(a), np.sin(a), 0.0], [-np.sin(a), np.cos(a), 0.0]] for a in angles])
    theta[:, :, :2] *= factor
    stack = torch.cat((small.vectors, small.weight[None]))[None].expand(len(angles), -1, -1, -1)
    grids = functional.affine_grid(theta, [len(angles), 1, side, side], align_corners=False).to(stack)
    turned = functional.grid_sample(stack, grids, align_corners=False)
    # Directions turn with the image: the gradient of m(R x) is R^T times that of m.
    twice = torch.as_tensor(2 * angles, dtype=torch.float32, device=turned.device)[:, None, None]
    cosine, sine = twice.cos(), twice.sin()
    parts = []
    for first in (0, 2):
        along, across = turned[:, first], turned[:, first + 1]
        parts += [cosine * along + sine * across, cosine * across - sine * along]
    return torch.stack((*parts, turned[:, 4]), dim=1)


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
