"""Signal quality of a scan, from 0 to 10, without another image to compare it with."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from ..formats.images import Image
from ..octa.capillaries import filter_unit
from .no_signal import signal
from .scan_faults import blockiness, line_faults
from .sharpness import box_smoothed, sharpness

_LEAST_PIXELS = 256  # of tissue with signal
_TREND = 12.0  # width of the local mean, in pixels of 18.75 um
_SHADING = 8.0
_SHADING_STEP = 4  # pixels: shading is slow
_SCALE = 1.4  # so that good scans of 320 pixels over 6 mm have some 6 of 10
# Where a scan counts as sharp, and how fast the score falls below: (middle, width) of a soft limit.
_SHARP, _DETAIL = (0.425, 0.03), (0.57, 0.06)
_LEAST_SHARP = 0.3  # of the score that the finest structures alone cannot take: some devices smooth their images
# Images of finer pixels were interpolated, or show what the optics blur: their finest structures are softer.
_FINE = 0.2  # of a pixel of 18.75 um, from which on an image is one of finer pixels
_SOFTER, _LESS_NOISE = 0.06, 0.3
_NOISE = 5.0
_LEVEL = 0.25  # of the range
_WEIGHTS = {"saturated": 6.0, "shading": 1.5, "jumps": 15.0, "repeats": 2.0, "blocks": 12.0}
_USUAL = {"saturated": 0.02, "blocks": 1.025}  # not more of it lowers the score
_MOST_JUMPS = 0.4


def quality(image: Image) -> float:
    """Signal quality, 0 (nothing can be seen) to 10, as the signal index that devices show.

    Real macular scans of 320 x 320 pixels over 6 mm have some 5 to 7. The score is the root of a product, so that one severe
    fault is enough for a low score. It falls with

    * blur: the mean squared difference of pixels at 1 and 3 pixels' distance, over that at twice the distance (the variogram;
      Matheron, Economic Geology 58:1246, 1963). Sharp structures differ at a small distance already;
    * noise: the energy of second differences along both axes (Immerkaer, Computer Vision and Image Understanding 64:300, 1996),
      over that of the structures;
    * low signal: the mean level. It is a share of the range that the values suggest: 1, 255, or for
      greater values the maximum, where a dim scan cannot be told from a dim export;
    * saturation: pixels at the top of the range;
    * shadow and vignetting: the mean shortfall of the local brightness;
    * motion: lines that fit those beside them less than usual, or are repeated, and bands without signal (`no_signal`);
    * compression: a period of 8 pixels in the differences of neighbours (Wang, Sheikh and Bovik, Proc. IEEE ICIP 2002, I-477);
    * tissue that is missing (border, lost corner).

    Devices define their own indices and do not publish them (Sampson et al., Light: Science & Applications 11:63, 2022), so that
    this score is none of them. A device that smooths its images has lower scores: compare scans of one device.

    Parameters
    ----------
    image : Image
        Distances are measured in pixels of 18.75 um; without a pixel size, the shorter side is taken for 6 mm (`filter_unit`).
    """
    parts = quality_parts(image)
    return 10 * math.sqrt(min(_SCALE * math.prod(parts.values()), 1.0)) if parts else 0.0


def quality_parts(image: Image) -> Mapping[str, float]:
    """The factors of the product, each 0 to 1, by name; none if there is nothing to judge."""
    values, known = signal(image)
    if known.sum() < _LEAST_PIXELS or float(values[known].std()) == 0:
        return {}
    unit = _unit(image)
    filled = np.where(known, values, np.median(values[known])).astype(np.float32)
    local = filled - box_smoothed(filled, _TREND * unit)
    found = sharpness(local, known, unit)
    fine = min((unit - 1) / _FINE, 1.0)
    least = _LEAST_SHARP
    parts = {
        "tissue": float(known.mean()),
        "sharp": least + (1 - least) * _soft(found.finest, _SHARP[0] - _SOFTER * fine, _SHARP[1]),
        "detail": _soft(found.detail, *_DETAIL),
        "noise": math.exp(-_NOISE * (1 + _LESS_NOISE * fine) * found.noise),
    }
    jumps, repeats = line_faults(local, known, unit)
    faults = {**_levels(values[known]), "shading": _shading(filled, known, unit)}
    parts["level"] = 1 - math.exp(-faults.pop("level") / _LEVEL)
    faults |= {"jumps": min(jumps, _MOST_JUMPS), "repeats": repeats, "blocks": blockiness(filled, known)}
    return parts | {name: _without(name, amount) for name, amount in faults.items()}


def _unit(image: Image) -> float:
    """Pixels of the image in one of 18.75 um, at least 1."""
    geometry = image.geometry
    pixel = math.sqrt(math.prod(geometry.spacing)) if geometry.spacing_known else None
    return max(filter_unit(image.array.shape, pixel), 1.0)


def _without(name: str, amount: float) -> float:
    """The factor of a fault."""
    return math.exp(-_WEIGHTS[name] * max(amount - _USUAL.get(name, 0.0), 0.0))


def _soft(value: float, middle: float, width: float) -> float:
    """0 to 1, a half in the middle."""
    return 1 / (1 + math.exp(min((middle - value) / width, 700)))


def _levels(values: np.ndarray) -> dict[str, float]:
    """Mean level as a share of the range, and the share of pixels at its top."""
    black, top = min(float(values.min()), 0.0), float(values.max())
    if black == 0:
        top = next((usual for usual in (1.0, 255.0) if top <= usual), top)
    level = (float(values.mean()) - black) / (top - black)
    return {"level": level, "saturated": float((values >= top).mean())}


def _shading(filled: np.ndarray, known: np.ndarray, unit: float) -> float:
    """Mean shortfall of the local brightness from that of the brighter regions, 0 to 1."""
    step = np.s_[::_SHADING_STEP, ::_SHADING_STEP]
    level = box_smoothed(filled, _SHADING * unit)[step][known[step]]
    if not level.size:
        return 0.0
    usual = max(float(np.percentile(level, 70)), 1e-6)
    return float(np.clip(1 - level / usual, 0, 1).mean())
