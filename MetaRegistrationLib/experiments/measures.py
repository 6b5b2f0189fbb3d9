"""A network measured on a bed's pairs, exactly as `meta-registration evaluate` measures it."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from ..alignment.aligned import total_displacement
from ..core.metrics import landmark_distances
from ..initial_kinds import NONE
from ..registration.measures import PairMeasures, carry_landmarks, measure
from ..registration.pipeline import StagedField
from ..registration.registrar import Registration
from ..stages import Stages
from ..training.devices import as_batch
from .beds import BedPair

WATCHED_DISTANCE, WATCHED_NCC, WATCHED_PAIRS = "watched_distance_px", "watched_ncc", "watched_pairs"


@torch.no_grad()
def register(network: nn.Module | None, pair: BedPair, device: torch.device) -> Registration:
    """Register a pair: its initial alignment (found before), then the network, in float32.

    Parameters
    ----------
    network : nn.Module or None
        In evaluation mode, on `device`; None for the initial alignment alone.
    """
    began = time.perf_counter()
    fixed = as_batch([pair.prepared.fixed.on_grid], device)
    if network is None:
        residual = fixed.new_zeros(1, 2, *fixed.shape[-2:])
    else:
        residual = network(as_batch([pair.moving], device), fixed).float()
    alignment = pair.alignment
    displacement = total_displacement(alignment, residual)[0].cpu().numpy()
    seconds = time.perf_counter() - began + (alignment.seconds if alignment else 0.0)
    stages = Stages(alignment.requested if alignment else NONE, network is not None, 0)
    result_stage = "network" if stages.network else "initial" if alignment and alignment.kind != NONE else "none"
    return Registration.of(pair.prepared, StagedField(displacement, alignment, None, {}, result_stage), stages, seconds)


def measured(registration: Registration, pair: BedPair) -> PairMeasures:
    """All measures of a registered pair."""
    images = pair.images
    landmarks = carry_landmarks(registration, images.moving_landmarks, images.fixed_landmarks)
    return measure(images.name, registration, landmarks)


def measure_pairs(network: nn.Module | None, pairs: Sequence[BedPair], device: torch.device) -> list[PairMeasures]:
    """Measures of each pair; the network is left in the mode in which it was."""
    training = network is not None and network.training
    if network is not None:
        network.eval()
    measures = [measured(register(network, pair, device), pair) for pair in pairs]
    if network is not None:
        network.train(training)
    return measures


class Watch:
    """Measures test pairs while a row trains, without influence on the training.

    A run treats it as a validator of no pairs: its values are logged and choose nothing, so the last weights are the
    result, and the test pairs choose none.

    Parameters
    ----------
    pairs : sequence of BedPair
    device : torch.device
    """

    def __init__(self, pairs: Sequence[BedPair], device: torch.device):
        self._pairs, self._device = list(pairs), device

    def __bool__(self) -> bool:
        return False

    def __call__(self, network: nn.Module) -> dict[str, float]:
        """Mean distance and NCC, and over how many pairs."""
        rows = measure_pairs(network, self._pairs, self._device)
        return {
            WATCHED_DISTANCE: float(np.mean([row.distance_after_px for row in rows])),
            WATCHED_NCC: float(np.nanmean([row.ncc_after for row in rows])),
            WATCHED_PAIRS: len(rows),
        }


def spread_over(pairs: Sequence[BedPair], count: int) -> list[BedPair]:
    """`count` of the pairs, evenly spread; all for 0."""
    if not 0 < count < len(pairs):
        return list(pairs)
    return [pairs[index] for index in np.linspace(0, len(pairs) - 1, count).round().astype(int)]


def example(pairs: Sequence[BedPair]) -> BedPair:
    """The pair that pictures show: the one whose distance before registration is the median (the upper of two)."""
    distances = [
        landmark_distances(
            pair.prepared.moving.grid.from_image(pair.images.moving_landmarks.points),
            pair.prepared.fixed.grid.from_image(pair.images.fixed_landmarks.points),
        ).mean()
        for pair in pairs
    ]
    return pairs[int(np.argsort(distances, kind="stable")[len(pairs) // 2])]
