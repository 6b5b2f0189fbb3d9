"""Image quality, relative to other images of the same eye."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from ..formats.images import Image, tissue

_SIDE = 400  # pixels for which the widths below are meant


def quality(image: Image) -> float:
    """Contrast of structures of vessel width over the noise of single pixels, times the share of tissue.

    It ranks images of one eye by one device. It does not compare devices.
    """
    known = tissue(image)
    if not known.any():
        return 0.0
    values = np.where(known, image.array, np.median(image.array[known])).astype(np.float32)
    unit = max(max(values.shape) / _SIDE, 0.5)
    smooth = ndimage.gaussian_filter(values, 1.5 * unit)
    structure = (smooth - ndimage.gaussian_filter(values, 6.0 * unit))[known].std()
    noise = (values - ndimage.gaussian_filter(values, 0.7 * unit))[known].std()
    return float(structure / max(noise, 1e-6) * known.mean())
