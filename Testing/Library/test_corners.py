"""Tests of corner points, against corners that are drawn."""

import numpy as np
import pytest

from MetaRegistrationLib.simulation.corners import corner_points

CORNERS = np.array([(20, 16), (20, 51), (43, 16), (43, 51)])


def box(sign=1.0, scale=1.0):
    """A bright (or dark) box of rows 20 to 43 and columns 16 to 51 on grey."""
    image = np.full((64, 68), 5.0)
    image[20:44, 16:52] += sign * scale
    return image


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e4])
def test_the_corners_of_a_box_and_no_point_of_its_edges(sign, scale):
    points = corner_points(box(sign, scale))
    assert points.shape == (4, 2) and points.dtype == np.float64
    distance = np.linalg.norm(points[:, None] - CORNERS[None], axis=2)
    assert sorted(distance.argmin(axis=1)) == [0, 1, 2, 3] and distance.min(axis=1).max() < 2.5


def test_points_lie_where_they_may():
    inside = np.zeros((64, 68), dtype=bool)
    inside[:32, :34] = True
    points = corner_points(box(), inside)
    assert len(points) == 1 and np.linalg.norm(points[0] - (20, 16)) < 2.5


def test_the_strongest_come_first_and_no_two_are_near():
    image = np.random.default_rng(0).standard_normal((90, 80))
    image[:45] *= 3
    points = corner_points(image, min_distance_px=6, strongest=0.5)
    assert len(points) > 10 and points[0, 0] < 45
    gaps = np.abs(points[:, None] - points[None]).max(axis=2)
    assert gaps[np.triu_indices(len(gaps), 1)].min() > 6
    assert len(corner_points(image, min_distance_px=6, strongest=0.05)) < len(points)


@pytest.mark.parametrize("image", [np.zeros((40, 40)), np.full((40, 40), 7e8), np.tile(np.arange(40.0), (40, 1))])
def test_flat_images_and_ramps_have_none(image):
    assert corner_points(image).shape == (0, 2)


def test_no_points_where_nothing_is_allowed():
    assert corner_points(box(), np.zeros((64, 68), dtype=bool)).shape == (0, 2)
