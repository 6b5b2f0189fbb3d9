"""The Fourier transforms of a structure under rotations, which all scales of a survey share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from .structure import Structure

_SIDES = sorted(2**twos * 3**threes for twos in range(1, 15) for threes in range(4))


def fast_side(side: int) -> int:
    """The next side whose Fourier transform is fast: of 135 or 52 pixels it takes twice as long as of 144 or 54."""
    return next(fast for fast in _SIDES if fast >= side)


@dataclass(frozen=True, eq=False)
class Turned:
    """A structure `of` some `angles`: side in pixels, area (of one) in pixels, transforms (5, C, P, P // 2 + 1)."""

    of: Structure
    angles: np.ndarray
    side: int
    area: float
    padded: int
    spectra: Tensor

    @classmethod
    def at(cls, unturned: Structure, angles: np.ndarray, fixed_size: int, reach: float, *, opposites: bool) -> Turned:
        """Turn it, for shifts of up to `reach` pixels from where its centre meets that of a structure of `fixed_size`.

        If the first half of the angles are the opposites of the second, those are turned alone.
        """
        turned = _turned(unturned, angles[len(angles) // 2 :] if opposites else angles)
        side, area = turned.shape[-1], float(turned[0, 4].sum())
        padded = fast_side(int(np.ceil((side + fixed_size) / 2 + reach)))  # further shifts wrap around to beyond reach
        spectra = torch.fft.rfft2(turned.transpose(0, 1), s=(padded, padded))
        if opposites:  # half a turn more is the conjugate, and a shift
            spectra = torch.cat((spectra.conj() * moved(padded, side - 1, spectra.device), spectra), dim=1)
        return cls(unturned, angles, side, area, padded, spectra)

    def is_of(self, unturned: Structure, angles: np.ndarray) -> bool:
        """Whether it is that structure under these angles."""
        same = self.of is unturned and len(self.angles) == len(angles)
        return same and bool(np.allclose(self.angles, angles, rtol=0, atol=1e-9))


def moved(padded: int, pixels: int, device: torch.device) -> Tensor:
    """The factor (P, P // 2 + 1) of a transform that moves its image by whole pixels along both axes."""
    along = np.exp(-2j * np.pi * ((np.arange(padded) * pixels) % padded) / padded).astype(np.complex64)
    return torch.from_numpy(along[:, None] * along[None, : padded // 2 + 1]).to(device)


def angles_of(matrices: np.ndarray) -> np.ndarray:
    """The rotations (C,) of matrices (C, 2, 3), radians."""
    return np.arctan2(matrices[:, 1, 0] - matrices[:, 0, 1], matrices[:, 0, 0] + matrices[:, 1, 1])


def _turned(small: Structure, angles: np.ndarray) -> Tensor:
    """(C, 5, N, N): the structure under each of the rotations (C,), nothing of it cut off."""
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
