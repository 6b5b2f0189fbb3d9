"""The input and the output of an initial alignment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch

from ..preparation import PreparedPair
from .result import Alignment

_CPU = torch.device("cpu")


@dataclass(frozen=True, eq=False)
class AlignmentContext:
    """The input of an initial alignment besides the pair.

    Attributes
    ----------
    device : torch.device
        Where it computes.
    second_opinion : callable, optional
        ``second_opinion(matrix)`` gives the confidence, 0 to 1, in a matrix (2, 3) as of `Alignment`. It asks the network.
    landmarks : (float array (N, 2), float array (N, 2)), optional
        Corresponding positions (row, column) on the moving and on the fixed network grid.
    """

    device: torch.device = _CPU
    second_opinion: Callable[[np.ndarray], float] | None = None
    landmarks: tuple[np.ndarray, np.ndarray] | None = None


class Aligner(Protocol):
    """A kind of initial alignment."""

    name: str
    needs_landmarks: bool

    def __call__(self, pair: PreparedPair, context: AlignmentContext) -> Alignment:
        """Find the global transform of a pair.

        If the images do not agree beyond chance, the result has the kind "none", the identity, a confidence below 0.5 and a
        reason. A kind that uses landmarks has the confidence NaN.

        Raises
        ------
        InputError
            The landmarks are missing or do not determine a transform.
        """
