"""Circles that a device drew into an image are found where they are, and neither hold a pair nor make two eyes alike."""

import numpy as np
import pytest
from drawn_eyes import drawn_eye
from PIL import Image as Picture
from PIL import ImageDraw
from scipy import ndimage

from MetaRegistrationLib.core.drawn_circles import drawn_circles
from MetaRegistrationLib.core.geometry import Geometry
from MetaRegistrationLib.formats.images import Image
from MetaRegistrationLib.registration.registrar import Registrar
from MetaRegistrationLib.stages import Stages
from MetaRegistrationLib.visits import Visit, align_series
from MetaRegistrationLib.visits.no_signal import signal
from MetaRegistrationLib.visits.series_measures import grid_of, measure_series

SIDE = 400
ALL = np.ones((SIDE, SIDE), dtype=bool)
PLAIN = Stages(initial="affine", network=False, refine=0)


def visit(eye=4, shift=(0, 0), noise=12.0, seed=1):
    """A noisy visit of an eye in 8 bits, saturated as exports are; visit(shift)(x + shift) = visit()(x)."""
    top, left = 20 - shift[0], 20 - shift[1]
    image = 1.3 * 255 * drawn_eye(eye, SIDE + 40)[top : top + SIDE, left : left + SIDE]
    noisy = image + np.random.default_rng(seed).normal(0, noise, image.shape)
    return np.clip(noisy, 0, 255).round().astype(np.float32)


def grid_of_lines(centre=(200, 200), width=3, radii=(33, 100, 190), spokes=True):
    """The pixels of a grid as of the ETDRS, bool; `centre` is (row, column)."""
    picture = Picture.new("1", (SIDE, SIDE))
    pen = ImageDraw.Draw(picture)
    row, column = centre
    for radius in radii:
        pen.ellipse([column - radius, row - radius, column + radius, row + radius], outline=1, width=width)
    for angle in np.pi / 4 + np.pi / 2 * np.arange(4) if spokes else ():
        ends = [(column + np.cos(angle) * radius, row + np.sin(angle) * radius) for radius in (radii[0], radii[-1])]
        pen.line(ends, fill=1, width=width)
    return np.asarray(picture)


def with_grid(image, lines, value=255):
    return np.where(lines, np.float32(value), image)


@pytest.mark.parametrize("settings", [{}, {"width": 1}, {"width": 2, "centre": (170, 222)}, {"spokes": False}])
@pytest.mark.parametrize("value", [255, 150])
def test_circles_and_spokes_are_found_where_they_are(settings, value):
    lines = grid_of_lines(**settings)
    found = drawn_circles(with_grid(visit(), lines, value), ALL)
    assert found[lines].mean() > 0.75
    assert (found & ~ndimage.binary_dilation(lines, iterations=3)).sum() < 100


@pytest.mark.parametrize("eye", range(2))
def test_an_eye_has_none(eye):
    assert not drawn_circles(visit(eye), ALL).any()


def test_a_large_image_is_searched_too():
    large = np.kron(with_grid(visit(), grid_of_lines(width=2)), np.ones((4, 4), np.float32))
    lines = np.kron(grid_of_lines(width=2), np.ones((4, 4))) > 0
    assert drawn_circles(large, np.ones(large.shape, bool))[lines].mean() > 0.75


@pytest.mark.parametrize("array", [np.zeros((SIDE, SIDE)), np.full((SIDE, SIDE), np.nan)])
def test_an_image_without_content_has_none(array):
    assert not drawn_circles(array, ALL).any()


def test_a_grid_at_the_same_place_does_not_hold_a_pair():
    lines = grid_of_lines()
    visits = visit(shift=(12, -17)), visit(seed=2)
    moving, fixed = (Image(with_grid(array, lines), Geometry(array.shape)) for array in visits)
    found = Registrar(None, "cpu", PLAIN)(moving, fixed)
    inner = found.displacement_px[:, 60:-60, 60:-60]
    assert np.abs(inner - np.reshape((12, -17), (2, 1, 1))).mean() < 0.5
    assert found.burnt_in_px >= 2 * 0.75 * lines.sum()
    assert np.array_equal(found.moving.array, moving.array), "what is warped is the image as it was read"


@pytest.mark.long
def test_two_eyes_with_one_grid_are_not_aligned_by_it():
    moving = with_grid(visit(4), grid_of_lines((206, 191)))
    fixed = with_grid(visit(9, seed=2), grid_of_lines())
    images = [Image(array, Geometry(array.shape)) for array in (moving, fixed)]
    assert not Registrar(None, "cpu", PLAIN)(*images).confident


def test_measures_leave_out_the_lines_of_a_grid():
    plain, lines = visit(), grid_of_lines()
    values, known = signal(Image(with_grid(plain, lines), Geometry(plain.shape)))
    assert known[lines].mean() < 0.1 and known.mean() > 0.85
    assert np.array_equal(values[known], plain[known])


def test_the_measures_of_visits_name_those_with_a_grid():
    images = {"plain": visit(), "with grid": with_grid(visit(seed=2), grid_of_lines())}
    visits = [Visit(name, Image(array, Geometry(array.shape))) for name, array in images.items()]
    series = align_series(visits, Registrar(None, "cpu", PLAIN))
    remark, *_ = measure_series(series, grid_of(series)).remarks
    assert "A grid is drawn into the image of with grid." in remark
