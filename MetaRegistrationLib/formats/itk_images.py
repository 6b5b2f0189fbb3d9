"""Images from SimpleITK objects: their geometry, and whether it says anything."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import SimpleITK as sitk  # noqa: N813

from ..core.geometry import Geometry


def geometry_of_itk(image: sitk.Image | sitk.ImageFileReader, *, spacing_known: bool) -> Geometry:
    """Geometry of a 2D image, in the plane z = 0, or of a 3D one of one slice."""
    dimension = image.GetDimension()
    direction = np.eye(3)
    direction[:dimension, :dimension] = np.reshape(image.GetDirection(), (dimension, dimension))
    spacing = image.GetSpacing()
    return Geometry(
        size=(image.GetSize()[1], image.GetSize()[0]),
        spacing=(spacing[1], spacing[0]),
        origin=tuple((*image.GetOrigin(), 0.0)[:3]),
        direction=tuple(tuple(float(value) for value in row) for row in direction),
        slice_spacing=spacing[2] if dimension == 3 else 1.0,
        spacing_known=spacing_known,
    )


def itk_header(path: Path) -> sitk.ImageFileReader | None:
    """The header of a file of one grey slice: its size, spacing, origin and directions; None for any other file."""
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    reader.ReadImageInformation()
    size = reader.GetSize()
    single = len(size) == 2 or (len(size) == 3 and size[2] == 1 and min(size[:2]) > 1)
    return reader if single and reader.GetNumberOfComponents() == 1 else None


def says_nothing(image: sitk.Image | sitk.ImageFileReader) -> bool:
    """Whether spacing and direction are what a program writes that knows neither: 1 mm along the axes.

    The origin says nothing: cropping moves it. NIfTI's identity (RAS) is diag(-1, -1, 1) in LPS.
    """
    if any(step != 1 for step in image.GetSpacing()[:3]):
        return False
    dimension = image.GetDimension()
    direction = np.reshape(image.GetDirection(), (dimension, dimension))
    flipped = np.diag([-1.0, -1.0, *[1.0] * (dimension - 2)])
    return any(np.allclose(direction, plain, atol=1e-6) for plain in (np.eye(dimension), flipped))
