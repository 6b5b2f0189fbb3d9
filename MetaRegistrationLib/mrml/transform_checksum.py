"""A checksum of what a transform node does, by which an inverted or edited result is noticed."""

from __future__ import annotations

import zlib

import numpy as np
import slicer
import vtk
from vtk.util.numpy_support import vtk_to_numpy

_DECIMALS = 6  # of matrices
_DIRECTION_DECIMALS = 3  # of grids: NIfTI files keep it as a quaternion of float32
_MOST = 64  # grids whose checksums are known
_known: dict[str, tuple[int, int]] = {}


def parts(node) -> list:
    """The transforms that a node is composed of, from its parent."""
    transform, found = node.GetTransformFromParent(), vtk.vtkCollection()
    if transform is not None:
        node.FlattenGeneralTransform(found, transform)
    return [found.GetItemAsObject(index) for index in range(found.GetNumberOfItems())]


def transform_checksum(node) -> str:
    """The checksum of a transform node. That of a grid is computed once until its vectors are modified."""
    found = 0
    for part in parts(node):
        if part.IsA("vtkGridTransform"):
            said = f"{_grid(part)} {_place(part)} {part.GetInverseFlag()} {part.GetDisplacementScale()}"
            found = zlib.crc32(said.encode(), found)
        elif part.IsA("vtkHomogeneousTransform"):
            matrix = slicer.util.arrayFromVTKMatrix(part.GetMatrix())
            found = zlib.crc32(_bytes(matrix.round(_DECIMALS)), found)
        else:
            found = zlib.crc32(part.GetClassName().encode(), found)
    return f"{found:08x}"


def _grid(part) -> int:
    """The checksum of the vectors of a grid transform."""
    image = part.GetDisplacementGrid()
    vectors = None if image is None else image.GetPointData().GetScalars()
    if vectors is None:
        return 0
    place, modified = vectors.GetAddressAsString("vtkObject"), max(image.GetMTime(), vectors.GetMTime())
    known = _known.get(place)
    if known is None or known[0] != modified:
        if len(_known) >= _MOST:
            del _known[next(iter(_known))]  # the oldest
        known = _known[place] = modified, zlib.crc32(_bytes(vtk_to_numpy(vectors)))
    return known[1]


def _place(part) -> str:
    """Where the vectors of a grid transform apply."""
    image = part.GetDisplacementGrid()
    if image is None:
        return ""
    direction = np.eye(3)
    if part.IsA("vtkOrientedGridTransform") and (matrix := part.GetGridDirectionMatrix()) is not None:
        direction = slicer.util.arrayFromVTKMatrix(matrix)[:3, :3]
    dimensions, origin, spacing = map(np.array, (image.GetDimensions(), image.GetOrigin(), image.GetSpacing()))
    # Across a single slice the vectors apply everywhere, and NIfTI files keep neither spacing nor position there.
    across = direction[:, dimensions == 1]
    origin = origin - across @ (across.T @ origin)
    spacing[dimensions == 1] = 1
    numbers = np.concatenate([origin, spacing, direction.round(_DIRECTION_DECIMALS).ravel()])
    return f"{dimensions.tolist()} {_bytes(numbers).hex()}"


def _bytes(values: np.ndarray) -> bytes:
    # As float32, because files may keep another type; a sum, because files may lose the sign of a zero.
    return (np.ascontiguousarray(values, dtype=np.float32) + np.float32(0)).tobytes()
