"""What an aligner gives is checked before it is used, since a program of the user may have declared it."""

from __future__ import annotations

import math
from dataclasses import replace
from numbers import Real
from typing import Any, NoReturn

import numpy as np

from ..errors import InputError
from ..preparation import PreparedPair
from .aligner import Aligner, AlignmentContext
from .result import Alignment

_LEAST_AREA = 1e-6  # of a pixel's image under the transform


class CheckedAligner:
    """An `Aligner` whose results are refused by name where they are no alignments.

    Parameters
    ----------
    kind : str
        The declared name.
    found : Aligner
    """

    def __init__(self, kind: str, found: Aligner):
        self._kind, self._found = kind, found
        self.name, self.needs_landmarks = getattr(found, "name", kind), getattr(found, "needs_landmarks", False)

    def __call__(self, pair: PreparedPair, context: AlignmentContext) -> Alignment:
        """What the aligner finds.

        Raises
        ------
        InputError
            The aligner refuses the pair, or gives no `Alignment` with an invertible matrix (2, 3) of finite numbers.
        """
        found = self._found(pair, context)
        if not isinstance(found, Alignment):
            self._refuse("an Alignment", type(found).__name__)
        matrix = self._numbers(found.matrix, "matrix")
        if abs(np.linalg.det(matrix[:, :2])) < _LEAST_AREA:
            self._refuse("an invertible matrix", matrix.tolist())
        bend = None if found.bend is None else self._numbers(found.bend, "bend")
        if not (isinstance(found.confidence, Real) and (0 <= found.confidence <= 1 or math.isnan(found.confidence))):
            self._refuse("a confidence from 0 to 1, or NaN", found.confidence)
        return found if matrix is found.matrix and bend is found.bend else replace(found, matrix=matrix, bend=bend)

    def _numbers(self, value: Any, name: str) -> np.ndarray:
        """A float64 array (2, 3); the value itself if it is one."""
        try:
            array = np.asarray(value, dtype=np.float64)
        except (TypeError, ValueError):
            self._refuse(f"a {name} of numbers", value)
        if array.shape != (2, 3):
            self._refuse(f"a {name} of shape (2, 3)", array.shape)
        if not np.isfinite(array).all():
            self._refuse(f"a {name} of finite numbers", array.tolist())
        return array

    def _refuse(self, expected: str, got: object) -> NoReturn:
        raise InputError(f"The initial alignment {self._kind!r}: expected {expected}, got {got!s:.120}.")
