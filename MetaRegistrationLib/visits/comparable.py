"""Whether two aligned images show one eye, by their larger vessels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .. import calibration
from ..core.gaussian import gaussian

if TYPE_CHECKING:
    from .series import AlignedVisit

LEAST_VESSEL_AGREEMENT = calibration.VESSEL_AGREEMENT.value
_WIDTH = 2.0  # window over which vessels may miss each other, pixels at 320 a side
_LEAST_VESSELS = 0.005  # share of the common area


def vessel_agreement(first: np.ndarray, second: np.ndarray, known: np.ndarray) -> float:
    """Correlation of the larger vessels of two aligned images; NaN where one shows too few.

    It is 1 for equal vessels, and about 0 for eyes of different people.

    Parameters
    ----------
    first, second : bool arrays (H, W)
        Masks of the larger vessels on the same pixels.
    known : bool array (H, W)
        Common tissue.
    """
    if not known.any() or min(first[known].mean(), second[known].mean()) < _LEAST_VESSELS:
        return float("nan")
    width = _WIDTH * max(min(known.shape) / 320, 0.5)
    parts = [gaussian(mask, width)[known] for mask in (first, second)]
    return float(np.corrcoef(*parts)[0, 1])


def vessels_agree(first: AlignedVisit, second: AlignedVisit) -> float:
    """The agreement of the larger vessels of two aligned visits, bright or dark (`vessel_agreement`)."""
    known = first.warped[1] & second.warped[1]
    return vessel_agreement(first.larger_vessels, second.larger_vessels, known)
