"""Images from SimpleITK objects: their geometry, and whether it says anything."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import SimpleITK as sitk  # noqa: N813

from ..core.geometry import Geometry


def geometry_of_itk(image: sitk.Image | sitk.ImageFileReader, *, spacing_known: bool) -> Geometry:
    """Geometry of a 2D image, in the plane z = 0, or of a 3D one of one slice."""
    dimension = image.GetDimension()
    stated, spacing, size = image.GetDirection(), image.GetSpacing(), image.GetSize()
    # without numpy: this is done for each of thousands of files
    rows = [stated[dimension * row : dimension * (row + 1)] for row in range(dimension)]
    if dimension == 2:
        rows = [(*rows[0], 0.0), (*rows[1], 0.0), (0.0, 0.0, 1.0)]
    return Geometry(
        size=(size[1], size[0]),
        spacing=(spacing[1], spacing[0]),
        origin=tuple((*image.GetOrigin(), 0.0)[:3]),
        direction=tuple(rows),
        slice_spacing=spacing[2] if dimension == 3 else 1.0,
        spacing_known=spacing_known,
    )


def in_millimetres(image: sitk.Image, unit_mm: float) -> sitk.Image:
    """`image`, whose spacing and origin were in a unit of so many millimetres."""
    if unit_mm != 1:
        image.SetSpacing([step * unit_mm for step in image.GetSpacing()])
        image.SetOrigin([place * unit_mm for place in image.GetOrigin()])
    return image


def itk_header(path: Path, decoder: str = "") -> sitk.ImageFileReader | None:
    """The header of a file of one grey slice: its size, spacing, origin and directions; None for any other file.

    `decoder` is the name of ITK's class for the format. Without it, ITK asks all of its classes.
    """
    reader = sitk.ImageFileReader()
    if decoder:
        reader.SetImageIO(decoder)
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
