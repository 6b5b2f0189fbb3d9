"""What every reader of images keeps to, whichever format it reads; each gets files that another library wrote."""

from __future__ import annotations

import locale
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import nibabel
import numpy as np
import PIL.Image
import pytest
import SimpleITK as sitk  # noqa: N813
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage, generate_uid

from MetaRegistrationLib.errors import InputError
from MetaRegistrationLib.formats.headers import read_header
from MetaRegistrationLib.formats.image_files import is_image_file, reader_by_name, reader_of
from MetaRegistrationLib.formats.images import read_image
from MetaRegistrationLib.formats.registry import image_suffixes, readers, volume_suffixes

GREY8 = np.random.default_rng(5).integers(0, 256, (40, 56), dtype=np.uint8)
GREY16 = np.random.default_rng(6).integers(0, 65536, (40, 56), dtype=np.uint16)
FLAT_BLOCKS = np.kron(GREY8[:5, :7], np.ones((8, 8), np.uint8))  # JPEG of the best quality keeps them
SIZE = (0.009, 0.012)
"""Pixel size (row, column), mm, of files that state one."""


def _pillow(path: Path, pixels: np.ndarray, size, **options) -> None:
    PIL.Image.fromarray(pixels).save(path, dpi=(300, 300), **options)


def _imagej(path: Path, pixels: np.ndarray, size) -> None:
    noted = {} if size is None else {"description": "ImageJ=1.54\nunit=mm\n"}
    steps = size or (1, 1)
    PIL.Image.fromarray(pixels).save(path, x_resolution=1 / steps[1], y_resolution=1 / steps[0], **noted)


def _tifffile(path: Path, pixels: np.ndarray, size) -> None:
    tifffile = pytest.importorskip("tifffile", reason="tifffile writes this file")
    noted = (
        {} if size is None else {"imagej": True, "metadata": {"unit": "mm"}, "resolution": (1 / size[1], 1 / size[0])}
    )
    tifffile.imwrite(path, pixels, **(noted or {"metadata": None, "photometric": "minisblack"}))


def _itk(path: Path, pixels: np.ndarray, size) -> None:
    image = sitk.GetImageFromArray(pixels)
    if size is not None:
        image.SetSpacing(size[::-1])
    sitk.WriteImage(image, str(path))


def _nibabel(path: Path, pixels: np.ndarray, size) -> None:
    steps = (1, 1) if size is None else size[::-1]
    nibabel.save(nibabel.Nifti1Image(pixels.T[..., None], np.diag([*steps, 1, 1])), path)


def _pydicom(path: Path, pixels: np.ndarray, size) -> None:
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID = SecondaryCaptureImageStorage
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID = generate_uid()
    data.Rows, data.Columns, data.SamplesPerPixel = *pixels.shape, 1
    data.PhotometricInterpretation, data.PixelRepresentation = "MONOCHROME2", 0
    data.BitsAllocated = data.BitsStored = pixels.dtype.itemsize * 8
    data.HighBit, data.PixelData = data.BitsStored - 1, pixels.tobytes()
    if size is not None:
        data.PixelSpacing = list(size)
    data.save_as(path, enforce_file_format=True)


@dataclass(frozen=True)
class Sample:
    """Files of a format as one library writes them, with a pixel size where `states_size`."""

    reader: str
    suffix: str
    write: Callable[[Path, np.ndarray, tuple[float, float] | None], None]
    pixels: np.ndarray
    states_size: bool = False

    def made(self, folder: Path, *, with_size: bool = False) -> Path:
        """A file of it, whose name has a space and an accent."""
        path = folder / f"Müller 1{self.suffix}"
        self.write(path, self.pixels, SIZE if with_size else None)
        return path


def _best_jpeg(path, pixels, size):
    _pillow(path, pixels, size, quality=100)


SAMPLES = {
    "png": Sample("PNG", ".png", _pillow, GREY8),
    "png of 16 bits": Sample("PNG", ".png", _pillow, GREY16),
    "tiff": Sample("TIFF", ".tif", _imagej, GREY8, True),
    "tiff of 16 bits": Sample("TIFF", ".tiff", _imagej, GREY16, True),
    "tiff of tifffile": Sample("TIFF", ".tif", _tifffile, GREY16, True),
    "bmp": Sample("BMP", ".bmp", _pillow, GREY8),
    "jpg": Sample("JPEG", ".jpg", _best_jpeg, FLAT_BLOCKS),
    "jpeg": Sample("JPEG", ".jpeg", _best_jpeg, FLAT_BLOCKS),
    "nrrd": Sample("NRRD", ".nrrd", _itk, GREY16, True),
    "nhdr": Sample("NRRD", ".nhdr", _itk, GREY8, True),
    "mha": Sample("MetaImage", ".mha", _itk, GREY16, True),
    "mhd": Sample("MetaImage", ".mhd", _itk, GREY8, True),
    "nii": Sample("NIfTI", ".nii", _nibabel, GREY16, True),
    "nii.gz": Sample("NIfTI", ".nii.gz", _nibabel, GREY8, True),
    "dcm": Sample("DICOM", ".dcm", _pydicom, GREY16, True),
    "dicom": Sample("DICOM", ".dicom", _pydicom, GREY8, True),
    "ima": Sample("DICOM", ".ima", _pydicom, GREY8, True),
}
"""At least one of each suffix that a reader declares: a new format brings its own."""


@pytest.fixture(params=SAMPLES)
def sample(request) -> Sample:
    return SAMPLES[request.param]


def _same(one, other) -> bool:
    return np.array_equal(one.array, other.array) and (one.geometry, one.orientation) == (
        other.geometry,
        other.orientation,
    )


class TestReader:
    """The contract."""

    @pytest.mark.parametrize("reader", readers(), ids=lambda reader: reader.name)
    def test_it_declares_itself(self, reader):
        assert reader.name and reader.__doc__
        assert reader.suffixes and all(s.startswith(".") and s == s.lower() for s in reader.suffixes)
        assert set(reader.suffixes) == {each.suffix for each in SAMPLES.values() if each.reader == reader.name}
        assert not (reader.raster and reader.volumes)

    def test_it_is_chosen_for_its_files(self, tmp_path, sample):
        path = sample.made(tmp_path)
        assert is_image_file(path) and reader_by_name(path) is reader_of(path)
        assert reader_of(path).name == sample.reader

    def test_the_header_says_what_the_whole_file_says(self, tmp_path, sample):
        image = read_image(sample.made(tmp_path))
        header = read_header(image.path)
        assert (header.geometry, header.orientation, header.path) == (image.geometry, 1, image.path)

    def test_numbers_are_those_of_the_file(self, tmp_path, sample):
        image = read_image(sample.made(tmp_path))
        np.testing.assert_array_equal(image.array, sample.pixels)
        assert image.orientation == 1 and not image.notes

    def test_a_size_is_known_where_the_file_states_one(self, tmp_path, sample):
        plain = read_image(sample.made(tmp_path)).geometry
        assert (plain.spacing_known, plain.spacing) == (False, (1.0, 1.0))
        stated = read_image(sample.made(tmp_path, with_size=True)).geometry
        assert stated.spacing_known == sample.states_size
        np.testing.assert_allclose(stated.spacing, SIZE if sample.states_size else (1, 1), rtol=1e-5)

    def test_reading_twice_is_reading_the_same(self, tmp_path, sample):
        path = sample.made(tmp_path)
        before = path.read_bytes()
        assert _same(read_image(path), read_image(path))
        assert path.read_bytes() == before

    def test_damaged_files_are_refused_by_name(self, tmp_path, sample):
        path = sample.made(tmp_path)
        # A header file keeps its pixels beside it.
        pixels = next((file for file in tmp_path.iterdir() if file != path), path)
        whole = pixels.read_bytes()
        damages = [(pixels, whole[: len(whole) // 2]), (pixels, whole[:40]), (pixels, b""), (path, b"")]
        damages += [(path, b"This is a text that somebody renamed." * 9), (path, bytes(4000))]
        for file, data in damages:
            file.write_bytes(data)
            with pytest.raises(InputError, match=rf"Müller 1\{sample.suffix}"):
                read_image(path)

    def test_what_is_no_file_is_refused_by_name(self, tmp_path, sample):
        path = tmp_path / f"a{sample.suffix}"
        with pytest.raises(InputError, match=rf"a\{sample.suffix}: no such file"):
            read_image(path)
        path.mkdir()
        with pytest.raises(InputError, match=rf"a\{sample.suffix} is a folder"):
            read_image(path)

    def test_no_setting_of_a_library_changes(self, tmp_path, sample):
        path = sample.made(tmp_path, with_size=True)
        before = _settings()
        read_image(path)
        assert _settings() == before
        path.write_bytes(path.read_bytes()[:60])
        with pytest.raises(InputError):
            read_image(path)
        assert _settings() == before


def _settings() -> tuple:
    """What readers could change for the whole program."""
    return (
        PIL.Image.MAX_IMAGE_PIXELS,
        sitk.ProcessObject.GetGlobalWarningDisplay(),
        locale.setlocale(locale.LC_ALL),
        list(warnings.filters),
    )


# --- the registry ---

PGM = '''
"""Portable grey maps of 8 bits."""

from pathlib import Path

import numpy as np
import SimpleITK as sitk

from MetaRegistrationLib.errors import InputError
from MetaRegistrationLib.formats.registry import FileImage, Reader, register


@register
class Pgm(Reader):
    name, suffixes, raster = "PGM", (".pgm",), True

    def read(self, path: Path) -> FileImage:
        mark, columns, rows, _, pixels = path.read_bytes().split(maxsplit=4)
        if mark != b"P5":
            raise InputError(f"{path}: this is no PGM.")
        return FileImage(sitk.GetImageFromArray(np.frombuffer(pixels, np.uint8).reshape(int(rows), int(columns))))
'''


@pytest.fixture
def one_file_more(tmp_path, monkeypatch):
    """One file beside the readers."""
    from MetaRegistrationLib.formats import readers as package
    from MetaRegistrationLib.formats import registry

    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "pgm.py").write_text(PGM, encoding="utf-8")
    monkeypatch.setattr(registry, "_READERS", dict(registry._READERS))
    monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path / "more")])
    registry._discover.cache_clear()
    yield
    sys.modules.pop(f"{package.__name__}.pgm", None)
    monkeypatch.undo()
    registry._discover.cache_clear()


def test_a_new_format_is_one_file(tmp_path, one_file_more):
    from MetaRegistrationLib.pairs.folders import find_pairs
    from MetaRegistrationLib.tasks.file_lists import listed
    from MetaRegistrationLib.visits.sources import eyes_of_folder

    pairs = tmp_path / "pairs"
    pairs.mkdir()
    for name, pixels in (("1_moving.pgm", GREY8), ("1_fixed.pgm", GREY8[::-1])):
        (pairs / name).write_bytes(b"P5 56 40 255\n" + pixels.tobytes())
    np.testing.assert_array_equal(read_image(pairs / "1_moving.pgm").array, GREY8)
    assert not read_image(pairs / "1_moving.pgm").geometry.spacing_known
    (pair,) = find_pairs(pairs).pairs
    np.testing.assert_array_equal(pair.load().fixed.array, GREY8[::-1])
    assert len(listed(pairs, image_suffixes(), "task")) == 2
    assert len(eyes_of_folder(pairs).eyes["pairs"].visits) == 2
    (pairs / "2.pgm").write_bytes(b"P9 56 40 255\n")
    with pytest.raises(InputError, match=r"2\.pgm"):
        read_image(pairs / "2.pgm")


@pytest.mark.parametrize("step", ["is_whole", "declared_size", "header", "read"])
def test_any_error_of_a_reader_costs_its_file_alone(tmp_path, monkeypatch, step):
    from MetaRegistrationLib.formats.readers.png import Png

    def fails(self, path):
        raise TypeError("no such dtype")

    PIL.Image.fromarray(GREY8).save(tmp_path / "a.png")
    monkeypatch.setattr(Png, step, fails)
    if step in ("is_whole", "read"):
        with pytest.raises(InputError, match=r"a\.png: the image"):
            read_image(tmp_path / "a.png")
    else:
        assert read_header(tmp_path / "a.png").geometry.size == GREY8.shape
        np.testing.assert_array_equal(read_image(tmp_path / "a.png").array, GREY8)


def test_suffixes_of_the_formats():
    assert image_suffixes() == (
        *(".png", ".tif", ".tiff", ".bmp", ".jpg", ".jpeg"),
        *(".nrrd", ".nhdr", ".mha", ".mhd", ".nii", ".nii.gz", ".dcm", ".dicom", ".ima"),
    )
    assert volume_suffixes() == (".nrrd", ".nhdr", ".mha", ".mhd", ".nii", ".nii.gz")


def test_a_suffix_has_one_reader():
    from MetaRegistrationLib.formats.registry import Reader, register

    for name, suffixes in (("PNG", (".p",)), ("New", (".png",))):
        with pytest.raises(ValueError, match="Second: the reader Png"):
            register(type("Second", (Reader,), {"name": name, "suffixes": suffixes}))


# --- libraries that are not installed ---


@pytest.fixture
def without(monkeypatch):
    """Make a module look as if it were not installed."""
    return lambda module: monkeypatch.setitem(sys.modules, module, None)


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
def test_without_pillow_its_files_are_refused_in_words(tmp_path, without, suffix):
    exif = PIL.Image.Exif()
    exif[274] = 6
    PIL.Image.fromarray(GREY8).save(tmp_path / f"a{suffix}", exif=exif)
    PIL.Image.fromarray(GREY8).save(tmp_path / "plain.png")
    for module in ("PIL.JpegImagePlugin", "PIL.PngImagePlugin"):
        without(module)
    with pytest.raises(InputError, match=rf"a\{suffix}.*Pillow.*not installed.*pip install Pillow"):
        read_image(tmp_path / f"a{suffix}")
    np.testing.assert_array_equal(read_image(tmp_path / "plain.png").array, GREY8)


def _ophthalmic(path: Path, class_uid: str) -> Path:
    _pydicom(path, GREY8, SIZE)
    return _rewritten(path, SOPClassUID=class_uid)


def _rewritten(path: Path, **values) -> Path:
    import pydicom

    data = pydicom.dcmread(path)
    for name, value in values.items():
        setattr(data, name, value)
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID
    data.save_as(path)
    return path


def test_without_pydicom_a_lost_pixel_size_is_told(tmp_path, without):
    from MetaRegistrationLib.pairs.files import PairFiles

    moving = _ophthalmic(tmp_path / "m.dcm", "1.2.840.10008.5.1.4.1.1.77.1.5.1")
    PIL.Image.fromarray(GREY8[::-1]).save(tmp_path / "f.png")
    assert read_image(moving).geometry.spacing == SIZE
    without("pydicom.pixels")
    (note,) = PairFiles("p", moving, tmp_path / "f.png").load().notes
    assert "m.dcm" in note and "pixel size is unknown" in note and "pip install pydicom" in note
    np.testing.assert_array_equal(read_image(moving).array, GREY8)


def test_without_pydicom_a_high_bit_beyond_the_stored_bits_is_refused(tmp_path, without):
    path = tmp_path / "a.dcm"
    _pydicom(path, GREY8.astype(np.uint16) << 8, SIZE)
    _rewritten(path, BitsStored=12, HighBit=15)
    without("pydicom.pixels")
    with pytest.raises(InputError, match=r"a\.dcm.*high bit 15 with 12 stored bits"):
        read_image(path)


def test_without_pydicom_a_kind_that_itk_refuses_names_it(tmp_path, without):
    path = _ophthalmic(tmp_path / "a.dcm", "1.2.840.10008.5.1.4.1.1.77.1.5.7")
    without("pydicom.pixels")
    with pytest.raises(InputError, match=r"a\.dcm.*pydicom.*not installed"):
        read_image(path)


def _in_tiles(path: Path, **options) -> Path:
    tifffile = pytest.importorskip("tifffile", reason="tifffile writes this file")
    pytest.importorskip("imagecodecs", reason="imagecodecs packs and unpacks it")
    settings = {"tile": (16, 16), "photometric": "minisblack", "metadata": None}
    tifffile.imwrite(path, GREY16.astype(options.pop("dtype", np.uint16)), **settings | options)
    return path


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("compression", ["lzw", "packbits"])
@pytest.mark.parametrize("dtype", [np.uint16, np.float32, np.float64])
def test_packed_tiles_are_read_with_imagecodecs(tmp_path, dtype, compression, order):
    path = _in_tiles(tmp_path / "a.tif", dtype=dtype, compression=compression, byteorder=order)
    np.testing.assert_array_equal(read_image(path).array, GREY16)


@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
@pytest.mark.parametrize("compression", ["lzw", "zlib"])
def test_predicted_tiles_are_read(tmp_path, dtype, compression):
    path = _in_tiles(tmp_path / "a.tif", dtype=dtype, compression=compression, predictor=True)
    np.testing.assert_array_equal(read_image(path).array, GREY16)


def test_without_imagecodecs_packed_tiles_name_it(tmp_path, without):
    path = _in_tiles(tmp_path / "a.tif", compression="lzw")
    without("imagecodecs")
    with pytest.raises(InputError, match=r"a\.tif.*LZW.*imagecodecs.*not installed"):
        read_image(path)


def test_a_stack_in_tiles_is_a_stack(tmp_path):
    tifffile = pytest.importorskip("tifffile", reason="tifffile writes this file")
    stack = np.stack([GREY16, GREY16[::-1], GREY16 // 2])
    tifffile.imwrite(tmp_path / "a.tif", stack, tile=(16, 16), photometric="minisblack")
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif", slice_index=2).array, stack[2])


def test_a_palette_in_tiles_is_looked_up(tmp_path):
    tifffile = pytest.importorskip("tifffile", reason="tifffile writes this file")
    colours = np.random.default_rng(8).integers(0, 65536, (3, 256), dtype=np.uint16)
    for name, tile in (("a", (16, 16)), ("b", None)):
        tifffile.imwrite(tmp_path / f"{name}.tif", GREY8, tile=tile, photometric="palette", colormap=colours)
    one, other = (read_image(tmp_path / f"{name}.tif", luminance=True).array for name in "ab")
    np.testing.assert_array_equal(one, other)
    np.testing.assert_allclose(one, colours.T[GREY8] @ np.array([0.299, 0.587, 0.114]), rtol=1e-6)


# --- DICOM: what pydicom makes of the numbers ---


def test_luminance_and_chroma_of_a_dicom_are_colours(tmp_path):
    from pydicom.pixels import convert_color_space

    colours = np.kron(
        np.random.default_rng(9).integers(0, 256, (5, 7, 3), dtype=np.uint8), np.ones((8, 8, 1), np.uint8)
    )
    stored = convert_color_space(colours, "RGB", "YBR_FULL")
    _pydicom(tmp_path / "a.dcm", GREY8, None)
    path = _rewritten(
        tmp_path / "a.dcm",
        SamplesPerPixel=3,
        PlanarConfiguration=0,
        PhotometricInterpretation="YBR_FULL",
        PixelData=stored.tobytes(),
    )
    expected = colours @ np.array([0.299, 0.587, 0.114])
    np.testing.assert_allclose(read_image(path, luminance=True).array, expected, atol=1.5)


def test_a_lookup_table_of_a_dicom_counts(tmp_path):
    from pydicom.sequence import Sequence

    table = Dataset()
    table.LUTDescriptor, table.ModalityLUTType = [256, 0, 16], "US"
    table["LUTDescriptor"].VR = "US"
    values = np.arange(256, dtype=np.uint16)[::-1] * 3
    table.add_new("LUTData", "US", values.tolist())
    _pydicom(tmp_path / "a.dcm", GREY8, None)
    path = _rewritten(tmp_path / "a.dcm", ModalityLUTSequence=Sequence([table]))
    np.testing.assert_array_equal(read_image(path).array, values[GREY8])
