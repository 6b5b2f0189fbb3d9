"""Evidence for a transform from the whole image at full resolution: whether edges and ridges coincide beyond chance.

A block of a noisy image finds its place by chance. All pixels together do not: a transform that is right to two pixels has a
correlation of directions far above that of all other shifts.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from .. import calibration
from .structure import Structure, structure

_DEFINED = 0.95  # share of a pixel's weight from which it counts
_UNSHIFTED = 0.0075  # of a side: a transform that is right to so much counts as right
_LEAST_OVERLAP = 0.5  # of what both show without a further shift
_LEAST_PIXELS = 400
_CELL = 0.04  # of a side
_CELL_SHOWN = 0.5  # share of it that both images show
_FAR_ABOVE = 6.0  # median absolute deviations, about four standard deviations of noise
_HALF = calibration.COINCIDENCE_HALF_CONFIDENT.value


def details(stack: Tensor) -> Structure:
    """The directions in an image at full resolution, from values times weight, and weight: float32 (2, S, S)."""
    values, weight = stack
    known = (weight > _DEFINED).float()
    return structure(known * values / weight.clamp(min=_DEFINED), known)


def coincidence(first: Structure, second: Structure, *, widespread: bool = True) -> float:
    """How far the agreement of two images stands above that under all further shifts.

    Edges and ridges are counted apart, ridges without regard to their sign, which changes with contrast. The height of the
    better ones counts.

    Parameters
    ----------
    first, second : Structure
        The `details` of a moving image, warped by a global transform, and of a fixed one, in any contrasts. A field with
        freedom of its own fits noise.
    widespread : bool
        Count a height only as far as it comes from most of the image.

    Returns
    -------
    float
        In standard deviations over all shifts; 0 where too little is in common.
    """
    common = first.weight * second.weight
    if float(common.sum()) < _LEAST_PIXELS:
        return 0.0
    edges, ridges, area = correlations(first, second)
    allowed = area > _LEAST_OVERLAP * common.sum()
    unshifted = allowed & _unshifted(common)
    heights = []
    for score, searched, kind in ((edges, edges, slice(0, 2)), (ridges, ridges.abs(), slice(2, 4))):
        index = int(torch.where(unshifted, searched / area.clamp(min=1).sqrt(), score.new_zeros(())).argmax())
        shift = divmod(index, common.shape[-1])
        height = float(searched[shift] / score[allowed].std().clamp(min=1e-9))
        if widespread:
            height *= _widespread(first.vectors[kind], second.vectors[kind].roll(shift, (-2, -1)), common)
        heights.append(height)
    return max(heights)


def confidence_of_coincidence(height: float, half_confident: float = _HALF) -> float:
    """Confidence, 0 to 1, in a transform, from its `coincidence`; 0.5 at `half_confident`."""
    return 1 / (1 + math.exp(min(max(half_confident - height, -30.0), 30.0)))


def correlations(first: Structure, second: Structure, side: int | None = None) -> tuple[Tensor, Tensor, Tensor]:
    """Sums of the products of edges, of ridges and of weights, each (side, side), under every circular shift of the second.

    Images are padded by zeros to `side` pixels, by default none.
    """
    padded = (side or first.size,) * 2
    spectra = [torch.fft.rfft2(torch.cat((each.vectors, each.weight[None])), s=padded) for each in (first, second)]
    products = spectra[0] * spectra[1].conj()
    sums = torch.stack((products[:2].sum(dim=0), products[2:4].sum(dim=0), products[4]))
    edges, ridges, area = torch.fft.irfft2(sums, s=padded)
    return edges, ridges, area


def _unshifted(like: Tensor) -> Tensor:
    """Which circular shifts (S, S) are as good as none."""
    side = like.shape[-1]
    reach = max(round(_UNSHIFTED * side), 1)
    axis = torch.arange(-reach, reach + 1, device=like.device) % side
    found = torch.zeros_like(like, dtype=torch.bool)
    found[axis[:, None], axis[None, :]] = True
    return found


def _widespread(first: Tensor, second: Tensor, common: Tensor) -> float:
    """The share of the agreement of two stacks of vectors that remains if no cell may stand far above the others.

    Printed text and the outline of a field of view agree in few cells. Tissue agrees nearly everywhere.
    """
    side = max(round(_CELL * first.shape[-1]), 2)
    sums, shown = avg_pool2d(torch.stack(((first * second).sum(dim=0), common))[None], side)[0]
    cells = sums[shown > _CELL_SHOWN]
    whole = float(cells.sum())
    if not whole:
        return 0.0
    cells = cells * math.copysign(1.0, whole)
    middle = cells.median()
    reach = _FAR_ABOVE * (cells - middle).abs().median()
    return min(max(float(cells.clamp(middle - reach, middle + reach).sum()) / abs(whole), 0.0), 1.0)
