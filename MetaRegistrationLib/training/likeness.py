"""Which recipe suits pairs: whether little is left to deform, and whether they look like repeat visits of OCTA."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from scipy.ndimage import gaussian_filter
from torch import nn

from ..frames.losses import smoothness
from ..tasks import TaskPair
from .devices import as_batch

_GRAINY = 0.9
_SMOOTH = 0.014


@dataclass(frozen=True)
class Likeness:
    """What pairs look like, median over them.

    Attributes
    ----------
    grain : float
        Contrast of structures of about 1 px over that of structures of about 5 px, after preprocessing. Measured: 1.0 to 1.25
        for OCTA, 1.2 to 1.3 for histology, 0.35 to 0.8 for brains, hearts and breathing, electron microscopy.
    roughness : float
        Mean squared gradient of the field that the starting network finds, as in Eq. (1). Measured: 0.007 to 0.011 for aligned
        repeat visits of OCTA, 0.004 for serial sections under the electron microscope, 0.012 to 0.05 for histology, 0.018 to 0.06
        for brains of different people and breathing.
    """

    grain: float
    roughness: float

    @property
    def smooth(self) -> bool:
        """Whether little is left to deform, so that the stronger smoothness suits the images."""
        return self.roughness < _SMOOTH

    @property
    def octa(self) -> bool:
        """Whether simulated noise of OCTA suits the images, too."""
        return self.smooth and self.grain > _GRAINY


@torch.no_grad()
def likeness(network: nn.Module, pairs: Iterable[TaskPair], device: torch.device) -> Likeness:
    """Measure pairs with the network that training starts from."""
    was_training = network.training
    network.eval()
    measured = []
    for pair in pairs:
        field = network(as_batch([pair.moving], device), as_batch([pair.fixed], device)).float()
        measured.append((_grain(pair.fixed), float(smoothness(field))))
    network.train(was_training)
    grain, roughness = np.median(measured, axis=0)
    return Likeness(float(grain), float(roughness))


def _grain(image: np.ndarray) -> float:
    fine = gaussian_filter(image, 0.7) - gaussian_filter(image, 1.5)
    coarse = gaussian_filter(image, 3) - gaussian_filter(image, 6)
    return float(fine.std() / max(coarse.std(), 1e-6))
