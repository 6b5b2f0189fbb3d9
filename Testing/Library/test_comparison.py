"""Even brightness for display, and the pictures that compare two images."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from MetaRegistrationLib.core.brightness import even_brightness
from MetaRegistrationLib.core.comparison import blended, checkerboard, single, swiped
from MetaRegistrationLib.core.enlarging import enlarged


def texture(size=(300, 260), seed=0) -> np.ndarray:
    """Structure of one scale all over the image, positive."""
    noise = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=size), 2)
    return np.exp(noise / noise.std() / 2)


def shading(size, left: float, right: float) -> np.ndarray:
    return np.broadcast_to(np.linspace(left, right, size[1]), size)


def test_opposite_shading_is_evened_out():
    image = texture()
    dark_left, dark_right = image * shading(image.shape, 20, 200), image * shading(image.shape, 5, 0.5)
    first, second = even_brightness(dark_left), even_brightness(dark_right)
    assert first.dtype == np.float32 and first.min() >= 0 and first.max() <= 1
    for shown in (first, second):
        left, right = (part.mean() for part in np.array_split(shown, 2, axis=1))
        assert left == pytest.approx(right, rel=0.15)
    plain = np.corrcoef(dark_left.ravel(), dark_right.ravel())[0, 1]
    assert np.corrcoef(first.ravel(), second.ravel())[0, 1] > 0.95 > plain + 0.4


def test_contrast_is_evened_out_too():
    image = texture()
    weak_left = 100 + (image - image.mean()) * shading(image.shape, 2, 20)
    shown = even_brightness(weak_left)
    left, right = (part.std() for part in np.array_split(shown, 3, axis=1)[::2])
    assert right / left < 1.6 < weak_left[:, -87:].std() / weak_left[:, :87].std() / 2


def test_pixels_without_tissue_are_black_and_do_not_count():
    image = texture((320, 320)) * 50
    rows, columns = np.indices(image.shape) - 160
    round_mask = np.hypot(rows, columns) > 150
    image[round_mask] = 0
    unknown = image.copy()
    unknown[:, :40] = np.nan
    shown = even_brightness(image)
    assert shown[round_mask].mean() < 0.01
    edge = (np.hypot(rows, columns) > 125) & (np.hypot(rows, columns) < 143)
    middle = np.hypot(rows, columns) < 60
    assert shown[edge].mean() == pytest.approx(shown[middle].mean(), rel=0.25)
    known = even_brightness(unknown)
    assert np.isfinite(known).all() and (known[:, :40] == 0).all()


@pytest.mark.parametrize("size", [(3, 5), (1300, 700), (257, 513)])
def test_every_size_keeps_its_pixels(size):
    image = texture(size) * shading(size, 1, 3)
    shown = even_brightness(image)
    assert shown.shape == size
    if min(size) > 100:
        bright = image > ndimage.gaussian_filter(image, 30)
        assert shown[bright].mean() > 2 * shown[~bright].mean()


@pytest.mark.parametrize("value", [0.0, 7.0, np.nan])
def test_an_image_without_structure_stays_finite(value):
    assert np.isfinite(even_brightness(np.full((40, 40), value))).all()


def test_no_pixel_of_the_input_is_changed():
    image = texture()
    before = image.copy()
    even_brightness(image)
    np.testing.assert_array_equal(image, before)


MOVING = np.array([[1.0, 1.0], [0.0, 0.0]])
FIXED = np.array([[1.0, 0.0], [1.0, 0.0]])


@pytest.mark.parametrize(
    ("fraction", "moving", "fixed"), [(0, 0, 255), (0.25, 128, 255), (0.5, 255, 255), (0.75, 255, 128), (1, 255, 0)]
)
def test_blended_images_are_white_where_they_agree(fraction, moving, fixed):
    both, only_moving, only_fixed, none = blended(MOVING, FIXED, fraction).reshape(4, 3).tolist()
    assert (both, only_moving, only_fixed, none) == (
        [moving, fixed, moving],
        [moving, 0, moving],
        [0, fixed, 0],
        [0, 0, 0],
    )


@pytest.mark.parametrize("tiles", [2, 7, 20])
def test_a_checkerboard_takes_its_tiles_in_turns(tiles):
    picture = checkerboard(np.ones((100, 140)), np.zeros((100, 140)), tiles)[..., 0]
    assert picture[0, 0] == 255
    centres = ((np.arange(tiles) + 0.5) * 140 / tiles).astype(int)
    assert (picture[0, centres] == [255, 0] * (tiles // 2) + [255] * (tiles % 2)).all()
    assert (picture[centres[centres < 100], 0] == picture[0, centres[centres < 100]]).all(), "square tiles"


@pytest.mark.parametrize("fraction", [0, 0.3, 0.5, 1])
def test_a_swipe_shows_moving_to_the_left_of_its_line(fraction):
    moving, fixed = np.full((10, 100), 0.25), np.full((10, 100), 0.5)
    row = swiped(moving, fixed, fraction)[4, :, 1]
    edge = round(fraction * 100)
    assert (row[:edge] == 64).all() and (row[edge + 1 :] == 128).all()
    if 0 < fraction < 1:
        assert row[edge] == 255
    elif fraction == 0:
        assert row[0] == 128


def test_a_single_image_is_grey():
    np.testing.assert_array_equal(single(MOVING)[0], [[255] * 3, [255] * 3])


@pytest.mark.parametrize(
    ("size", "step", "shape"), [((40, 30), 3, (120, 88)), ((9, 16), 8, (70, 128)), ((1, 5), 4, (3, 18))]
)
def test_the_surroundings_are_enlarged_as_scipy_does(size, step, shape):
    small = np.random.default_rng(0).normal(size=size)
    expected = ndimage.zoom(small, step, order=1, mode="nearest", grid_mode=True)[: shape[0], : shape[1]]
    np.testing.assert_allclose(enlarged(small, step, shape), expected, atol=1e-12)
