"""A MetaImage whose pixels are missing or cannot be unpacked is refused: ITK leaves the memory of such pixels as it was."""

import gzip
import zlib

import numpy as np
import pytest

from MetaRegistrationLib.errors import InputError
from MetaRegistrationLib.formats.images import read_image

PIXELS = np.random.default_rng(4).integers(0, 4000, (40, 56)).astype(np.uint16)
PACKED = zlib.compress(PIXELS.tobytes())
HEADER = "ObjectType = Image\nNDims = 2\nBinaryData = True\nBinaryDataByteOrderMSB = False\nDimSize = 56 40\n"


def _written(folder, data, *, size=None, where="LOCAL", more="CompressedData = True\n", kind="MET_USHORT"):
    """A MetaImage of `data`, which are beside the header unless `where` is LOCAL."""
    stated = "" if size is None else f"CompressedDataSize = {size}\n"
    text = f"{HEADER}{more}{stated}ElementType = {kind}\nElementDataFile = {where}\n".encode()
    path = folder / "a.mha"
    path.write_bytes(text + data if where == "LOCAL" else text)
    if where != "LOCAL":
        (folder / where).write_bytes(data)
    return path


def _flipped(data, place):
    return data[:place] + bytes([data[place] ^ 255]) + data[place + 1 :]


@pytest.mark.parametrize("where", ["LOCAL", "ä.zraw"])
@pytest.mark.parametrize("data", [PACKED, gzip.compress(PIXELS.tobytes())], ids=["zlib", "gzip"])
def test_whole_packed_pixels_are_read(tmp_path, data, where):
    path = _written(tmp_path, data, size=len(data), where=where)
    np.testing.assert_array_equal(read_image(path).array, PIXELS)


def test_pixels_beside_the_header_need_no_stated_size(tmp_path):
    np.testing.assert_array_equal(read_image(_written(tmp_path, PACKED, where="a.zraw")).array, PIXELS)


@pytest.mark.parametrize("where", ["LOCAL", "a.zraw"])
@pytest.mark.parametrize(
    ("data", "size"),
    [
        (_flipped(PACKED, 500), len(PACKED)),
        (_flipped(PACKED, len(PACKED) - 1), len(PACKED)),
        (PACKED[:-300], len(PACKED)),
        (PACKED, len(PACKED) - 200),
        (PACKED, 10**12),
        (zlib.compress(PIXELS.tobytes()[:-2]), None),
        (zlib.compress(PIXELS.tobytes() + b"12"), None),
        (b"", 0),
    ],
    ids=[
        "changed",
        "check sum",
        "cut off",
        "too small a size",
        "too large a size",
        "too few pixels",
        "too many pixels",
        "nothing",
    ],
)
def test_pixels_that_cannot_be_unpacked_are_refused(tmp_path, data, size, where):
    path = _written(tmp_path, data, size=len(data) if size is None else size, where=where)
    with pytest.raises(InputError, match=r"a\.mha: (the image file is damaged|its header has no CompressedDataSize)"):
        read_image(path)


def test_packed_pixels_behind_the_header_need_their_size(tmp_path):
    with pytest.raises(InputError, match=r"a\.mha: its header has no CompressedDataSize"):
        read_image(_written(tmp_path, PACKED))


@pytest.mark.parametrize("more", ["BinaryData = False\n", "HeaderSize = -1\n", "HeaderSize = 60\n"])
def test_packed_pixels_that_itk_looks_for_elsewhere_are_refused(tmp_path, more):
    path = _written(tmp_path, PACKED, size=len(PACKED), more=f"CompressedData = True\n{more}")
    with pytest.raises(InputError, match=r"a\.mha: the image file is damaged"):
        read_image(path)


@pytest.mark.parametrize("where", ["LOCAL", "a.raw"])
def test_missing_plain_pixels_are_refused(tmp_path, where):
    path = _written(tmp_path, PIXELS.tobytes()[:-2], more="", where=where)
    with pytest.raises(InputError, match=r"a\.mha: the image file is damaged"):
        read_image(path)


def test_a_long_number_has_four_bytes(tmp_path):
    pixels = PIXELS.astype(np.int32) * 7
    path = _written(tmp_path, pixels.tobytes(), more="", kind="MET_LONG")
    np.testing.assert_array_equal(read_image(path).array, pixels)


@pytest.mark.parametrize("where", ["LIST", "LIST 2D", "s%03d.raw 0 2 1"])
def test_pixels_in_several_files_are_refused_by_name(tmp_path, where):
    path = tmp_path / "a.mhd"
    path.write_text(f"{HEADER}ElementType = MET_USHORT\nElementDataFile = {where}\ns000.raw\ns001.raw\n")
    with pytest.raises(InputError, match=rf"a\.mhd: its pixels are in several files \({where}\)"):
        read_image(path)


@pytest.mark.parametrize("size", ["-56 40", "0 40"])
def test_sizes_that_are_none_are_refused(tmp_path, size):
    path = _written(tmp_path, PIXELS.tobytes(), more="")
    path.write_bytes(path.read_bytes().replace(b"56 40", size.encode()))
    with pytest.raises(InputError, match=r"a\.mha: the header of the MetaImage file is damaged"):
        read_image(path)
