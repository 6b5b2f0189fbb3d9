"""Images and displacement fields into files, with their geometry."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import SimpleITK as sitk  # noqa: N813

from ..core.geometry import Geometry
from ..errors import InputError
from .image_files import file_suffix
from .itk_io import write_itk

_OUTPUT_SUFFIXES = (".nrrd", ".mha", ".nii", ".nii.gz")
_FIELD_SUFFIXES = (".nrrd", ".mha")
_LARGEST_NUMBER = 8  # bytes
_WRITTEN_AS = {"b1": np.dtype(np.uint8), "f2": np.dtype(np.float32)}
"""Types that ITK lacks, by kind and bytes, and what they become."""


def write_image(path: str | Path, array: np.ndarray, geometry: Geometry) -> None:
    """Write one image; NRRD, MetaImage and NIfTI keep its whole geometry as a volume of one slice, PNG none of it.

    Parameters
    ----------
    path : path
        File to write, ending in .nrrd, .mha, .nii, .nii.gz or .png.
    array : np.ndarray
        (H, W) or (H, W, C), numbers; for PNG uint8 of shape (H, W) or (H, W, 3). Half floats are written as float32.
    geometry : Geometry
        Its size must be (H, W).

    Raises
    ------
    InputError
        Another suffix, shape or type of the array.
    """
    if array.shape[:2] != tuple(geometry.size):
        raise InputError(f"{path}: expected an array of the geometry's size {geometry.size}, got {array.shape}.")
    if file_suffix(Path(path)) == ".png":
        _write_png(path, array)
        return
    _check_output(path, (*_OUTPUT_SUFFIXES, ".png"))
    if array.ndim not in (2, 3) or array.dtype.kind not in "buif" or array.dtype.itemsize > _LARGEST_NUMBER:
        raise InputError(f"{path}: expected numbers (H, W) or (H, W, C), got {array.dtype} of the shape {array.shape}.")
    plain = np.ascontiguousarray(array.astype(_WRITTEN_AS.get(array.dtype.str[1:], array.dtype.newbyteorder("="))))
    write_itk(path, placed(sitk.GetImageFromArray(plain[None], isVector=array.ndim == 3), geometry))


def write_displacement_field(path: str | Path, vectors: np.ndarray, geometry: Geometry) -> None:
    """Write a displacement field that SimpleITK and 3D Slicer read as a transform from fixed to moving points.

    Parameters
    ----------
    path : path
        File to write, ending in .nrrd or .mha.
    vectors : np.ndarray
        (H, W, 3) displacements in LPS millimetres on the pixels of `geometry`.
    geometry : Geometry
        Geometry of the fixed image. The file is float64, one slice thick.
    """
    if vectors.shape != (*geometry.size, 3):
        raise ValueError(f"write_displacement_field: vectors of shape {vectors.shape} on a size of {geometry.size}")
    _check_output(path, _FIELD_SUFFIXES)
    image = sitk.GetImageFromArray(np.asarray(vectors, dtype=np.float64)[None], isVector=True)
    # Slicer's marks of a field that leads from fixed to moving points, as resampling needs it. Without the intent code
    # (NIfTI's for displacements) a file that is dropped on Slicer becomes a volume.
    image.SetMetaData("displacement field type", "resampling")
    image.SetMetaData("intent_code", "1006")
    write_itk(path, placed(image, geometry))


def placed(image: sitk.Image, geometry: Geometry) -> sitk.Image:
    """The image of one slice, put where a geometry has it."""
    image.SetSpacing((geometry.spacing[1], geometry.spacing[0], geometry.slice_spacing))
    image.SetOrigin(geometry.origin)
    image.SetDirection([value for row in geometry.direction for value in row])
    return image


def _write_png(path: str | Path, array: np.ndarray) -> None:
    if array.dtype != np.uint8 or array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] != 3):
        raise InputError(f"{path}: PNG needs uint8 (H, W) or (H, W, 3), got {array.dtype} {array.shape}.")
    write_itk(path, sitk.GetImageFromArray(np.ascontiguousarray(array), isVector=array.ndim == 3))


def _check_output(path: str | Path, suffixes: tuple[str, ...]) -> None:
    if file_suffix(Path(path)) not in suffixes:
        raise InputError(f"{path}: cannot be written in this format. Choose one of the suffixes {', '.join(suffixes)}.")
