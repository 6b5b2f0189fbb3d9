"""The coarse-to-fine network, its local correlation and the integration of velocities."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional

from MetaRegistrationLib.core.losses import RegistrationLoss
from MetaRegistrationLib.core.spatial import compose, exponential, identity_grid, jacobian_determinant
from MetaRegistrationLib.errors import InputError
from MetaRegistrationLib.networks import CoarseToFine, build_network, count_parameters
from MetaRegistrationLib.networks.correlation import local_correlation

TINY = {"encoder": [4, 6, 8], "radii": [1, 2, 2], "estimator": [8, 8], "finest": [8]}


def pair(height, width, batch=1, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return tuple(torch.rand(batch, 1, height, width, generator=generator) for _ in range(2))


def opened(network, size=0.05):
    """The network with residual layers that no longer are near zero, so that its output depends on the images."""
    torch.manual_seed(0)
    for estimator in network.estimators:
        nn.init.normal_(estimator.residual.weight, std=size)
    return network


def shift_by_shift(fixed, moving, radius):
    """The correlation as it is defined, one shift after another."""
    fixed, moving = (features - features.mean(dim=(2, 3), keepdim=True) for features in (fixed, moving))
    fixed, moving = (features / (features.square().sum(1, keepdim=True) + 1e-4).sqrt() for features in (fixed, moving))
    padded = functional.pad(moving, (radius,) * 4)
    height, width, span = *fixed.shape[-2:], 2 * radius + 1
    return torch.cat(
        [
            (fixed * padded[..., row : row + height, column : column + width]).sum(1, keepdim=True)
            for column in range(span)
            for row in range(span)
        ],
        dim=1,
    )


@pytest.mark.parametrize("radius", [0, 1, 3])
@pytest.mark.parametrize(("height", "width"), [(5, 3), (9, 20), (4, 41)])
def test_correlation_and_its_gradient_are_those_of_the_definition(radius, height, width):
    torch.manual_seed(radius)
    fixed, moving = (torch.randn(2, 5, height, width, requires_grad=True) for _ in range(2))
    expected, found = shift_by_shift(fixed, moving, radius), local_correlation(fixed, moving, radius)
    torch.testing.assert_close(found, expected)
    weights = torch.randn_like(expected)
    for right, wrong in zip(
        torch.autograd.grad(expected, (fixed, moving), weights),
        torch.autograd.grad(found, (fixed, moving), weights),
        strict=True,
    ):
        torch.testing.assert_close(wrong, right)


@pytest.mark.parametrize("radius", [1, 2])
def test_correlation_without_a_gradient_is_the_same_and_takes_one_image_against_many(radius):
    fixed, moving = torch.randn(1, 5, 9, 12), torch.randn(3, 5, 9, 12)
    expected = shift_by_shift(fixed.expand(3, -1, -1, -1), moving, radius)
    torch.testing.assert_close(local_correlation(fixed, moving, radius), expected)
    torch.testing.assert_close(local_correlation(fixed.expand(3, -1, -1, -1), moving, radius), expected)


def test_correlation_of_blank_features_is_zero_with_finite_gradient():
    fixed = torch.zeros(1, 3, 6, 7, requires_grad=True)
    found = local_correlation(fixed, torch.zeros(1, 3, 6, 7), 2)
    found.sum().backward()
    assert not found.any() and torch.isfinite(fixed.grad).all()


def test_exponential_of_a_linear_velocity_is_the_matrix_exponential():
    matrix = torch.tensor([[0.02, -0.05], [0.04, -0.03]])
    positions = identity_grid(81, 81, like=matrix) - 40
    velocity = torch.einsum("ij,bjhw->bihw", matrix, positions)
    expected = torch.einsum("ij,bjhw->bihw", torch.linalg.matrix_exp(matrix) - torch.eye(2), positions)
    found = exponential(velocity, 8)
    torch.testing.assert_close(found[..., 10:-10, 10:-10], expected[..., 10:-10, 10:-10], atol=5e-3, rtol=0)


def test_exponential_of_the_negative_velocity_is_the_inverse():
    torch.manual_seed(0)
    velocity = 3 * functional.interpolate(torch.randn(1, 2, 6, 6), size=(64, 64), mode="bicubic")
    there, back = exponential(velocity, 6), exponential(-velocity, 6)
    residual = compose(there, back)[..., 8:-8, 8:-8].abs()
    assert residual.mean() < 0.05 and residual.max() < 0.3  # what bilinear interpolation leaves
    assert there.abs().max() > 3


def test_it_has_about_300k_parameters():
    assert 280_000 < count_parameters(CoarseToFine()) < 330_000


@pytest.mark.parametrize(("batch", "height", "width"), [(1, 400, 400), (2, 37, 53), (1, 16, 19), (1, 1, 1)])
def test_it_takes_any_size_and_starts_near_zero(batch, height, width):
    torch.manual_seed(1)
    with torch.inference_mode():
        displacement = CoarseToFine()(*pair(height, width, batch))
    assert displacement.shape == (batch, 2, height, width)
    assert displacement.dtype == torch.float32
    assert displacement.abs().max() < 0.5


def test_a_batch_is_its_pairs_one_by_one():
    network, (moving, fixed) = opened(CoarseToFine(**TINY)), pair(45, 52, batch=3)
    together = network(moving, fixed)
    alone = torch.cat([network(moving[[i]], fixed[[i]]) for i in range(3)])
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=1e-4)


def test_its_fields_are_inverse_to_each_other():
    network = opened(CoarseToFine(**TINY, velocity_steps=6), size=0.15)
    smooth = [functional.avg_pool2d(image, 9, 1, 4) for image in pair(96, 96)]
    with torch.inference_mode():
        forward, backward = network.fields(*smooth)
    assert forward.abs().max() > 1
    inside = (..., slice(16, -16), slice(16, -16))
    left, right = compose(forward, backward)[inside].abs(), compose(backward, forward)[inside].abs()
    for residual in (left, right):
        assert residual.mean() < 0.05 * forward.abs().mean()
    assert jacobian_determinant(forward).min() > 0
    torch.testing.assert_close(network(*smooth), forward)


def test_without_velocities_there_is_no_inverse():
    network = CoarseToFine(**TINY, velocity_steps=0)
    assert network(*pair(32, 32)).shape == (1, 2, 32, 32)
    with pytest.raises(ValueError, match="no inverse"):
        network.fields(*pair(32, 32))


def test_it_learns_a_translation():
    torch.manual_seed(0)
    network = CoarseToFine(**TINY)
    optimiser, loss = torch.optim.Adam(network.parameters(), lr=3e-3), RegistrationLoss(scales=2)
    wide = functional.avg_pool2d(torch.rand(40, 1, 80, 80), 5, 1, 2)
    moving, fixed = wide[..., 8:72, 8:72], wide[..., 5:69, 10:74]  # moving(x + u) = fixed(x) for u = (-3, 2)
    for step in range(45):
        chosen = slice(step % 36, step % 36 + 4)
        terms = loss(moving[chosen], fixed[chosen], network(moving[chosen], fixed[chosen]))
        optimiser.zero_grad()
        terms.total.backward()
        optimiser.step()
    with torch.inference_mode():
        found = network(moving[36:], fixed[36:])[..., 12:-12, 12:-12].mean(dim=(0, 2, 3))
    torch.testing.assert_close(found, torch.tensor([-3.0, 2.0]), atol=0.4, rtol=0)


@pytest.mark.parametrize(
    "settings",
    [{"encoder": []}, {"radii": [1]}, {"estimator": []}, {"finest": []}, {"velocity_steps": -1}, {"radii": [-1, 2, 2]}],
)
def test_settings_that_do_not_fit_are_refused(settings):
    with pytest.raises(InputError, match="coarse_to_fine"):
        build_network("coarse_to_fine", {**TINY, **settings})


def test_correlation_leaves_autocast_alone_where_a_device_has_none():
    """As on Apple GPUs, which autocast does not know before torch 2.5."""
    features = torch.zeros(1, 2, 6, 7, device="meta")
    assert local_correlation(features, features, 1).shape == (1, 9, 6, 7)
