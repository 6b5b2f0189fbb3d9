"""The loss: beside the formulas in NumPy, and on images that have no structure."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import ndimage

from MetaRegistrationLib.core.losses import RegistrationLoss, box_sum, local_cross_correlation, smoothness
from MetaRegistrationLib.core.spatial import warp


def images(seed, *shape):
    """Random images in [0, 1], float32."""
    return torch.from_numpy(np.random.default_rng(seed).random(shape, dtype=np.float32))


def displacement(seed, height, width, amplitude=3.0):
    return torch.from_numpy(
        np.random.default_rng(seed).uniform(-amplitude, amplitude, (2, 2, height, width)).astype(np.float32)
    )


@pytest.mark.parametrize("window", [1, 3, 5, 7, 9, 15, 31])
@pytest.mark.parametrize("shape", [(20, 31), (6, 9), (1, 1)])
def test_box_sum_is_a_uniform_filter(window, shape):
    values = np.random.default_rng(window).standard_normal((2, 3, *shape))
    expected = ndimage.uniform_filter(values, (0, 0, window, window), mode="constant") * window**2
    np.testing.assert_allclose(box_sum(torch.from_numpy(values), window), expected, rtol=0, atol=1e-10)


def test_box_sum_by_hand():
    values = torch.arange(9.0).reshape(3, 3)
    expected = torch.tensor([[8.0, 15, 12], [21, 36, 27], [20, 33, 24]])
    assert torch.equal(box_sum(values, 3), expected)


@pytest.mark.parametrize("window", [1, 3, 5, 9, 11])
def test_box_sum_has_the_right_gradient(window):
    generator = torch.Generator().manual_seed(window)
    values = torch.randn(1, 2, 6, 7, dtype=torch.float64, generator=generator, requires_grad=True)
    assert torch.autograd.gradcheck(lambda maps: box_sum(maps, window), values)


@pytest.mark.parametrize("window", [0, -3, 2, 8])
def test_box_sum_refuses_windows_without_a_centre(window):
    with pytest.raises(ValueError, match=f"box_sum: expected an odd positive window, got {window}"):
        box_sum(torch.ones(4, 4), window)


def correlation_by_hand(fixed, warped, window, epsilon=1e-4):
    """Eq. (6) of VoxelMorph, one window after the other, in float64."""
    half = window // 2
    fixed, warped = (np.pad(np.asarray(image, dtype=np.float64), half) for image in (fixed, warped))
    values = []
    for row in range(fixed.shape[0] - 2 * half):
        for column in range(fixed.shape[1] - 2 * half):
            part = np.s_[row : row + window, column : column + window]
            first, second = fixed[part] - fixed[part].mean(), warped[part] - warped[part].mean()
            variances = (first**2).sum(), (second**2).sum()
            flat = min(variances) <= epsilon
            values.append(0.0 if flat else (first * second).sum() ** 2 / (variances[0] * variances[1]))
    return np.mean(values)


@pytest.mark.parametrize(("window", "shape"), [(3, (12, 9)), (5, (9, 12)), (9, (14, 15)), (9, (5, 6))])
def test_correlation_is_the_formula(window, shape):
    fixed, warped = images(1, *shape), images(2, *shape)
    warped = 0.5 * fixed + 0.5 * warped
    found = local_cross_correlation(fixed[None, None], warped[None, None], window=window)
    assert found.item() == pytest.approx(correlation_by_hand(fixed, warped, window), abs=1e-5)


def test_flat_windows_count_as_uncorrelated():
    fixed, warped = images(3, 24, 24), images(4, 24, 24)
    fixed[:, :14], warped[10:] = 0.6, 1.0
    found = local_cross_correlation(fixed[None, None], warped[None, None])
    assert found.item() == pytest.approx(correlation_by_hand(fixed, warped, 9), abs=1e-5)


def test_equal_images_match_perfectly():
    image = images(7, 1, 1, 40, 40)
    assert local_cross_correlation(image, image).item() == pytest.approx(1.0, abs=1e-4)
    assert local_cross_correlation(image, images(8, 1, 1, 40, 40)).item() < 0.1


@pytest.mark.parametrize("first", [0.1, 1 / 3, 0.7, 1.0])
@pytest.mark.parametrize("second", [0.2, 0.9, 1.0])
def test_constant_images_are_uncorrelated_but_at_the_border(first, second):
    """Only the 4 px at the border, whose windows see the zeros beyond, have structure (and there it is equal)."""
    size = 40
    found = local_cross_correlation(torch.full((1, 1, size, size), first), torch.full((1, 1, size, size), second))
    assert found.item() == pytest.approx(1 - (size - 8) ** 2 / size**2, abs=1e-5)


def test_no_grey_level_correlates_by_rounding():
    """The rounding of the window sums differs from level to level; none may pass for structure."""
    levels = torch.arange(1, 255).reshape(-1, 1, 1, 1) / 255
    found = local_cross_correlation(levels.expand(-1, 1, 20, 20), (1 - levels).expand(-1, 1, 20, 20))
    assert found.item() == pytest.approx(1 - 12**2 / 20**2, abs=1e-4)


def test_empty_images_are_uncorrelated():
    empty = torch.zeros(1, 1, 30, 30)
    assert local_cross_correlation(empty, empty).item() == 0.0
    assert local_cross_correlation(empty, images(9, 1, 1, 30, 30)).item() == 0.0


@pytest.mark.parametrize("level", [0.0, 0.3, 1.0])
def test_a_constant_image_pulls_at_nothing(level):
    warped = images(10, 1, 1, 40, 40).requires_grad_()
    local_cross_correlation(torch.full((1, 1, 40, 40), level), warped).backward()
    assert torch.all(warped.grad[..., 8:-8, 8:-8] == 0)


def test_correlation_refuses_images_of_two_shapes():
    with pytest.raises(ValueError, match=r"local_cross_correlation: .*\(1, 1, 8, 9\) and \(1, 1, 9, 8\)"):
        local_cross_correlation(torch.ones(1, 1, 8, 9), torch.ones(1, 1, 9, 8))


def test_smoothness_is_the_formula():
    field = displacement(11, 13, 8)
    values = field.double().numpy()
    expected = (np.square(np.diff(values, axis=2)).mean() + np.square(np.diff(values, axis=3)).mean()) / 2
    assert smoothness(field).item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    ("slopes", "expected"),
    [(((0, 0), (0, 0)), 0), (((1, 0), (0, 0)), 0.25), (((0.1, -0.2), (0.3, 0.4)), 0.075), (((0, 2), (-2, 0)), 2)],
)
def test_smoothness_of_linear_fields(slopes, expected):
    grid = torch.from_numpy(np.indices((12, 15)).astype(np.float32))
    field = torch.einsum("cd,dhw->chw", torch.tensor(slopes, dtype=torch.float32), grid)[None] + 5
    assert smoothness(field).item() == pytest.approx(expected, abs=1e-5)


def test_smoothness_refuses_other_shapes():
    with pytest.raises(ValueError, match=r"smoothness: .*\(1, 3, 8, 8\)"):
        smoothness(torch.zeros(1, 3, 8, 8))


@pytest.mark.parametrize(("weight", "window"), [(1.0, 9), (0.0, 9), (2.5, 5)])
def test_loss_is_smoothness_less_correlation(weight, window):
    moving, fixed, field = images(12, 2, 1, 20, 24), images(13, 2, 1, 20, 24), displacement(14, 20, 24)
    terms = RegistrationLoss(smoothness_weight=weight, window=window)(moving, fixed, field)
    similarity = local_cross_correlation(fixed, warp(moving, field), window=window)
    assert terms.similarity.item() == pytest.approx(similarity.item(), abs=1e-6)
    assert terms.smoothness.item() == pytest.approx(smoothness(field).item(), rel=1e-6)
    assert terms.total.item() == pytest.approx(-similarity.item() + weight * smoothness(field).item(), rel=1e-5)


def test_scales_are_averaged_over_pooled_images():
    moving, fixed, still = images(15, 1, 1, 32, 40), images(16, 1, 1, 32, 40), torch.zeros(1, 2, 32, 40)
    pool = torch.nn.AvgPool2d(2)
    pairs = [(fixed, moving), (pool(fixed), pool(moving)), (pool(pool(fixed)), pool(pool(moving)))]
    expected = np.mean([local_cross_correlation(*pair).item() for pair in pairs])
    assert RegistrationLoss(scales=3)(moving, fixed, still).similarity.item() == pytest.approx(expected, abs=1e-6)


def test_loss_keeps_its_settings():
    loss = RegistrationLoss(smoothness_weight=0.5, window=7, scales=2)
    assert RegistrationLoss(**loss.to_dict()) == loss


IMAGES = {
    "structured": images(17, 1, 1, 32, 32),
    "constant": torch.full((1, 1, 32, 32), 0.37),
    "empty": torch.zeros(1, 1, 32, 32),
    "saturated": (images(18, 1, 1, 32, 32) * 3).clamp(max=1),
    "all saturated": torch.ones(1, 1, 32, 32),
    "one bright pixel": torch.zeros(1, 1, 32, 32).index_fill(2, torch.tensor([16]), 1.0),
    "almost constant": 0.5 + images(19, 1, 1, 32, 32) * 1e-3,
    "half empty": images(20, 1, 1, 32, 32) * (torch.arange(32) > 15),
}


@pytest.mark.parametrize("amplitude", [0.0, 5.0, 1e6])
@pytest.mark.parametrize("fixed_kind", IMAGES)
@pytest.mark.parametrize("moving_kind", IMAGES)
def test_loss_and_gradients_are_finite(moving_kind, fixed_kind, amplitude):
    """In float32 even where the network beside it works in bfloat16."""
    field = displacement(21, 32, 32, amplitude)[:1].to(torch.bfloat16).requires_grad_()
    moving, fixed = IMAGES[moving_kind].clone().requires_grad_(), IMAGES[fixed_kind]
    with torch.autocast("cpu", torch.bfloat16):
        terms = RegistrationLoss(scales=2)(moving, fixed, field)
    terms.total.backward()
    for value in (terms.total, terms.similarity, terms.smoothness):
        assert value.dtype == torch.float32
        assert torch.isfinite(value)
    assert 0 <= terms.similarity.item() <= 1 + 1e-3
    assert torch.isfinite(field.grad).all()
    assert torch.isfinite(moving.grad).all()


def test_loss_is_computed_in_float32():
    """Images that come in bfloat16 are widened before they are pooled, and autocast changes nothing."""
    moving, fixed = (images(seed, 1, 1, 32, 32).to(torch.bfloat16) for seed in (22, 23))
    field = displacement(24, 32, 32)[:1]
    loss = RegistrationLoss(scales=2)
    plain = loss(moving.float(), fixed.float(), field).total
    with torch.autocast("cpu", torch.bfloat16):
        mixed = loss(moving, fixed, field).total
    assert mixed.item() == plain.item()


@pytest.mark.parametrize("argument", ["fixed", "warped"])
def test_the_gradient_of_the_correlation_is_right_for_either_image(argument):
    torch.manual_seed(0)
    images = {"fixed": torch.rand(1, 1, 24, 20), "warped": torch.rand(1, 1, 24, 20)}
    direction = torch.randn(1, 1, 24, 20)

    def value(step):
        return local_cross_correlation(**{**images, argument: images[argument] + step * direction})

    step = torch.zeros((), requires_grad=True)
    (gradient,) = torch.autograd.grad(value(step), step)
    assert float(gradient) == pytest.approx(float(value(1e-3) - value(-1e-3)) / 2e-3, abs=2e-3)
