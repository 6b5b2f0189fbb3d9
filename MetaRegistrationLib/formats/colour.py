"""From colour to grey: luminance, or the channel that shows clearly more structure. Coloured drawings on grey are unknown."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from .. import calibration
from ..core.gaussian import gaussian
from ..core.opening import opened
from ..core.tissue import tissue_mask

_LUMINANCE = (0.299, 0.587, 0.114)  # Rec. 601
_CLEARLY = calibration.CLEARER_CHANNEL.value
_LONGEST_SIDE = 512  # pixels of the part in which structure is measured
_BLEEDS = 4  # pixels by which JPEG spreads colour
_BAND = (1.5, 6.0)  # pixels: widths of the two blurs between which structure is counted
_LEAST_PIXELS = calibration.COLOUR_LEAST_PIXELS.value
_LEAST_NOISE = calibration.COLOUR_LEAST_NOISE.value
_COLOURED = calibration.DRAWING_COLOURED.value
_GREY = calibration.DRAWING_GREY.value
_MOST = calibration.DRAWING_MOST.value
_GREY_SHARE = calibration.DRAWING_GREY_SHARE.value
_WIDEST = calibration.DRAWING_WIDEST.value


def grey_of_colour(
    colour: np.ndarray, alpha: np.ndarray | None = None, *, luminance: bool = False, keep_drawings: bool = False
) -> np.ndarray:
    """Grey of a colour image, float32 (H, W). Pixels of a coloured drawing on a grey image are NaN (`coloured_drawing`).

    Parameters
    ----------
    colour : np.ndarray
        (H, W, 3), red, green, blue.
    alpha : np.ndarray, optional
        Opacity (H, W) from 0 to 1; the image is blended with black.
    luminance : bool
        Always luminance. Otherwise a channel is taken whose structure over its noise, inside the tissue mask, is more
        than a tenth above that of the luminance: green for a fundus photograph whose red is saturated, for instance.
    keep_drawings : bool
        Coloured drawings become grey as all pixels do.
    """
    candidates = [colour @ np.asarray(_LUMINANCE)]
    grey_already = np.array_equal(colour[..., 0], colour[..., 1]) and np.array_equal(colour[..., 0], colour[..., 2])
    if not luminance and not grey_already:
        candidates += [colour[..., channel].astype(float) for channel in range(3)]
    if alpha is not None:
        candidates = [candidate * alpha for candidate in candidates]
    candidates = [candidate.astype(np.float32) for candidate in candidates]
    if len(candidates) == 1:
        return candidates[0]
    if not keep_drawings:
        drawing = coloured_drawing(colour)
        if drawing.any():
            return np.where(drawing, np.float32(np.nan), candidates[0])
    return _most_structured(candidates)


def coloured_drawing(colour: np.ndarray) -> np.ndarray:
    """Pixels of thin coloured lines and letters on a grey image, bool (H, W); none if the image itself is coloured.

    Parameters
    ----------
    colour : np.ndarray
        (H, W, 3), any range.
    """
    brightest, darkest = colour.max(axis=2).astype(np.float32), colour.min(axis=2).astype(np.float32)
    largest = float(np.nanmax(brightest, initial=0))
    none = np.zeros(brightest.shape, dtype=bool)
    chroma = brightest - darkest
    coloured = chroma > _COLOURED * largest
    lit = brightest > _GREY * largest  # black says nothing of whether an image is coloured
    if not 0 < (coloured & lit).sum() <= _MOST * lit.sum():
        return none
    others = lit & ~ndimage.maximum_filter(coloured, 2 * _BLEEDS + 1)
    if others.sum() < lit.sum() / 2 or (chroma[others] <= _GREY * largest).mean() < _GREY_SHARE:
        return none
    widest = 2 * (max(round(_WIDEST * max(coloured.shape)), 10) // 2) + 1
    if opened(
        np.pad(coloured, widest), widest, widest
    ).any():  # an area, not a line: a map in colours, or a part in colour
        return none
    return ndimage.maximum_filter(coloured, 3)


def _most_structured(candidates: list[np.ndarray]) -> np.ndarray:
    inside = tissue_mask(candidates[0])
    # The central part is enough, at the scale of its own pixels: means over blocks would hide the noise.
    height, width = inside.shape
    part = tuple(
        slice(max((extent - _LONGEST_SIDE) // 2, 0), (extent + _LONGEST_SIDE + 1) // 2) for extent in (height, width)
    )
    scores = [_structure(candidate[part], inside[part]) for candidate in candidates]
    best = int(np.argmax(scores))
    return candidates[best if scores[best] > _CLEARLY * scores[0] else 0]


def _structure(values: np.ndarray, inside: np.ndarray) -> float:
    """Deviation of a band of `values` over the deviation of their noise, both inside the tissue mask."""
    # Away from the border, whose edge is no structure of the tissue.
    inside = ndimage.binary_erosion(inside, iterations=int(2 * _BAND[1]), border_value=1)
    if inside.sum() < _LEAST_PIXELS:
        return 0.0
    low, high = np.percentile(values[inside], (1, 99))
    if not high > low:
        return 0.0
    scaled = np.clip((values - low) / (high - low), 0, 1)
    fine, coarse = (gaussian(scaled, width) for width in _BAND)
    high_pass = np.abs(scaled - ndimage.uniform_filter(scaled, 3))[inside]
    noise = 1.4826 * float(np.median(high_pass))
    return float((fine - coarse)[inside].std()) / (noise + _LEAST_NOISE)
