"""The windows are what the filter of SciPy gives."""

import numpy as np
import pytest
from scipy import ndimage

from MetaRegistrationLib.core.gaussian import gaussian


@pytest.mark.parametrize("sigma", [0.7, 2.5, 6.3, 40.0])
@pytest.mark.parametrize("every", [1, 3])
def test_it_is_the_filter_of_scipy(sigma, every):
    image = np.random.default_rng(0).normal(5, 1, (61, 80)).astype(np.float32)
    expected = ndimage.gaussian_filter(image.astype(float), sigma)[::every, ::every]
    assert np.allclose(gaussian(image, sigma, every), expected, atol=2e-5)


def test_many_images_are_filtered_one_by_one():
    images = np.random.default_rng(1).normal(0, 1, (2, 3, 40, 30))
    for sigma in (1.0, 5.0):
        found = gaussian(images, sigma)
        assert found.dtype == np.float32 and found.shape == images.shape
        assert np.allclose(found[1, 2], ndimage.gaussian_filter(images[1, 2], sigma), atol=2e-5)


def test_an_image_with_a_very_long_side_is_filtered_too():
    image = np.random.default_rng(2).normal(0, 1, (3, 3000)).astype(np.float32)
    assert np.allclose(gaussian(image, 4.0), ndimage.gaussian_filter(image, 4.0), atol=1e-5)


@pytest.mark.parametrize("order", [(2, 0), (1, 1), (0, 2)])
@pytest.mark.parametrize("sigma", [1.3, 9.0])
def test_derivatives_are_those_of_scipy(order, sigma):
    image = np.random.default_rng(3).normal(0, 1, (61, 80)).astype(np.float32)
    expected = ndimage.gaussian_filter(image.astype(float), sigma, order=order)
    assert np.allclose(gaussian(image, sigma, order=order), expected, atol=2e-6)
    assert np.abs(expected).max() > 1e-4


@pytest.mark.parametrize(("sigma", "every"), [(1.3, 1), (5.0, 4), (30.0, 3)])
def test_images_of_many_blocks_are_filtered_as_one(sigma, every):
    image = np.random.default_rng(4).normal(0, 1, (2, 5, 700)).astype(np.float32)
    expected = ndimage.gaussian_filter(image.astype(float), (0, sigma, sigma), (0, 0, 2))
    assert np.allclose(gaussian(image, sigma, every, order=(0, 2)), expected[:, ::every, ::every], atol=2e-6)
