"""A checksum of what a transform node does, by which an inverted or edited result is noticed."""

from __future__ import annotations

import zlib

import numpy as np
import slicer
import vtk
from vtk.util.numpy_support import vtk_to_numpy

_DECIMALS = 6  # of matrices
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
            found = zlib.crc32(f"{_grid(part)} {part.GetInverseFlag()} {part.GetDisplacementScale()}".encode(), found)
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
            _known.clear()
        known = _known[place] = modified, zlib.crc32(_bytes(vtk_to_numpy(vectors)))
    return known[1]


def _bytes(values: np.ndarray) -> bytes:
    # As float32, because files may keep another type; a sum, because files may lose the sign of a zero.
    return (np.ascontiguousarray(values, dtype=np.float32) + np.float32(0)).tobytes()
