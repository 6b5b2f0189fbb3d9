"""A mean of aligned visits that is robust to shadows, motion lines and black borders."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .. import calibration
from .series import AlignedVisit, Series

_TRIMMED_FROM = calibration.TRIMMED_FROM.value
_LEAST_COMMON = 100  # pixels, for grey levels to be matched
_LEAST_QUARTILE = 0.05  # of the standard deviation: nearer quartiles are those of an image of few grey levels


@dataclass(frozen=True, eq=False)
class Average:
    """
    Attributes
    ----------
    image : float32 array (H, W)
        On the reference's pixels, and its grey levels if it is used; zero where no visit shows tissue.
    count : uint16 array (H, W), or uint32 for more than 65535 visits
        Visits that show tissue there.
    """

    image: np.ndarray
    count: np.ndarray


def average(series: Series) -> Average:
    """Mean of all used visits at every pixel of the reference.

    Grey levels are first matched to the reference's, or to those of the used visit of the best quality if the reference is
    excluded (median and quartiles of the common tissue). Where three or more visits show
    tissue, the lowest and the highest value are left out: a trimmed mean, of three visits the median. A single shadow or motion
    line therefore has no effect.
    """
    used = series.used
    target, target_seen = _leading(series).warped
    total, lowest, highest = (np.full(target.shape, start) for start in (0.0, np.inf, -np.inf))
    count = np.zeros(target.shape, np.uint16 if len(used) <= np.iinfo(np.uint16).max else np.uint32)
    for entry in used:
        image, shown = entry.warped
        values = _matched(image, shown, target, target_seen)
        total += np.where(shown, values, 0)
        lowest = np.where(shown, np.minimum(lowest, values), lowest)
        highest = np.where(shown, np.maximum(highest, values), highest)
        count += shown
    trimmed = (count >= _TRIMMED_FROM) | (count == 3)  # the median of three
    total[trimmed] -= lowest[trimmed] + highest[trimmed]
    image = total / np.maximum(np.where(trimmed, count - 2.0, count), 1)
    return Average(np.where(count > 0, image, 0).astype(np.float32), count)


def _leading(series: Series) -> AlignedVisit:
    """The visit whose grey levels count: the reference, or the best of those that are used."""
    reference = series.visits[series.reference]
    if reference.visit.name not in series.excluded or not series.used:
        return reference
    qualities = dict(zip((entry.visit.name for entry in series.visits), series.qualities, strict=True))
    return max(series.used, key=lambda entry: qualities[entry.visit.name])


def _matched(image: np.ndarray, shown: np.ndarray, target: np.ndarray, target_seen: np.ndarray) -> np.ndarray:
    both = shown & target_seen
    if both.sum() < _LEAST_COMMON:
        return image
    parts = image[both], target[both]
    # Half or more of the pixels of a thresholded image have one value, so that quartiles say nothing of its contrast.
    measure = _quartiles if all(_has_quartiles(part) for part in parts) else _moments
    (own, spread), (wanted, wanted_spread) = (measure(part) for part in parts)
    factor = wanted_spread / spread if spread > 0 and wanted_spread > 0 else 1.0
    return ((image - own) * factor + wanted).astype(np.float32)


def _has_quartiles(values: np.ndarray) -> bool:
    low, middle, high = np.percentile(values, (25, 50, 75))
    return min(middle - low, high - middle) > _LEAST_QUARTILE * float(values.std())


def _quartiles(values: np.ndarray) -> tuple[float, float]:
    low, middle, high = np.percentile(values, (25, 50, 75))
    return middle, high - low


def _moments(values: np.ndarray) -> tuple[float, float]:
    return float(values.mean()), float(values.std())
