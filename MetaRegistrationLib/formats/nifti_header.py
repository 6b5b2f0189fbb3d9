"""The header of a NIfTI-1 file: sizes, scale, and the two ways in which it states where the voxels are."""

from __future__ import annotations

import itertools
import math
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import InputError

LENGTH = 348
LEAST_OFFSET = 352
"""Position of the voxels in a file with its header, at the least."""
SCALE_PLACE = 112
"""Position of slope and intercept."""
_SIZE_TOLERANCE = 1e-3
_POSITION_TOLERANCE = 0.5  # of the smallest pixel
_MM = {1: 1000.0, 3: 1e-3}  # of metres and micrometres; all other units are millimetres
_TO_LPS = np.diag([-1.0, -1.0, 1.0])


@dataclass(frozen=True)
class NiftiHeader:
    """What the header says.

    Attributes
    ----------
    sizes : tuple of int
        Number of axes, then the size of each.
    bits : int
        Of one value.
    offset : float
        Position of the voxels in the file.
    slope, intercept : float
        Scale of the values.
    steps : tuple of float
        `pixdim`: the sign of the qform, then the distance of voxels along each axis.
    unit_mm : float
        Millimetres in its unit of length.
    rotation : tuple of float
        Three numbers of the quaternion and three of the position of the qform; empty without one.
    matrix : tuple of float
        12 numbers of the sform; empty without one.
    """

    sizes: tuple[int, ...]
    bits: int
    offset: float
    slope: float
    intercept: float
    steps: tuple[float, ...]
    unit_mm: float
    rotation: tuple[float, ...]
    matrix: tuple[float, ...]

    @classmethod
    def of(cls, path: Path, header: bytes) -> NiftiHeader:
        """From the first bytes of a file. `InputError` where they are no header of NIfTI-1."""
        order = next((order for order in "<>" if struct.unpack_from(order + "i", header)[0] == LENGTH), None)
        if order is None:
            raise InputError(f"{path}: this is no NIfTI-1 file, or its header is damaged. Save it as NIfTI-1.")

        def numbers(code: str, place: int) -> tuple:
            return struct.unpack_from(order + code, header, place)

        by_rotation, by_matrix = numbers("2h", 252)
        return cls(
            sizes=numbers("8h", 40),
            bits=numbers("h", 72)[0],
            offset=numbers("f", 108)[0],
            slope=numbers("f", SCALE_PLACE)[0],
            intercept=numbers("f", SCALE_PLACE + 4)[0],
            steps=numbers("8f", 76),
            unit_mm=_MM.get(header[123] & 7, 1.0),
            rotation=numbers("6f", 256) if by_rotation > 0 else (),
            matrix=numbers("12f", 280) if by_matrix > 0 else (),
        )

    @property
    def is_sound(self) -> bool:
        """Whether sizes and positions are numbers; libraries go round for ever on others."""
        axes = self.sizes[0]
        if not 1 <= axes <= 7 or min(self.sizes[1 : axes + 1]) < 1:
            return False
        return all(map(math.isfinite, (*self.steps[1 : axes + 1], self.offset, *self.rotation, *self.matrix)))

    @property
    def whole_size(self) -> int:
        """Bytes of the whole (decompressed) file."""
        offset = int(self.offset) if math.isfinite(self.offset) else 0
        return max(offset, LEAST_OFFSET) + math.prod(self.sizes[1 : self.sizes[0] + 1]) * self.bits // 8

    @property
    def intercept_is_void(self) -> bool:
        """Whether it has an intercept, and a slope of 0, which says that values are not scaled at all."""
        return (self.slope == 0 or not math.isfinite(self.slope)) and self.intercept != 0

    @property
    def _axes(self) -> list[int]:
        """The axes in space that have several voxels."""
        return [axis for axis in range(min(self.sizes[0], 3)) if self.sizes[1 + axis] > 1]

    def step_sizes(self) -> tuple[float, ...]:
        """Distances of voxels along the axes of several voxels by `pixdim`, mm."""
        return tuple(abs(self.steps[1 + axis]) * self.unit_mm for axis in self._axes)

    def matrix_sizes(self) -> tuple[float, ...]:
        """The same by the sform; that must be there."""
        sizes = self.full_matrix_sizes()
        return tuple(sizes[axis] for axis in self._axes)

    def full_matrix_sizes(self) -> list[float]:
        """Distances along all axes by the sform, in the order of the file, mm."""
        return [math.hypot(*self.matrix[axis::4]) * self.unit_mm for axis in range(3)]

    @property
    def sizes_differ(self) -> bool:
        """Whether `pixdim` and the sform state different distances."""
        if not self.matrix:
            return False
        pairs = zip(self.step_sizes(), self.matrix_sizes(), strict=True)
        return not all(math.isclose(*pair, rel_tol=_SIZE_TOLERANCE) for pair in pairs)

    @property
    def size_is_in_matrix(self) -> bool:
        """Whether the sform alone states a size: `pixdim` is 1, which says nothing, and there is no qform."""
        ones = all(self.steps[1 + axis] == 1 for axis in self._axes)
        return self.sizes_differ and ones and not self.rotation and min(self.matrix_sizes()) > 0

    def corners(self, affine: np.ndarray) -> np.ndarray:
        """Positions (8, 3) of the corners by a matrix (3, 4), LPS, mm."""
        last = [self.sizes[1 + axis] - 1 if axis < self.sizes[0] else 0 for axis in range(3)]
        indices = np.array(list(itertools.product(*([0, size] for size in last))), float)
        return (indices @ affine[:, :3].T + affine[:, 3]) @ _TO_LPS * self.unit_mm

    def differing_positions(self, coordinates: int) -> dict[str, np.ndarray]:
        """Corners by qform and sform if both are there and differ by more than half a pixel; empty otherwise.

        Only the first `coordinates` of each count: an image of two axes has no third one.
        """
        if not (self.rotation and self.matrix):
            return {}
        found = {
            "qform": self.corners(self._affine_of_rotation())[:, :coordinates],
            "sform": self.corners(np.reshape(self.matrix, (3, 4)))[:, :coordinates],
        }
        apart = np.linalg.norm(found["qform"] - found["sform"], axis=1).max()
        return found if apart > _POSITION_TOLERANCE * min(self.step_sizes(), default=1.0) else {}

    def _affine_of_rotation(self) -> np.ndarray:
        b, c, d = self.rotation[:3]
        a = math.sqrt(max(1 - b * b - c * c - d * d, 0.0))
        turn = np.array(
            [
                [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
                [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
                [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - b * b - c * c],
            ]
        )
        steps = np.abs(self.steps[1:4]) * [1, 1, -1 if self.steps[0] < 0 else 1]
        return np.column_stack((turn * steps, self.rotation[3:]))
