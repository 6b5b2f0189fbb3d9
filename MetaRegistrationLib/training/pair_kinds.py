"""The kind of pairs, which chooses the recipe: similar contrasts, little deformation left, repeat visits of OCTA."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from scipy.ndimage import gaussian_filter
from torch import nn

from .. import calibration
from ..alignment.direction_agreement import DirectionAgreement
from ..core.losses import smoothness
from ..tasks import TaskPair
from .devices import as_batch

_GRAINY = calibration.GRAINY.value
_ALIKE = calibration.ALIKE_CONTRASTS.value


@dataclass(frozen=True)
class PairKind:
    """The kind of pairs, by medians over them.

    Attributes
    ----------
    grain : float
        Contrast of structures of about 1 px over that of structures of about 5 px, after preprocessing.
    roughness : float
        Mean squared gradient of the field that the starting network finds, as in Eq. (1).
    contrast_similarity : float
        Mean cosine between directions of edges and ridges of aligned images.
    smooth_below : float
        Least roughness that means much deformation left, for that network (`NetworkCalibration`).
    """

    grain: float
    roughness: float
    contrast_similarity: float = 1.0
    smooth_below: float = calibration.SMOOTH_BELOW.value

    @property
    def alike(self) -> bool:
        """Whether the contrasts are similar enough for correlation to teach a network."""
        return self.contrast_similarity >= _ALIKE

    @property
    def smooth(self) -> bool:
        """Whether little deformation is left, so that the stronger smoothness suits the images."""
        return self.roughness < self.smooth_below

    @property
    def octa(self) -> bool:
        """Whether simulated noise of OCTA suits the images, too."""
        return self.smooth and self.grain > _GRAINY


@torch.no_grad()
def kind_of_pairs(
    network: nn.Module,
    pairs: Iterable[TaskPair],
    device: torch.device,
    *,
    smooth_below: float = calibration.SMOOTH_BELOW.value,
) -> PairKind:
    """Measure pairs with the network that training starts from; `smooth_below` is that of its calibration."""
    was_training = network.training
    network.eval()
    measured = []
    for pair in pairs:
        field = network(as_batch([pair.moving], device), as_batch([pair.fixed], device)).float()
        agreement = DirectionAgreement(pair.moving, pair.fixed, torch.zeros_like(field))
        contrast_similarity = agreement.of_all_directions(torch.zeros_like(field))
        measured.append((_grain(pair.fixed), float(smoothness(field)), contrast_similarity))
    network.train(was_training)
    return PairKind(*map(float, np.median(measured, axis=0)), smooth_below=smooth_below)


def _grain(image: np.ndarray) -> float:
    fine = gaussian_filter(image, 0.7) - gaussian_filter(image, 1.5)
    coarse = gaussian_filter(image, 3) - gaussian_filter(image, 6)
    return float(fine.std() / max(coarse.std(), 1e-6))
