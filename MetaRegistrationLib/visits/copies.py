"""Visits that are copies of one scan: repeat scans differ in the noise of their pixels, copies do not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from .. import calibration
from ..core.gaussian import gaussian

if TYPE_CHECKING:
    from .series import AlignedVisit

_NOISE = np.outer((1, -2, 1), (1, -2, 1)).astype(np.float32)  # edges and ridges along any line hardly answer to it
_BORDER_PX = 3
_LEAST_SHARE = 0.1  # of the reference's pixels that two visits have to show
_MOST_PIXELS = 50_000  # that are compared
_SAME_NOISE = calibration.SAME_NOISE.value
_RESAMPLED_NOISE = calibration.RESAMPLED_NOISE.value
_RESAMPLED_STRUCTURE = calibration.RESAMPLED_STRUCTURE.value


def copies(visits: Sequence[AlignedVisit]) -> dict[int, int]:
    """Indices of the aligned visits that are copies, each with that of the first visit that shows the same scan."""
    noise, seen = _noise_of(visits)
    likely = _correlations(noise, seen) >= _SAME_NOISE
    found: dict[int, int] = {}
    for index in range(len(visits)):
        for other in range(index):
            if other not in found and likely[index, other]:
                both = (seen[index] > 0) & (seen[other] > 0)
                if noise_correlation(noise[index][both], noise[other][both]) >= _SAME_NOISE:
                    found[index] = other
                    break
    return found


def resampled_copy(first: AlignedVisit, second: AlignedVisit) -> bool:
    """Whether two aligned visits are one scan, also if one was rotated or shifted by a part of a pixel.

    Interpolation changes the noise of single pixels. The structures that are a little larger stay.
    """
    (one, seen), (other, shown) = first.warped, second.warped
    both = ndimage.binary_erosion(seen & shown, iterations=_BORDER_PX)
    if both.sum() < _LEAST_SHARE * both.size:
        return False
    noise = (ndimage.convolve(image, _NOISE)[both] for image in (one, other))
    if noise_correlation(*noise) < _RESAMPLED_NOISE:
        return False
    fine = [(gaussian(image, 1.0) - gaussian(image, 2.0))[both] for image in (one, other)]
    return bool(np.corrcoef(*fine)[0, 1] >= _RESAMPLED_STRUCTURE)


def noise_correlation(first: np.ndarray, second: np.ndarray) -> float:
    """Robust correlation of the noise of two scans: 1 for copies, about 0 for repeat scans.

    It is one minus half the variance of the difference of both in units of their own spread. Spreads are median absolute
    deviations, so that the few pixels on sharp vessels do not count. 0 where one of them has no noise.
    """
    spreads = [_spread(values) for values in (first, second)]
    if min(spreads) <= 0:
        return 0.0
    return 1 - _spread(first / spreads[0] - second / spreads[1]) ** 2 / 2


def _noise_of(visits: Sequence[AlignedVisit]) -> tuple[np.ndarray, np.ndarray]:
    """Noise of some pixels of the reference, and whether a visit shows them: float32 (N, P) each, zero where it does not."""
    shape = next((entry.positions.shape[:2] for entry in visits if entry.aligned), (0, 0))
    step = max(shape[0] * shape[1] // _MOST_PIXELS, 1)
    noise = np.zeros((len(visits), len(range(0, shape[0] * shape[1], step))), np.float32)
    seen = np.zeros_like(noise)
    for index, entry in enumerate(visits):
        if entry.aligned:
            image, known = entry.warped
            shown = ndimage.binary_erosion(known, iterations=_BORDER_PX)
            seen[index] = shown.ravel()[::step]
            noise[index] = np.where(shown, ndimage.convolve(image, _NOISE), 0).ravel()[::step]
    return noise, seen


def _correlations(noise: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Correlations (N, N) over what two visits show; zero where that is too little."""
    energy = (noise**2) @ seen.T
    norm = np.sqrt(energy * energy.T)
    enough = (seen @ seen.T >= _LEAST_SHARE * noise.shape[1]) & (norm > 0)
    return np.where(enough, (noise @ noise.T) / np.where(norm > 0, norm, 1), 0.0)


def _spread(values: np.ndarray) -> float:
    return float(1.4826 * np.median(np.abs(values - np.median(values))))
