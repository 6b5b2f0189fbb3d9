"""Positions of nodes in the world: parent transforms, and IJK-to-RAS matrices as the library's `Geometry`."""

from __future__ import annotations

import numpy as np
import slicer
import vtk
from vtk.util.numpy_support import numpy_to_vtk

from ..core.geometry import Geometry

RAS_TO_LPS = np.array([-1.0, -1.0, 1.0])  # its own inverse


def to_world(node, without=None) -> vtk.vtkGeneralTransform:
    """Transform from a node's own coordinates to the world, RAS mm.

    Parameters
    ----------
    node : vtkMRMLTransformableNode
    without : vtkMRMLTransformNode, optional
        Where this transform stands above the node, it and all above it are left out: the result leads to where the node
        was before the transform was applied.
    """
    transform = vtk.vtkGeneralTransform()
    parent = node.GetParentTransformNode()
    if parent is not None and parent is not without:
        slicer.vtkMRMLTransformNode.GetTransformBetweenNodes(parent, _in_chain(node, without), transform)
    return transform


def linear_to_world(node, without=None) -> np.ndarray | None:
    """`to_world` as a matrix (4, 4), or None when it is not linear."""
    parent = node.GetParentTransformNode()
    if parent is None or parent is without:
        return np.eye(4)
    target = _in_chain(node, without)
    linear = parent.IsTransformToWorldLinear() if target is None else parent.IsTransformToNodeLinear(target)
    if not linear:  # asking for the matrix would log an error
        return None
    matrix = vtk.vtkMatrix4x4()
    slicer.vtkMRMLTransformNode.GetMatrixTransformBetweenNodes(parent, target, matrix)
    return slicer.util.arrayFromVTKMatrix(matrix)


def is_under(node, transform_node) -> bool:
    """Whether `transform_node` stands anywhere above `node`."""
    return _in_chain(node, transform_node) is not None


def _in_chain(node, transform_node):
    """`transform_node` if it stands above `node`, else None, which stands for the world."""
    parent = node.GetParentTransformNode()
    while parent is not None:
        if parent is transform_node:
            return parent
        parent = parent.GetParentTransformNode()
    return None


def geometry_from_matrix(
    ijk_to_ras: np.ndarray, size: tuple[int, int], slice_index: int = 0, *, spacing_known: bool
) -> Geometry:
    """Geometry of one slice of a volume.

    Parameters
    ----------
    ijk_to_ras : array (4, 4)
        From indices (column, row, slice) to RAS mm.
    size : (int, int)
        Rows, columns.
    slice_index : int
        Along the third index.
    """
    axes = ijk_to_ras[:3, :3] * RAS_TO_LPS[:, None]
    origin = (ijk_to_ras[:3, 3] + slice_index * ijk_to_ras[:3, 2]) * RAS_TO_LPS
    columns, rows, slices = (float(value) for value in np.linalg.norm(axes, axis=0))
    direction = axes / (columns, rows, slices)
    return Geometry(
        size=size,
        spacing=(rows, columns),
        origin=tuple(float(value) for value in origin),
        direction=tuple(tuple(float(value) for value in row) for row in direction),
        slice_spacing=slices,
        spacing_known=spacing_known,
    )


def matrix_from_geometry(geometry: Geometry) -> np.ndarray:
    """IJK-to-RAS matrix (4, 4) of the one-slice volume that `geometry` describes."""
    spacing = (geometry.spacing[1], geometry.spacing[0], geometry.slice_spacing)
    matrix = np.eye(4)
    matrix[:3, :3] = np.asarray(geometry.direction) * spacing * RAS_TO_LPS[:, None]
    matrix[:3, 3] = np.asarray(geometry.origin) * RAS_TO_LPS
    return matrix


def image_data(array: np.ndarray) -> vtk.vtkImageData:
    """A new vtkImageData with a copy of `array`, (S, H, W) or (S, H, W, C), as its scalars."""
    # Always new: nodes stored for undo still hold the earlier image.
    components = array.shape[3] if array.ndim == 4 else 1
    scalars = numpy_to_vtk(np.ascontiguousarray(array).reshape(-1, components), deep=True)
    image = vtk.vtkImageData()
    image.SetDimensions(array.shape[2], array.shape[1], array.shape[0])
    image.GetPointData().SetScalars(scalars)
    return image
