"""Images of the library from volumes in the scene, and volumes from images."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import slicer
import vtk

from ..core.geometry import Geometry
from ..errors import InputError
from ..formats.colour import grey_of_colour
from ..formats.grey_levels import as_float32
from ..formats.image_files import reader_by_name
from ..formats.images import Image, check_image
from .placement import geometry_from_matrix, image_data, linear_to_world, matrix_from_geometry

_OWN = "MetaRegistration."
GIVEN_ATTRIBUTE = f"{_OWN}PixelSize"
"""Of volumes with a pixel size that the user gave: that size, mm."""
OWN_SIZE_ATTRIBUTE = f"{_OWN}OwnPixelSize"
"""Of the same volumes: their own distance of columns and of rows, mm."""
PAIR_ATTRIBUTE = f"{_OWN}Pair"
"""Of the nodes that were loaded with a pair of a folder."""
_OF_INPUTS = (GIVEN_ATTRIBUTE, OWN_SIZE_ATTRIBUTE, PAIR_ATTRIBUTE)


def volume_slices(node) -> int:
    """Number of slices of a volume node; 0 when it holds no image."""
    image = node.GetImageData()
    return image.GetDimensions()[2] if image is not None else 0


def stack_of(node, slice_index: int) -> tuple[int, int] | None:
    """A slice of a volume and their number, as of `Image`; None for a single image."""
    slices = volume_slices(node)
    return (slice_index, slices) if slices > 1 else None


def only_other_image(node):
    """The only image volume of the scene beside `node`; None if there is none or more than one.

    Label maps, hidden volumes and results of this module do not count.
    """
    found = [
        other
        for other in slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")
        if other is not node and not other.GetHideFromEditors() and _is_image(other)
    ]
    return found[0] if len(found) == 1 else None


def _is_image(node) -> bool:
    if node.IsA("vtkMRMLLabelMapVolumeNode") or volume_slices(node) == 0:
        return False
    return not any(name.startswith(_OWN) and name not in _OF_INPUTS for name in node.GetAttributeNames())


def is_of_loaded_pair(node) -> bool:
    """Whether a volume was loaded with a pair of a folder."""
    return node.GetAttribute(PAIR_ATTRIBUTE) is not None


def image_from_volume(node, slice_index: int | None = None, *, without=None) -> Image:
    """One slice of a volume as a grey image, with its geometry in the world.

    Parameters
    ----------
    node : vtkMRMLScalarVolumeNode
        Scalar, RGB or RGBA (grey as for image files); a linear parent transform becomes part of the geometry.
    slice_index : int, optional
        Counted from 0 along the third index; needed when there are several slices.
    without : vtkMRMLTransformNode, optional
        Transform above the volume to leave out: the result of an earlier registration.

    Raises
    ------
    InputError
        No image, a stack without a (valid) `slice_index`, a non-linear transform, an unsupported pixel type, or an image
        that `check_image` refuses.
    """
    slices = volume_slices(node)
    _check_slice(node.GetName(), slices, slice_index)
    index = slice_index or 0
    array = grey_slice(node, index)
    geometry = volume_geometry(node, index, without=without)
    _check_axes(node)
    image = Image(array, geometry, image_path(node), stack=stack_of(node, index))
    check_image(image)
    return image


def _check_axes(node) -> None:
    """Raise `InputError` if the only slice of a volume lies along its first or second axis."""
    columns, rows, slices = node.GetImageData().GetDimensions()
    if slices > 1 and min(columns, rows) == 1:
        raise InputError(
            f"{node.GetName()}: {columns} x {rows} pixels are too few. The slices of a volume lie along its third axis, but this"
            f" volume has its only slice along the {'first' if columns == 1 else 'second'} one, and {slices} along the third."
            " Export it again with the axes of the image first."
        )


def grey_slice(node, slice_index: int) -> np.ndarray:
    """Grey values (H, W) of one slice of a scalar or colour volume, wherever the volume is; `InputError` for other pixels."""
    return _grey(slicer.util.arrayFromVolume(node)[slice_index], node.GetName())


def volume_geometry(node, slice_index: int = 0, *, without=None) -> Geometry:
    """Geometry in the world of one slice of a volume; `InputError` when it is under a non-linear transform."""
    to_world = linear_to_world(node, without)
    if to_world is None:
        transform = node.GetParentTransformNode().GetName()
        raise InputError(
            f"{node.GetName()}: the volume is under the transform {transform}, which is not linear. Harden it in the"
            " Data module, or take the volume out of it."
        )
    if node.GetImageData() is None:
        raise InputError(f"{node.GetName()}: the volume holds no image. Choose another one.")
    columns, rows, _ = node.GetImageData().GetDimensions()
    matrix = to_world @ ijk_to_ras(node)
    return geometry_from_matrix(matrix, (rows, columns), slice_index, spacing_known=spacing_known(node))


def spacing_known(node, spacing: tuple[float, float] | None = None) -> bool:
    """Whether a volume carries a pixel size, with its own `spacing` (columns, rows, mm) or another.

    Without one it has spacing 1 and, unless it came from PNG etc., no place.
    """
    if tuple(spacing or node.GetSpacing()[:2]) != (1.0, 1.0):
        return True
    reader = reader_by_name(path) if (path := stored_path(node)) is not None else None
    if reader is not None and reader.raster:
        return False
    matrix = ijk_to_ras(node) @ np.diag([*np.divide(1.0, node.GetSpacing()[:2]), 1.0, 1.0])
    return bool(np.any(matrix[:3, 3]) or not np.allclose(np.abs(matrix[:3, :3]), np.eye(3), rtol=0, atol=1e-9))


def volume_from_image(image: Image, name: str):
    """A new vtkMRMLScalarVolumeNode with one slice; window and level from the first to the ninety-ninth percentile."""
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)
    update_volume(node, image.array, image.geometry)
    return node


def update_volume(node, array: np.ndarray, geometry: Geometry) -> None:
    """Put an image (H, W) into a volume node in place; uint8 stays uint8, all else becomes float32.

    The node leaves any parent transform, because `geometry` is its place in the world. Its window and level are set when
    it had no image before.
    """
    if array.shape != tuple(geometry.size):
        raise ValueError(f"update_volume: array of shape {array.shape} on a geometry of size {geometry.size}")
    pixels = array if array.dtype == np.uint8 else np.asarray(array, dtype=np.float32)
    empty = volume_slices(node) == 0
    place_image(node, pixels, geometry)
    if empty or node.GetDisplayNode() is None:
        set_window(node)


def place_image(node, pixels: np.ndarray, geometry: Geometry) -> None:
    """Put pixels (H, W) as they are into a volume node, which leaves any parent transform; its display stays."""
    with slicer.util.NodeModify(node):
        node.SetAndObserveTransformNodeID(None)
        node.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(matrix_from_geometry(geometry)))
        node.SetAndObserveImageData(image_data(pixels[None]))


def set_window(node) -> None:
    """Stretch the display of a scalar volume from its first to its ninety-ninth percentile."""
    node.CreateDefaultDisplayNodes()
    low, high = (float(value) for value in np.nanpercentile(slicer.util.arrayFromVolume(node), (1, 99)))
    display = node.GetDisplayNode()
    display.AutoWindowLevelOff()
    display.SetWindowLevelMinMax(low, high if high > low else low + 1)


def ijk_to_ras(node) -> np.ndarray:
    """Matrix (4, 4) from indices (column, row, slice) to the volume's own RAS mm, parent transforms left out."""
    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    return slicer.util.arrayFromVTKMatrix(matrix)


def _check_slice(name: str, slices: int, slice_index: int | None) -> None:
    if slices == 0:
        raise InputError(f"{name}: the volume holds no image. Choose another one.")
    if slice_index is None and slices > 1:
        raise InputError(
            f"{name}: a single image was expected, but the volume has {slices} slices. Choose a slice (0 to {slices - 1})."
        )
    if slice_index is not None and not 0 <= slice_index < slices:
        raise InputError(f"{name}: there is no slice {slice_index}. Choose a slice from 0 to {slices - 1}.")


def _grey(pixels: np.ndarray, name: str) -> np.ndarray:
    """(H, W) float32 of a slice (H, W) or (H, W, components)."""
    if pixels.ndim == 2:
        return as_float32(pixels, name)
    components = pixels.shape[2]
    if components == 1:
        return as_float32(pixels[..., 0], name)
    if components not in (3, 4) or pixels.dtype.kind != "u":
        raise InputError(
            f"{name}: a grey or colour image was expected, but its pixels are {components} components of {pixels.dtype}."
            " Choose another volume."
        )
    alpha = pixels[..., 3] / np.iinfo(pixels.dtype).max if components == 4 else None
    return grey_of_colour(pixels[..., :3], alpha)  # as for image files


def stored_files(node) -> list[Path]:
    """The files that a volume was loaded from or saved to; none if it was made in the scene."""
    storage = node.GetStorageNode()
    if storage is None:
        return []
    names = [storage.GetFileName(), *map(storage.GetNthFileName, range(storage.GetNumberOfFileNames()))]
    return [Path(name) for name in dict.fromkeys(names) if name]


def stored_path(node) -> Path | None:
    storage = node.GetStorageNode()
    return Path(storage.GetFileName()) if storage is not None and storage.GetFileName() else None


def image_path(node) -> Path:
    """What messages call the image: its file, or the volume's name."""
    return stored_path(node) or Path(node.GetName() or "The volume")
