"""Displacements: beside SciPy's interpolation, and beside closed forms."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import ndimage

from MetaRegistrationLib.core import spatial
from MetaRegistrationLib.core.spatial import compose, identity_grid, invert_points, jacobian_determinant, warp


def smooth_field(seed, shape, *, sigma, amplitude):
    """Random smooth displacement (2, H, W), its largest component `amplitude` px."""
    noise = np.random.default_rng(seed).standard_normal((2, *shape))
    field = ndimage.gaussian_filter(noise, (0, sigma, sigma))
    return field * (amplitude / np.abs(field).max())


def mapped(field, points, scale=(1.0, 1.0), offset=(0.0, 0.0)):
    """Where (row, column) points of the fixed image go, by SciPy's interpolation."""
    moved = [ndimage.map_coordinates(channel, np.transpose(points), order=1, mode="nearest") for channel in field]
    return points * np.asarray(scale) + offset + np.stack(moved, axis=-1)


def random_warp(seed=0, shape=(17, 26), amplitude=6.0):
    rng = np.random.default_rng(seed)
    image = torch.from_numpy(rng.random((2, 3, *shape)))
    return image, torch.from_numpy(rng.uniform(-amplitude, amplitude, (2, 2, *shape)))


@pytest.mark.parametrize(("padding", "scipy_mode"), [("zeros", "grid-constant"), ("border", "nearest")])
@pytest.mark.parametrize("shape", [(17, 26), (1, 9), (9, 1)])
def test_warp_is_scipys(padding, scipy_mode, shape):
    image, field = random_warp(1, shape)
    warped = warp(image, field, padding=padding).numpy()
    for sample, expected_field in enumerate(field.numpy()):
        for channel in range(3):
            positions = np.indices(shape) + expected_field
            expected = ndimage.map_coordinates(image[sample, channel].numpy(), positions, order=1, mode=scipy_mode)
            # A side of one pixel is left to its own definition beyond the edge.
            inside = np.all([(p >= 0) & (p <= n - 1) for p, n in zip(positions, shape, strict=True)], axis=0)
            where = inside if 1 in shape else np.ones(shape, dtype=bool)
            np.testing.assert_allclose(warped[sample, channel][where], expected[where], atol=1e-9)


@pytest.mark.parametrize(("down", "right"), [(0, 0), (3, -2), (-4, 5), (1, 0), (0, -1), (40, 0)])
def test_integer_shift(down, right):
    image = torch.from_numpy(np.random.default_rng(2).random((1, 1, 20, 30), dtype=np.float32))
    field = torch.tensor([down, right], dtype=torch.float32).reshape(1, 2, 1, 1).expand(1, 2, 20, 30)
    expected = torch.zeros_like(image)
    for row in range(20):
        for column in range(30):
            if 0 <= row + down < 20 and 0 <= column + right < 30:
                expected[..., row, column] = image[..., row + down, column + right]
    torch.testing.assert_close(warp(image, field), expected, rtol=0, atol=1e-5)


def test_gradient_by_the_displacement_is_the_image_gradient():
    rows, columns = torch.meshgrid(torch.arange(12.0), torch.arange(15.0), indexing="ij")
    field = torch.full((1, 2, 12, 15), 0.3, requires_grad=True)
    warp((2 * rows - 3 * columns)[None, None], field)[..., 1:-1, 1:-1].sum().backward()
    torch.testing.assert_close(field.grad[0, 0, 1:-1, 1:-1], torch.full((10, 13), 2.0), rtol=0, atol=1e-4)
    torch.testing.assert_close(field.grad[0, 1, 1:-1, 1:-1], torch.full((10, 13), -3.0), rtol=0, atol=1e-4)
    assert field.grad[..., 0, :].abs().max() == 0


@pytest.mark.parametrize("padding", ["zeros", "border"])
def test_gradient_by_finite_differences(padding):
    rng = np.random.default_rng(3)
    image = torch.from_numpy(rng.random((1, 1, 5, 6))).requires_grad_()
    # Away from whole pixels, where linear interpolation has a kink.
    field = torch.from_numpy(rng.integers(-2, 3, (1, 2, 5, 6)) + rng.uniform(0.2, 0.8, (1, 2, 5, 6))).requires_grad_()
    assert torch.autograd.gradcheck(lambda i, u: warp(i, u, padding=padding), (image, field))


def test_warp_widens_to_float32():
    image, field = torch.ones(1, 1, 8, 8, dtype=torch.bfloat16), torch.zeros(1, 2, 8, 8, dtype=torch.bfloat16)
    assert warp(image, field).dtype == torch.float32


def test_compose_is_warping_twice():
    rng = np.random.default_rng(4)
    image = torch.from_numpy(ndimage.gaussian_filter(rng.standard_normal((60, 70)), 5))[None, None]
    image = image / image.abs().max()
    first, second = (torch.from_numpy(smooth_field(seed, (60, 70), sigma=8, amplitude=4))[None] for seed in (5, 6))
    twice, once = warp(warp(image, first), second), warp(image, compose(first, second))
    assert (twice - once)[..., 8:-8, 8:-8].abs().max() < 0.01
    assert (warp(warp(image, second), first) - once)[..., 8:-8, 8:-8].abs().max() > 0.03  # the order matters


def test_compose_of_translations_is_their_sum():
    first, second = (torch.tensor(t).reshape(1, 2, 1, 1).expand(1, 2, 9, 9) for t in ([1.5, -2.0], [-0.25, 30.0]))
    torch.testing.assert_close(compose(first, second), first + second)


def test_compose_of_linear_fields_is_the_matrix_product():
    grid = identity_grid(20, 24, like=torch.zeros(1, dtype=torch.float64))
    first = torch.tensor([[0.02, 0.05], [-0.03, 0.01]], dtype=torch.float64)
    second = torch.tensor([[-0.1, 0.0], [0.04, -0.2]], dtype=torch.float64)
    combined = second + first + first @ second
    found, expected = compose(_linear(first, grid), _linear(second, grid)), _linear(combined, grid)
    landed = grid + _linear(second, grid)
    inside = ((landed >= 0) & (landed <= torch.tensor([19, 23]).reshape(1, 2, 1, 1))).all(dim=1)[0]
    assert inside.sum() > 300
    torch.testing.assert_close(found[..., inside], expected[..., inside], rtol=0, atol=1e-9)


def _linear(matrix, grid):
    return torch.einsum("cd,bdhw->bchw", matrix, grid)


@pytest.mark.parametrize(
    ("matrix", "determinant"),
    [
        (((0, 0), (0, 0)), 1.0),
        (((0.2, 0), (0, -0.1)), 1.2 * 0.9),
        (((0.1, 0.3), (-0.2, 0.4)), 1.1 * 1.4 + 0.3 * 0.2),
        (((-1, -1), (1, -1)), 1.0),  # a quarter turn
        (((-1, 0), (0, 0)), 0.0),
        (((-2, 0), (0, 0)), -1.0),  # a mirror: folded
    ],
)
def test_jacobian_determinant_of_linear_fields(matrix, determinant):
    grid = identity_grid(7, 9, like=torch.zeros(1, dtype=torch.float64))
    found = jacobian_determinant(_linear(torch.tensor(matrix, dtype=torch.float64), grid) + 3)
    assert found.shape == (1, 6, 8)
    torch.testing.assert_close(found, torch.full_like(found, determinant))


def test_jacobian_determinant_finds_a_fold_where_it_is():
    field = torch.zeros(2, 2, 10, 12)
    field[1, 1, :, 6:] = -2.5  # columns from 6 on come from behind column 5
    expected = torch.zeros(2, 9, 11, dtype=torch.bool)
    expected[1, :, 5] = True
    assert torch.equal(jacobian_determinant(field) <= 0, expected)


@pytest.mark.parametrize(
    ("function", "call"),
    [
        ("warp", lambda: warp(torch.zeros(1, 1, 8, 8), torch.zeros(1, 3, 8, 8))),
        ("warp", lambda: warp(torch.zeros(1, 1, 8, 8), torch.zeros(2, 8, 8))),
        ("warp", lambda: warp(torch.zeros(1, 1, 8, 8), torch.zeros(1, 2, 8, 9))),
        ("compose", lambda: compose(torch.zeros(1, 2, 8, 8), torch.zeros(1, 8, 8))),
        ("jacobian_determinant", lambda: jacobian_determinant(torch.zeros(8, 8, 2))),
        ("invert_points", lambda: invert_points(np.zeros((1, 2, 8, 8)), np.zeros((1, 2)))),
        ("invert_points", lambda: invert_points(np.zeros((8, 8, 2)), np.zeros((1, 2)))),
    ],
)
def test_wrong_shapes_are_named(function, call):
    with pytest.raises(ValueError, match=rf"^{function}: expected .*\(.*8"):
        call()


@pytest.mark.parametrize(
    ("shape", "sigma", "amplitude"),
    [((150, 180), 20, 10), ((150, 180), 12, 10), ((120, 90), 4, 3), ((90, 90), 0, 0.3), ((400, 400), 30, 25)],
)
@pytest.mark.parametrize(
    ("scale", "offset"), [((1.0, 1.0), (0.0, 0.0)), ((0.8, 1.6), (-0.1, 0.3)), ((2.5, 2.5), (30.0, -12.5))]
)
def test_points_return_through_smooth_fields(shape, sigma, amplitude, scale, offset):
    field = smooth_field(7, shape, sigma=sigma, amplitude=amplitude) * np.reshape(scale, (2, 1, 1))
    assert jacobian_determinant(torch.from_numpy(field / np.reshape(scale, (2, 1, 1)))[None]).min() > 0
    truth = np.random.default_rng(8).uniform((0, 0), np.subtract(shape, 1), (60, 2))
    found, converged = invert_points(field, mapped(field, truth, scale, offset), scale=scale, offset=offset)
    assert converged.all()
    assert np.abs(found - truth).max() < 1e-3


@pytest.mark.parametrize("matrix", [((0.1, 0.0), (0.0, -0.2)), ((0.0, 0.3), (-0.3, 0.0)), ((1.0, 0.5), (0.2, -0.6))])
def test_points_return_through_linear_fields(matrix):
    matrix, shift = np.asarray(matrix), np.array([2.0, -1.5])
    field = np.einsum("cd,dhw->chw", matrix, np.indices((40, 50))) + shift[:, None, None]
    truth = np.array([[0.0, 0.0], [39.0, 49.0], [12.25, 30.5], [20.0, 20.0]])
    points = truth @ (np.eye(2) + matrix).T + shift
    found, converged = invert_points(field, points)
    assert converged.all()
    np.testing.assert_allclose(found, np.linalg.solve(np.eye(2) + matrix, (points - shift).T).T, atol=1e-3)


BEYOND = np.array([[-30.0, -30.0], [-30.0, 20.0], [90.0, 20.0], [100.0, 100.0], [25.0, -1.0], [49.9, 30.0]])


def test_beyond_the_grid_the_edge_value_holds():
    field = smooth_field(9, (50, 60), sigma=10, amplitude=5)
    found, converged = invert_points(field, BEYOND)
    assert converged.all()
    np.testing.assert_allclose(mapped(field, found), BEYOND, atol=1e-3)
    constant = np.broadcast_to(np.array([3.0, -4.0])[:, None, None], (2, 50, 60))
    found, converged = invert_points(constant, BEYOND)
    assert converged.all()
    np.testing.assert_allclose(found, BEYOND - (3, -4), atol=1e-9)


@pytest.mark.filterwarnings("error")
def test_no_points():
    for nothing in (np.zeros((0, 2)), []):
        found, converged = invert_points(np.zeros((2, 5, 5)), nothing)
        assert (found.shape, converged.shape, converged.dtype) == ((0, 2), (0,), bool)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_broken_field_is_reported_where_it_is_broken(bad):
    field = smooth_field(10, (60, 70), sigma=10, amplitude=4)
    truth = np.array([[15.0, 20.0], [50.3, 60.7], [35.5, 35.5], [5.0, 66.0]])
    points = mapped(field, truth)
    field[:, 28:43, 28:43] = bad
    found, converged = invert_points(field, points)
    np.testing.assert_array_equal(converged, [True, True, False, True])
    np.testing.assert_allclose(found[converged], truth[converged], atol=1e-3)
    assert not invert_points(np.full((2, 9, 9), bad), points)[1].any()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("point", [(np.nan, 3.0), (np.inf, 3.0), (np.nan, np.nan)])
def test_a_broken_point_does_not_converge(point):
    found, converged = invert_points(np.zeros((2, 9, 9)), [point, (2.0, 3.0)])
    np.testing.assert_array_equal(converged, [False, True])
    np.testing.assert_allclose(found[1], (2, 3))


def _torn():
    field = np.zeros((2, 40, 50))
    field[1, :, 25:] = 30.0
    return field


FOLDED = {
    "noise": smooth_field(11, (40, 50), sigma=0, amplitude=20),
    "folds": smooth_field(12, (40, 50), sigma=2, amplitude=15),
    "mirrored": np.stack([39.0 - 2 * np.indices((40, 50))[0], np.zeros((40, 50))]),
    "collapsed": 20.0 - np.indices((40, 50)),
    "torn": _torn(),
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("kind", FOLDED)
def test_folded_and_torn_fields_are_reported_truly(kind):
    """`converged` says whether the position solves the equation, whatever the field does."""
    points = np.random.default_rng(13).uniform((-5, -5), (45, 55), (80, 2))
    found, converged = invert_points(FOLDED[kind], points)
    residual = np.linalg.norm(mapped(FOLDED[kind], found) - points, axis=1)
    assert np.isfinite(found).all()
    np.testing.assert_array_equal(converged, residual <= 1.01e-4)


def test_a_collapsed_field_is_not_inverted():
    """All of its grid goes to one point."""
    points = [(20.0, 20.0), (25.0, 20.0), (30.0, 40.0)]
    np.testing.assert_array_equal(invert_points(FOLDED["collapsed"], points)[1], [True, False, False])


def test_edge_values_without_the_padding_that_apple_gpus_lack(monkeypatch):
    image, field = (tensor.float() for tensor in random_warp())
    field[1] = 0  # the positions of the last row and column lie on the edge itself
    found = []
    for lacks in (False, True):
        monkeypatch.setattr(spatial, "_lacks_border", lambda device, lacks=lacks: lacks)
        warped = warp(image, field.requires_grad_(), padding="border")
        found.append((warped, torch.autograd.grad(warped.square().sum(), field)[0]))
    (expected, slope), (warped, found_slope) = found
    torch.testing.assert_close(warped, expected, atol=1e-5, rtol=0)
    inside = (slice(None), slice(None), slice(1, None), slice(1, None))  # at exactly 0 either side's slope will do
    torch.testing.assert_close(found_slope[inside], slope[inside], atol=1e-3, rtol=1e-3)
