"""The confidence in a displacement field that no initial alignment vouches for."""

from __future__ import annotations

import numpy as np
import torch

from .. import calibration
from ..core.spatial import warp
from .affine import IDENTITY
from .blocks import DIRECTIONS, BlockMatcher
from .confidence import confidence_of
from .refine_transform import agreement_under

_SIZE = 200
_DEFINED = 0.95  # share of a pixel's weight from which it counts


def field_confidence(
    moving: np.ndarray,
    fixed: np.ndarray,
    displacement_px: np.ndarray,
    *,
    inside_moving: np.ndarray,
    inside_fixed: np.ndarray,
) -> float:
    """Confidence, 0 to 1, that a field aligns two images of any contrasts: that of a transform, as many blocks agree with it.

    The moving image is warped by the field. Then the blocks are counted that are found where they are, by the kind of direction
    by which most are. Without a search there is no height, so that only the blocks count.

    Parameters
    ----------
    moving, fixed : float arrays (S, S)
        Images on network grids.
    displacement_px : float32 array (2, S, S)
        Pull field in pixels of the grid, channels (row, column).
    inside_moving, inside_fixed : bool arrays (S, S)
        Tissue masks.
    """
    stack = torch.from_numpy(np.stack((np.where(inside_moving, moving, 0), inside_moving)).astype(np.float32))[None]
    moved, weight = warp(stack, torch.from_numpy(np.asarray(displacement_px, np.float32))[None])[0]
    defined = (weight > _DEFINED).float()
    target = torch.from_numpy(np.stack((np.where(inside_fixed, fixed, 0), inside_fixed)).astype(np.float32))
    matcher = BlockMatcher(torch.stack((moved * defined, defined)), target, _SIZE)
    found = [agreement_under(matcher, IDENTITY, kind) for kind in DIRECTIONS]
    best = max(found, key=lambda one: one.agreeing)
    return confidence_of(calibration.USUAL_HEIGHT.value, best.blocks, best.agreeing, whole=False)
