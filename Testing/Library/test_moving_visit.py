"""Data on the pixels of the moving image: refused if it lies elsewhere, resampled pixel by pixel."""

import numpy as np
import pytest

from MetaRegistrationLib.core.geometry import Geometry
from MetaRegistrationLib.errors import InputError
from MetaRegistrationLib.registration.moving_visit import check_on_moving, warp_pixels

MOVING = Geometry((40, 50), (0.01, 0.02), (1.0, 2.0, 0.0), spacing_known=True)


def shifted(rows_by, columns_by):
    def positions(rows, columns):
        return np.stack(np.meshgrid(rows + rows_by, columns + columns_by, indexing="ij"), -1)

    return positions


def test_what_lies_on_the_pixels_of_the_image_is_taken():
    elsewhere = Geometry((40, 50), (0.01, 0.02), (5.0, 2.0, 0.0), spacing_known=True)
    for shape in ((40, 50), (40, 50, 3)):
        check_on_moving(shape, MOVING, MOVING, True, "mask")
        check_on_moving(shape, None, MOVING, True, "mask")
        check_on_moving(shape, Geometry((40, 50)), MOVING, True, "mask")  # a plain array says nothing
        check_on_moving(shape, elsewhere, MOVING, False, "mask")  # nor does an image without a place
        with pytest.raises(InputError, match=r"^mask: expected the geometry"):
            check_on_moving(shape, elsewhere, MOVING, True, "mask")


@pytest.mark.parametrize("shape", [(40, 51), (41, 50), (50, 40), (40, 51, 3)])
def test_other_sizes_are_refused(shape):
    with pytest.raises(InputError, match=r"^mask: expected 40 rows x 50 columns.*got \d+ rows"):
        check_on_moving(shape, None, MOVING, False, "mask")


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int32, np.float32])
@pytest.mark.parametrize("channels", [(), (3,)])
def test_the_nearest_pixel_keeps_value_and_type(dtype, channels):
    pixels = np.random.default_rng(0).integers(1, 99, (40, 50, *channels)).astype(dtype)
    found = warp_pixels(pixels, (40, 50), shifted(2.4, -3.4))
    assert found.dtype == dtype and found.shape == pixels.shape
    assert np.array_equal(found[:38, 3:], pixels[2:, :47])
    assert not found[38:].any() and not found[:, :2].any()


def test_every_row_is_written(monkeypatch):
    """Memory that is taken may hold what was there before, even the right values."""
    monkeypatch.setattr(np, "empty", lambda shape, dtype=float: np.full(shape, 99, dtype))
    assert np.array_equal(warp_pixels(np.ones((300, 4), np.uint8), (300, 4), shifted(0, 0)), np.ones((300, 4)))


def test_linear_interpolation_is_between_the_pixels_and_the_rest_is_filled():
    rows, columns = np.indices((40, 50))
    pixels = 2.0 * rows + 3.0 * columns
    found = warp_pixels(pixels, (30, 20), shifted(0.25, 0.5), "linear", fill=-1)
    assert found.dtype == np.float32 and found.shape == (30, 20)
    assert found == pytest.approx(pixels[:30, :20] + 0.5 + 1.5, abs=1e-4)
    assert (warp_pixels(pixels, (30, 20), shifted(100, 0), "linear", fill=-1) == -1).all()


def test_the_image_ends_half_a_pixel_beyond_its_border_pixels():
    pixels = np.full((40, 50), 7.0)
    inside = [(-0.5, 0), (0.49, 0), (0, -0.5), (0, 0.49)]
    assert all((warp_pixels(pixels, (40, 50), shifted(*by)) == 7).all() for by in inside)
    for by, edge in (
        ((0.5, 0), np.s_[39]),
        ((-0.51, 0), np.s_[0]),
        ((0, 0.5), np.s_[:, 49]),
        ((0, -0.51), np.s_[:, 0]),
    ):
        found = warp_pixels(pixels, (40, 50), shifted(*by))
        assert not found[edge].any() and (found[5:35, 5:45] == 7).all()


@pytest.mark.parametrize("interpolation", ["linear", "cubic"])
def test_a_pixel_without_a_value_affects_its_neighbours_alone(interpolation):
    pixels = np.random.default_rng(0).normal(size=(40, 50))
    pixels[20, 25] = np.nan
    found = warp_pixels(pixels, (40, 50), shifted(0.5, 0.5), interpolation)
    assert {tuple(place) for place in np.argwhere(np.isnan(found))} == {(19, 24), (19, 25), (20, 24), (20, 25)}
