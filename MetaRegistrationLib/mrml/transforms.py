"""A registration as a grid transform node, and its application to nodes.

The node is a transform *from parent*: it takes points of the fixed image to the moving one, as resampling needs it. A
moving volume and moving fiducials under it are aligned with the fixed image.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import slicer
import vtk

from ..core.geometry import Geometry
from ..errors import InputError
from .placement import RAS_TO_LPS, image_data, is_under, linear_to_world
from .registration_node import RegistrationNode
from .transform_checksum import parts, transform_checksum

if TYPE_CHECKING:  # it imports torch
    from ..preparation.stored_axes import StoredAxes
    from ..registration.registrar import Registration

_ORIGINAL_PARENT_ROLE = "MetaRegistration.originalParent"
_POSITION_ATTRIBUTE = "MetaRegistration.Position"
_PUT_UNDER_ROLE = "MetaRegistration.putUnder"
_TOLERANCE_PX = 1e-3
_PARALLEL = 1e-9


def grid_transform(registration: Registration, name: str, node=None, *, moving_node=None, fixed_node=None):
    """The transform node of a registration.

    Parameters
    ----------
    registration : Registration
        Of images as `image_from_volume` gave them: its displacements lead from world to world, so that they hold for
        volumes under linear transforms too.
    name : str
        Of a new node.
    node : vtkMRMLGridTransformNode, optional
        Node to fill instead; it is taken out of any parent transform. Its earlier grid is replaced, not overwritten, so
        that undo finds it unchanged.
    moving_node, fixed_node : vtkMRMLVolumeNode, optional
        Noted on the transform as its moving and fixed node.

    Returns
    -------
    vtkMRMLGridTransformNode
        On the fixed image's pixels, RAS mm, cubic interpolation. A grid of one slice displaces points before and behind
        the image as those in it, so that a whole volume moves in plane. When the images are turned against each other the
        transform is composed of the grid and a linear part: a grid of one slice cannot turn depth, and VTK does not find
        the inverse of one that turns by a right angle.
    """
    if node is None:
        node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLGridTransformNode", name)
    elif not node.IsA("vtkMRMLGridTransformNode"):
        raise InputError(f"{node.GetName()}: a grid transform is needed as output. Choose another one or a new one.")
    tolerance = _TOLERANCE_PX * min(registration.fixed.geometry.spacing)
    with slicer.util.NodeModify(node):
        node.SetAndObserveTransformNodeID(None)
        node.SetAndObserveTransformFromParent(_from_parent(registration, tolerance))
        result = RegistrationNode(node)
        result.inverse_tolerance = tolerance
        result.note_pair(moving_node, fixed_node)
        result.note_transform(transform_checksum(node))
    return node


def restore_tolerances(scene) -> int:
    """Set the inverse tolerance, which scenes do not store, on our grid transforms in a reloaded scene; return their number.

    Without it fiducials under them are off by up to a pixel.
    """
    nodes = slicer.util.getNodesByClass("vtkMRMLTransformNode", scene)
    tolerances = [(node, RegistrationNode(node).inverse_tolerance) for node in nodes]
    ours = [(node, tolerance) for node, tolerance in tolerances if tolerance is not None]
    for node, tolerance in ours:
        for part in parts(node):
            if part.IsA("vtkGridTransform"):
                part.SetInverseTolerance(tolerance)
    return len(ours)


def apply_transform(node, transform_node) -> None:
    """Put a volume or point list under `transform_node`, on top of the linear transforms that place it.

    Those may be shared with other nodes and are not changed: their sum becomes a transform of its own between the two.
    A node already under `transform_node` is left unchanged. A point list notes the transform, see `put_under`.

    Raises
    ------
    InputError
        The node is under another non-linear transform.
    """
    if is_under(node, transform_node):
        return
    matrix = linear_to_world(node)
    parent = node.GetParentTransformNode()
    if matrix is None:
        raise InputError(
            f"{node.GetName()}: it is under the transform {parent.GetName()}, which is not linear. Harden it in the Data"
            " module, or take it out of the transform."
        )
    target = transform_node if parent is None else _position_node(node, matrix, transform_node)
    node.SetAndObserveTransformNodeID(target.GetID())
    _note_put_under(node, transform_node)


def put_under(node):
    """The transform that `apply_transform` put a point list under, if it is in the scene and `remove_transform` was not used.

    A list that is no longer under it was hardened or taken out in Slicer. Its positions do not tell which.
    """
    return node.GetNodeReference(_PUT_UNDER_ROLE)


def remove_transform(node, transform_node) -> None:
    """Take a node out of `transform_node` and put it back under the transforms that placed it before."""
    parent = node.GetParentTransformNode()
    if not is_under(node, transform_node):
        return
    original = parent.GetNodeReference(_ORIGINAL_PARENT_ROLE) if parent.GetAttribute(_POSITION_ATTRIBUTE) else None
    node.SetAndObserveTransformNodeID(original.GetID() if original is not None else None)
    _note_put_under(node, None)
    if parent is not transform_node and not _children(parent):
        slicer.mrmlScene.RemoveNode(parent)


def _note_put_under(node, transform_node) -> None:
    if node.IsA("vtkMRMLMarkupsNode"):
        node.SetNodeReferenceID(_PUT_UNDER_ROLE, None if transform_node is None else transform_node.GetID())


def _from_parent(registration: Registration, tolerance: float):
    """Grid transform from the fixed to the moving image, followed by a linear one when the images are turned."""
    moving, fixed = registration.moving.geometry, registration.fixed.geometry
    if np.abs(np.subtract(moving.direction, fixed.direction)).max() < _PARALLEL:
        return _grid(registration, np.eye(4), tolerance)
    turn = _axes(moving) @ _unmoved(registration) @ np.linalg.inv(_axes(fixed))
    to_ras = np.diag([*RAS_TO_LPS, 1.0])
    linear = vtk.vtkTransform()
    linear.SetMatrix(slicer.util.vtkMatrixFromArray(to_ras @ turn @ to_ras))
    both = vtk.vtkGeneralTransform()
    both.PostMultiply()
    both.Concatenate(_grid(registration, np.linalg.inv(turn), tolerance))
    both.Concatenate(linear)
    return both


def _grid(registration: Registration, turn_back: np.ndarray, tolerance: float):
    """Grid from fixed points to `turn_back` (4, 4) of their moving points, LPS mm."""
    fixed = registration.fixed.geometry
    positions = fixed.to_physical(np.stack(np.indices(fixed.size), axis=-1))
    targets = positions + registration.displacement_mm()
    vectors = (targets @ turn_back[:3, :3].T + turn_back[:3, 3] - positions) * RAS_TO_LPS
    image = image_data(vectors[None])
    image.SetSpacing(fixed.spacing[1], fixed.spacing[0], fixed.slice_spacing)
    image.SetOrigin(np.asarray(fixed.origin) * RAS_TO_LPS)
    axes = np.eye(4)
    axes[:3, :3] = np.asarray(fixed.direction) * RAS_TO_LPS[:, None]
    grid = slicer.vtkOrientedGridTransform()
    grid.SetGridDirectionMatrix(slicer.util.vtkMatrixFromArray(axes))
    grid.SetDisplacementGridData(image)
    grid.SetInterpolationModeToCubic()
    grid.SetInverseTolerance(tolerance)
    return grid


def _axes(geometry: Geometry) -> np.ndarray:
    """Matrix (4, 4) from (column, row) in pixels and depth in mm to LPS mm."""
    matrix = np.eye(4)
    matrix[:3, :3] = np.asarray(geometry.direction) * (geometry.spacing[1], geometry.spacing[0], 1.0)
    matrix[:3, 3] = geometry.origin
    return matrix


def _unmoved(registration: Registration) -> np.ndarray:
    """Matrix (4, 4) from fixed to moving (column, row, depth) without the displacement."""
    matrix = np.diag([*registration.scale[::-1], 1.0, 1.0])
    matrix[:2, 3] = registration.offset[::-1]
    axes = registration.moving_axes
    return matrix if axes is None else _to_stored(axes) @ matrix


def _to_stored(axes: StoredAxes) -> np.ndarray:
    """Matrix (4, 4) from (column, row, depth) in the order of the fixed image to the stored ones."""
    start = axes.to_stored(np.zeros(2))[::-1]
    matrix = np.eye(4)
    matrix[:2, :2] = np.stack([axes.to_stored(step)[::-1] - start for step in np.eye(2)[::-1]], axis=1)
    matrix[:2, 3] = start
    return matrix


def _position_node(node, matrix: np.ndarray, transform_node):
    """A linear transform `matrix` under `transform_node`; one for all nodes that shared a parent."""
    original = node.GetParentTransformNode()
    for child in _children(transform_node):
        if child.GetAttribute(_POSITION_ATTRIBUTE) and child.GetNodeReference(_ORIGINAL_PARENT_ROLE) is original:
            child.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(matrix))
            return child
    position = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode", f"{original.GetName()} (position)")
    position.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(matrix))
    position.SetAttribute(_POSITION_ATTRIBUTE, "1")
    position.SetNodeReferenceID(_ORIGINAL_PARENT_ROLE, original.GetID())
    position.SetAndObserveTransformNodeID(transform_node.GetID())
    return position


def _children(transform_node) -> list:
    return [
        node
        for node in slicer.util.getNodesByClass("vtkMRMLTransformableNode")
        if node.GetParentTransformNode() is transform_node
    ]
