"""A pattern at the same pixels of both images, which a camera, a lens or an export put there, and the alignment beside it.

Such a pattern makes two images agree where they lie, and nowhere else. So where the images agree at another place as well, that
place is right.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from .. import calibration
from .affine import IDENTITY
from .blocks import BlockMatcher, Matches
from .structure import Structure

_IN_PLACE = calibration.IN_PLACE.value
_SHARE = calibration.PATTERN_SHARE.value
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


class MatcherBesidePattern(BlockMatcher):
    """A `BlockMatcher` that finds no block at the same pixels of the other image."""

    _matrix: np.ndarray = IDENTITY

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
