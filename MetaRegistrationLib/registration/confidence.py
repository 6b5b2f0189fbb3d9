"""The confidence in a result, from its error map."""

from __future__ import annotations

import numpy as np

from .. import calibration
from ..error_map.maps import ErrorMap

_LOST_PX = calibration.LOST_PX.value
_CERTAIN_PX = calibration.UNCERTAIN_PX.value
_HALF = calibration.OPINION_HALF_CONFIDENT.value
_STEEPNESS = calibration.OPINION_STEEPNESS.value
_SMALL_OVERLAP = calibration.SMALL_OVERLAP.value
_LEAST_OVERLAP = calibration.LEAST_JUDGED_OVERLAP.value


def confidence_of_map(error: ErrorMap, overlap: float) -> float:
    """Confidence, 0 to 1, that a field is right: the square of the predicted share of the positions of both images not lost.

    The square is 0.5 where seven of ten positions are not lost: right fields of all kinds have shares of 0.86 and more, the best
    fields between unrelated images up to 0.48. Where the images have little in common, most of it has to be certain: among many
    places, a few blocks agree by chance. Where they have next to nothing in common, the confidence is 0.

    Parameters
    ----------
    error : ErrorMap
    overlap : float
        Share of the smaller image that both show.
    """
    if too_little_in_common(overlap):
        return 0.0
    confidence = error.share_below(_LOST_PX) ** 2
    return confidence if overlap >= _SMALL_OVERLAP else min(confidence, opinion_of_map(error))


def too_little_in_common(overlap: float) -> bool:
    """Whether a share of the smaller image is too small to be judged: a few blocks agree anywhere."""
    return overlap < _LEAST_OVERLAP


def opinion_of_map(error: ErrorMap) -> float:
    """Confidence, 0 to 1, in a transform that too few blocks agree on: most positions have to be certain under a field after it.

    Nothing else supports such a field. Between unrelated images a network finds fields that look as if they were 5 to 10 px off.
    """
    return float(1 / (1 + np.exp(-_STEEPNESS * (error.share_below(_CERTAIN_PX) - _HALF))))
