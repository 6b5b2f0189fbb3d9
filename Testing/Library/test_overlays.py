"""Tests of the overlay pictures: colours, places of the landmarks, aspect."""

from __future__ import annotations

import numpy as np
import pytest

from MetaRegistrationLib.registration.overlays import grey_levels, overlay, side_by_side

BLACK, WHITE, MAGENTA, GREEN, YELLOW = (0, 0, 0), (255, 255, 255), (255, 0, 255), (0, 255, 0), (255, 255, 0)


def bars():
    """Two images of 100 x 100: the left third is bright in moving, the right third in fixed, the middle in both."""
    moving, fixed = np.zeros((2, 100, 100), dtype=np.float32)
    moving[:, 10:60] = 7
    fixed[:, 40:90] = 300
    return moving, fixed


def test_moving_is_magenta_fixed_is_green_and_both_are_white():
    picture = overlay(*bars())
    assert picture.shape == (800, 800, 3) and picture.dtype == np.uint8
    colours = [tuple(picture[400, column]) for column in (200, 400, 600, 760)]
    assert colours == [MAGENTA, WHITE, GREEN, BLACK]


@pytest.mark.parametrize(("argument", "colour"), [("carried_points", GREEN), ("fixed_points", YELLOW)])
def test_discs_lie_at_their_landmarks(argument, colour):
    empty = np.zeros((100, 100))
    picture = overlay(empty, empty, **{argument: np.array([(20.0, 30.25)])})
    rows, columns = np.nonzero((picture == colour).all(axis=-1))
    # A pixel of these images is 8 x 8 in the picture; its centre lies at 8 * (p + 0.5) - 0.5.
    assert rows.mean() == pytest.approx(163.5, abs=0.01) and columns.mean() == pytest.approx(245.5, abs=0.01)
    assert 5 <= np.ptp(rows) <= 16 and np.ptp(rows) == np.ptp(columns)


def test_a_line_joins_corresponding_landmarks():
    empty = np.zeros((100, 100))
    joined = overlay(empty, empty, np.array([(50.0, 10.0)]), np.array([(50.0, 90.0)]))
    assert tuple(joined[404, 400]) == YELLOW
    alone = overlay(empty, empty, np.array([(50.0, 10.0)]))
    assert tuple(alone[404, 400]) == BLACK and tuple(alone[404, 84]) == GREEN


def test_where_landmarks_coincide_both_show():
    empty = np.zeros((100, 100))
    point = np.array([(50.0, 50.0)])
    picture = overlay(empty, empty, point, point)
    green, yellow = ((picture == colour).all(axis=-1) for colour in (GREEN, YELLOW))
    assert green[404, 404]
    # The yellow ring lies around the green disc.
    assert green.sum() > 20 and yellow.sum() >= 8
    assert np.ptp(np.nonzero(yellow)[0]) > np.ptp(np.nonzero(green)[0])


def test_landmarks_at_and_beyond_the_border_are_cut_off():
    empty = np.zeros((100, 100))
    points = np.array([(-0.5, -0.5), (99.5, 99.5), (-500.0, 50.0), (50.0, 900.0)])
    picture = overlay(empty, empty, points)
    assert tuple(picture[0, 0]) == tuple(picture[-1, -1]) == GREEN
    assert not picture[20:780, 20:780].any()


@pytest.mark.parametrize(
    ("shape", "pixel_aspect", "expected"),
    [
        ((100, 100), 1.0, (800, 800)),
        ((50, 100), 1.0, (400, 800)),
        ((50, 100), 2.0, (800, 800)),
        ((100, 50), 0.5, (800, 800)),
        ((320, 304), 1.0, (800, 760)),
        ((16, 16), 1e-4, (1, 800)),
    ],
)
def test_pictures_have_the_aspect_of_the_eye(shape, pixel_aspect, expected):
    assert overlay(np.zeros(shape), np.eye(*shape), pixel_aspect=pixel_aspect).shape == (*expected, 3)


def test_with_an_aspect_discs_stay_round_and_in_place():
    empty = np.zeros((50, 100))
    picture = overlay(empty, empty, np.array([(25.0, 50.0)]), pixel_aspect=2.0)
    rows, columns = np.nonzero((picture == GREEN).all(axis=-1))
    assert np.ptp(rows) == np.ptp(columns)
    assert abs(rows.mean() - 407.5) <= 0.5 and abs(columns.mean() - 403.5) <= 0.5


def test_grey_levels_fill_the_range_and_ignore_outliers():
    image = np.linspace(100, 200, 10_000).reshape(100, 100)
    image[0, 0] = 1e6
    levels = grey_levels(image)
    assert levels.dtype == np.float32
    assert levels.min() == 0 and levels.max() == 1
    assert levels[50, 0] == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("value", [0, 7, -3])
def test_grey_levels_of_a_constant_image_are_black(value):
    assert not grey_levels(np.full((20, 20), value)).any()


def test_grey_levels_show_a_single_bright_pixel():
    image = np.zeros((100, 100))
    image[3, 4] = 50
    assert grey_levels(image)[3, 4] == 1 and grey_levels(image).sum() == 1


def test_pixels_without_a_value_are_dark_and_change_no_other():
    values = np.linspace(0, 1, 400, dtype=np.float32).reshape(20, 20)
    holes = values.copy()
    holes[0, :3], holes[19, 19] = np.nan, np.inf
    levels = grey_levels(holes)
    assert not levels[0, :3].any() and levels[19, 19] == 0
    assert np.abs(levels - grey_levels(values))[1:19].max() < 0.02


def test_what_is_no_tissue_is_blue():
    outside = np.zeros((100, 100), dtype=bool)
    outside[:50] = True
    picture = overlay(*bars(), outside=outside).astype(int)
    np.testing.assert_array_equal(picture[450:], overlay(*bars())[450:])
    red, green, blue = picture[100, 20]
    assert blue > red + 30 and blue > green + 30


def test_side_by_side_on_white():
    picture = side_by_side(np.zeros((5, 4, 3), np.uint8), np.zeros((3, 2, 3), np.uint8), gap=2)
    assert picture.shape == (5, 8, 3)
    assert not picture[:, :4].any() and not picture[:3, 6:].any()
    assert (picture[:, 4:6] == 255).all() and (picture[3:, 6:] == 255).all()
