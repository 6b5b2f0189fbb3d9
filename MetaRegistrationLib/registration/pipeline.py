"""The stages of a registration in their order: initial alignment, network, refinement."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..alignment import Alignment
from ..alignment.aligned_pair import AlignedPair
from ..calibration import NetworkCalibration
from ..initial_kinds import NONE
from ..preparation import PreparedPair
from ..refinement import Refinement
from ..stages import Stages
from .acceptance import Acceptance, second_opinion
from .steps import InitialStep, Landmarks, NetworkStep, RefinementStep


@dataclass(frozen=True, eq=False)
class StagedField:
    """The field of all stages.

    Attributes
    ----------
    displacement_px : float32 array (2, size, size)
        Pull field in pixels of the network grid, channels (row, column).
    alignment, refinement
        Results of these stages; None if they were off.
    seconds : dict of str to float
        Time of each stage that ran, by its name in `Stages`.
    result_stage : str
        The stage whose field this is: "none" (left unchanged), "initial", "network" or "refine".
    """

    displacement_px: np.ndarray
    alignment: Alignment | None
    refinement: Refinement | None
    seconds: dict[str, float]
    result_stage: str


class Pipeline:
    """Registers prepared pairs through `stages`. `Acceptance` chooses the result stage.

    Parameters
    ----------
    stages : Stages
    network : callable or None
        As of `NetworkStep`; not needed if `stages` leaves it out.
    device : torch.device
    limits : NetworkCalibration
        Those of the network.
    """

    def __init__(
        self,
        stages: Stages,
        network: Callable[[Tensor, Tensor], Tensor] | None,
        device: torch.device,
        limits: NetworkCalibration,
    ):
        self._device, self._limits = device, limits
        self._initial = InitialStep(stages.initial, device) if stages.initial != NONE else None
        self._network = NetworkStep(network, device) if stages.network else None
        self._refinement = RefinementStep(stages.refine, device) if stages.refine else None

    def __call__(self, pair: PreparedPair, landmarks: Landmarks | None = None) -> StagedField:
        """Register a pair.

        Parameters
        ----------
        pair : PreparedPair
        landmarks : (array (N, 2), array (N, 2)), optional
            Corresponding positions on the moving and on the fixed network grid, for an alignment by landmarks.

        Raises
        ------
        InputError
            The alignment needs landmarks, and these do not determine it.
        """
        seconds: dict[str, float] = {}
        alignment = self._aligned(pair, landmarks, seconds)
        seen = AlignedPair.of(pair, alignment)
        result, refinement = Acceptance(seen, self._device, self._limits), None
        if self._network and result.open:
            with _timed(seconds, self._network.name):
                found = self._network(seen)
            result.offer(self._network.name, found)
        if self._refinement and result.open:
            with _timed(seconds, self._refinement.name):
                refinement = self._refinement(seen, result.displacement_px)
            result.offer(self._refinement.name, refinement.displacement_px)
        displacement = seen.on_prepared_grid(result.displacement_px)[0].float().cpu().numpy()
        return StagedField(displacement, alignment, refinement, seconds, result.stage)

    def _aligned(self, pair: PreparedPair, landmarks: Landmarks | None, seconds: dict[str, float]) -> Alignment | None:
        if self._initial is None:
            return None
        opinion = second_opinion(pair, self._network, self._device, self._limits) if self._network else None
        with _timed(seconds, self._initial.name):
            return self._initial(pair, landmarks, opinion)


@contextmanager
def _timed(seconds: dict[str, float], name: str) -> Iterator[None]:
    began = time.perf_counter()
    yield
    seconds[name] = time.perf_counter() - began
