"""Drawn OCTA phantoms."""

from __future__ import annotations

import numpy as np
import pytest

from MetaRegistrationLib.errors import InputError
from MetaRegistrationLib.octa.vessels import branch_points
from MetaRegistrationLib.simulation import draw_phantom
from MetaRegistrationLib.simulation.drawing import draw_discs, sampled_lines

SIZE = 256


@pytest.fixture(scope="module")
def phantoms():
    return [draw_phantom(np.random.default_rng(seed), size=SIZE) for seed in (1, 2)]


def test_same_seed_same_bits(phantoms):
    again = draw_phantom(np.random.default_rng(1), size=SIZE)
    assert np.array_equal(again.image, phantoms[0].image)
    assert np.array_equal(again.vessel_mask, phantoms[0].vessel_mask)
    assert again.faz_centre == phantoms[0].faz_centre
    assert not np.array_equal(phantoms[0].image, phantoms[1].image)


def test_image_and_mask_are_what_they_say(phantoms):
    for phantom in phantoms:
        assert phantom.image.shape == phantom.vessel_mask.shape == (SIZE, SIZE)
        assert phantom.image.dtype == np.float32 and phantom.vessel_mask.dtype == bool
        assert phantom.image.min() >= 0 and 0.9 < phantom.image.max() <= 1


def test_vessels_are_bright_capillaries_less_so_and_the_avascular_zone_dark(phantoms):
    for phantom in phantoms:
        grid = np.indices((SIZE, SIZE)) - np.array(phantom.faz_centre)[:, None, None]
        distance = np.hypot(*grid) / phantom.faz_radius_px
        capillaries = phantom.image[(distance > 2) & ~phantom.vessel_mask].mean()
        assert phantom.image[phantom.vessel_mask].mean() > 2 * capillaries
        assert phantom.image[distance < 0.6].mean() < 0.5 * capillaries
        assert not phantom.vessel_mask[distance < 0.8].any()
        assert phantom.image[(distance > 1.0) & (distance < 1.5)].std() > 0.03  # the ring and its capillaries


def test_vessels_spread_and_branch_all_over_the_image(phantoms):
    for phantom in phantoms:
        assert 0.05 < phantom.vessel_mask.mean() < 0.25
        assert len(branch_points(phantom.vessel_mask)) > 30
        quadrants = phantom.vessel_mask.reshape(2, SIZE // 2, 2, SIZE // 2).mean(axis=(1, 3))
        assert quadrants.min() > 0.03


def test_too_small_a_size_is_refused():
    with pytest.raises(InputError, match="64"):
        draw_phantom(np.random.default_rng(1), size=32)


def test_smallest_size_works():
    assert draw_phantom(np.random.default_rng(1), size=64).image.shape == (64, 64)


def test_lines_are_sampled_from_end_to_end():
    points, lines, fractions = sampled_lines(np.array([[0.0, 0.0], [5.0, 5.0]]), np.array([[0.0, 2.0], [5.0, 5.0]]))
    assert np.allclose(points[lines == 0][[0, -1]], [(0, 0), (0, 2)])
    assert np.diff(points[lines == 0][:, 1]).max() <= 0.35
    assert np.allclose(points[lines == 1], (5, 5)) and fractions.min() == 0 and fractions.max() == 1


@pytest.mark.parametrize("centre", [(20.0, 20.0), (20.4, 19.7)])
@pytest.mark.parametrize("radius", [0.45, 1.5, 4.2])
def test_disc_has_its_area_and_place(centre, radius):
    image = np.zeros((41, 41), dtype=np.float64)
    draw_discs(image, np.array([centre]), np.array([radius]), np.array([0.8]))
    # The soft edge, one pixel wide, makes the area pi (r^2 + 1/12) for r of at least half a pixel.
    if radius > 1:
        assert image.sum() == pytest.approx(0.8 * np.pi * (radius**2 + 1 / 12), rel=0.06)
    weights = image / image.sum()
    assert np.allclose([(weights * axis).sum() for axis in np.indices(image.shape)], centre, atol=0.2)


def test_disc_over_the_border_is_cut_and_the_brighter_one_wins():
    image = np.full((10, 10), 0.5, dtype=np.float32)
    draw_discs(image, np.array([[-1.0, 5.0], [5.0, 5.0], [99.0, 5.0]]), np.full(3, 2.0), np.array([1.0, 0.2, 1.0]))
    assert image[0, 5] == 1 and image[5, 5] == 0.5 and image[9].max() == 0.5
