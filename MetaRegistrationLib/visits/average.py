"""A mean of aligned visits that is robust to shadows, motion lines and black borders."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .. import calibration
from .series import Series

_TRIMMED_FROM = calibration.TRIMMED_FROM.value


@dataclass(frozen=True, eq=False)
class Average:
    """
    Attributes
    ----------
    image : float32 array (H, W)
        On the reference's pixels and grey levels; zero where no visit shows tissue.
    count : uint8 array (H, W)
        Visits that show tissue there.
    """

    image: np.ndarray
    count: np.ndarray


def average(series: Series) -> Average:
    """Mean of all aligned visits at every pixel of the reference.

    Grey levels are first matched to the reference's (median and quartiles of the common tissue). Where four or more visits show
    tissue, the lowest and the highest value are left out (a trimmed mean). Where three do, the median is used. A single shadow
    or motion line therefore has no effect.
    """
    target, target_seen = series.visits[series.reference].warped
    values, seen = [], []
    for entry in series.visits:
        if not entry.aligned:
            continue
        image, shown = entry.warped
        values.append(_matched(image, shown, target, target_seen))
        seen.append(shown)
    stack, shown = np.stack(values), np.stack(seen)
    count = shown.sum(axis=0).astype(np.uint8)
    hidden = np.where(shown, stack, np.nan)
    ordered = np.sort(hidden, axis=0)  # NaN last
    total = np.nansum(hidden, axis=0)
    highest = np.take_along_axis(ordered, np.maximum(count.astype(np.intp) - 1, 0)[None], axis=0)[0]
    trimmed = total - np.nan_to_num(ordered[0]) - np.nan_to_num(highest)
    image = np.divide(total, np.maximum(count, 1))
    image = np.where(count >= _TRIMMED_FROM, trimmed / np.maximum(count.astype(float) - 2, 1), image)
    if len(stack) >= 3:
        image = np.where(count == 3, np.nan_to_num(ordered[1]), image)
    return Average(np.where(count > 0, image, 0).astype(np.float32), count)


def _matched(image: np.ndarray, shown: np.ndarray, target: np.ndarray, target_seen: np.ndarray) -> np.ndarray:
    both = shown & target_seen
    if both.sum() < 100:
        return image
    own, wanted = (np.percentile(part[both], (25, 50, 75)) for part in (image, target))
    factor = (wanted[2] - wanted[0]) / max(own[2] - own[0], 1e-6)
    return ((image - own[1]) * factor + wanted[1]).astype(np.float32)
