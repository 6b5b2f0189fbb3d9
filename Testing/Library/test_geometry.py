"""Pixels and millimetres, beside SimpleITK."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813

from MetaRegistrationLib.core.geometry import Geometry
from MetaRegistrationLib.core.preprocessing import grid_extents, stretched_grid

TILT = np.radians(25)
GEOMETRIES = {
    "plain": Geometry((20, 30)),
    "spaced": Geometry((20, 30), (0.02, 0.01), (4.0, -5.0, 6.0)),
    "oblique": Geometry(
        (20, 30), (0.5, 2.0), (-10.0, 20.0, 30.0), ((0.0, 0.6, 0.8), (1.0, 0.0, 0.0), (0.0, 0.8, -0.6)), 3.0
    ),
    "tilted": Geometry(
        (40, 25),
        (1.5, 0.25),
        (1.0, 2.0, 3.0),
        (
            (1.0, 0.0, 0.0),
            (0.0, float(np.cos(TILT)), float(-np.sin(TILT))),
            (0.0, float(np.sin(TILT)), float(np.cos(TILT))),
        ),
    ),
    "coronal": Geometry((10, 12), (0.7, 0.9), (5.0, 6.0, 7.0), ((1.0, 0.0, 0.0), (0.0, 0.0, 1.0), (0.0, -1.0, 0.0))),
    "mirrored": Geometry((10, 12), (0.7, 0.9), (5.0, 6.0, 7.0), ((-1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))),
}
POINTS = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [-3.5, 7.25], [100.0, -20.0]])


def itk_image(geometry):
    image = sitk.Image(geometry.size[1], geometry.size[0], 1, sitk.sitkUInt8)
    image.SetSpacing((geometry.spacing[1], geometry.spacing[0], geometry.slice_spacing))
    image.SetOrigin(geometry.origin)
    image.SetDirection(np.ravel(geometry.direction).tolist())
    return image


@pytest.mark.parametrize("name", GEOMETRIES)
def test_pixels_lie_where_itk_puts_them(name):
    image = itk_image(GEOMETRIES[name])
    expected = [image.TransformContinuousIndexToPhysicalPoint((column, row, 0.0)) for row, column in POINTS.tolist()]
    np.testing.assert_allclose(GEOMETRIES[name].to_physical(POINTS), expected, atol=1e-9)


@pytest.mark.parametrize("name", GEOMETRIES)
def test_points_return(name):
    geometry = GEOMETRIES[name]
    np.testing.assert_allclose(geometry.to_pixels(geometry.to_physical(POINTS)), POINTS, atol=1e-9)


@pytest.mark.parametrize("name", GEOMETRIES)
def test_points_beside_the_plane_are_projected(name):
    geometry = GEOMETRIES[name]
    normal = np.asarray(geometry.direction)[:, 2]
    np.testing.assert_allclose(geometry.to_pixels(geometry.to_physical(POINTS) + 4.2 * normal), POINTS, atol=1e-9)


@pytest.mark.parametrize("shape", [(2,), (0, 2), (5, 2), (3, 4, 2)])
def test_any_number_of_points(shape):
    geometry = GEOMETRIES["oblique"]
    points = np.random.default_rng(1).uniform(-50, 50, shape)
    positions = geometry.to_physical(points)
    assert positions.shape == (*shape[:-1], 3)
    np.testing.assert_allclose(geometry.to_pixels(positions), points, atol=1e-9)


def test_steps_by_hand():
    """Rows lie 0.02 mm apart along y, columns 0.01 mm apart along x."""
    physical = GEOMETRIES["spaced"].to_physical([(0, 0), (1, 0), (0, 1)])
    np.testing.assert_allclose(physical, [(4, -5, 6), (4, -4.98, 6), (4.01, -5, 6)])


def test_an_array_has_no_place():
    plain = Geometry((20, 30))
    assert plain.origin == (0.0, 0.0, 0.0) and plain.unplaced
    for changed in (
        {"spacing": (1.0, 0.5)},
        {"origin": (0.0, 0.0, 2.0)},
        {"direction": GEOMETRIES["coronal"].direction},
    ):
        assert not Geometry((20, 30), **changed).unplaced
    assert not any(GEOMETRIES[name].unplaced for name in GEOMETRIES if name != "plain")


@pytest.mark.parametrize(
    ("changed", "same"),
    [
        ({}, True),
        ({"origin": (10.0, 20.0, 30.04)}, True),  # less than a tenth of the narrower side of a pixel, 0.5 mm
        ({"origin": (10.0, 20.0, 30.06)}, False),
        ({"spacing": (0.501, 2.0)}, True),  # 19 rows further, 0.019 mm
        ({"spacing": (0.504, 2.0)}, False),
        ({"spacing": (0.5, 2.002)}, False),
        ({"size": (20, 31)}, False),
        ({"direction": GEOMETRIES["coronal"].direction}, False),
    ],
)
def test_geometries_are_the_same_to_a_tenth_of_a_pixel(changed, same):
    one = Geometry((20, 30), (0.5, 2.0), (10.0, 20.0, 30.0), GEOMETRIES["oblique"].direction)
    assert one.same_place(replace(one, **changed)) is same and replace(one, **changed).same_place(one) is same


def test_what_a_network_grid_shows_is_in_millimetres_or_in_pixels():
    grid = stretched_grid((100, 200), 400)
    known, unknown = (
        Geometry((100, 200), (0.02, 0.01), spacing_known=True),
        Geometry((100, 200), (3.0, 3.0), spacing_known=False),
    )
    for pair, shown in (
        ((known, known), (2.0, 2.0)),
        ((unknown, unknown), (100.0, 200.0)),
        ((known, unknown), (100.0, 200.0)),
        ((unknown, known), (100.0, 200.0)),
    ):
        for extent in grid_extents((grid, grid), *pair):
            assert extent == pytest.approx(shown)


@pytest.mark.parametrize("name", GEOMETRIES)
def test_depths_are_the_slice_indices_of_itk(name):
    geometry = GEOMETRIES[name]
    image = itk_image(geometry)
    depths = [0.0, 1.0, -2.5]
    positions = [image.TransformContinuousIndexToPhysicalPoint((3.0, 4.0, depth)) for depth in depths]
    np.testing.assert_allclose(geometry.depths(positions), depths, atol=1e-9)
