"""Blocks of banded matrices give what whole matrices give."""

import numpy as np
import pytest
import torch
from scipy import ndimage

from MetaRegistrationLib.core.banded import Band, smoothed, summed


@pytest.mark.parametrize(("sigma", "reach"), [(0.7, 2), (1.5, 8), (8.0, 40)])
@pytest.mark.parametrize("shape", [(30, 45), (2, 1, 70, 33), (3, 5, 100)])
def test_smoothing_is_the_filter_of_scipy(sigma, reach, shape):
    images = torch.rand(shape, generator=torch.Generator().manual_seed(0))
    sigmas, reaches = ((0,) * (len(shape) - 2) + (value, value) for value in (sigma, reach))
    expected = ndimage.gaussian_filter(images.double().numpy(), sigmas, mode="nearest", radius=reaches)
    np.testing.assert_allclose(smoothed(images, sigma, reach), expected, atol=1e-6)


def test_products_with_a_band_are_those_with_its_matrix():
    generator = torch.Generator().manual_seed(1)
    matrix = torch.rand(75, 75, generator=generator, dtype=torch.float64).triu(-4).tril(4)
    band, image = Band(matrix, 4), torch.rand(2, 75, 20, generator=generator, dtype=torch.float64)
    torch.testing.assert_close(band.down(image), matrix @ image)
    torch.testing.assert_close(band.across(image.mT), image.mT @ matrix.T)


def test_sums_are_those_of_scipy():
    images = torch.rand(2, 50, 70, generator=torch.Generator().manual_seed(2))
    expected = 49 * ndimage.uniform_filter(images.double().numpy(), (0, 7, 7), mode="constant")
    np.testing.assert_allclose(summed(images, 3), expected, atol=1e-4)


def test_a_window_that_was_made_in_inference_mode_serves_trainings_too():
    with torch.inference_mode():
        smoothed(torch.ones(1, 37, 37), 1.1, 3)
    image = torch.rand(1, 37, 37, requires_grad=True)
    smoothed(image, 1.1, 3).square().sum().backward()
    assert float(image.grad.abs().max()) > 0
