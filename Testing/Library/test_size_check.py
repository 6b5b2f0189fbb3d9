"""Pixel sizes that a registration contradicts."""

import math

import numpy as np
import pytest

from MetaRegistrationLib.core.geometry import Geometry
from MetaRegistrationLib.registration.size_check import local_matrix, scale_found, size_message


def geometry(rows_mm, columns_mm, known=True):
    return Geometry((100, 120), (rows_mm, columns_mm), spacing_known=known)


def positions(matrix, step=1):
    """Of every `step`-th pixel of a fixed image in the moving one."""
    places = np.stack(np.meshgrid(np.arange(0, 60, step), np.arange(0, 80, step), indexing="ij"), -1)
    return places @ np.transpose(matrix) + (3.0, -4.0)


def test_the_slope_is_that_of_most_pixels():
    matrix = np.array([[1.5, 0.25], [-0.5, 2.0]])
    places = positions(matrix)
    places[:20, :20] += 7.0  # a part that lies elsewhere
    assert local_matrix(places) == pytest.approx(matrix)


@pytest.mark.parametrize("step", [1, 5])
@pytest.mark.parametrize(
    ("moving_mm", "fixed_mm", "expected"),
    [((0.01, 0.02), (0.02, 0.04), 1.0), ((0.01, 0.01), (0.01, 0.01), 2.0), ((0.03, 0.01), (0.02, 0.02), 3**0.5)],
)
def test_the_scale_is_in_millimetres(moving_mm, fixed_mm, expected, step):
    found = scale_found(positions(np.eye(2) * 2, step), geometry(*moving_mm), geometry(*fixed_mm), step)
    assert found == pytest.approx(expected)


def test_without_both_pixel_sizes_there_is_no_scale():
    known, unknown = geometry(0.01, 0.01), geometry(1.0, 1.0, known=False)
    assert all(math.isnan(scale_found(positions(np.eye(2)), *pair)) for pair in ((known, unknown), (unknown, known)))


@pytest.mark.parametrize(("scale", "told"), [(1.0, False), (1.029, False), (1.031, True), (0.972, False), (0.97, True)])
def test_more_than_three_percent_are_told(scale, told):
    message = size_message("eye", scale, ("m.png", geometry(0.01, 0.012)), ("f.png", geometry(0.02, 0.02)))
    assert (message is not None) is told
    if told:
        assert message.level == "warning" and f"{scale:.3f} times as large" in message.text
        assert message.text.index("10") < message.text.index("m.png") < message.text.index("f.png")


def test_a_scale_of_nothing_is_told_and_an_unknown_one_is_not():
    pair = ("m.png", geometry(0.01, 0.01)), ("f.png", geometry(0.01, 0.01))
    assert size_message("eye", 0.0, *pair) is not None and size_message("eye", math.nan, *pair) is None
