"""Change between two aligned visits, in standard deviations of repeat scans without change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from .. import calibration
from ..errors import InputError
from ..octa.vessels import ridge_strength
from .unknown import nothing_known

THRESHOLD = calibration.CHANGE_SD.value
"""Differences of so many standard deviations and more are changes."""
WINDOW = 10 / 400
"""Standard deviation of the Gaussian window for local means, as a share of the longer side."""
_SHADING = 60 / 400  # over which contrast is evened out
_BACKGROUND = (
    15 / 320
)  # window of the brightness that is subtracted before vessels are found, as a share of the shorter side
_VESSEL = calibration.VESSEL_PERCENTILE.value
_SOFT = 0.25  # width of that border, as a share of it
_LEAST_KNOWN = calibration.CHANGE_LEAST_KNOWN.value


@dataclass(frozen=True)
class RepeatNoise:
    """Standard deviations of the differences between repeat scans without change.

    Attributes
    ----------
    density : float
        Of local vessel density (0 to 1).
    brightness : float
        Of local brightness, in standard deviations of the reference image's grey levels.
    """

    density: float
    brightness: float


@dataclass(frozen=True, eq=False)
class Change:
    """The change between two visits.

    Attributes
    ----------
    z : float32 array (H, W)
        Local vessel density, later minus earlier visit, in standard deviations; NaN where not measurable.
    brightness_z : float32 array (H, W)
        Local brightness, likewise.
    known : bool array (H, W)
        The measurable pixels.
    noise : RepeatNoise
        One standard deviation.
    own_noise : bool
        Whether it was estimated from this pair itself.
    threshold : float
        Least difference that is a change, in standard deviations.
    """

    z: np.ndarray
    brightness_z: np.ndarray
    known: np.ndarray
    noise: RepeatNoise
    own_noise: bool
    threshold: float = THRESHOLD

    @property
    def lost(self) -> np.ndarray:
        """Where vessel density decreased, bool (H, W)."""
        return self.known & (self.z < -self.threshold)

    @property
    def gained(self) -> np.ndarray:
        """Where vessel density increased, bool (H, W)."""
        return self.known & (self.z > self.threshold)


def change_map(
    reference: np.ndarray,
    visit: np.ndarray,
    valid: np.ndarray,
    *,
    positions: np.ndarray | None = None,
    noise: RepeatNoise | None = None,
) -> Change:
    """Differences of local vessel density and of local brightness between two aligned images.

    Both are first normalised over the whole area, so that a scan that is darker or flatter as a whole is no change. A change of
    the whole image is therefore not measurable.

    Parameters
    ----------
    reference, visit : arrays (H, W)
        The earlier and the later visit on the same pixels, vessels bright.
    valid : bool array (H, W)
        Common tissue mask.
    positions : array (H, W, 2), optional
        Position of each pixel in the later visit's own image, (row, column). Where it folds, change is not measurable.
    noise : RepeatNoise, optional
        The noise of repeat scans (`repeat_noise`). By default it is estimated from the pair, by the median absolute difference.
        The estimate is valid as long as most of the area has not changed.

    Raises
    ------
    InputError
        Arrays of unlike shape, or too few measurable pixels.
    """
    if not np.shape(reference) == np.shape(visit) == np.shape(valid):
        raise InputError(
            f"A change map needs images of one shape; got {np.shape(reference)}, {np.shape(visit)}, {np.shape(valid)}."
        )
    known = np.asarray(valid, bool) & ~nothing_known(reference, visit, valid, positions)
    if known.sum() < _LEAST_KNOWN:
        raise InputError(
            f"The two visits have {int(known.sum())} measurable pixels in common; {_LEAST_KNOWN} are needed."
        )
    density, brightness = _differences(reference, visit, known)
    own = RepeatNoise(_spread(density[known]), _spread(brightness[known]))
    used = noise or own
    maps = [
        np.where(known, part / max(sd, 1e-9), np.nan).astype(np.float32)
        for part, sd in ((density, used.density), (brightness, used.brightness))
    ]
    return Change(*maps, known, used, noise is None)


def repeat_noise(pairs: Sequence[tuple[np.ndarray, np.ndarray, np.ndarray]]) -> RepeatNoise:
    """The noise of repeat scans without change: root of the mean square over the pairs.

    Parameters
    ----------
    pairs : sequence of (reference, visit, valid)
        As for `change_map`.
    """
    if not pairs:
        raise InputError("The noise of repeat scans needs at least one pair of them.")
    found = [change_map(*pair).noise for pair in pairs]
    return RepeatNoise(*(float(np.sqrt(np.mean(np.square(part)))) for part in zip(*map(_values, found), strict=True)))


def _values(noise: RepeatNoise) -> tuple[float, float]:
    return noise.density, noise.brightness


def _differences(reference, visit, known) -> tuple[np.ndarray, np.ndarray]:
    """Local density and local brightness, later minus earlier, minus their medians over the measurable area."""
    images = [np.where(known, image, np.median(image[known])).astype(np.float32) for image in (reference, visit)]
    window = WINDOW * max(images[0].shape)
    first, second = (_vessels(image, known) for image in images)
    second = _levelled(second, first, known)
    border = max(float(np.percentile(first[known], _VESSEL)), 1e-6)
    density = [1 / (1 + np.exp(np.clip((border - part) / (_SOFT * border), -30, 30))) for part in (first, second)]
    unit = max(float(images[0][known].std()), 1e-9)
    bright = [image / unit for image in (images[0], _levelled(images[1], images[0], known))]
    maps = [_local(after - before, known, window) for before, after in (density, bright)]
    maps[1] -= _local(
        bright[1] - bright[0], known, _SHADING * max(images[0].shape)
    )  # of shading, which repeats change too
    return tuple(part - np.median(part[known]) for part in maps)


def _vessels(image: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Ridge strength after shading and contrast are evened out over much more than a window."""
    unit = max(min(image.shape) / 320, 0.5)
    centred = image - _local(image, known, _BACKGROUND * min(image.shape))
    contrast = np.sqrt(_local(centred**2, known, _SHADING * max(image.shape)))
    return ridge_strength(centred / np.maximum(contrast, 1e-6 + 0.1 * float(np.median(contrast[known]))), unit)


def _levelled(image: np.ndarray, target: np.ndarray, known: np.ndarray) -> np.ndarray:
    """`image` with the distribution of values that `target` has over the known area."""
    percentiles = np.linspace(0, 100, 101)
    own = np.percentile(image[known], percentiles)
    wanted = np.percentile(target[known], percentiles)
    # A value that many pixels have, as in a thresholded image, stands for the mean of its percentiles.
    values, first, times = np.unique(own, return_index=True, return_counts=True)
    return np.interp(image, values, np.add.reduceat(wanted, first) / times).astype(np.float32)


def _local(values: np.ndarray, known: np.ndarray, sigma: float) -> np.ndarray:
    """Mean under a Gaussian window of what is known."""
    share = ndimage.gaussian_filter(known.astype(np.float32), sigma)
    return ndimage.gaussian_filter(np.where(known, values, 0).astype(np.float32), sigma) / np.maximum(share, 1e-6)


def _spread(values: np.ndarray) -> float:
    return float(1.4826 * np.median(np.abs(values - np.median(values))))
