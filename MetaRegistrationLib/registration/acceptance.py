"""The choice of the result stage, whose displacement field is the result of a registration. Only this module decides it.

Neither the network nor the refinement optimises the directions of edges and ridges. Direction agreement can therefore check both.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from .. import calibration
from ..alignment.aligned_pair import AlignedPair
from ..alignment.direction_agreement import DirectionAgreement
from ..alignment.result import Alignment
from ..calibration import NetworkCalibration
from ..initial_kinds import NONE
from ..preparation import PreparedPair


class Acceptance:
    """Takes the fields of the stages in their order, and chooses the result.

    Without an initial alignment, every field is accepted, as in the paper. If the initial alignment is not confident, the
    image is left unchanged. Otherwise a later stage has to improve the direction agreement of the alignment.

    Parameters
    ----------
    pair : AlignedPair
    device : torch.device
    limits : NetworkCalibration
        Those of the network.

    Attributes
    ----------
    stage : str
        The result stage so far: "none" (left unchanged), "initial", "network" or "refine".
    displacement_px : float32 Tensor (1, 2, size, size)
        That field.
    """

    def __init__(self, pair: AlignedPair, device: torch.device, limits: NetworkCalibration):
        self._pair, self._limits = pair, limits
        self._start = self.displacement_px = pair.start(device)
        self.stage = "initial" if pair.alignment is not None and pair.alignment.kind != NONE else "none"

    @property
    def open(self) -> bool:
        """Whether a later stage may change the result. It may not if the initial alignment is not confident."""
        return self._pair.alignment is None or self.stage != "none"

    def offer(self, stage: str, displacement_px: Tensor) -> None:
        """Take the field of "network" or "refine" as the result, if it is accepted."""
        if self._pair.alignment is not None:
            rule = {"network": self._network_is_believed, "refine": self._refinement_helps}[stage]
            if not rule(displacement_px):
                return
        self.stage, self.displacement_px = stage, displacement_px

    @cached_property
    def _directions(self) -> DirectionAgreement:
        pair = self._pair
        inside = {"inside_moving": pair.inside_moving, "inside_fixed": pair.inside_fixed}
        return DirectionAgreement(pair.moving, pair.fixed, self._start, **inside, directions=pair.alignment.directions)

    @cached_property
    def _at_start(self) -> tuple[float, float]:
        return self._directions(self._start), self._directions.of_all_directions(self._start)

    def _network_is_believed(self, displacement_px: Tensor) -> bool:
        gain = self._directions(displacement_px) - self._at_start[0]
        return network_is_believed(gain, self._directions.of_all_directions(displacement_px), self._limits)

    def _refinement_helps(self, displacement_px: Tensor) -> bool:
        return refinement_helps(self._directions(displacement_px) - self._at_start[0], *self._at_start)


def network_is_believed(gain: float, agreement: float, limits: NetworkCalibration) -> bool:
    """Whether a network's field improves the direction agreement enough. A field that only correlates better does not.

    Parameters
    ----------
    gain : float
        Gain of agreement over the alignment, by the directions that the alignment used (difference of cosines).
    agreement : float
        Mean cosine of all directions under the field, -1 to 1.
    limits : NetworkCalibration
    """
    return gain >= limits.contrast_gain or (gain >= limits.network_gain and agreement >= limits.network_agreement)


def refinement_helps(gain: float, at_start: float, agreement_at_start: float) -> bool:
    """Whether a refinement improves the agreement by more than its own noise.

    Parameters
    ----------
    gain : float
        As of `network_is_believed`.
    at_start : float
        Mean cosine under the alignment, by the directions that the alignment used, -1 to 1.
    agreement_at_start : float
        Mean cosine of all directions under the alignment, -1 to 1.
    """
    if agreement_at_start >= calibration.ALIKE_DIRECTIONS.value:
        return gain >= calibration.REFINEMENT_GAIN.value
    return gain >= calibration.REFINEMENT_SHARE.value * at_start


def confidence_of(agreement: float, limits: NetworkCalibration) -> float:
    """Confidence, 0 to 1, in a candidate. `agreement` is the mean cosine of all directions under the network's field."""
    return float(1 / (1 + np.exp(-limits.steepness * (agreement - limits.half_confident))))


def second_opinion(
    pair: PreparedPair, network: Callable[[AlignedPair], Tensor], device: torch.device, limits: NetworkCalibration
) -> Callable[[np.ndarray], float]:
    """The confidence in a matrix (2, 3), from the network's field after it.

    Parameters
    ----------
    network : callable
        Gives the total displacement (1, 2, size, size) of a pair.
    """
    inside = {"inside_moving": pair.moving.inside, "inside_fixed": pair.fixed.inside}

    def confidence(matrix: np.ndarray) -> float:
        tried = AlignedPair.on_its_grid(pair, Alignment("affine", "affine", matrix, 0.0, 0.0, 0.0, 0.0))
        found = network(tried)
        return confidence_of(
            DirectionAgreement(*pair.on_grid, tried.start(device), **inside).of_all_directions(found), limits
        )

    return confidence
