"""Loss, NCC, predicted error and landmark distance on held-out pairs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from ..core.losses import RegistrationLoss
from ..core.metrics import landmark_distances, normalised_cross_correlation
from ..core.spatial import invert_points, warp
from ..error_map.judge import ErrorJudge
from ..error_map.tissue import tissue_on_grid
from ..tasks import TaskPair
from .devices import as_batch


@dataclass(frozen=True)
class Validator:
    """Pairs that are measured, by task.

    Attributes
    ----------
    pairs : dict of str to sequence of TaskPair
    loss : RegistrationLoss
    device : torch.device
    judge : ErrorJudge, optional
        Predicts the error of the fields.
    held_out : bool
        Whether the pairs are held out; otherwise they are trained on, too.
    """

    pairs: dict[str, Sequence[TaskPair]]
    loss: RegistrationLoss
    device: torch.device
    judge: ErrorJudge | None = None
    held_out: bool = True

    def __bool__(self) -> bool:
        return any(self.pairs.values())

    def __call__(self, network: nn.Module) -> dict[str, float]:
        """Mean over pairs of each task, then over tasks: `loss`, `ncc`, `error_px` and `distance_px`.

        The predicted error needs a judge, the distance needs landmarks.
        """
        was_training = network.training
        network.eval()
        by_task = {
            name: [self._measure(network, pair) for pair in pairs] for name, pairs in self.pairs.items() if pairs
        }
        network.train(was_training)
        values = {key: _mean([_mean([m[key] for m in measures]) for measures in by_task.values()]) for key in _MEASURES}
        values = {key: value for key, value in values.items() if not math.isnan(value)}
        if len(by_task) > 1:
            for name, measures in by_task.items():
                values |= {f"{name}/{key}": _mean([m[key] for m in measures]) for key in _MEASURES}
        return {key: value for key, value in values.items() if not math.isnan(value)}

    @torch.no_grad()
    def _measure(self, network: nn.Module, pair: TaskPair) -> dict[str, float]:
        moving, fixed = as_batch([pair.moving], self.device), as_batch([pair.fixed], self.device)
        displacement = network(moving, fixed).float()
        warped = warp(moving, displacement)[0, 0].cpu().numpy()
        defined = (warp(torch.ones_like(moving), displacement)[0, 0] > 0.999).cpu().numpy()
        measures = {
            "loss": float(self.loss(moving, fixed, displacement).total),
            "ncc": normalised_cross_correlation(warped, pair.fixed, defined),
            "error_px": math.nan if self.judge is None else self._predicted_error(pair, displacement),
            "distance_px": math.nan,
        }
        if pair.moving_points is not None and len(pair.moving_points):
            carried, _ = invert_points(displacement[0].cpu().numpy(), pair.moving_points)
            measures["distance_px"] = float(landmark_distances(carried, pair.fixed_points).mean())
        return measures

    def _predicted_error(self, pair: TaskPair, displacement_px: Tensor) -> float:
        masks = (tissue_on_grid(image) for image in (pair.moving, pair.fixed))
        return self.judge.of_pair(pair.moving, pair.fixed, *masks)([displacement_px], ["network"])[0].expected_px


_MEASURES = ("loss", "ncc", "error_px", "distance_px")


def _mean(values: list[float]) -> float:
    finite = [value for value in values if not math.isnan(value)]
    return float(np.mean(finite)) if finite else math.nan
