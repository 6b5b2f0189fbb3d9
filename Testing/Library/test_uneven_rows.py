"""Rows that lie beside one another are found in one image, and the predicted error counts them."""

from __future__ import annotations

import numpy as np
import pytest
from drawn_eyes import drawn_eye
from scipy import ndimage

import MetaRegistrationLib as mr  # noqa: N813
from MetaRegistrationLib.error_map.maps import ErrorMap
from MetaRegistrationLib.error_map.uneven_rows import Unevenness, deviations_of, unevenness, with_uneven_rows

SIDE = 240


def texture(seed: int = 1, side: int = SIDE, sigma: float = 2.0) -> np.ndarray:
    found = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=(side, side)), sigma, mode="wrap")
    return found / found.std()


def noisy(image: np.ndarray, level: float, seed: int = 5) -> np.ndarray:
    return image + level * image.std() * np.random.default_rng(seed).normal(size=image.shape)


def shifted(image: np.ndarray, shifts: np.ndarray) -> np.ndarray:
    """Each row read so many pixels beside its place."""
    columns = np.arange(image.shape[1])
    return np.stack([np.interp(columns + by, columns, row) for row, by in zip(image, shifts, strict=True)])


def every_other(shift: float, side: int = SIDE) -> np.ndarray:
    return shift * (np.arange(side) % 2)


def each(deviation: float, side: int = SIDE) -> np.ndarray:
    return np.random.default_rng(9).normal(0, deviation, side)


def of(image: np.ndarray) -> Unevenness:
    return unevenness(image, np.ones(image.shape, bool))


IMAGES = {"texture": texture, "eye": lambda: drawn_eye(4, SIDE)}


@pytest.mark.parametrize("name", IMAGES)
@pytest.mark.parametrize("level", [0.0, 0.5, 3.0])
def test_rows_in_their_places_are_not_called_uneven(name, level):
    image = noisy(IMAGES[name](), level)
    assert of(image) == of(image.T) == Unevenness()


@pytest.mark.parametrize("shift", [0.5, 1.0, 3.0])
def test_the_shift_of_every_other_row_is_measured(shift):
    image = noisy(texture(), 0.2)
    found = of(shifted(image, every_other(shift)))
    assert found.alternate_px == pytest.approx(shift, rel=0.15)
    assert found.deviation_px == pytest.approx(shift / 2, rel=0.15)


def test_the_middle_512_rows_are_judged():
    narrow = noisy(texture(side=1200)[:, :100], 0.2)
    uneven = shifted(narrow, every_other(3.0, 1200))
    inside, outside = narrow.copy(), uneven.copy()
    inside[344:856], inside[560:640] = uneven[344:856], narrow[560:640]
    outside[344:856] = narrow[344:856]
    assert of(inside).alternate_px == pytest.approx(3, rel=0.15) and of(outside) == Unevenness()


@pytest.mark.parametrize("deviation", [0.6, 1.0])
def test_the_spread_of_rows_is_measured(deviation):
    found = of(shifted(noisy(texture(), 0.2), each(deviation)))
    assert found.spread_px == pytest.approx(deviation, rel=0.2)
    assert found.deviation_px >= found.spread_px


def test_what_is_not_clear_is_not_called_uneven():
    noise = np.random.default_rng(2).normal(size=(SIDE, SIDE))
    assert of(noise) == Unevenness(), "nothing but noise"
    assert of(np.zeros((SIDE, SIDE))) == Unevenness(), "blank"
    assert of(shifted(texture(), every_other(3.0))[:20]) == Unevenness(), "few rows"
    assert of(shifted(texture(), every_other(3.0))[:, :30]) == Unevenness(), "short rows"
    assert unevenness(texture(), np.zeros((SIDE, SIDE), bool)) == Unevenness(), "nothing known"


def test_only_known_pixels_count():
    image, known = texture(), np.ones((SIDE, SIDE), bool)
    known[:, :90] = False
    uneven = shifted(image, every_other(3.0))
    image[:, :90] = uneven[:, :90]
    assert unevenness(image, known) == Unevenness()
    uneven[:, :90] = np.nan
    assert unevenness(uneven, known).alternate_px == pytest.approx(3, rel=0.15)


def test_deviations_are_in_pixels_of_the_network_grid_along_the_right_axis():
    """A pixel of the network grid is 2 rows high and half a column wide."""
    uneven, known = shifted(texture(), every_other(2.0)), np.ones((SIDE, SIDE), bool)
    assert deviations_of(uneven, known, (2.0, 0.5)) == pytest.approx([2.0, 0.0], rel=0.15)
    assert deviations_of(uneven.T, known, (2.0, 0.5)) == pytest.approx([0.0, 0.5], rel=0.15)


def test_the_map_grows_by_the_deviations_and_by_nothing_else():
    values = np.full((4, 4), 3.0, np.float32)
    error = ErrorMap(0.5 * values, 2 * values, values, np.ones((4, 4), np.float32), 400)
    assert with_uneven_rows(error, [0.0, 0.0]) is error
    grown = with_uneven_rows(error, [3.0, 0.0, 4.0, 0.0])
    assert np.allclose(grown.mean_px, np.hypot(3, 4)) and np.allclose(grown.bound_px, np.hypot(6, 10))
    assert np.allclose(grown.median_px, np.hypot(1.5, 0.67 * 5)) and np.array_equal(grown.shown, error.shown)


@pytest.mark.parametrize("side", ["moving", "fixed"])
def test_the_bound_of_a_pair_holds_where_every_other_row_is_shifted(side):
    """Whichever image is uneven. The other rows agree, so that the field is off by half a step everywhere."""
    wide = drawn_eye(4, 260)
    images = {"moving": wide[14:254, 6:246], "fixed": wide[10:250, 10:250]}
    images[side] = shifted(images[side], every_other(3.0))
    moving, fixed = (np.clip(noisy(images[name], 0.1, seed), 0, 255) for seed, name in enumerate(("moving", "fixed")))
    found = mr.register(moving, fixed)
    rows, columns = found.displacement_px[:, 10:-10, 10:-10]
    step = every_other(3.0)[10:-10, None]
    wrong = np.hypot(rows + 4, columns - 4 + (step if side == "moving" else -step))
    assert found.confident and np.mean(wrong * 400 / 240 <= found.error_95_px[10:-10, 10:-10]) > 0.9
    assert found.expected_error_px == pytest.approx(wrong.mean() * 400 / 240, rel=0.5)
