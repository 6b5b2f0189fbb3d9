"""What `accuracy.py` knows of another program, and how the fields of ITK programs become ours."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Register = Callable[[np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Peer:
    """Another program with its settings.

    Attributes
    ----------
    name : str
        As in the tables.
    greys : str
        Which frames it gets: "equalised" or "plain".
    settings : dict
        Plain values, for the record.
    register : callable
        (moving, fixed), float32 (S, S) in [0, 1], to the pull field (2, S, S), channels (row, column), frame pixels.
    packages : tuple of str
        Distributions whose versions belong in the record.
    beds : tuple of str
        Test beds that it is for.
    """

    name: str
    greys: str
    settings: dict
    register: Register
    packages: tuple[str, ...]
    beds: tuple[str, ...] = ("R", "S")


def mutual_information(first: np.ndarray, second: np.ndarray, bins: int = 32) -> float:
    """Mutual information of grey values (N,) in [0, 1] and their counterparts (N,), in nats."""
    joint = np.histogram2d(first, second, bins=bins, range=((0, 1), (0, 1)))[0]
    joint /= joint.sum()
    apart = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0, keepdims=True)
    filled = joint > 0
    return float((joint[filled] * np.log(joint[filled] / apart[filled])).sum())


def correlation(first: np.ndarray, second: np.ndarray) -> float:
    """Correlation of grey values (N,) and their counterparts (N,)."""
    return float(np.corrcoef(first, second)[0, 1])


def from_xy(vectors: np.ndarray) -> np.ndarray:
    """ITK's vectors (S, S, 2), components (x, y) at spacing 1, as a field (2, S, S), channels (row, column)."""
    return np.ascontiguousarray(np.moveaxis(np.asarray(vectors, dtype=np.float32)[..., ::-1], -1, 0))
