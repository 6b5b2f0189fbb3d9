"""What a volume of the scene shows on the pixels of a slice of another one, as slice views would draw it."""

from __future__ import annotations

import numpy as np
import slicer
import vtk
from vtk.util.numpy_support import vtk_to_numpy

from .placement import image_data
from .volumes import grey_slice, ijk_to_ras, volume_slices


def resampled_on(volume, fixed, fixed_slice: int) -> np.ndarray:
    """Grey values (H, W) of a volume on the pixels of a slice of `fixed`, float32, NaN outside the volume.

    The transforms above both volumes count, non-linear ones too. Values are interpolated linearly.
    """
    slices = [grey_slice(volume, index) for index in range(volume_slices(volume))]
    columns, rows, _ = fixed.GetImageData().GetDimensions()
    reslice = vtk.vtkImageReslice()
    reslice.SetInputData(image_data(np.stack(slices).astype(np.float32)))
    reslice.SetResliceTransform(_pixel_to_pixel(fixed, volume, fixed_slice))
    reslice.SetInterpolationModeToLinear()
    reslice.SetBackgroundLevel(float("nan"))
    reslice.SetBorder(True)  # half a pixel beyond the outermost ones is theirs
    reslice.SetOutputOrigin(0, 0, 0)
    reslice.SetOutputSpacing(1, 1, 1)
    reslice.SetOutputExtent(0, columns - 1, 0, rows - 1, 0, 0)
    reslice.Update()
    return vtk_to_numpy(reslice.GetOutput().GetPointData().GetScalars()).reshape(rows, columns).copy()


def _pixel_to_pixel(fixed, volume, fixed_slice: int) -> vtk.vtkGeneralTransform:
    """From indices (column, row, 0) of a slice of `fixed` to indices of `volume`."""
    to_ras, from_ras = ijk_to_ras(fixed), np.linalg.inv(ijk_to_ras(volume))
    to_ras[:3, 3] += fixed_slice * to_ras[:3, 2]
    between = vtk.vtkGeneralTransform()
    source, target = fixed.GetParentTransformNode(), volume.GetParentTransformNode()
    slicer.vtkMRMLTransformNode.GetTransformBetweenNodes(source, target, between)
    whole = vtk.vtkGeneralTransform()
    whole.PostMultiply()
    whole.Concatenate(slicer.util.vtkMatrixFromArray(to_ras))
    whole.Concatenate(between)
    whole.Concatenate(slicer.util.vtkMatrixFromArray(from_ras))
    return whole
