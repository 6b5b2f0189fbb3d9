"""A registration read back from the scene: it maps landmarks by the transform node, in pixels, without torch."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import vtk
from vtk.util.numpy_support import numpy_to_vtk, vtk_to_numpy

from ..core.geometry import Geometry
from ..core.inverse import invert_points
from ..core.preprocessing import NetworkGrid, pair_grids
from ..error_map.maps import ErrorMap
from ..formats.landmarks import Landmarks
from ..preparation.stored_axes import mirrored_geometry
from .changed_volumes import changed_since, geometry_for, registration_above
from .placement import RAS_TO_LPS, linear_to_world
from .registration_node import NETWORK_GRID, RegistrationNode
from .volumes import stack_of, volume_geometry


class _Placed(NamedTuple):
    """Stands for an image of which only the geometry and the slice are used."""

    geometry: Geometry
    stack: tuple[int, int] | None = None


class StoredRegistration:
    """As `Registration`, as far as landmarks go.

    Parameters
    ----------
    moving, fixed : Geometry
        In the coordinates of the transform, the moving one without it.
    positions : array (H, W, 2), optional
        Position of each fixed pixel in the moving image, (row, column) in its pixels; None without a registration.
    grid_size : int
        Side of the network grid, whose pixels are the unit of distances.
    error : ErrorMap, optional
        The predicted error.
    left_out : vtkMRMLTransformNode, optional
        The transform above moving nodes that is no part of their positions.
    in_world : Geometry, optional
        The fixed image in the world, where its landmarks are, if the transform was moved with it.
    stacks : pair of (int, int) or None
        Which slices the moving and the fixed image are, and of how many.
    """

    def __init__(
        self,
        moving: Geometry,
        fixed: Geometry,
        positions: np.ndarray | None = None,
        grid_size: int = NETWORK_GRID,
        error: ErrorMap | None = None,
        left_out=None,
        in_world: Geometry | None = None,
        stacks: tuple = (None, None),
    ) -> None:
        self.error, self.left_out = error, left_out
        self.moving = _Placed(moving, stacks[0])
        self.fixed = _Placed(fixed if in_world is None else in_world, stacks[1])
        axes = mirrored_geometry(moving, fixed)
        self._axes = axes if axes is None or positions is None or _mirrors(positions) else None
        in_order = moving if self._axes is None else self._axes.geometry(moving)
        self.moving_grid, self.fixed_grid = pair_grids(in_order, fixed, grid_size)
        self.scale, self.offset = _affine(self.moving_grid, self.fixed_grid)
        self._displacement = None
        if positions is not None:
            grid = np.stack(np.indices(fixed.size), axis=-1) * self.scale + self.offset
            self._displacement = np.moveaxis(self._in_order(positions) - grid, -1, 0)

    @property
    def registered(self) -> bool:
        """Whether there is a transform."""
        return self._displacement is not None

    def carry(self, landmarks: Landmarks) -> tuple[Landmarks, np.ndarray]:
        """Landmarks of the moving image in the fixed one, and which of them (N,) converged."""
        if self._displacement is None:
            return self.unmoved(landmarks), np.ones(len(landmarks), dtype=bool)
        points, converged = invert_points(
            self._displacement, self._in_order(landmarks.points), scale=tuple(self.scale), offset=tuple(self.offset)
        )
        return Landmarks(landmarks.labels, points), converged

    def unmoved(self, landmarks: Landmarks) -> Landmarks:
        """Landmarks of the moving image in the fixed one, without the field."""
        return Landmarks(landmarks.labels, (self._in_order(landmarks.points) - self.offset) / self.scale)

    def apart_um(self, moving: Landmarks, fixed: Landmarks) -> np.ndarray:
        """Distances (N,) of matched landmarks in the world, without the registration.

        NaN without pixel sizes, and where the transforms above the registration are not linear.
        """
        places = self.moving.geometry, self.fixed.geometry
        to_world = np.eye(4) if self.left_out is None else linear_to_world(self.left_out)
        if to_world is None or not all(place.spacing_known for place in places):
            return np.full(len(moving), np.nan)
        first, second = (
            p.to_physical(each.points) * RAS_TO_LPS for p, each in zip(places, (moving, fixed), strict=True)
        )
        return 1000 * np.linalg.norm(first @ to_world[:3, :3].T + to_world[:3, 3] - second, axis=-1)

    @property
    def grid_pixel_um(self) -> float:
        """The longer side of a pixel of the network grid on the fixed image, micrometres; NaN without its pixel size."""
        place = self.fixed.geometry
        return 1000 * max(np.multiply(self.fixed_grid.scale, place.spacing)) if place.spacing_known else float("nan")

    def _in_order(self, positions: np.ndarray) -> np.ndarray:
        """Positions in the moving image, mirrored back where it is stored mirrored."""
        return positions if self._axes is None else self._axes.from_stored(positions)


def stored_registration(
    moving_node, fixed_node, transform_node=None, *, moving_slice: int = 0, fixed_slice: int = 0
) -> StoredRegistration:
    """The registration of two volumes that a transform node holds; without such a node one that moves nothing.

    Parameters
    ----------
    moving_node, fixed_node : vtkMRMLVolumeNode
    transform_node : vtkMRMLGridTransformNode, optional
        It is used if `grid_transform` made it for these slices of the two volumes.
    moving_slice, fixed_slice : int

    Raises
    ------
    InputError
        A volume holds no image or is under another non-linear transform.
    """
    if not belongs(transform_node, moving_node, fixed_node, (moving_slice, fixed_slice)):
        above = registration_above(moving_node)
        moving = volume_geometry(moving_node, moving_slice, without=above)
        stacks = stack_of(moving_node, moving_slice), stack_of(fixed_node, fixed_slice)
        return StoredRegistration(moving, volume_geometry(fixed_node, fixed_slice), left_out=above, stacks=stacks)
    moving, fixed, positions = _read(moving_node, fixed_node, transform_node)
    result = RegistrationNode(transform_node)
    in_world = result.of_known_size(volume_geometry(fixed_node, result.slices[1]), 1)
    moving_stack, fixed_stack = map(stack_of, (moving_node, fixed_node), result.slices)
    return StoredRegistration(
        moving,
        fixed,
        positions,
        result.grid_size,
        result.error,
        transform_node,
        in_world,
        (moving_stack, fixed_stack),
    )


def stored_positions(moving_node, fixed_node, transform_node) -> np.ndarray | None:
    """Position of each pixel of the fixed image in the moving one, float32 (H, W, 2); None without a registration of them."""
    if not belongs(transform_node, moving_node, fixed_node):
        return None
    return _read(moving_node, fixed_node, transform_node)[2].astype(np.float32)


def _read(moving_node, fixed_node, transform_node) -> tuple[Geometry, Geometry, np.ndarray]:
    moving, fixed = (_geometry(transform_node, node, side) for side, node in enumerate((moving_node, fixed_node)))
    points = fixed.to_physical(np.stack(np.indices(fixed.size), axis=-1))
    if _grid(transform_node) is None:
        moved = _moved(transform_node, points * RAS_TO_LPS) * RAS_TO_LPS
    else:
        moved = points + _grid_vectors(transform_node) * RAS_TO_LPS
    return moving, fixed, moving.to_pixels(moved)


def _geometry(transform_node, volume, side: int) -> Geometry:
    """The moving (0) or fixed (1) image in the coordinates of the transform, without it."""
    result = RegistrationNode(transform_node)
    found = geometry_for(transform_node, volume, result.slices[side])
    if found is None:
        found = volume_geometry(volume, result.slices[side], without=transform_node)
    return result.of_known_size(found, side)


def belongs(transform_node, moving_node, fixed_node, slices: tuple[int, int] | None = None) -> bool:
    """Whether a transform node holds a registration of these two volumes, and of these slices, as they are now."""
    if transform_node is None or moving_node is None or fixed_node is None:
        return False
    grid, result = _grid(transform_node), RegistrationNode(transform_node)
    if not result.is_of_pair(moving_node, fixed_node) or fixed_node.GetImageData() is None:
        return False
    if changed_since(transform_node, moving_node, fixed_node, slices) is not None:
        return False
    if grid is None:  # composed of a grid and a linear part, for images that are turned against each other or mirrored
        return transform_node.GetTransformFromParent() is not None
    return grid.GetDimensions()[:2] == fixed_node.GetImageData().GetDimensions()[:2]


def _grid(transform_node):
    transform = transform_node.GetTransformFromParentAs("vtkOrientedGridTransform", False, True)
    return transform.GetDisplacementGrid() if transform is not None else None


def _moved(transform_node, points: np.ndarray) -> np.ndarray:
    """Points (H, W, 3), RAS mm, through a transform from its parent."""
    given, moved = vtk.vtkPoints(), vtk.vtkPoints()
    given.SetData(numpy_to_vtk(np.ascontiguousarray(points.reshape(-1, 3)), deep=True))
    moved.SetDataTypeToDouble()
    transform_node.GetTransformFromParent().TransformPoints(given, moved)
    return vtk_to_numpy(moved.GetData()).reshape(points.shape).astype(np.float64)


def _grid_vectors(transform_node) -> np.ndarray:
    """Vectors (H, W, 3), RAS mm, in the plane of the image (amid the two slices of a grid for tilted images)."""
    grid = _grid(transform_node)
    columns, rows, slices = grid.GetDimensions()
    return vtk_to_numpy(grid.GetPointData().GetScalars()).reshape(slices, rows, columns, 3).mean(axis=0)


def _mirrors(positions: np.ndarray) -> bool:
    """Whether positions (H, W, 2) run the other way round than the pixels."""
    rows, columns = (np.median(np.diff(positions, axis=axis).reshape(-1, 2), axis=0) for axis in (0, 1))
    return bool(np.linalg.det(np.stack([rows, columns])) < 0)


def _affine(moving: NetworkGrid, fixed: NetworkGrid) -> tuple[np.ndarray, np.ndarray]:
    """Moving pixel = scale * fixed pixel + offset, without displacement."""
    scale = np.asarray(moving.scale) / np.asarray(fixed.scale)
    return scale, np.asarray(moving.offset) - np.asarray(fixed.offset) * scale
