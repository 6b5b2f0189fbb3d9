"""Which recipe suits pairs: whether contrasts are alike, little is left to deform, and they look like repeat visits of OCTA."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from scipy.ndimage import gaussian_filter
from torch import nn

from ..alignment.second_look import SecondLook
from ..frames.losses import smoothness
from ..tasks import TaskPair
from .devices import as_batch

_GRAINY = 0.9
# Networks that have learned unlike contrasts give smoother fields, above all where there is nothing to see.
_SMOOTH, _SMOOTH_ANY = 0.014, 0.005
_ALIKE = 0.1


@dataclass(frozen=True)
class Likeness:
    """What pairs look like, median over them.

    Attributes
    ----------
    grain : float
        Contrast of structures of about 1 px over that of structures of about 5 px, after preprocessing. Measured: 1.0 to 1.25
        for OCTA, 1.2 to 1.3 for histology, 0.35 to 0.8 for brains, hearts and breathing, electron microscopy.
    roughness : float
        Mean squared gradient of the field that the starting network finds, as in Eq. (1). Measured with networks for like
        contrasts: 0.007 to 0.011 for aligned repeat visits of OCTA, 0.004 for serial sections under the electron microscope,
        0.012 to 0.05 for histology, 0.018 to 0.06 for brains of different people and breathing; with the one for any contrast:
        0.003 to 0.005, 0.002, 0.005 to 0.012, 0.005 to 0.012.
    alikeness : float
        Mean cosine between directions of edges and ridges of aligned images. Measured: 0.34 to 0.7 for OCTA, 0.85 and up for
        sections, 0.33 to 0.44 for brains of different people, 0.16 to 0.6 for stains; -0.07 to -0.02 for T1 and T2.
    smooth_below : float
        Roughness from which on much is left to deform, for that network.
    """

    grain: float
    roughness: float
    alikeness: float = 1.0
    smooth_below: float = _SMOOTH

    @property
    def alike(self) -> bool:
        """Whether the contrasts are alike, so that correlation can teach a network anything."""
        return self.alikeness >= _ALIKE

    @property
    def smooth(self) -> bool:
        """Whether little is left to deform, so that the stronger smoothness suits the images."""
        return self.roughness < self.smooth_below

    @property
    def octa(self) -> bool:
        """Whether simulated noise of OCTA suits the images, too."""
        return self.smooth and self.grain > _GRAINY


@torch.no_grad()
def likeness(
    network: nn.Module, pairs: Iterable[TaskPair], device: torch.device, *, knows_contrasts: bool = False
) -> Likeness:
    """Measure pairs with the network that training starts from, and which may have learned unlike contrasts."""
    was_training = network.training
    network.eval()
    measured = []
    for pair in pairs:
        field = network(as_batch([pair.moving], device), as_batch([pair.fixed], device)).float()
        look = SecondLook(pair.moving, pair.fixed, torch.zeros_like(field))
        alikeness = look.of_all_directions(torch.zeros_like(field))
        measured.append((_grain(pair.fixed), float(smoothness(field)), alikeness))
    network.train(was_training)
    limit = _SMOOTH_ANY if knows_contrasts else _SMOOTH
    return Likeness(*map(float, np.median(measured, axis=0)), smooth_below=limit)


def _grain(image: np.ndarray) -> float:
    fine = gaussian_filter(image, 0.7) - gaussian_filter(image, 1.5)
    coarse = gaussian_filter(image, 3) - gaussian_filter(image, 6)
    return float(fine.std() / max(coarse.std(), 1e-6))
