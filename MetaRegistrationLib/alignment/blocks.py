"""Blocks of two images that are matched one by one, and the global transform that most of them agree on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from .. import calibration
from .affine import sampling_grids
from .structure import Structure, structure
from .survey import resized
from .turned import fast_side

_TILES = 8
_TILE = 0.2
"""Side of a block, as a share of the side of the network grid."""
DIRECTIONS = {
    "both": (1.0, 1.0),
    "edges": (1.0, 0.0),
    "ridges": (0.0, 1.0),
    "opposite": (1.0, -1.0),
    "opposite ridges": (0.0, -1.0),
}
"""What two contrasts may have in common, as weights of edges and ridges.

A ridge changes its sign with contrast, because grey values curve the other way across a dark line than across a bright one. An
edge does not.
"""
_LEAST_DEFINED = calibration.BLOCK_DEFINED.value
_AGREE = calibration.BLOCK_AGREES.value


@dataclass(frozen=True, eq=False)
class Matches:
    """Positions where the blocks of the fixed image are found, relative to those that a transform gives.

    Attributes
    ----------
    centres : float64 array (T, 2)
        Centres of the blocks, -1 to 1.
    offsets : float64 array (T, 2)
        Offsets of the best matches from the centres, in the same unit of the fixed image.
    quality : float64 array (T,)
        Height of the match over the spread of all offsets tried.
    """

    centres: np.ndarray
    offsets: np.ndarray
    quality: np.ndarray

    def __len__(self) -> int:
        return len(self.centres)

    def agreeing(self, fitted: np.ndarray | None = None) -> np.ndarray:
        """Which blocks (T,) agree with the transform, or with a change of it, `fitted` (T, 2)."""
        rest = self.offsets - (0 if fitted is None else fitted)
        return np.linalg.norm(rest, axis=1) <= 2 * _AGREE


class BlockMatcher:
    """Matches blocks of a fixed image in a moving one, as given transforms bring it.

    Parameters
    ----------
    moving, fixed : float32 Tensor (2, S, S)
        Values and weight.
    size : int
        Pixels of a side at which they are matched.
    """

    def __init__(self, moving: Tensor, fixed: Tensor, size: int):
        self.size = size
        self._moving = moving
        self._fixed = structure(*resized(fixed, size))
        self._sources: dict[int, Tensor] = {}
        side = round(_TILE * size)
        self._starts = np.unique(np.linspace(0, size - side, _TILES).round().astype(int))
        self._side = side

    def warped(self, positions: Tensor, scale: float) -> Structure:
        """The structure of the moving image at normalised positions (1, n, n, 2), (column, row)."""
        side = round(self.size / max(scale, 1.0))
        if side not in self._sources:
            values, weight = resized(self._moving, side)
            self._sources[side] = torch.stack((values * weight, weight))[None]
        sampled = functional.grid_sample(self._sources[side], positions, align_corners=False)[0]
        weight = (sampled[1] > 0.95).float()
        return structure(weight * sampled[0] / sampled[1].clamp(min=0.05), weight)

    def under(self, matrix: np.ndarray, bend: np.ndarray | None = None) -> Structure:
        """The structure of the moving image under a transform (2, 3), with a quadratic part (2, 3)."""
        scale = float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
        positions = sampling_grids(matrix[None], self.size, self._moving)
        return self.warped(positions if bend is None else positions + self._bent(bend), scale)

    def _bent(self, bend: np.ndarray) -> Tensor:
        """A quadratic part at each pixel, (n, n, 2) in (column, row)."""
        axis = (torch.arange(self.size, dtype=torch.float32, device=self._moving.device) + 0.5) * (2 / self.size) - 1
        rows, columns = torch.meshgrid(axis, axis, indexing="ij")
        terms = torch.stack((rows * rows, rows * columns, columns * columns), dim=-1)
        return terms @ terms.new_tensor(np.ascontiguousarray(bend[::-1].T))

    def match(self, moved: Structure, reach: float, kinds: Sequence[str] = tuple(DIRECTIONS)) -> dict[str, Matches]:
        """Match all blocks that both images show, within `reach` (half a side is 1), by each of `kinds` of direction."""
        pixels = max(round(reach * self.size / 2), 2)
        fixed_tiles = self._cut(self._fixed.vectors * moved.weight, 0)
        share = self._cut((self._fixed.weight * moved.weight)[None], 0).mean(dim=(1, 2, 3))
        keep = (share >= _LEAST_DEFINED) & (fixed_tiles.square().sum(dim=(1, 2, 3)) > 1e-6)
        centres = self._centres()[keep.cpu().numpy()]
        if not len(centres):
            return {kind: Matches(np.zeros((0, 2)), np.zeros((0, 2)), np.zeros(0)) for kind in kinds}
        products, energies = _products(fixed_tiles[keep], self._cut(moved.vectors, pixels)[keep], pixels)
        found = {}
        for kind in kinds:
            weights = products.new_tensor(DIRECTIONS[kind])[:, None, None]
            score = (weights * products).sum(1) / (weights.abs() * energies).sum(1).sqrt()
            offsets, quality = _best(self._allowed(score, centres))
            found[kind] = Matches(centres, (offsets - pixels) * (2 / self.size), quality)
        return found

    def _allowed(self, score: Tensor, centres: np.ndarray) -> Tensor:
        """Scores (T, 2 p + 1, 2 p + 1) of all offsets of the blocks at `centres` (T, 2), as they count."""
        return score

    def _centres(self) -> np.ndarray:
        rows, columns = np.meshgrid(self._starts, self._starts, indexing="ij")
        return (np.stack((rows, columns), -1).reshape(-1, 2) + self._side / 2) * (2 / self.size) - 1

    def _cut(self, images: Tensor, margin: int) -> Tensor:
        """(T, C, s, s): all blocks with a margin around."""
        padded = functional.pad(images, (margin,) * 4)
        side = self._side + 2 * margin
        return torch.stack(
            [padded[:, row : row + side, column : column + side] for row in self._starts for column in self._starts]
        )


def _products(fixed: Tensor, moving: Tensor, pixels: int) -> tuple[Tensor, Tensor]:
    """Products of each block's directions at all offsets, and their energies: both (T, 2, 2 p + 1, 2 p + 1).

    The second axis has edges, then ridges.
    """
    side, window = fast_side(moving.shape[-1]), 2 * pixels + 1
    spectrum = torch.fft.rfft2(moving, s=(side, side)) * torch.fft.rfft2(fixed, s=(side, side)).conj()
    products = torch.fft.irfft2(spectrum.unflatten(1, (2, 2)).sum(2), s=(side, side))[..., :window, :window]
    covered = _covered(moving.square().unflatten(1, (2, 2)).sum(2), fixed.square().sum(dim=1) > 0, window)
    whole = fixed.square().unflatten(1, (2, 2)).sum((2, 3, 4))
    floor = 0.2 * covered.flatten(2).amax(dim=2)[..., None, None] + 1e-6
    return products, whole[..., None, None] * torch.maximum(covered, floor)


def _covered(energy: Tensor, mask: Tensor, window: int) -> Tensor:
    """Energy (T, 2, s, s) of what each block's mask (T, f, f) covers at all offsets, (T, 2, window, window)."""
    first, place = torch.arange(window)[:, None], torch.arange(energy.shape[-1])
    rows = ((place >= first) & (place < first + mask.shape[-1])).to(energy)
    covered = rows @ energy @ rows.T  # of masks without a hole: a few small products in place of Fourier transforms
    holed = (~mask).flatten(1).any(dim=1)
    if bool(holed.any()):
        shape = (fast_side(energy.shape[-1]),) * 2
        of_mask = torch.fft.rfft2(mask[holed, None].to(energy), s=shape).conj()
        summed = torch.fft.irfft2(torch.fft.rfft2(energy[holed], s=shape) * of_mask, s=shape)
        covered[holed] = summed[..., :window, :window].clamp(min=0)
    return covered


def _best(scores: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Position (T, 2), to a part of a pixel, and height over the spread (T,) of the greatest of each."""
    values = scores.cpu().double().numpy()
    count, window = values.shape[:2]
    flat = values.reshape(count, -1)
    index = flat.argmax(axis=1)
    rows, columns = np.divmod(index, window)
    which = np.arange(count)
    found = np.stack((rows, columns), axis=1).astype(np.float64)
    for axis, position in enumerate((rows, columns)):
        middle = (position > 0) & (position < window - 1)
        low = values[which, rows - (axis == 0) * middle, columns - (axis == 1) * middle]
        high = values[which, rows + (axis == 0) * middle, columns + (axis == 1) * middle]
        peak = flat[which, index]
        curve = low - 2 * peak + high
        found[:, axis] += np.where(middle & (curve < -1e-12), 0.5 * (low - high) / np.minimum(curve, -1e-12), 0)
    spread = np.maximum(flat.std(axis=1), 1e-9)
    return found, (flat[which, index] - flat.mean(axis=1)) / spread


def fit_change(
    matches: Matches, terms: np.ndarray, *, loosest: float, tightest: float, stiffness: float = 1e-2
) -> tuple[np.ndarray, np.ndarray]:
    """The change of a transform that most blocks agree on.

    Parameters
    ----------
    matches : Matches
    terms : float64 array (T, P)
        What each row and column offset may be a combination of.
    loosest, tightest : float
        Distances, half a side being 1, within which a block counts at first and at last.
    stiffness : float
        How strongly all terms but the first are drawn to zero, as a share of the mean weight.

    Returns
    -------
    coefficients : float64 array (P, 2)
    fitted : float64 array (T, 2)
    """
    weight = np.clip(matches.quality, 0, 8) ** 2
    count = terms.shape[1]
    drawn, least = np.diag(np.r_[0.0, np.full(count - 1, stiffness / count)]), 1e-12 * np.eye(count)
    coefficients, fitted = np.zeros((count, 2)), np.zeros_like(matches.offsets)
    for width in np.geomspace(loosest, tightest, 12):
        rest = np.square(matches.offsets - fitted).sum(axis=1)
        robust = terms * (weight / (1 + rest / width**2) ** 2)[:, None]
        normal = robust.T @ terms
        coefficients = np.linalg.solve(normal + np.trace(normal) * drawn + least, robust.T @ matches.offsets)
        fitted = terms @ coefficients
    return coefficients, fitted


def affine_terms(centres: np.ndarray) -> np.ndarray:
    """1, row and column of each centre (T, 3)."""
    return np.column_stack((np.ones(len(centres)), centres))
