"""Marks burnt into both images at the same place neither hold a pair nor are seen where there are none."""

import numpy as np
import pytest
from drawn_eyes import drawn_eye
from scipy import ndimage

from MetaRegistrationLib.core.burnt_marks import burnt_marks, filled
from MetaRegistrationLib.core.geometry import Geometry
from MetaRegistrationLib.formats.images import Image, without_marks
from MetaRegistrationLib.registration.registrar import Registrar
from MetaRegistrationLib.stages import Stages

WIDE = 255 * drawn_eye(4, 440)


def visits(shift=(6, -9), noise=12.0):
    """Two noisy visits of 400 x 400 in 8 bits, saturated as exports are; moving(x + shift) = fixed(x)."""
    rng = np.random.default_rng(1)
    row, column = shift
    found = []
    for top, left in ((20 - row, 20 - column), (20, 20)):
        image = 1.3 * WIDE[top : top + 400, left : left + 400]
        found.append(np.clip(image + rng.normal(0, noise, image.shape), 0, 255).round().astype(np.float32))
    return found


def with_mark(image, kind):
    image = image.copy()
    if kind == "grid":
        image[25::50] = image[:, 25::50] = 255
    elif kind == "bar":
        image[370:374, 30:130] = 255
    return image


@pytest.mark.parametrize("kind", ["grid", "bar"])
def test_marks_are_found_where_they_are(kind):
    plain = visits()
    marked = [with_mark(image, kind) for image in plain]
    drawn = with_mark(np.zeros_like(plain[0]), kind) > 0
    found = burnt_marks(*marked)
    assert found[drawn].mean() > 0.8
    assert (found & ~ndimage.binary_dilation(drawn, iterations=2)).sum() < 30
    for image, original in zip(marked, plain, strict=True):
        error = np.abs(filled(image, found) - original)[drawn]
        assert error.mean() < 0.6 * np.abs(image - original)[drawn].mean()
        assert np.array_equal(
            filled(image, found)[~ndimage.binary_dilation(found, np.ones((3, 3)))],
            image[~ndimage.binary_dilation(found, np.ones((3, 3)))],
        )


@pytest.mark.parametrize("shift", [(6, -9), (1, 0), (0, 0)])
def test_visits_without_marks_have_none(shift):
    assert not burnt_marks(*visits(shift)).any()


def test_images_of_two_sizes_or_one_image_twice_have_none():
    first, second = visits()
    assert not burnt_marks(first[:300], second).any() and not burnt_marks(first, first).any()


def test_a_grid_does_not_hold_a_pair_in_place():
    images = [Image(with_mark(image, "grid"), Geometry(image.shape)) for image in visits((3, -4))]
    found = Registrar(None, "cpu", Stages(initial="affine", network=False, refine=30))(*images)
    assert found.burnt_in_px > 4000 and found.record()["burnt_in_px"] == found.burnt_in_px
    inner = found.displacement_px[:, 40:-40, 40:-40]
    assert np.abs(inner - np.reshape((3, -4), (2, 1, 1))).mean() < 0.5
    everywhere = np.ones((400, 400), dtype=bool)
    assert without_marks(*images, everywhere, everywhere)[2] == found.burnt_in_px
    assert np.array_equal(found.moving.array, images[0].array), "what is warped is the image as it was read"
