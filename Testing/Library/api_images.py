"""Pairs of images whose displacement is known, for the tests of the public interface."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk
from known_networks import NETWORK_ALONE, Translation, Waves, texture

import MetaRegistrationLib as mr

SIZE = (200, 240)
WAVES = 0.02  # of the side: 8 px of the network grid


def textures(size=SIZE, moving_size=None):
    """Two images of random texture, float32."""
    return texture(moving_size or size, 1).astype(np.float32), texture(size, 2).astype(np.float32)


def known(moving, fixed, network=None, **options):
    """A registration whose field is that of a known network."""
    return mr.register(moving, fixed, network=network or Waves(WAVES), stages=NETWORK_ALONE, **options)


def shifted(rows, columns):
    """A network that moves everything by so many pixels of the network grid."""
    return Translation(rows, columns)


def itk_image(array, spacing=(1.0, 1.0), origin=(0.0, 0.0), direction=(1.0, 0.0, 0.0, 1.0)):
    """A 2D image of SimpleITK; `spacing` and `origin` are (x, y)."""
    image = sitk.GetImageFromArray(np.ascontiguousarray(array))
    image.SetSpacing(spacing)
    image.SetOrigin(origin)
    image.SetDirection(direction)
    return image


def resampled(moving, fixed, result, interpolator=sitk.sitkLinear):
    """What SimpleITK makes of a result's transform."""
    return sitk.GetArrayFromImage(sitk.Resample(moving, fixed, result.transform(), interpolator, 0.0))
