"""Whether two aligned images fit as well at another shift: a repeating texture, such as a grid, does."""

from __future__ import annotations

import math

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from .. import calibration
from ..core.spatial import warp
from .coincidence import correlations, details
from .structure import Structure

SIZE = 200
"""Pixels of a side at which shifts are tried."""
_FARTHEST = 0.5  # of a side; images are padded by as much, so that such shifts do not come round
_UNSHIFTED_PX = 2  # of the 200: a shift that is as good as none
_LEFT_OUT_PX = 5  # of the 200, to each side
_LEAST_OVERLAP = 0.3  # of what both show without a further shift
_LEAST_PIXELS = 400
_MUCH_BETTER = calibration.OTHER_SHIFT_MUCH_BETTER.value
_VALLEY = calibration.OTHER_SHIFT_VALLEY.value
HALF_CONFIDENT = calibration.OTHER_SHIFT_HALF_CONFIDENT.value
_STEEPNESS = calibration.OTHER_SHIFT_STEEPNESS.value


def confidence_of_only_shift(
    moving: np.ndarray,
    fixed: np.ndarray,
    displacement_px: Tensor,
    *,
    inside_moving: np.ndarray,
    inside_fixed: np.ndarray,
) -> float:
    """Confidence, 0 to 1, that the images do not fit as well at another shift than under a field.

    Parameters
    ----------
    moving, fixed : float arrays (S, S)
        Images on network grids.
    displacement_px : float32 Tensor (1, 2, S, S)
        Pull field in pixels of the grid, channels (row, column).
    inside_moving, inside_fixed : bool arrays (S, S)
        Tissue masks.
    """
    if displacement_px.device.type == "mps":  # older versions lack Fourier transforms there
        displacement_px = displacement_px.cpu()
    stacks = [
        torch.from_numpy(np.stack((np.where(inside, image, 0), inside)).astype(np.float32))[None].to(displacement_px)
        for image, inside in ((moving, inside_moving), (fixed, inside_fixed))
    ]
    fit = other_fit(*reduced(warp(stacks[0], displacement_px)[0], stacks[1][0]))
    return 1 / (1 + math.exp(min(_STEEPNESS * (fit - HALF_CONFIDENT), 30.0)))


def reduced(moved: Tensor, fixed: Tensor) -> tuple[Structure, Structure]:
    """The structures that `other_fit` compares, of an aligned moving image and a fixed one: values and weight, each (2, S, S)."""
    first, second = (details(adaptive_avg_pool2d(image, SIZE)) for image in (moved, fixed))
    return first, second


def other_fit(first: Structure, second: Structure, *, without: np.ndarray | None = None) -> float:
    """How well two images fit at the best other shift, as a share of how well they fit without one.

    Shifts of up to half a side are tried. Layers and fibres fit along themselves nearly as well. Another shift is therefore one
    that is parted from none by a valley, or one that fits much better.

    Parameters
    ----------
    first, second : Structure
        As of `reduced`, in any contrasts.
    without : array (2,), optional
        A shift in pixels that does not count, to both sides.

    Returns
    -------
    float
        Of the sum of products of directions over the root of the common area, as noise adds up. It is above 1 where the images
        fit better at another shift, and infinite where they do not fit at all without one. It is 0 where there is no other shift,
        and where too little is in common.
    """
    common = float((first.weight * second.weight).sum())
    if common < _LEAST_PIXELS:
        return 0.0
    farthest = round(_FARTHEST * first.size)
    edges, ridges, area = correlations(first, second, first.size + farthest)
    fits = torch.where(area > _LEAST_OVERLAP * common, (edges + ridges.abs()) / area.clamp(min=1).sqrt(), 0.0)
    fits = _about_none(fits, farthest).cpu().numpy()
    unshifted = (slice(farthest - _UNSHIFTED_PX, farthest + _UNSHIFTED_PX + 1),) * 2
    best = float(fits[unshifted].max())
    if best <= 0:
        return math.inf if fits.max() > 0 else 0.0
    if without is not None:
        _leave_out(fits, without)
    highest = float(fits.max()) / best
    if highest > _MUCH_BETTER:
        return highest
    regions, _ = ndimage.label(fits > _VALLEY * best)
    others = fits[(regions > 0) & ~np.isin(regions, regions[unshifted])]
    return float(others.max(initial=0.0)) / best


def _about_none(fits: Tensor, farthest: int) -> Tensor:
    """Fits of all shifts up to the farthest along each axis, (2 f + 1, 2 f + 1), no shift in the middle."""
    shifts = torch.arange(-farthest, farthest + 1, device=fits.device) % len(fits)
    return fits[shifts[:, None], shifts]


def _leave_out(fits: np.ndarray, shift: np.ndarray) -> None:
    """Set fits (n, n) near a shift from the middle and near its opposite to zero."""
    middle = len(fits) // 2
    for sign in (-1, 1):
        places = (middle + round(sign * float(along)) for along in shift)
        rows, columns = (slice(max(place - _LEFT_OUT_PX, 0), max(place + _LEFT_OUT_PX + 1, 0)) for place in places)
        fits[rows, columns] = 0
