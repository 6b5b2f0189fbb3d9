"""Reading and writing images, with Pillow, nibabel and pydicom as writers that share no code with SimpleITK."""

from __future__ import annotations

import errno
import locale
import os
import shutil
import struct
import subprocess
import sys
from contextlib import ExitStack, nullcontext
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813

from MetaRegistrationLib.core.geometry import Geometry
from MetaRegistrationLib.errors import InputError
from MetaRegistrationLib.formats import itk_io
from MetaRegistrationLib.formats.headers import read_header
from MetaRegistrationLib.formats.image_files import file_stem
from MetaRegistrationLib.formats.images import (
    Image,
    check_image,
    read_image,
    read_volume,
    tissue,
    write_displacement_field,
    write_image,
)
from MetaRegistrationLib.formats.itk_settings import file_settings

pillow = pytest.importorskip("PIL.Image", reason="Pillow writes the odd PNG and TIFF files of these tests")

GREY = np.random.default_rng(1).integers(0, 256, (20, 30), dtype=np.uint8)
ALPHA = np.random.default_rng(2).integers(0, 256, (20, 30), dtype=np.uint8)
RGB = np.stack([GREY, GREY // 2, 255 - GREY], axis=-1)
LUMINANCE = RGB @ np.array([0.299, 0.587, 0.114])
OBLIQUE = Geometry(
    size=(20, 30),
    spacing=(0.02, 0.01),
    origin=(4.0, -5.0, 6.0),
    direction=((0.0, 0.6, 0.8), (1.0, 0.0, 0.0), (0.0, 0.8, -0.6)),
    slice_spacing=0.5,
    spacing_known=True,
)


@pytest.fixture
def folder(tmp_path):
    """A folder whose name has a space and an accent."""
    path = tmp_path / "Augenärztin Müller"
    path.mkdir()
    return path


def _grey_alpha(grey, alpha):
    return pillow.fromarray(np.dstack([grey, alpha]), mode="LA")


PICTURES = {
    "grey.png": (lambda: pillow.fromarray(GREY), {}, GREY),
    "grey.bmp": (lambda: pillow.fromarray(GREY), {}, GREY),
    "grey.tif": (lambda: pillow.fromarray(GREY), {}, GREY),
    "lzw.tiff": (lambda: pillow.fromarray(GREY), {"compression": "tiff_lzw"}, GREY),
    "float.tif": (lambda: pillow.fromarray(GREY * np.float32(0.37)), {}, GREY * np.float32(0.37)),
    "grey16.png": (lambda: pillow.fromarray(GREY.astype(np.uint16) * 257), {}, GREY * 257.0),
    "grey16.tif": (lambda: pillow.fromarray(GREY.astype(np.uint16) * 257), {}, GREY * 257.0),
    "bits.png": (lambda: pillow.fromarray(GREY > 99), {}, (GREY > 99) * 255.0),
    "bits.tif": (lambda: pillow.fromarray(GREY > 99), {}, (GREY > 99) * 255.0),
    "rgb.png": (lambda: pillow.fromarray(RGB), {}, LUMINANCE),
    "rgb.bmp": (lambda: pillow.fromarray(RGB), {}, LUMINANCE),
    "rgb.tif": (lambda: pillow.fromarray(RGB), {}, LUMINANCE),
    "rgba.png": (lambda: pillow.fromarray(np.dstack([RGB, ALPHA])), {}, LUMINANCE * ALPHA / 255),
    "rgba.tif": (lambda: pillow.fromarray(np.dstack([RGB, ALPHA])), {}, LUMINANCE * ALPHA / 255),
    "grey_alpha.png": (lambda: _grey_alpha(GREY, ALPHA), {}, GREY * (ALPHA / 255)),
    "grey_key.png": (
        lambda: pillow.fromarray(GREY),
        {"transparency": int(GREY[3, 4])},
        np.where(np.isin(GREY, GREY[3, 4]), 0, GREY),
    ),
    "palette.png": (lambda: pillow.fromarray(GREY // 2).convert("P"), {}, GREY // 2),
}


@pytest.mark.parametrize("name", PICTURES)
def test_picture_formats_become_luminance(folder, name):
    make, options, expected = PICTURES[name]
    make().save(folder / name, **options)
    image = read_image(folder / name)
    assert image.array.dtype == np.float32
    assert image.path == folder / name
    np.testing.assert_allclose(image.array, expected, atol=2e-3)
    assert image.geometry == Geometry(size=(20, 30))


def test_padding_of_a_32_bit_bmp_is_no_alpha(folder):
    pixels = np.dstack([RGB[::-1, :, ::-1], np.zeros(RGB.shape[:2], np.uint8)]).tobytes()
    rows, columns = RGB.shape[:2]
    header = b"BM" + struct.pack("<IHHI", 54 + len(pixels), 0, 0, 54)
    header += struct.pack("<IiiHHIIiiII", 40, columns, rows, 1, 32, 0, len(pixels), 2835, 2835, 0, 0)
    (folder / "windows.bmp").write_bytes(header + pixels)
    np.testing.assert_allclose(read_image(folder / "windows.bmp").array, LUMINANCE, atol=2e-3)


def test_jpeg(folder):
    smooth = np.tile(np.linspace(0, 255, 30).astype(np.uint8), (20, 1))
    pillow.fromarray(smooth).save(folder / "smooth.jpg", quality=95)
    np.testing.assert_allclose(read_image(folder / "smooth.jpg").array, smooth, atol=3)


def test_grey_alpha_png_of_16_bits(folder):
    """Pillow writes no such file, so its bytes are built here: filter 0 in every row."""
    import struct
    import zlib

    grey, alpha = GREY.astype(np.uint16) * 257, ALPHA.astype(np.uint16) * 256
    rows = np.dstack([grey, alpha]).astype(">u2").reshape(20, -1).view(np.uint8)
    pixels = zlib.compress(np.hstack([np.zeros((20, 1), np.uint8), rows]).tobytes())
    data = b"\x89PNG\r\n\x1a\n"
    for chunk in (b"IHDR" + struct.pack(">IIBBBBB", 30, 20, 16, 4, 0, 0, 0), b"IDAT" + pixels, b"IEND"):
        data += struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
    (folder / "la16.png").write_bytes(data)
    np.testing.assert_allclose(read_image(folder / "la16.png").array, grey * (alpha / 65535.0), rtol=1e-6)


def test_spacing_um_fills_in_only_unknown_spacing(folder):
    pillow.fromarray(GREY).save(folder / "a.png")
    write_image(folder / "a.nrrd", GREY, OBLIQUE)
    geometry = read_image(folder / "a.png", spacing_um=9.5).geometry
    assert geometry.spacing == (0.0095, 0.0095)
    assert geometry.spacing_known
    assert read_image(folder / "a.nrrd", spacing_um=9.5).geometry.spacing == pytest.approx((0.02, 0.01))
    with pytest.raises(InputError, match=r"a\.png: a pixel size of at least"):
        read_image(folder / "a.png", spacing_um=-1)


def test_print_resolution_is_no_pixel_size(folder):
    for name in ("a.tif", "a.png", "a.jpg", "a.bmp"):
        pillow.fromarray(GREY).save(folder / name, dpi=(254, 254))
        assert read_image(folder / name).geometry == Geometry(size=(20, 30))


TIFF_DESCRIPTIONS = {
    "ImageJ=1.53\nunit=micron\n": (0.25 / 1000, 0.5 / 1000),
    "ImageJ=1.53\nunit=\\u00B5m\n": (0.25 / 1000, 0.5 / 1000),
    "ImageJ=1.53\nunit=inch\n": None,
    '<OME><Pixels PhysicalSizeX="3" PhysicalSizeY="2"/></OME>': (0.002, 0.003),
    '<OME><Pixels PhysicalSizeX="3" PhysicalSizeXUnit="mm" PhysicalSizeY="2" PhysicalSizeYUnit="mm"/></OME>': (
        2.0,
        3.0,
    ),
    "holiday": None,
}


@pytest.mark.parametrize("description", TIFF_DESCRIPTIONS)
def test_pixel_size_of_microscopy_tiff(folder, description):
    pillow.fromarray(GREY).save(folder / "a.tif", description=description, x_resolution=2.0, y_resolution=4.0)
    expected = TIFF_DESCRIPTIONS[description]
    geometry = read_image(folder / "a.tif").geometry
    assert geometry.spacing_known == (expected is not None)
    assert geometry.spacing == pytest.approx(expected or (1.0, 1.0))


@pytest.mark.parametrize("suffix", [".nrrd", ".mha", ".nii", ".nii.gz"])
@pytest.mark.parametrize("dtype", [np.float32, np.uint8, np.int16, bool])
def test_written_image_keeps_pixels_and_geometry(folder, suffix, dtype):
    array = (GREY.astype(np.int32) - 100).astype(dtype) if dtype is not bool else GREY > 99
    write_image(folder / f"a{suffix}", array, OBLIQUE)
    image = read_image(folder / f"a{suffix}")
    np.testing.assert_array_equal(image.array, array.astype(np.float32))
    _assert_same_geometry(image.geometry, OBLIQUE)
    assert sitk.ReadImage(str(folder / f"a{suffix}")).GetSize() == (30, 20, 1)
    assert [path.name for path in folder.iterdir()] == [f"a{suffix}"]


def _assert_same_geometry(geometry, expected):
    assert geometry.size == expected.size
    assert geometry.spacing_known == expected.spacing_known
    for name in ("spacing", "origin", "direction", "slice_spacing"):
        np.testing.assert_allclose(getattr(geometry, name), getattr(expected, name), atol=1e-6, err_msg=name)


@pytest.mark.parametrize("suffix", [".nrrd", ".mha"])
def test_default_geometry_is_unknown_spacing(folder, suffix):
    sitk.WriteImage(sitk.GetImageFromArray(GREY), str(folder / f"a{suffix}"))
    assert read_image(folder / f"a{suffix}").geometry == Geometry(size=(20, 30))


def test_nrrd_without_any_spacing(folder):
    header = "NRRD0004\ntype: uint8\ndimension: 2\nsizes: 30 20\nencoding: raw\n\n"
    (folder / "a.nrrd").write_bytes(header.encode() + GREY.tobytes())
    image = read_image(folder / "a.nrrd")
    np.testing.assert_array_equal(image.array, GREY)
    assert image.geometry == Geometry(size=(20, 30))


def test_nifti_of_nibabel_becomes_lps(folder):
    nibabel = pytest.importorskip("nibabel", reason="nibabel writes the NIfTI file of this test")
    affine = np.array([[0.5, 0, 0, 10], [0, 0.25, 0, 20], [0, 0, 2, 30], [0, 0, 0, 1.0]])  # RAS
    nibabel.save(nibabel.Nifti1Image(GREY.T[:, :, None, None], affine), folder / "a.nii.gz")
    image = read_image(folder / "a.nii.gz")
    np.testing.assert_array_equal(image.array, GREY)
    assert image.geometry.spacing == pytest.approx((0.25, 0.5))
    assert image.geometry.spacing_known
    row, column = 4, 7
    ras = affine @ [column, row, 0, 1]
    np.testing.assert_allclose(image.geometry.to_physical([row, column]), [-ras[0], -ras[1], ras[2]])


def _dicom(path, array, **attributes):
    pydicom = pytest.importorskip("pydicom", reason="pydicom writes the DICOM files of this test")
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage, generate_uid

    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = SecondaryCaptureImageStorage
    meta.MediaStorageSOPInstanceUID = generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    dataset.SOPClassUID, dataset.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    dataset.Rows, dataset.Columns = array.shape[:2] if array.ndim < 4 else array.shape[1:3]
    dataset.SamplesPerPixel = 3 if array.shape[-1] == 3 else 1
    dataset.PhotometricInterpretation = "RGB" if dataset.SamplesPerPixel == 3 else "MONOCHROME2"
    if dataset.SamplesPerPixel == 3:
        dataset.PlanarConfiguration = 0
    dataset.BitsAllocated = dataset.BitsStored = 8 * array.dtype.itemsize
    dataset.HighBit = dataset.BitsStored - 1
    dataset.PixelRepresentation = int(array.dtype.kind == "i")
    dataset.PixelData = array.tobytes()
    for name, value in attributes.items():
        setattr(dataset, name, value)
    pydicom.dcmwrite(path, dataset, enforce_file_format=True)


def test_dicom_with_rescale_and_position(folder):
    hounsfield = GREY.astype(np.int16) * 4
    _dicom(
        folder / "IM0001",
        hounsfield,
        PixelSpacing=[0.5, 0.25],
        ImagePositionPatient=[1, 2, 3],
        ImageOrientationPatient=[0, 1, 0, 0, 0, -1],
        RescaleSlope=1,
        RescaleIntercept=-1024,
        Modality="CT",
        SOPClassUID="1.2.840.10008.5.1.4.1.1.2",
    )
    image = read_image(folder / "IM0001")
    np.testing.assert_array_equal(image.array, hounsfield - 1024.0)
    assert image.array.min() < 0
    assert image.geometry.spacing_known
    assert image.geometry.spacing == pytest.approx((0.5, 0.25))
    np.testing.assert_allclose(image.geometry.to_physical([2, 4]), [1, 2 + 4 * 0.25, 3 - 2 * 0.5], atol=1e-9)


def test_dicom_without_pixel_spacing_and_in_colour(folder):
    _dicom(folder / "a.dcm", RGB)
    image = read_image(folder / "a.dcm")
    np.testing.assert_allclose(image.array, LUMINANCE, atol=1e-3)
    assert not image.geometry.spacing_known
    assert read_image(folder / "a.dcm", spacing_um=10).geometry.spacing == (0.01, 0.01)


def test_multi_frame_dicom_is_a_stack(folder):
    frames = np.stack([GREY, 255 - GREY])
    _dicom(folder / "a.dcm", frames, Rows=20, Columns=30, NumberOfFrames=2)
    with pytest.raises(InputError, match=r"a\.dcm.*2 slices.*slice N"):
        read_image(folder / "a.dcm")
    np.testing.assert_array_equal(read_image(folder / "a.dcm", slice_index=1).array, 255 - GREY)


def test_slice_of_a_volume_has_its_own_origin(folder):
    volume = np.stack([GREY, GREY // 2, GREY // 3])
    image = sitk.GetImageFromArray(volume)
    image.SetSpacing((0.5, 0.25, 2.0))
    image.SetOrigin((1, 2, 3))
    image.SetDirection((0, 0, 1, 1, 0, 0, 0, 1, 0))
    sitk.WriteImage(image, str(folder / "v.nrrd"))
    third = read_image(folder / "v.nrrd", slice_index=2)
    np.testing.assert_array_equal(third.array, volume[2])
    expected = image.TransformIndexToPhysicalPoint((7, 4, 2))
    np.testing.assert_allclose(third.geometry.to_physical([4, 7]), expected)
    with pytest.raises(InputError, match=r"v\.nrrd.*3 slices.*with slice N"):
        read_image(folder / "v.nrrd")
    for outside in (-1, 3):
        with pytest.raises(InputError, match=rf"v\.nrrd.*no slice {outside}.*has 3"):
            read_image(folder / "v.nrrd", slice_index=outside)


def test_multi_page_tiff_is_a_stack(folder):
    pillow.fromarray(GREY).save(folder / "m.tif", save_all=True, append_images=[pillow.fromarray(255 - GREY)])
    with pytest.raises(InputError, match=r"m\.tif.*2 slices"):
        read_image(folder / "m.tif")
    image = read_image(folder / "m.tif", slice_index=1)
    np.testing.assert_array_equal(image.array, 255 - GREY)
    assert image.geometry == Geometry(size=(20, 30))


def test_numbered_siblings_do_not_stack(folder):
    for number in range(1, 4):
        pillow.fromarray(GREY // number).save(folder / f"scan_{number:03}.png")
    np.testing.assert_array_equal(read_image(folder / "scan_002.png").array, GREY // 2)


def test_what_is_no_single_grey_or_colour_image(folder):
    sitk.WriteImage(sitk.Image([20, 20, 2, 3], sitk.sitkFloat32), str(folder / "series.nii.gz"))
    with pytest.raises(InputError, match=r"series\.nii\.gz.*4-D"):
        read_image(folder / "series.nii.gz", slice_index=0)
    write_displacement_field(folder / "field.nrrd", np.zeros((20, 30, 3)), OBLIQUE)
    with pytest.raises(InputError, match=r"field\.nrrd.*grey or colour"):
        read_image(folder / "field.nrrd")
    _grey_alpha(GREY, ALPHA).save(folder / "la.tif")
    with pytest.raises(InputError, match=r"la\.tif.*grey \+ alpha"):
        read_image(folder / "la.tif")
    pillow.fromarray(RGB).convert("CMYK").save(folder / "cmyk.tif")
    with pytest.raises(InputError, match=r"cmyk\.tif.*CMYK"):
        read_image(folder / "cmyk.tif")


@pytest.mark.parametrize("suffix", ["png", "tif", "bmp", "jpg", "nrrd", "mha", "nii", "nii.gz", "dcm"])
def test_damaged_files_are_refused(folder, suffix, capfd):
    good, cut, fake, empty = (folder / f"{name}.{suffix}" for name in ("good", "cut", "fake", "empty"))
    if suffix in ("png", "tif", "bmp", "jpg"):
        pillow.fromarray(GREY).save(good)
    elif suffix == "dcm":
        _dicom(good, GREY)
    else:
        write_image(good, GREY, OBLIQUE)
    assert read_image(good).array.shape == (20, 30)
    data = good.read_bytes()
    cut.write_bytes(data[: len(data) - (len(data) // 3 if suffix != "dcm" else 300)])
    fake.write_bytes(b"This is a text that somebody renamed.")
    empty.write_bytes(b"")
    for path in (cut, fake, empty):
        with pytest.raises(InputError, match=path.name.replace(".", r"\.")):
            read_image(path)
    assert "WARNING" not in capfd.readouterr().err


def test_a_png_chunk_that_is_longer_than_the_file_takes_no_memory(folder):
    pillow.fromarray(GREY).save(folder / "a.png")
    data = (folder / "a.png").read_bytes()
    (folder / "a.png").write_bytes(data[:33] + b"\x7f\0\0\4sCAL" + data[33:])
    with pytest.raises(InputError, match=r"a\.png.*ends within a chunk"):
        read_image(folder / "a.png")


def test_a_bmp_of_runs_is_refused(folder):
    pillow.fromarray(GREY).save(folder / "a.bmp")
    data = bytearray((folder / "a.bmp").read_bytes())
    data[30] = 1  # ITK decodes it into a buffer that such runs overflow
    (folder / "a.bmp").write_bytes(data)
    with pytest.raises(InputError, match=r"a\.bmp.*compressed"):
        read_image(folder / "a.bmp")


def test_truncated_grey_alpha_png_is_refused(folder):
    _grey_alpha(GREY, ALPHA).save(folder / "a.png")
    data = (folder / "a.png").read_bytes()
    (folder / "a.png").write_bytes(data[: len(data) // 2])
    with pytest.raises(InputError, match=r"a\.png"):
        read_image(folder / "a.png")


def test_paths_that_are_no_image_file(folder):
    (folder / "notes.txt").write_text("x")
    (folder / "plain").write_text("x")
    (folder / "sub.png").mkdir()
    for name, said in {
        "notes.txt": "suffix .txt",
        "plain": "no suffix",
        "sub.png": "folder",
        "no.png": "no such",
    }.items():
        with pytest.raises(InputError, match=said) as caught:
            read_image(folder / name)
        assert name in str(caught.value)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda a: np.where(np.arange(a.size).reshape(a.shape) % 11, np.nan, a), "545 pixels of 600 are NaN"),
        (lambda a: np.full_like(a, np.inf), "infinite"),
        (lambda a: np.where(a == a[3, 3], a, np.nan), "NaN"),
        (lambda a: np.where(np.arange(a.size).reshape(a.shape) % 2, np.nan, 7), "constant"),
        (lambda a: np.full_like(a, 7), "constant"),
        (lambda a: a[:15], "30 x 15 pixels"),
    ],
)
def test_check_image(change, said):
    good = GREY.astype(np.float32)
    check_image(Image(good, Geometry(size=(20, 30))))
    bad = change(good)
    with pytest.raises(InputError, match=said):
        check_image(Image(bad, Geometry(size=bad.shape)))


@pytest.mark.parametrize(("step", "refused"), [(0.002, True), (0.00005, False)])
def test_rows_and_columns_that_are_not_at_right_angles_are_refused(step, refused, tmp_path):
    """ITK reads such an NRRD. Micrometres along its axes ignore the shear."""
    path = tmp_path / "sheared.nrrd"
    head = (
        "NRRD0005\ntype: uint8\ndimension: 3\nsizes: 30 20 1\nspace: left-posterior-superior\nencoding: raw\n"
        f"space directions: (0.01,{step},0) (0,0.01,0) (0,0,1)\nspace origin: (0,0,0)\n\n"
    )
    path.write_bytes(head.encode() + GREY.tobytes())
    image = read_image(path)
    for check in (lambda: check_image(image), lambda: read_header(path)):
        with pytest.raises(InputError, match=r"sheared.nrrd: .*an angle of 78.7 degrees") if refused else nullcontext():
            check()


def test_volume_is_reoriented_to_axial_slices(folder):
    """A sagittal scan: its first axis is posterior, its second inferior, its third left."""
    array = np.random.default_rng(3).integers(-1000, 1000, (4, 5, 6)).astype(np.int16)  # left, inferior, posterior
    image = sitk.GetImageFromArray(array)
    image.SetDirection((0, 0, 1, 1, 0, 0, 0, -1, 0))
    image.SetSpacing((0.5, 0.75, 2.0))
    sitk.WriteImage(image, str(folder / "v.nii.gz"))
    volume = read_volume(folder / "v.nii.gz")
    assert volume.array.dtype == np.float32
    assert volume.spacing == pytest.approx((0.75, 0.5, 2.0))
    np.testing.assert_array_equal(volume.array, array.transpose(1, 2, 0)[::-1])


def test_volume_channels(folder):
    nibabel = pytest.importorskip("nibabel", reason="nibabel writes the 4-D NIfTI file of this test")
    array = np.random.default_rng(4).random((6, 5, 4, 3)).astype(np.float32)
    lps = np.diag([-1.0, -1.0, 2.0, 1.0])
    nibabel.save(nibabel.Nifti1Image(array, lps), folder / "brain.nii.gz")
    volume = read_volume(folder / "brain.nii.gz", channel=2)
    np.testing.assert_array_equal(volume.array, array[..., 2].T)
    assert volume.spacing == pytest.approx((2.0, 1.0, 1.0))
    with pytest.raises(InputError, match=r"brain\.nii\.gz.*3 channels"):
        read_volume(folder / "brain.nii.gz")
    with pytest.raises(InputError, match="no channel 3"):
        read_volume(folder / "brain.nii.gz", channel=3)
    pillow.fromarray(GREY).save(folder / "flat.png")
    with pytest.raises(InputError, match=r"flat\.png.*three axes"):
        read_volume(folder / "flat.png")


@pytest.mark.parametrize("suffix", [".nrrd", ".mha"])
def test_displacement_field_is_a_transform_for_simpleitk(folder, suffix):
    vectors = np.random.default_rng(5).normal(size=(20, 30, 3)) * 0.01
    write_displacement_field(folder / f"f{suffix}", vectors, OBLIQUE)
    image = sitk.ReadImage(str(folder / f"f{suffix}"))
    assert image.GetPixelID() == sitk.sitkVectorFloat64
    assert image.GetSize() == (30, 20, 1)
    transform = sitk.DisplacementFieldTransform(image)
    for row, column in ((0, 0), (7, 11), (18, 28)):
        point = OBLIQUE.to_physical([row, column])
        np.testing.assert_allclose(transform.TransformPoint(point), point + vectors[row, column], atol=1e-6)


def test_displacement_field_says_what_slicer_asks(folder):
    write_displacement_field(folder / "f.nrrd", np.zeros((20, 30, 3)), OBLIQUE)
    header = (folder / "f.nrrd").read_bytes().split(b"\n\n")[0].decode()
    assert "displacement field type:=resampling" in header
    assert "encoding: gzip" in header
    with pytest.raises(InputError, match=r"f\.nii\.gz.*\.nrrd"):
        write_displacement_field(folder / "f.nii.gz", np.zeros((20, 30, 3)), OBLIQUE)


@pytest.mark.parametrize("array", [GREY, RGB])
def test_png_output(folder, array):
    write_image(folder / "a.png", array, Geometry(size=(20, 30)))
    np.testing.assert_array_equal(np.asarray(pillow.open(folder / "a.png")), array)


def test_writing_goes_wrong(folder):
    geometry = Geometry(size=(20, 30))
    with pytest.raises(InputError, match="suffixes"):
        write_image(folder / "a.xyz", GREY, geometry)
    with pytest.raises(InputError, match=r"a\.nrrd.*folder"):
        write_image(folder / "missing" / "a.nrrd", GREY, geometry)
    with pytest.raises(ValueError, match=r"\(20, 30\)"):
        write_image(folder / "a.nrrd", GREY, Geometry(size=(30, 20)))
    with pytest.raises(ValueError, match="uint8"):
        write_image(folder / "a.png", GREY.astype(np.float32), geometry)
    with pytest.raises(ValueError, match="vectors"):
        write_displacement_field(folder / "f.nrrd", np.zeros((20, 30, 2)), geometry)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("size", ["1.2.3", "e", "1e999", "-", "--1"])
def test_a_malformed_pixel_size_is_no_pixel_size(folder, size):
    description = f'<OME><Pixels PhysicalSizeX="{size}" PhysicalSizeY="2"/></OME>'
    pillow.fromarray(GREY).save(folder / "a.tif", description=description)
    assert not read_image(folder / "a.tif").geometry.spacing_known


def test_pixels_without_a_value_are_no_tissue():
    array = np.random.default_rng(0).random((20, 20), dtype=np.float32)
    array[3, 4], array[:2] = np.nan, np.inf
    image = Image(array, Geometry(size=(20, 20)))
    check_image(image)
    np.testing.assert_array_equal(tissue(image), np.isfinite(array))


def test_a_given_mask_is_the_tissue():
    array = np.random.default_rng(0).random((20, 20), dtype=np.float32)
    array[10, 10] = np.nan
    mask = np.zeros((20, 20), dtype=bool)
    mask[5:15, 5:] = True
    image = Image(array, Geometry(size=(20, 20)), mask=mask)
    np.testing.assert_array_equal(tissue(image), mask & np.isfinite(array))


def test_a_full_disk_is_told_from_an_image_that_cannot_be_written(folder, monkeypatch):
    def fail(image, name, *settings):
        raise RuntimeError("ITK ERROR: writing failed")

    monkeypatch.setattr(itk_io.sitk, "WriteImage", fail)
    with pytest.raises(InputError, match="writing failed"):
        write_image(folder / "a.nrrd", GREY, OBLIQUE)

    def no_room(place, size):
        assert (place, size >= GREY.nbytes) == (folder, True)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(itk_io, "require_room", no_room)
    with pytest.raises(OSError) as full:
        write_image(folder / "a.nrrd", GREY, OBLIQUE)
    assert (full.value.errno, full.value.filename) == (errno.ENOSPC, str(folder / "a.nrrd"))
    assert not list(folder.iterdir())


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_a_full_disk_is_noticed_for_nifti_whose_writer_does_not(name, folder, monkeypatch):
    def no_room(place, size):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(itk_io, "require_room", no_room)
    with pytest.raises(OSError, match="No space left"):
        write_image(folder / name, GREY, OBLIQUE)
    assert not list(folder.iterdir())


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz", ".nrrd", ".mha"])
def test_a_crop_of_an_image_without_a_pixel_size_has_none(tmp_path, suffix):
    image = sitk.GetImageFromArray(np.tile(GREY, (3, 1, 1)))[10:, 5:, 1:2]
    for expected, spacing in ((False, (1.0, 1.0, 1.0)), (True, (0.01, 0.01, 1.0)), (True, (1.0, 1.0, 5.0))):
        image.SetSpacing(spacing)
        sitk.WriteImage(image, str(tmp_path / f"crop{suffix}"))
        assert read_image(tmp_path / f"crop{suffix}").geometry.spacing_known == expected


def test_nifti_of_an_identity_matrix_has_no_pixel_size(tmp_path):
    nibabel = pytest.importorskip("nibabel", reason="nibabel writes it")
    nibabel.save(nibabel.Nifti1Image(GREY[..., None], np.eye(4)), tmp_path / "a.nii")
    assert not read_image(tmp_path / "a.nii").geometry.spacing_known


_COMMA = """
LC_NUMERIC
decimal_point "<U002C>"
thousands_sep "<U002E>"
grouping 3;3
END LC_NUMERIC
"""


@pytest.fixture
def decimal_comma(tmp_path, monkeypatch):
    """The host has a locale with a decimal comma, as Qt may set it."""
    folder = tmp_path / "locales"
    folder.mkdir()
    (folder / "source").write_text(_COMMA, encoding="ascii")
    localedef, words = shutil.which("localedef"), ("-c", "-i", "source", "-f", "ANSI_X3.4-1968", "./comma")
    made = localedef and subprocess.run([localedef, *words], cwd=folder, capture_output=True, check=False)
    if not (folder / "comma").is_dir():
        pytest.skip(f"no locale with a decimal comma could be made here ({made})")
    monkeypatch.setenv("LOCPATH", str(folder))
    before = locale.setlocale(locale.LC_NUMERIC)
    locale.setlocale(locale.LC_NUMERIC, "comma")
    yield
    locale.setlocale(locale.LC_NUMERIC, before)


@pytest.mark.parametrize("suffix", [".nrrd", ".mha", ".nii"])
def test_a_decimal_comma_of_the_host_changes_no_file(suffix, decimal_comma, tmp_path):
    path = tmp_path / f"a{suffix}"
    write_image(path, GREY, Geometry((20, 30), (0.0125, 0.0098), (1.5, 2.25, 3.75)))
    geometry = read_image(path).geometry
    np.testing.assert_allclose((*geometry.spacing, *geometry.origin), (0.0125, 0.0098, 1.5, 2.25, 3.75), rtol=1e-6)
    assert locale.localeconv()["decimal_point"] == ","  # the host's own one is put back


def test_reads_that_overlap_leave_the_settings_of_the_process_as_they_were(decimal_comma, tmp_path):
    path = tmp_path / "a.nrrd"
    write_image(path, GREY, Geometry((20, 30), (2.7, 2.7)))
    before = sitk.ProcessObject.GetGlobalWarningDisplay()
    with ExitStack() as second:  # two threads
        with ExitStack() as first:
            first.enter_context(file_settings())
            second.enter_context(file_settings())
        assert sitk.ReadImage(str(path)).GetSpacing()[:2] == (2.7, 2.7)
    assert locale.localeconv()["decimal_point"] == ","
    assert sitk.ProcessObject.GetGlobalWarningDisplay() == before


@pytest.mark.skipif(sys.platform != "linux", reason="names are text elsewhere")
def test_a_name_that_is_no_text_is_refused_in_words(tmp_path):
    path = tmp_path / os.fsdecode(b"visit_\xe9.png")
    path.write_bytes(b"x")
    with pytest.raises(InputError, match="not valid text") as caught:
        read_image(path)
    str(caught.value).encode("utf-8")


@pytest.mark.parametrize("name", ["1.2.840.113619.2.55", "P001.2020-01-01.png"])
def test_stems_keep_what_tells_files_apart(name):
    assert file_stem(Path(name)) == name.removesuffix(".png")
