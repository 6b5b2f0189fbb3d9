"""The two recipes of fine-tuning: guided, and the paper's."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Recipe:
    """Settings of a fine-tuning.

    Attributes
    ----------
    learning_rate : float
        Of Adam.
    smoothness : float
        lambda of Eq. (1).
    scales : int
        Resolutions over which the correlation is averaged.
    simulated : float
        Share of the updates made on simulated repeat visits of the user's own images instead of a pair.
    supervision : float
        Weight of the distance to the known displacement of these, per pixel.
    averaging : float
        Decay of the running mean of the weights, which is the result; 0 for the weights themselves.
    clip : float or None
        Largest norm of the gradient.
    """

    learning_rate: float
    smoothness: float
    scales: int
    simulated: float
    supervision: float
    averaging: float
    clip: float | None


PLAIN = Recipe(learning_rate=1e-4, smoothness=1.0, scales=1, simulated=0.0, supervision=0.0, averaging=0.0, clip=None)
"""The paper's: Eq. (1) on the pairs, and nothing else."""

GUIDED = Recipe(learning_rate=2e-4, smoothness=1.0, scales=1, simulated=0.5, supervision=1.0, averaging=0.99, clip=1.0)
"""Eq. (1) guided by simulated repeats of the same images, whose displacement is known.

Correlation alone also rewards matching noise. It moves the field of a network that is accurate to half a pixel away from the
landmarks (Documentation/Notebook/Results.md).
"""

_SMOOTHNESS = {"coarse_to_fine": 5.0}
"""lambda by network, if another than the paper's was better on pairs with little deformation left. It harms if organs deform."""


def guided(network: str, *, octa: bool = True, smooth: bool = True) -> Recipe:
    """`GUIDED` as it suits a network of the registry and pairs.

    Parameters
    ----------
    network : str
        Its name in the registry.
    octa, smooth : bool
        As `PairKind` has them.
    """
    return replace(
        GUIDED,
        smoothness=_SMOOTHNESS.get(network, GUIDED.smoothness) if smooth else GUIDED.smoothness,
        simulated=GUIDED.simulated if octa else 0.0,
    )
