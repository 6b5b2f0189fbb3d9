"""Stacks whose planes share one directory of a TIFF, as ImageJ and tifffile write them."""

import numpy as np
import pytest
from PIL import Image as Pillow

from MetaRegistrationLib.errors import InputError
from MetaRegistrationLib.formats.headers import read_header
from MetaRegistrationLib.formats.images import read_image, read_pixels, read_volume

tifffile = pytest.importorskip("tifffile", reason="tifffile writes these files")

STACK = np.random.default_rng(3).integers(0, 60000, (6, 37, 53)).astype(np.uint16)
GREY = {"photometric": "minisblack"}
WRITERS = {
    "ImageJ": {"imagej": True},
    "tifffile": GREY,
    "strips": {**GREY, "rowsperstrip": 8},
    "big endian": {**GREY, "byteorder": ">"},
    "large file": {**GREY, "bigtiff": True},
}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a.tif"


@pytest.mark.parametrize("options", WRITERS.values(), ids=WRITERS)
def test_each_plane_is_a_slice(path, options):
    tifffile.imwrite(path, STACK, truncate=True, **options)
    assert len(tifffile.TiffFile(path).pages) == 1
    for number, plane in enumerate(STACK):
        np.testing.assert_array_equal(read_image(path, slice_index=number).array, plane)
    np.testing.assert_array_equal(read_volume(path).array, STACK)
    assert read_header(path, slice_index=2).geometry.size == (37, 53)
    with pytest.raises(InputError, match=r"a\.tif: .* stack of 6 slices"):
        read_image(path)
    with pytest.raises(InputError, match=r"a\.tif: there is no slice 6"):
        read_image(path, slice_index=6)


def test_planes_keep_kind_and_pixel_size(path):
    pixels = (STACK / 7).astype(np.float32)
    tifffile.imwrite(path, pixels, truncate=True, imagej=True, resolution=(100, 50), metadata={"unit": "mm"})
    image = read_image(path, slice_index=5)
    np.testing.assert_array_equal(image.array, pixels[5])
    assert image.geometry.spacing == (0.02, 0.01)


def test_white_may_be_zero_in_planes(path):
    tifffile.imwrite(path, STACK, truncate=True, photometric="miniswhite")
    np.testing.assert_array_equal(read_image(path, slice_index=4).array, 65535 - STACK[4])


@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_planes_in_colour(path, planar):
    colours = np.random.default_rng(3).integers(0, 256, (4, 37, 53, 3)).astype(np.uint8)
    stored = colours if planar == "contig" else np.moveaxis(colours, -1, 1)
    tifffile.imwrite(path, stored, truncate=True, photometric="rgb", planarconfig=planar)
    np.testing.assert_array_equal(read_pixels(path, slice_index=2)[0], colours[2])


def test_a_stack_of_which_planes_are_missing_is_refused(path):
    tifffile.imwrite(path, STACK, truncate=True, imagej=True)
    path.write_bytes(path.read_bytes()[: -2 * STACK[0].nbytes])
    with pytest.raises(InputError, match=r"a\.tif: .*states 6 images and holds 4"):
        read_image(path, slice_index=0)


@pytest.mark.parametrize("compression", [None, "tiff_deflate"])
@pytest.mark.parametrize("text", ["ImageJ=1.54\nimages=6\n", '{"shape": [6, 37, 53]}'])
def test_one_image_of_a_former_stack_is_noted(path, text, compression):
    Pillow.fromarray(STACK[0]).save(path, description=text, compression=compression)
    image = read_image(path, slice_index=4)
    np.testing.assert_array_equal(image.array, STACK[0])
    assert any("a.tif: its description states 6 images" in note for note in image.notes)


@pytest.mark.parametrize("text", ["ImageJ=1.54\nimages=1\n", '{"shape": [37, 53]}', '{"shape": [5, 7]}', "images=6"])
def test_other_descriptions_say_nothing(path, text):
    Pillow.fromarray(STACK[0]).save(path, description=text)
    image = read_image(path)
    np.testing.assert_array_equal(image.array, STACK[0])
    assert not image.notes


def test_a_page_for_each_plane_stays_a_stack(path):
    tifffile.imwrite(path, STACK, imagej=True)
    np.testing.assert_array_equal(read_image(path, slice_index=3).array, STACK[3])


@pytest.mark.parametrize("photometric", ["miniswhite", "minisblack"])
@pytest.mark.parametrize("count", [1, 2])
def test_pages_of_single_bits(path, photometric, count):
    mask = STACK[:count] > 30000
    with tifffile.TiffWriter(path) as writer:
        for page in mask:
            writer.write(page, photometric=photometric, contiguous=False, software="another")
    expected = mask[-1] if photometric == "minisblack" else ~mask[-1]
    np.testing.assert_array_equal(read_image(path, slice_index=count - 1).array, expected * 255)


def test_truth_values_of_tifffile_are_refused_by_name(path):
    tifffile.imwrite(path, STACK[0] > 30000)
    with pytest.raises(InputError, match=r"a\.tif: tifffile marks truth values as white-is-zero"):
        read_image(path)
    tifffile.imwrite(path, STACK[0] > 30000, photometric="minisblack")
    np.testing.assert_array_equal(read_image(path).array, (STACK[0] > 30000) * 255)
