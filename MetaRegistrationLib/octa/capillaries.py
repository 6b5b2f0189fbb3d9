"""Density of the capillaries that an OCTA image shows, from the texture between its larger vessels.

At 6 x 6 mm, single capillaries are at the limit of what a device resolves; what the image shows is a texture. Eighteen
features of that texture are averaged over a region, and a linear function of their logarithms is the logarithm of the density
(`capillary_weights`). The function was fitted so that repeat scans agree, that the density falls by a fifth when a fifth of the
capillaries is painted out all over the image, and that focus, exposure, gamma, noise and shading change little
(`density_fit.py` of the benchmarks). It does not fall as the part of a region that has capillaries. Bare places therefore count
as without capillaries, by their area (`disc_losses.py`).

Grey values are anchored first: 0 is the darkest region (the foveal avascular zone, where the image shows it), 1 the larger
vessels. A loss of capillaries over the whole image moves neither.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from .. import calibration
from ..core.gaussian import gaussian
from .capillary_weights import FLOOR, INTERCEPT, WEIGHTS
from .vessels import Ridges, ridge_strength, vessel_ridges

FEATURES = tuple(WEIGHTS)
"""Names of the features, in the order of `texture`."""
REFERENCE_UM = 18.75
"""Pixel size at which the widths of the filters are meant, micrometres: 6 mm on 320 pixels."""
_MARGIN = 2  # pixels of 18.75 um around the larger vessels that are no capillaries
_CORE = 1  # pixels of 18.75 um that are the border of a larger vessel
_DARKEST = 3.3  # window of the darkest region
_BANDS = ((0.7, 2.0), (1.2, 4.0), (2.5, 8.0))  # windows whose difference is a band, pixels of 18.75 um
_BAND_WIDTHS = (0.7, 1.4, 2.8, 5.6)  # windows of the features band0 to band3
_FINE_WIDTH = _BAND_WIDTHS[1]  # of the feature that vanishes with the capillaries
_BARE_WINDOW = 4.0  # standard deviation of the window of bare places
_FULL_PERCENT = 90  # of the places of a scan: more than half of them may be bare
_BARE = calibration.BARE_TEXTURE.value
_NEARLY = 2.0
_LEAST_CORE = 50  # pixels of larger vessels that make an anchor
_LEAST_RANGE = 10.0  # grey levels of 255 between the anchors


@dataclass(frozen=True, eq=False)
class Parts:
    """An image divided into larger vessels and what is between them.

    Attributes
    ----------
    large : bool array (H, W)
        The larger vessels.
    between : bool array (H, W)
        Tissue that is not near a larger vessel.
    """

    large: np.ndarray
    between: np.ndarray


def filter_unit(shape: tuple[int, int], pixel_mm: float | None) -> float:
    """Pixels of an image in a pixel of 18.75 um; without a pixel size, the shorter side is taken for 6 mm."""
    unit = min(shape) / 320 if pixel_mm is None else REFERENCE_UM / 1000 / pixel_mm
    return max(float(unit), 0.5)


def parts(image: np.ndarray, tissue: np.ndarray, pixel_mm: float | None = None) -> Parts:
    """The larger vessels of an image, and what is between them.

    Parameters
    ----------
    image : array (H, W)
        Vessels bright, any range.
    tissue : bool array (H, W)
        Where it shows tissue.
    pixel_mm : float, optional
        Distance between pixels; see `filter_unit`.
    """
    ridges = tissue_ridges(image, tissue, pixel_mm)
    return divided(ridges, ridges.levels, tissue)


def tissue_ridges(image: np.ndarray, tissue: np.ndarray, pixel_mm: float | None = None) -> Ridges:
    """The bright lines in the tissue of an image, of which `divided` makes parts; arguments as for `parts`."""
    # Values outside the tissue would count in the percentiles that make a ridge a vessel.
    return vessel_ridges(np.where(tissue, image, np.nan), filter_unit(image.shape, pixel_mm))


def divided(ridges: Ridges, levels: tuple[float, float], tissue: np.ndarray) -> Parts:
    """An image, of which the bright lines are known, divided at levels of their strength (`Ridges.levels`)."""
    large = ridges.vessels(levels) & tissue
    margin = max(round(_MARGIN * ridges.unit), 1)
    return Parts(large, tissue & ~ndimage.binary_dilation(large, iterations=margin))


def texture(image: np.ndarray, tissue: np.ndarray, large: np.ndarray, pixel_mm: float | None = None) -> np.ndarray:
    """Features of the texture at every pixel, float32 (18, H, W), in the order of `FEATURES`.

    Parameters
    ----------
    image, tissue, pixel_mm
        As for `parts`.
    large : bool array (H, W)
        The larger vessels.
    """
    return anchored_texture(anchored(image, tissue, large, pixel_mm), filter_unit(image.shape, pixel_mm))


def anchored_texture(grey: np.ndarray, unit: float) -> np.ndarray:
    """As `texture`, of anchored grey values (H, W) and their `filter_unit`."""
    found = _features(grey, unit)
    return np.stack([found[name] for name in FEATURES]).astype(np.float32)


def anchored(image: np.ndarray, tissue: np.ndarray, large: np.ndarray, pixel_mm: float | None = None) -> np.ndarray:
    """Grey values of which 0 is the darkest region and 1 the larger vessels, float32 (H, W); 0 outside the tissue.

    Parameters
    ----------
    image, tissue, large, pixel_mm
        As for `texture`.
    """
    dark, bright = _anchors(_filled(image, tissue), large, tissue, filter_unit(image.shape, pixel_mm))
    return np.where(tissue, (image - dark) / max(bright - dark, 1e-6), 0).astype(np.float32)


def structure(grey: np.ndarray, unit: float) -> np.ndarray:
    """Anchored grey values in three bands, from fine to coarse: differences of Gaussians, float32 (3, H, W).

    Parameters
    ----------
    grey : float32 array (H, W)
        As `anchored` gives it.
    unit : float
        As `filter_unit` gives it.
    """
    widths = [(low * unit, high * unit) for low, high in _BANDS]
    return np.stack([gaussian(grey, low) - gaussian(grey, high) for low, high in widths])


def _filled(image: np.ndarray, tissue: np.ndarray) -> np.ndarray:
    """The image with its median outside the tissue."""
    return np.where(tissue, image, np.median(image[tissue]) if tissue.any() else 0).astype(np.float32)


def density_percent(mean_features: np.ndarray) -> np.ndarray | float:
    """Density in percent from means of the features over regions.

    Parameters
    ----------
    mean_features : array (18,) or (18, ...)
        Means over the pixels of a region that are between larger vessels.
    """
    weights = np.array(list(WEIGHTS.values()))
    logarithm = np.tensordot(weights, np.log(np.maximum(mean_features, 0) + FLOOR), axes=1) + INTERCEPT
    return np.minimum(np.exp(logarithm), 100.0)


def fine_texture(grey: np.ndarray, unit: float) -> np.ndarray:
    """The texture that vanishes with the capillaries, float32 (H, W): one of the features, at a small part of their cost.

    Parameters
    ----------
    grey : float32 array (H, W)
        As `anchored` gives it.
    unit : float
        As `filter_unit` gives it.
    """
    return _band(grey, _FINE_WIDTH * unit).astype(np.float32)


def texture_around(fine: np.ndarray, where: np.ndarray, unit: float) -> np.ndarray:
    """Mean texture around each place, float (H, W); infinite outside `where`.

    Parameters
    ----------
    fine : array (H, W)
        As of `fine_texture`.
    where : bool array (H, W)
        Pixels to use, without larger vessels.
    unit : float
        As `filter_unit` gives it.
    """
    width = _BARE_WINDOW * unit
    around = gaussian(np.where(where, fine, 0), width) / np.maximum(gaussian(where, width), 1e-3)
    return np.where(where, around, np.inf)


def bare_places(around: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Places without capillaries in each of some scans, bool (H, W).

    Nearly nothing of the full texture is left there. That is the 90th percentile of the scan with most of it: grey values are
    anchored, and a scan that lost most of its capillaries shows none. A place that is bare in one scan is so in another one that
    has twice as much left: noise alone is no capillary.

    Parameters
    ----------
    around : sequence of arrays (H, W)
        As of `texture_around`, of the scans on the same pixels.
    """
    full = max(_full_texture(one) for one in around)
    left = [one / full for one in around]
    somewhere = np.logical_or.reduce([one < _BARE for one in left])
    return [(one < _BARE) | (somewhere & (one < _NEARLY * _BARE)) for one in left]


def _full_texture(around: np.ndarray) -> float:
    known = around[np.isfinite(around)]
    return max(float(np.percentile(known, _FULL_PERCENT)), 1e-9) if known.size else 1e-9


def region_density(features: np.ndarray, where: np.ndarray, bare: np.ndarray | None = None) -> float:
    """Density of a region, percent; NaN without pixels.

    Parameters
    ----------
    features : array (18, H, W)
    where : bool array (H, W)
        The region, without larger vessels.
    bare : bool array (H, W), optional
        Places that have no capillaries (`bare_places`). They count by their area, since the density of mean features does not
        fall as the part of a region that has features.
    """
    if not where.any():
        return float("nan")
    full = where if bare is None else where & ~bare
    if not full.any():
        return 0.0
    return float(density_percent(features[:, full].mean(axis=1)) * full.sum() / where.sum())


def local_density(features: np.ndarray, where: np.ndarray, sigma: float, least: float = 0.2) -> np.ndarray:
    """Density around each pixel, percent, float32 (H, W); NaN where too little of the window can be measured.

    Parameters
    ----------
    features : array (18, H, W)
    where : bool array (H, W)
        Pixels to use.
    sigma : float
        Standard deviation of the Gaussian window, pixels.
    least : float
        Share of the window that has to be usable.
    """
    share = gaussian(where, sigma)
    means = gaussian(np.where(where, features, 0), sigma)
    density = density_percent(means / np.maximum(share, 1e-6))
    return np.where(share >= least, density, np.nan).astype(np.float32)


def _anchors(image: np.ndarray, large: np.ndarray, tissue: np.ndarray, unit: float) -> tuple[float, float]:
    """Grey values of the darkest region and of the larger vessels."""
    if not tissue.any():
        return 0.0, 1.0
    core = ndimage.binary_erosion(large, iterations=max(round(_CORE * unit), 1))
    bright = image[core].mean() if core.sum() > _LEAST_CORE else np.percentile(image[tissue], 98)
    dark = np.percentile(gaussian(image, _DARKEST * unit)[tissue], 0.5)
    least = _LEAST_RANGE / 255 * max(float(np.ptp(image[tissue])), 1e-6)
    return float(dark), float(max(bright, dark + least))


def _features(image: np.ndarray, unit: float) -> dict[str, np.ndarray]:
    """All features, at every pixel of an anchored image."""

    def smooth(values: np.ndarray, width: float) -> np.ndarray:
        return gaussian(values, width * unit)

    found = {"mean": np.clip(image, 0, None)}
    for number, width in enumerate(_BAND_WIDTHS):
        found[f"band{number}"] = _band(image, width * unit)
    found["ridge"], found["fine_ridge"] = ridge_strength(image, unit), ridge_strength(image, 0.6 * unit)
    found["laplacian"] = np.abs(ndimage.laplace(image if unit <= 1 else smooth(image, 0.5 * (1 - 1 / unit))))
    blurred = smooth(image, 1.0)
    for level in (0.15, 0.3, 0.45, 0.6):
        found[f"blurred_over_{level}"] = _above(blurred, level, 0.07)
    for level in (0.2, 0.4, 0.6, 0.8):
        found[f"over_{level}"] = _above(image, level, 0.1)
    local = smooth(blurred, 6)
    spread = np.sqrt(np.maximum(smooth((blurred - local) ** 2, 12), 1e-4))
    found["over_local"] = _above(blurred, local + 0.5 * spread, 0.2 * spread)
    found["deviation"] = np.abs(image - smooth(image, 6))
    return found


def _band(image: np.ndarray, width: float) -> np.ndarray:
    """Strength of structures about as wide as a window."""
    return np.abs(gaussian(image, width) - gaussian(image, 2 * width))


def _above(values: np.ndarray, level: float | np.ndarray, width: float | np.ndarray) -> np.ndarray:
    """How far values are over a level, 0 to 1, with a soft limit."""
    return 1 / (1 + np.exp(np.clip((level - values) / width, -30, 30)))
