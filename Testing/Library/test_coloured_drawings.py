"""Coloured lines and letters on a grey image are unknown pixels; images in colour are read as before."""

import io

import numpy as np
import pytest
from drawn_eyes import drawn_eye
from PIL import Image as Picture
from PIL import ImageDraw

import MetaRegistrationLib as mr  # noqa: N813
from MetaRegistrationLib.commands import main
from MetaRegistrationLib.formats.colour import coloured_drawing, grey_of_colour
from MetaRegistrationLib.formats.images import read_image

SIDE = 200


def grey_eye():
    return np.repeat((255 * drawn_eye(3, SIDE)).clip(0, 255).astype(np.uint8)[..., None], 3, axis=2)


def drawn(colour=(255, 255, 0)):
    """An eye with an arrow and a circle, uint8 (H, W, 3), and the pixels of the drawing."""
    layer = Picture.new("1", (SIDE, SIDE))
    pen = ImageDraw.Draw(layer)
    pen.line((20, 20, 90, 60), fill=1, width=3)
    pen.ellipse((60, 70, 140, 150), outline=1, width=2)
    lines = np.asarray(layer)
    return np.where(lines[..., None], np.uint8(colour), grey_eye()), lines


def as_jpeg(image):
    file = io.BytesIO()
    Picture.fromarray(image).save(file, "JPEG", quality=75)
    return np.asarray(Picture.open(file))


@pytest.mark.parametrize("colour", [(255, 255, 0), (0, 255, 0), (255, 40, 40), (90, 160, 255)])
def test_lines_of_any_colour_are_unknown(colour):
    image, lines = drawn(colour)
    grey = grey_of_colour(image)
    assert np.isnan(grey[lines]).all() and np.isnan(grey).sum() < 3 * lines.sum()
    known = np.isfinite(grey)
    assert np.allclose(grey[known], grey_eye()[..., 0][known], atol=1e-3)


def test_jpeg_spreads_colour():
    image, lines = drawn()
    assert coloured_drawing(as_jpeg(image))[lines].mean() > 0.95


@pytest.mark.parametrize(
    "coloured",
    [
        pytest.param(lambda image: image * np.array((1, 0.5, 0.2)), id="all over"),
        pytest.param(lambda image: image * np.where(np.indices(image.shape)[1] < 60, (1, 0, 0), 1), id="a part"),
        pytest.param(lambda image: np.where(image > 150, np.array((0, 255, 0)), 0), id="cells on black"),
        pytest.param(lambda image: np.where(image > np.percentile(image, 85), (255, 0, 0), image), id="vessels in red"),
        pytest.param(lambda image: image, id="nothing"),
    ],
)  # fmt: skip
def test_other_colours_are_no_drawing(coloured):
    image = np.asarray(coloured(grey_eye())).astype(np.uint8)
    assert not coloured_drawing(image).any()
    assert np.isfinite(grey_of_colour(image)).all()


def test_a_file_says_how_many_pixels_are_unknown(tmp_path):
    image, _ = drawn()
    Picture.fromarray(image).save(tmp_path / "scan.png")
    read = read_image(tmp_path / "scan.png")
    assert read.notes == (
        f"{tmp_path / 'scan.png'}: {np.isnan(read.array).sum()} pixels of a coloured drawing are taken as unknown",
    )
    assert not np.isfinite(
        mr.register(image, grey_eye(), stages=mr.Stages(initial="none", network=False, refine=0)).warped()
    ).all()


def test_one_unknown_pixel_hides_no_drawing():
    image, lines = drawn()
    spoilt = image.astype(np.float32)
    spoilt[5, 5] = np.nan
    assert np.isnan(grey_of_colour(spoilt)[lines]).all()


def test_eyes_to_simulate_from_may_have_drawings(tmp_path):
    image, _ = drawn()
    Picture.fromarray(image).save(tmp_path / "scan.png")
    assert main(["simulate", "--images", str(tmp_path), "--output", str(tmp_path / "pairs")]) == 0
    assert np.isfinite(read_image(tmp_path / "scan.png", keep_drawings=True).array).all()
