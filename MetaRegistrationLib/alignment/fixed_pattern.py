"""A pattern at the same pixels of both images, which a camera, a lens or an export put there, and the alignment beside it.

Such a pattern makes two images agree where they lie, and nowhere else. So where the images agree at another place as well, that
place is right. If there is none, images that were aligned before agree in coarse structures too, and a pattern of fine noise does
not.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from .. import calibration
from .affine import IDENTITY
from .blocks import BlockMatcher, Matches
from .coincidence import coincidence, confidence_of_coincidence, details
from .structure import Structure

_IN_PLACE = calibration.IN_PLACE.value
_SHARE = calibration.PATTERN_SHARE.value
_HALF_COARSE = calibration.COARSE_HALF_CONFIDENT.value
_COARSE = 66  # pixels of a side
_LEAST_SHOWN = 0.5  # of the grid
_FEWEST = calibration.FEWEST_BLOCKS.value
_BESIDE = 0.03  # half sides: no offsets so near to the same pixels
_DISTINCT = 0.06  # half sides: beyond what a broad ridge beside those pixels reaches


def may_be_a_pattern(unmoved: Matches) -> bool:
    """Whether so many blocks are found exactly where they are that a pattern, or an alignment made before, can be the cause.

    Parameters
    ----------
    unmoved : Matches
        Of the images as they are.
    """
    in_place = np.linalg.norm(unmoved.offsets, axis=1) < _IN_PLACE
    return int(in_place.sum()) >= max(_FEWEST, _SHARE * len(in_place))


def moves(matrix: np.ndarray, centres: np.ndarray) -> bool:
    """Whether a transform (2, 3) moves blocks at `centres` (T, 2) on average by more than what lies beside their own pixels."""
    change = matrix - IDENTITY
    return float(np.linalg.norm(centres @ change[:, :2].T + change[:, 2], axis=1).mean()) > _DISTINCT


def coarse_confidence(moved: Tensor, fixed: Tensor) -> float:
    """Confidence, 0 to 1, that two images agree in structures that are coarser than fine noise.

    It is 1 where both show less than half of the grid.

    Parameters
    ----------
    moved, fixed : float32 Tensor (2, S, S)
        Values times weight, and weight, of a moving image as it is aligned, and of a fixed one.
    """
    first, second = (details(adaptive_avg_pool2d(image, _COARSE)) for image in (moved, fixed))
    if float((first.weight * second.weight).mean()) < _LEAST_SHOWN:
        return 1.0
    return confidence_of_coincidence(coincidence(first, second, widespread=False), _HALF_COARSE)


class MatcherBesidePattern(BlockMatcher):
    """A `BlockMatcher` that finds no block at the same pixels of the other image.

    Parameters
    ----------
    matcher : BlockMatcher
        Of the images. Its structures and resized images are shared, since they take long to compute.
    """

    def __init__(self, matcher: BlockMatcher):
        vars(self).update(vars(matcher))
        self._matrix = IDENTITY

    def under(self, matrix: np.ndarray, bend: np.ndarray | None = None) -> Structure:
        """See `BlockMatcher`."""
        self._matrix = matrix
        return super().under(matrix, bend)

    def _allowed(self, score: Tensor, centres: np.ndarray) -> Tensor:
        pixels = score.shape[-1] // 2
        inverse = np.linalg.inv(self._matrix[:, :2])
        own = ((centres - self._matrix[:, 2]) @ inverse.T - centres) * (self.size / 2)  # the offset of the same pixels
        axis = torch.arange(-pixels, pixels + 1, dtype=score.dtype, device=score.device)
        rows, columns = (torch.as_tensor(own[:, k], dtype=score.dtype, device=score.device) for k in (0, 1))
        near = (axis[None, :, None] - rows[:, None, None]).square() + (
            axis[None, None] - columns[:, None, None]
        ).square()
        return score.masked_fill(near < (_BESIDE * self.size / 2) ** 2, -1.0)
