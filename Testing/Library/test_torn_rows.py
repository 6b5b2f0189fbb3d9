"""Rows where the eye moved: steps of known size are found, and the error map holds there; none are found where there are none."""

import numpy as np
import pytest
from scipy import ndimage

import MetaRegistrationLib as mr  # noqa: N813
from MetaRegistrationLib.error_map.maps import ErrorMap
from MetaRegistrationLib.error_map.torn_rows import row_steps, tilt_of, with_torn_rows
from MetaRegistrationLib.formats.images import read_image
from MetaRegistrationLib.resources import sample_visits


def texture(seed, size=200):
    """Structures of vessel width with mean 0 and standard deviation 1, float32 (size, size)."""
    values = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=(size, size)), 1.5)
    return (values / values.std()).astype(np.float32)


def noisy(image, seed, amount=0.5):
    return (image + amount * np.random.default_rng(seed).normal(size=image.shape)).astype(np.float32)


@pytest.mark.parametrize(("down", "across"), [(0, 4), (0, -3), (1, 3), (-2, 0), (0, 1)])
def test_steps_of_known_size_are_found_in_their_rows_alone(down, across):
    fixed = texture(1)
    moved = fixed.copy()
    moved[80:100] = np.roll(fixed, (down, across), axis=(0, 1))[80:100]
    steps = row_steps(fixed, noisy(moved, 2))
    assert np.allclose(steps[83:97], np.hypot(down, across), atol=0.3)
    assert not steps[:77].any() and not steps[103:].any()


@pytest.mark.parametrize("amount", [0.3, 1.0, 3.0])
def test_noise_and_other_images_have_no_steps(amount):
    image = texture(3)
    assert not row_steps(noisy(image, 4, amount), noisy(image, 5, amount)).any()
    assert (row_steps(image, texture(6)) > 0).sum() <= 4


def test_rows_that_both_images_hardly_show_are_not_judged():
    fixed = texture(7)
    moved = np.roll(fixed, 4, axis=1)
    seen = np.zeros_like(fixed)
    seen[:, :25] = 1
    assert not row_steps(fixed * seen, moved * seen).any()


@pytest.mark.parametrize(("down", "across"), [(0, 14), (3, -20)])
def test_strips_that_moved_far_are_found(down, across):
    fixed = texture(13)
    moved = fixed.copy()
    moved[80:105] = np.roll(fixed, (down, across), axis=(0, 1))[80:105]
    steps = row_steps(noisy(fixed, 14), noisy(moved, 15))
    assert np.allclose(steps[83:102], np.hypot(down, across), atol=0.5)
    assert not steps[:76].any() and not steps[109:].any()


def test_doubled_rows_move_all_that_follow():
    fixed = texture(16)
    moved = np.concatenate((fixed[:150], fixed[130:180]))
    steps = row_steps(noisy(fixed, 17), noisy(moved, 18))
    assert np.allclose(steps[154:175], 20, atol=0.5) and not steps[:146].any()


def test_images_of_opposite_contrast_are_not_judged():
    rows, columns = np.indices((200, 200))
    stripes = (np.sin(2 * np.pi * columns / 8) + 0.5 * texture(19)).astype(np.float32)
    assert row_steps(stripes, np.where(rows < 60, np.roll(stripes, 4, axis=1), stripes))[4:56].all()
    assert not row_steps(stripes, -stripes).any()  # half a period beside they agree well


def test_bright_rows_do_not_agree_with_other_bright_rows():
    images = [noisy(texture(20), seed) for seed in (21, 22)]
    images[0][60:66], images[1][72:78] = noisy(np.full((6, 200), 3), 23), noisy(np.full((6, 200), 3), 24)
    assert row_steps(*images).max() < 3  # beside a band that only one image has, the next rows agree


def small_map(value=0.2):
    cells = np.full((50, 50), value, np.float32)
    return ErrorMap(cells, 3 * cells, cells, np.ones((50, 50), np.float32), 400)


def test_the_map_is_raised_at_torn_rows_and_nowhere_else():
    fixed = texture(8)
    moved = fixed.copy()
    moved[80:100] = np.roll(fixed, 4, axis=1)[80:100]
    error = with_torn_rows(small_map(), fixed, moved, (0.0, 0.0))
    assert np.allclose(error.mean_px[21:24], 8, atol=0.6) and (error.bound_px[21:24] > 8).all()
    assert np.allclose(error.mean_px[:17], 0.2) and np.allclose(error.mean_px[28:], 0.2)
    same = small_map()
    assert with_torn_rows(same, fixed, fixed, (0.0, 0.0)) is same


def test_torn_columns_and_torn_rows_of_a_turned_scan_are_found():
    fixed = texture(9)
    moved = fixed.copy()
    moved[:, 80:100] = np.roll(fixed, 4, axis=0)[:, 80:100]
    assert (with_torn_rows(small_map(), fixed, moved, (0.0, 0.0)).mean_px[:, 21:24] > 6).mean() > 0.9
    slope = 0.07  # 4 degrees
    rows, columns = np.indices(fixed.shape)
    band = np.abs(rows - 100 - slope * (columns - 99.5)) < 8
    turned = np.where(band, np.roll(fixed, 4, axis=1), fixed)
    found, level = (with_torn_rows(small_map(), fixed, turned, tilt).mean_px for tilt in ((0, slope), (0, 0)))
    assert found[23, 8] > 6 and found[27, 42] > 6
    assert found[28, 46] > 4 and level[28, 46] < 3


def test_the_tilt_of_a_turn_is_its_tangent():
    turn = np.deg2rad(3)
    rows, columns = np.indices((400, 400)) - 199.5
    field = np.stack((np.cos(turn) * rows - np.sin(turn) * columns, np.sin(turn) * rows + np.cos(turn) * columns))
    across, down = tilt_of(field - np.stack((rows, columns)))
    assert down == pytest.approx(np.tan(turn), rel=1e-3) and across == pytest.approx(-np.tan(turn), rel=1e-3)


def test_the_bound_holds_beside_the_steps_of_a_torn_real_scan():
    moving = read_image(sample_visits() / "visit_1.png").array.astype(np.float32)
    rng, size = np.random.default_rng(10), len(moving)
    rows, columns = np.indices(moving.shape).astype(float)
    across = 5.0 * (rows >= 110) - 6.0 * (rows >= 200)
    fixed = ndimage.map_coordinates(moving, (rows, columns + across), order=1, mode="nearest")
    fixed, noisy_moving = (np.clip(image + rng.normal(0, 8, image.shape), 0, 255) for image in (fixed, moving))
    result = mr.register(noisy_moving.astype(np.uint8), fixed.astype(np.uint8))
    wrong = np.hypot(*(result.displacement_px - np.stack((0 * across, across)))) * 400 / size
    beside = np.zeros(size, bool)
    beside[106:114] = beside[196:204] = True
    known = np.isfinite(result.error_95_px)
    known[:, -12:] = False
    covered = (wrong <= result.error_95_px)[beside][known[beside]].mean()
    assert result.confident and wrong[beside].mean() > 1.5
    assert covered > 0.9
    assert result.measures.uncertain_percent > 3


def test_the_map_is_raised_without_an_initial_alignment_too():
    moving = read_image(sample_visits() / "visit_1.png").array.astype(np.float32)
    rows, columns = np.indices(moving.shape).astype(float)
    fixed = ndimage.map_coordinates(moving, (rows, columns + 6.0 * (rows >= 160) - 3), order=1, mode="nearest")
    images = [np.clip(noisy(image, 11, 8), 0, 255).astype(np.uint8) for image in (moving, fixed)]
    result = mr.register(*images, stages=mr.Stages(initial="none"))
    assert np.nanmean(result.error_px[156:164]) > 1.5 > np.nanmean(result.error_px[40:120])
