"""Writing files from Python: no file of the user is replaced unasked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ..core.geometry import Geometry
from ..errors import InputError
from ..formats import image_writing
from ..formats.possible_geometry import possible_geometry
from .inputs import as_array, as_path, truth_value


def write_image(path: str | Path, array: Any, geometry: Geometry, *, replace: bool = False) -> None:
    """Write one image; NRRD, MetaImage and NIfTI keep its whole geometry as a volume of one slice, PNG none of it.

    Parameters
    ----------
    path : path
        File to write, ending in .nrrd, .mha, .nii, .nii.gz or .png.
    array : array (H, W) or (H, W, C), or tensor
        Numbers; for PNG uint8 of shape (H, W) or (H, W, 3). Half floats are written as float32, masked floats as NaN.
    geometry : Geometry
        Its size must be (H, W).
    replace : bool
        Replace a file of this name. Without it, only an empty file is replaced.

    Raises
    ------
    InputError
        There is a file of this name already, its folder cannot be written to, or the suffix, array or geometry is another one.
    """
    path = as_path(path, "path")
    if not truth_value(replace, "replace") and holds_something(path):
        raise InputError(f"{path}: there is a file of this name already. Choose another name, or give replace=True.")
    place = possible_geometry(geometry, f"{path}: geometry")
    try:
        values = as_array(array, "array")
    except InputError as error:
        raise error.within(f"{path}: ") from error
    if isinstance(array, np.ma.MaskedArray) and np.ma.getmaskarray(array).all():
        raise InputError(f"{path}: expected an array with some pixels that are not masked, got none.")
    image_writing.write_image(path, values, place)


def holds_something(path: Path) -> bool:
    """Whether there is something of this name that is not an empty file."""
    try:
        return path.is_symlink() or (path.exists() and not (path.is_file() and path.stat().st_size == 0))
    except OSError:  # a name that no file can have; the writing says so
        return False
