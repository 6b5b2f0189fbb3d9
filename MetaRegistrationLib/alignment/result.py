"""The result of the initial alignment of a pair."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

_MEASURES = ("agreement_before", "agreement", "confidence")


@dataclass(frozen=True, eq=False)
class Alignment:
    """The global transform between the network grids of a pair.

    Attributes
    ----------
    requested, kind : str
        The kind that was asked for (a name of `initial_kinds`), and the kind that was used. `rigid` is rotation and translation.
    matrix : float64 array (2, 3)
        A pull transform in pixels of the network grid: a fixed pixel (row, column) is found at
        ``matrix @ (row, column, 1)`` on the moving grid.
    agreement_before, agreement : float
        Share of the blocks that agree without a transform, and under the matrix.
    confidence : float
        Confidence, 0 to 1, that the images show the same thing and that the matrix aligns them. It depends on how far the
        candidate stands above all others searched, and on how many blocks agree with it. Below 0.5 the result is the identity,
        and the number is that of the rejected candidate. Zero when nothing was searched, NaN for an alignment by landmarks.
    seconds : float
        Time taken.
    reason : str
        Why a simpler kind than asked for was used; else empty.
    directions : str
        What the two contrasts have in common: one of `blocks.DIRECTIONS`.
    bend : float64 array (2, 3), optional
        What the curvature of an eye adds in a wide field: ``bend @ (row^2, row column, column^2)`` pixels, of positions that
        go from -1 to 1 across the network grid, edge to edge.
    rejected : tuple of float64 arrays (2, 3)
        The best candidates of the search if none of them is confident; not in a record.
    pattern : bool
        Whether the images also agree where they lie, by a pattern at the same pixels of both (`fixed_pattern`); not in a record.
    """

    requested: str
    kind: str
    matrix: np.ndarray
    agreement_before: float
    agreement: float
    confidence: float
    seconds: float
    reason: str = ""
    directions: str = "both"
    bend: np.ndarray | None = None
    rejected: tuple[np.ndarray, ...] = ()
    pattern: bool = False

    def displacement(self, size: int) -> np.ndarray:
        """The transform as a pull field on a network grid of `size` pixels: float32 (2, size, size), channels (row, column)."""
        axis = np.arange(size, dtype=np.float64)
        linear = self.matrix[:, :2] - np.eye(2)
        rows, columns = linear[:, :1, None] * axis[:, None], linear[:, 1:, None] * axis[None, :]
        found = rows + columns + self.matrix[:, 2, None, None]
        if self.bend is not None:
            found += self.bent(np.stack(np.meshgrid(axis, axis, indexing="ij")), size)
        return found.astype(np.float32)

    def bent(self, positions: np.ndarray, size: int) -> np.ndarray:
        """What the bend adds at positions (2, ...) of a network grid of `size` pixels: (2, ...), zero without one."""
        if self.bend is None:
            return np.zeros_like(positions)
        rows, columns = (positions + 0.5) * (2 / size) - 1
        return np.tensordot(self.bend, np.stack((rows * rows, rows * columns, columns * columns)), 1)

    @classmethod
    def from_dict(cls, values: dict) -> Alignment:
        """Inverse of `to_dict`, also of records that call the agreement a correlation; measures that are None become NaN."""
        values = {key.replace("correlation", "agreement"): value for key, value in values.items()}
        measures = {name: math.nan if values[name] is None else values[name] for name in _MEASURES}
        bend = values.get("bend")
        arrays = {
            "matrix": np.array(values["matrix"], dtype=np.float64),
            "bend": None if bend is None else np.array(bend, dtype=np.float64),
        }
        return cls(**{**values, **measures, **arrays})

    def to_dict(self) -> dict:
        """Plain values, for a record."""
        known = {name: None if math.isnan(getattr(self, name)) else getattr(self, name) for name in _MEASURES}
        return {
            "requested": self.requested,
            "kind": self.kind,
            "matrix": self.matrix.tolist(),
            **known,
            "seconds": self.seconds,
            "reason": self.reason,
            "directions": self.directions,
            "bend": None if self.bend is None else self.bend.tolist(),
        }
