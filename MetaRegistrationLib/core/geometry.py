"""Where the pixels of a 2D image lie in the patient: conversions between pixel positions and LPS millimetres."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

_IDENTITY = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))


@dataclass(frozen=True)
class Geometry:
    """Geometry of an image of one slice, in ITK's convention.

    Attributes
    ----------
    size : (int, int)
        Rows, columns.
    spacing : (float, float)
        Distance between rows and between columns, mm.
    origin : (float, float, float)
        LPS position of the centre of the first pixel, mm.
    direction : 3x3 nested tuples
        Its columns are the unit LPS vectors along which column, row and slice index grow (ITK's order i, j, k).
    slice_spacing : float
        Thickness of the slice, mm (1 when the file has none).
    spacing_known : bool
        Whether `spacing` is a pixel size. Where it is False, nothing is measured in micrometres. By default it is True for any
        spacing but 1 x 1, which is what files have that state none.
    """

    size: tuple[int, int]
    spacing: tuple[float, float] = (1.0, 1.0)
    origin: tuple[float, float, float] = (0.0, 0.0, 0.0)
    direction: tuple[tuple[float, float, float], ...] = field(default=_IDENTITY)
    slice_spacing: float = 1.0
    spacing_known: bool = None  # type: ignore[assignment]  # never None in an instance

    def __post_init__(self) -> None:
        if self.spacing_known is None:
            object.__setattr__(self, "spacing_known", tuple(self.spacing) != (1.0, 1.0))

    def _in_plane(self) -> np.ndarray:
        """3x2 matrix from a (row, column) step in pixels to an LPS step in mm."""
        axes = np.asarray(self.direction)[:, [1, 0]]
        return axes * np.asarray(self.spacing)

    @property
    def shear(self) -> float:
        """Cosine of the angle between rows and columns: 0 unless the grid is sheared."""
        along, down = np.asarray(self.direction, dtype=np.float64)[:, :2].T
        return float(along @ down / (np.linalg.norm(along) * np.linalg.norm(down)))

    @property
    def unplaced(self) -> bool:
        """Whether it is what an array has: pixels of 1 along the axes, from the origin."""
        return self.spacing == (1.0, 1.0) and not any(self.origin) and np.array_equal(self.direction, _IDENTITY)

    def same_place(self, other: Geometry) -> bool:
        """Whether the pixels of another geometry lie where those of this one do, to a tenth of a pixel."""
        rows, columns = self.size
        corners = np.array([[0, 0], [rows - 1, columns - 1], [0, columns - 1]])
        apart = np.linalg.norm(self.to_physical(corners) - other.to_physical(corners), axis=-1)
        return self.size == other.size and bool((apart < 0.1 * min(self.spacing)).all())

    def __str__(self) -> str:
        steps, origin = ("{:.6g} x {:.6g}".format(*self.spacing), ", ".join(f"{value:.4g}" for value in self.origin))
        turned = (
            "" if np.array_equal(self.direction, _IDENTITY) else f", directions {np.round(self.direction, 3).tolist()}"
        )
        return f"{self.size[0]} rows x {self.size[1]} columns, pixels of {steps} mm from ({origin}){turned}"

    def to_physical(self, points: np.ndarray) -> np.ndarray:
        """LPS positions (..., 3) in mm of pixel positions (..., 2), given as (row, column)."""
        return np.asarray(points, dtype=np.float64) @ self._in_plane().T + np.asarray(self.origin)

    def to_pixels(self, positions: np.ndarray) -> np.ndarray:
        """Pixel positions (..., 2) as (row, column) of LPS positions (..., 3) in mm, projected onto the plane."""
        offsets = np.asarray(positions, dtype=np.float64) - np.asarray(self.origin)
        return offsets @ np.linalg.pinv(self._in_plane()).T

    def depths(self, positions: np.ndarray) -> np.ndarray:
        """Distances (...) of LPS positions (..., 3) in mm from the plane, in slices; positive towards higher slice indices."""
        offsets = np.asarray(positions, dtype=np.float64) - np.asarray(self.origin)
        return offsets @ np.asarray(self.direction)[:, 2] / self.slice_spacing
