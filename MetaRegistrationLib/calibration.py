"""Every threshold that decides something about images: its value, what it was measured on, and what measures it again.

The number of a threshold is written here and nowhere else. Sizes, tolerances against rounding and settings of the simulator
decide nothing, and stay where they are used.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace


@dataclass(frozen=True)
class Threshold:
    """One threshold.

    Attributes
    ----------
    value : float
    unit : str
        What the value counts.
    measured_on : str
        On what images it was found, and what was found there.
    measured_again_by : str
        The program of `Testing/Benchmarks` that measures it again, or "none".
    """

    value: float
    unit: str
    measured_on: str
    measured_again_by: str


# registration: which stage is the result

REFINEMENT_GAIN = Threshold(
    0.006,
    "difference of mean cosines of directions",
    "Views of a sphere that the alignment brought together to 0.1 px gained at most 0.005 by the refinement, and lay 0.1 to 0.7 px"
    " apart after it. Real repeat scans of OCTA, which the alignment leaves 0.5 px apart or more, gained 0.029 and more. Sections"
    " under an electron microscope, 0.35 px apart, gained 0.003 to 0.012.",
    "wide_fields.py",
)
ALIKE_DIRECTIONS = Threshold(
    0.3,
    "mean cosine of all directions under the alignment",
    "Below it, edges and ridges of the two contrasts do not run alike: pairs of T1 and T2, and of two stains.",
    "kinds.py",
)
REFINEMENT_SHARE = Threshold(
    0.1,
    "share of the mean cosine under the alignment",
    "Eight pairs of two contrasts that were already aligned gained at most 0.08, and were moved by up to 0.7 px for that."
    " Pairs that had something left to deform gained 0.16 and more.",
    "kinds.py",
)

# registration and training: thresholds that depend on the network

NETWORK_GAIN = Threshold(
    0.015,
    "difference of mean cosines of directions",
    "Views of a sphere that the alignment brought together to 0.1 px gained at most 0.014 by the network, and lay 0.1 to 0.7 px"
    " apart after it. Real repeat scans of OCTA gained 0.029 and more.",
    "wide_fields.py",
)
NETWORK_AGREEMENT = Threshold(
    0.49,
    "mean cosine of all directions under the network's field",
    "Of a hundred pairs of unrelated images the network brought all but one below 0.40. It brought other stains and modalities, for"
    " which it was not trained, below 0.49, and repeat scans of OCTA to 0.6 and more.",
    "calibration.py",
)
CONTRAST_GAIN = Threshold(
    0.13,
    "difference of mean cosines of directions",
    "Between T1 and T2 ridges turn to valleys, so that all directions never agree enough. Of thirty such pairs a network trained on"
    " unlike contrasts brought those that it improved 0.15 to 0.24, the others at most 0.11. A network that was not trained on"
    " unlike contrasts can gain 0.3 by matching unrelated structures, so that the rule does not hold for it.",
    "kinds.py",
)
NETWORK_HALF_CONFIDENT = Threshold(
    0.52,
    "mean cosine of all directions under the network's field",
    "Strongly deformed repeat scans, of which the alignment alone is not confident, reached 0.5 to 0.8. A hundred pairs of unrelated"
    " images reached at most 0.46.",
    "calibration.py",
)
NETWORK_STEEPNESS = Threshold(
    20.0,
    "logits a unit of the mean cosine",
    "It spreads the cosines of NETWORK_HALF_CONFIDENT over confidences from 0 to 1: unrelated images stay below 0.25.",
    "calibration.py",
)
SMOOTH_BELOW = Threshold(
    0.014,
    "mean squared gradient of the starting network's field",
    "Networks trained on like contrasts gave 0.007 to 0.011 for aligned repeat scans of OCTA and 0.004 for serial sections under"
    " the electron microscope. They gave 0.012 to 0.05 for histology, and 0.018 to 0.06 for brains of different people and"
    " breathing.",
    "none",
)
SMOOTH_BELOW_ANY_CONTRAST = Threshold(
    0.005,
    "mean squared gradient of the starting network's field",
    "A network trained on unlike contrasts gives smoother fields. It gave 0.003 to 0.005 for aligned repeat scans of OCTA and 0.002"
    " for serial sections. It gave 0.005 to 0.012 for histology, brains of different people and breathing.",
    "none",
)


@dataclass(frozen=True)
class NetworkCalibration:
    """The thresholds that depend on the network. A checkpoint may carry its own values.

    Attributes
    ----------
    network_gain, network_agreement : float
        By how much directions have to agree more under the network's field, and how well all of them, to accept it.
    contrast_gain : float
        The gain that is enough by itself; infinite for a network that was not trained on unlike contrasts.
    half_confident, steepness : float
        From the agreement under the network's field to a confidence: a logistic curve.
    smooth_below : float
        Roughness of the network's field from which on much is left to deform.
    """

    network_gain: float
    network_agreement: float
    contrast_gain: float
    half_confident: float
    steepness: float
    smooth_below: float


_MEASURED = NetworkCalibration(
    NETWORK_GAIN.value,
    NETWORK_AGREEMENT.value,
    CONTRAST_GAIN.value,
    NETWORK_HALF_CONFIDENT.value,
    NETWORK_STEEPNESS.value,
    SMOOTH_BELOW.value,
)
_OF_NETWORKS = {"coarse_to_fine": _MEASURED, "voxelmorph": _MEASURED}
"""Defaults by the name of the network. They were measured with checkpoints of coarse_to_fine, and serve all others too."""


def network_calibration(
    network: str, *, any_contrast: bool, own: Mapping[str, float] | None = None
) -> NetworkCalibration:
    """The thresholds of a network.

    Parameters
    ----------
    network : str
        Its name in the registry, or its import path.
    any_contrast : bool
        Whether it was trained on pairs of unlike contrast.
    own : mapping of str to float, optional
        Values of its checkpoint, which come before the defaults.

    Raises
    ------
    ValueError
        `own` has an unknown name, or a value that is no number.
    """
    found = _OF_NETWORKS.get(network, _MEASURED)
    contrast = {"smooth_below": SMOOTH_BELOW_ANY_CONTRAST.value} if any_contrast else {"contrast_gain": math.inf}
    known = {field.name for field in fields(NetworkCalibration)}
    for name, value in (own or {}).items():
        if name not in known or isinstance(value, bool) or not isinstance(value, (int, float)) or math.isnan(value):
            raise ValueError(
                f"calibration: expected numbers for some of {', '.join(sorted(known))}, got {name}: {value!r}"
            )
    return replace(found, **{**contrast, **(own or {})})
