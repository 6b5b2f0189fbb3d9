"""From an image to the network's frame: where its pixels lie, and what their values become."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from MetaRegistrationLib.core.geometry import Geometry
from MetaRegistrationLib.core.preprocessing import (
    NetworkGrid,
    Preprocessing,
    equalise,
    interpolate_grid,
    pair_grids,
    resample_to_grid,
    rescale,
    stretched_grid,
)
from MetaRegistrationLib.errors import InputError

CORNERS = np.array([[-0.5, -0.5], [-0.5, 399.5], [399.5, -0.5], [399.5, 399.5], [199.5, 199.5]])


def geometry(rows, columns, spacing=None):
    """Geometry of a size; `spacing` (rows, columns) in mm when it is known."""
    return Geometry((rows, columns), spacing or (1.0, 1.0), spacing_known=spacing is not None)


@pytest.mark.parametrize(("rows", "columns"), [(320, 320), (400, 400), (304, 512), (1, 1000)])
def test_stretched_frame_covers_the_image(rows, columns):
    frame = stretched_grid((rows, columns), 400)
    pixels = np.random.default_rng(0).uniform(-3, 600, (20, 2))
    expected = (pixels + 0.5) * (400 / np.array([rows, columns])) - 0.5
    np.testing.assert_allclose(frame.from_image(pixels), expected, atol=1e-9)
    np.testing.assert_allclose(frame.to_image(expected), pixels, atol=1e-9)
    edges = frame.to_image(CORNERS)
    np.testing.assert_allclose(edges.min(axis=0), (-0.5, -0.5), atol=1e-9)
    np.testing.assert_allclose(edges.max(axis=0), (rows - 0.5, columns - 0.5), atol=1e-9)
    assert frame.inside((rows, columns)).all()


def test_stretched_frame_of_320_pixels():
    pixels = np.array([[0.0, 319.0], [100.0, 7.25]])
    np.testing.assert_allclose(stretched_grid((320, 320), 400).from_image(pixels), (pixels + 0.5) * 1.25 - 0.5)


def test_axes_are_the_positions_of_the_frame():
    frame = NetworkGrid(5, (2.0, 0.5), (1.0, -3.0))
    rows, columns = frame.axes()
    np.testing.assert_array_equal(rows, [1, 3, 5, 7, 9])
    np.testing.assert_array_equal(columns, [-3, -2.5, -2, -1.5, -1])
    assert not frame.inside((6, 3)).any()  # every column lies left of the first pixel's edge at -0.5


def test_inside_reaches_to_the_edges_of_the_border_pixels():
    inside = NetworkGrid(5, (2.0, 0.5), (1.0, -2.5)).inside((6, 3))  # rows 1 to 9, columns -2.5 to -0.5
    expected = np.zeros((5, 5), dtype=bool)
    expected[:3, 4] = True
    np.testing.assert_array_equal(inside, expected)


@pytest.mark.parametrize(
    ("moving", "fixed"),
    [
        (geometry(320, 320), geometry(320, 320)),
        (geometry(320, 320), geometry(1024, 1024)),  # sizes differ, the aspect does not
        (geometry(300, 400), geometry(600, 800)),
        (geometry(400, 400, (0.02, 0.02)), geometry(320, 320, (0.025, 0.025))),  # both show 8 mm
        (geometry(400, 200, (0.01, 0.02)), geometry(320, 320, (0.0125, 0.0125))),  # both show 4 mm, pixels oblong
        (geometry(400, 400, (0.02, 0.02)), geometry(200, 200)),  # one spacing alone says nothing
    ],
)
def test_one_field_of_view_is_stretched(moving, fixed):
    frames = pair_grids(moving, fixed, 400)
    assert frames == (stretched_grid(moving.size, 400), stretched_grid(fixed.size, 400))


@pytest.mark.parametrize(
    ("moving", "fixed"),
    [
        (geometry(300, 300, (0.02, 0.02)), geometry(400, 400, (0.02, 0.02))),  # 6 mm on 8 mm
        (geometry(400, 400, (0.01, 0.01)), geometry(320, 320, (0.03, 0.03))),
        (geometry(200, 500, (0.02, 0.02)), geometry(400, 400, (0.02, 0.01))),
        (geometry(300, 300, (0.03, 0.02)), geometry(300, 300, (0.02, 0.03))),  # one size, other pixels
        (geometry(300, 400), geometry(400, 400)),  # unknown spacing, other aspect: pixels count
    ],
)
def test_other_fields_of_view_keep_their_scale(moving, fixed):
    """A millimetre (a pixel where it is unknown) is as long in both frames, and the centres coincide."""
    moving_grid, fixed_grid = pair_grids(moving, fixed, 400)
    assert fixed_grid == stretched_grid(fixed.size, 400)
    np.testing.assert_allclose(
        np.multiply(moving_grid.scale, moving.spacing), np.multiply(fixed_grid.scale, fixed.spacing)
    )
    centre = (np.array(moving.size) - 1) / 2
    np.testing.assert_allclose(moving_grid.from_image(centre), (199.5, 199.5), atol=1e-9)


@pytest.mark.parametrize(("moving_size", "fixed_size"), [(640, 400), (400, 640)])
def test_known_view_of_another_size_is_padded_or_cut(moving_size, fixed_size):
    moving, fixed = geometry(moving_size, moving_size, (0.01, 0.01)), geometry(fixed_size, fixed_size, (0.01, 0.01))
    frame, _ = pair_grids(moving, fixed, 400)
    values, inside = resample_to_grid(np.ones(moving.size), frame)
    assert inside.mean() == pytest.approx(min(1, (moving_size / fixed_size) ** 2), abs=0.01)
    np.testing.assert_array_equal(values, inside.astype(np.float32))


@pytest.mark.parametrize("shape", [(33, 47), (64, 64), (2, 50), (1, 1)])
def test_enlarging_is_torchs_interpolation(shape):
    array = np.random.default_rng(1).random(shape, dtype=np.float32)
    values, inside = resample_to_grid(array, stretched_grid(shape, 80))
    expected = torch.nn.functional.interpolate(
        torch.from_numpy(array)[None, None], size=(80, 80), mode="bilinear", align_corners=False
    )
    assert values.dtype == np.float32 and inside.all()
    np.testing.assert_allclose(values, expected[0, 0].numpy(), atol=1e-5)


def test_same_size_changes_nothing():
    array = np.random.default_rng(2).random((64, 64), dtype=np.float32)
    np.testing.assert_array_equal(resample_to_grid(array, stretched_grid((64, 64), 64))[0], array)


def test_shrinking_averages_fine_structure():
    """A chessboard of single pixels becomes grey instead of aliasing, also where it shrinks by little; a slow wave stays."""
    rows, columns = np.indices((250, 250))
    board = (rows + columns) % 2
    for side, most in ((64, 0.03), (160, 0.1)):
        shrunk, _ = resample_to_grid(board, stretched_grid(board.shape, side))
        np.testing.assert_allclose(shrunk, 0.5, atol=most)
    frame = stretched_grid((250, 250), 64)
    wave = np.sin(2 * np.pi * columns / 100)
    expected = np.sin(2 * np.pi * frame.axes()[1] / 100)
    assert np.abs(resample_to_grid(wave, frame)[0] - expected)[:, 2:-2].max() < 0.03


def test_interpolate_grid_is_exact_on_planes_and_holds_the_edge():
    rows, columns = np.array([-5.0, 0.25, 3.0, 9.0]), np.array([0.5, 2.75, 4.0, 100.0])
    values = 3 * np.arange(8.0)[:, None] - 2 * np.arange(6.0)[None]
    expected = 3 * np.clip(rows, 0, 7)[:, None] - 2 * np.clip(columns, 0, 5)[None]
    np.testing.assert_allclose(interpolate_grid(values, rows, columns), expected, atol=1e-12)


SKEWED = np.random.default_rng(3).gamma(2.0, 900.0, (120, 100))


def test_equalise_keeps_the_order_and_fills_the_range():
    result = equalise(SKEWED)
    assert result.dtype == np.float32
    assert (result.min(), result.max()) == (0, 1)
    assert (np.diff(result.ravel()[np.argsort(SKEWED, axis=None)]) >= 0).all()


def test_equalise_makes_the_histogram_uniform():
    result = equalise(SKEWED)
    for level in np.linspace(0.1, 0.9, 9):
        assert (result <= level).mean() == pytest.approx(level, abs=0.01)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 257.0])
@pytest.mark.parametrize("shift", [0.0, -1000.0])
def test_equalise_does_not_see_gain_and_offset(scale, shift):
    grey = np.random.default_rng(4).integers(0, 256, (40, 40)).astype(np.float64)
    np.testing.assert_allclose(equalise(grey * scale + shift), equalise(grey), atol=2e-3)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("factor", [1e-30, 1e-36, 1e-38, 1e-41])
@pytest.mark.parametrize("function", [equalise, rescale])
def test_a_very_small_range_is_as_any_other(function, factor):
    grey = np.random.default_rng(4).integers(0, 256, (40, 40))
    result = function((grey * factor).astype(np.float32))
    assert result.dtype == np.float32 and (result.min(), result.max()) == (0, 1)
    np.testing.assert_allclose(result, function(grey.astype(np.float32)), atol=0.02)


def test_equalise_by_hand():
    values = np.array([[0, 0, 1, 1], [1, 2, 2, 3]], dtype=np.float32)
    expected = np.array([[0, 0, 0.5, 0.5], [0.5, 5 / 6, 5 / 6, 1]])
    np.testing.assert_allclose(equalise(values), expected, atol=1e-6)


@pytest.mark.parametrize("function", [equalise, rescale])
def test_black_background_stays_black(function):
    image = np.zeros((60, 60), dtype=np.float32)
    image[20:40, 20:40] = np.random.default_rng(5).uniform(50, 255, (20, 20))
    result = function(image)
    assert np.all(result[image == 0] == 0)
    assert result[image > 0].min() > 0 and result.max() == 1


@pytest.mark.parametrize("function", [equalise, rescale])
@pytest.mark.parametrize("value", [0.0, 0.1, 255.0, -7.0])
def test_constant_images_become_zero(function, value):
    result = function(np.full((20, 30), value, dtype=np.float32))
    assert result.dtype == np.float32
    np.testing.assert_array_equal(result, np.zeros((20, 30)))


@pytest.mark.parametrize("function", [equalise, rescale])
def test_only_pixels_of_the_image_count(function):
    inside = np.zeros((120, 100), dtype=bool)
    inside[10:70, 20:90] = True
    outlier = np.where(inside, SKEWED, -1e6)
    result = function(outlier, inside)
    np.testing.assert_array_equal(result[~inside], 0)
    np.testing.assert_array_equal(result[10:70, 20:90], function(SKEWED[10:70, 20:90]))
    np.testing.assert_array_equal(function(outlier, np.zeros_like(inside)), np.zeros_like(result))


def test_rescale_is_linear():
    np.testing.assert_allclose(rescale(np.array([[2.0, 4.0], [3.0, 2.5]])), [[0, 1], [0.5, 0.25]])


@pytest.mark.parametrize("equal", [True, False])
@pytest.mark.parametrize("shape", [(64, 64), (30, 90), (500, 333)])
def test_apply_gives_a_frame_in_0_to_1(equal, shape):
    array = np.random.default_rng(6).gamma(2.0, 900.0, shape)
    result = Preprocessing(size=64, equalise=equal).apply(array)
    assert (result.shape, result.dtype, result.min(), result.max()) == ((64, 64), np.float32, 0, 1)
    stretched, _ = resample_to_grid(array, stretched_grid(shape, 64))
    np.testing.assert_array_equal(result, (equalise if equal else rescale)(stretched))


def test_apply_on_a_given_frame_leaves_the_outside_black():
    frame = pair_grids(geometry(100, 100, (0.02, 0.02)), geometry(200, 200, (0.02, 0.02)), 64)[0]
    result = Preprocessing(size=64).apply(SKEWED[:100, :100], frame)
    inside = frame.inside((100, 100))
    assert 0.2 < inside.mean() < 0.3
    assert np.all(result[~inside] == 0) and result[inside].mean() == pytest.approx(0.5, abs=0.02)


def test_settings_return_from_a_dict():
    settings = Preprocessing(size=128, equalise=False, bins=256)
    assert Preprocessing.from_dict(settings.to_dict()) == settings
    assert Preprocessing.from_dict({}) == Preprocessing(size=400, equalise=True, bins=1024, field_of_view=False)


def test_unknown_settings_are_refused():
    with pytest.raises(InputError, match=r"unknown settings \['contrast', 'gamma'\]"):
        Preprocessing.from_dict({"size": 64, "gamma": 2, "contrast": 1})


@pytest.mark.parametrize("size", [0, 31, -400, 4097, 400.0, "400", None, True])
def test_impossible_sizes_are_refused(size):
    with pytest.raises(InputError, match="grid size from 32 to 4096"):
        Preprocessing(size=size)


@pytest.mark.parametrize("bins", [0, 1, 65537, 256.0, "256"])
def test_impossible_grey_levels_are_refused(bins):
    with pytest.raises(InputError, match="2 to 65536 grey levels"):
        Preprocessing(bins=bins)
