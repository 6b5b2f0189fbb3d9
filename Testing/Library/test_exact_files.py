"""Image files give their own numbers or are refused by name; Pillow, pydicom, nibabel and ITK are the oracles."""

import struct
import zlib

import nibabel
import numpy as np
import pydicom
import pytest
import SimpleITK as sitk  # noqa: N813
from PIL import Image as Pillow
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, RLELossless, generate_uid

from MetaRegistrationLib.errors import InputError
from MetaRegistrationLib.formats.headers import read_header
from MetaRegistrationLib.formats.images import read_image, read_pixels, read_volume
from MetaRegistrationLib.pairs.files import PairFiles

RNG = np.random.default_rng(7)
GREY8 = RNG.integers(0, 256, (40, 56), dtype=np.uint8)
GREY16 = RNG.integers(0, 65536, (40, 56), dtype=np.uint16)


def tiff(path, pixels, *, tags=(), tile=None, deflate=False, planes=False, order="<", big_next=0):
    """A TIFF by hand: strips or tiles, plain or deflated; `tags` (tag, type, value) replace or add."""
    height, width = pixels.shape[:2]
    samples = 1 if pixels.ndim == 2 else pixels.shape[2]
    kind = {"u": 1, "i": 2, "f": 3}[pixels.dtype.kind]
    layers = [pixels[..., n] for n in range(samples)] if planes else [pixels]
    blocks = []
    for layer in layers:
        if tile:
            for top in range(0, height, tile):
                for left in range(0, width, tile):
                    part = layer[top : top + tile, left : left + tile]
                    pad = [(0, tile - part.shape[0]), (0, tile - part.shape[1])] + [(0, 0)] * (part.ndim - 2)
                    blocks.append(np.pad(part, pad, mode="edge"))
        else:
            blocks.append(layer)
    data = [block.astype(block.dtype.newbyteorder(order)).tobytes() for block in blocks]
    data = [zlib.compress(block) for block in data] if deflate else data
    offsets, place = [], 8
    for block in data:
        offsets.append(place)
        place += len(block)
    fields = {
        256: (4, [width]),
        257: (4, [height]),
        258: (3, [pixels.dtype.itemsize * 8] * samples),
        259: (3, [8 if deflate else 1]),
        262: (3, [2 if samples == 3 else 1]),
        277: (3, [samples]),
        284: (3, [2 if planes else 1]),
        339: (3, [kind] * samples),
    }
    if tile:
        fields |= {322: (4, [tile]), 323: (4, [tile]), 324: (4, offsets), 325: (4, [len(block) for block in data])}
    else:
        fields |= {273: (4, offsets), 278: (4, [height]), 279: (4, [len(block) for block in data])}
    for tag, code, values in tags:
        fields[tag] = (code, values)
    entries, extra = b"", b""
    start = place + 2 + 12 * len(fields) + 4
    for tag, (code, values) in sorted(fields.items()):
        packed = struct.pack(f"{order}{len(values)}{ {3: 'H', 4: 'I'}[code] }", *values)
        if len(packed) <= 4:
            entries += struct.pack(f"{order}HHI", tag, code, len(values)) + packed.ljust(4, b"\0")
        else:
            entries += struct.pack(f"{order}HHII", tag, code, len(values), start + len(extra))
            extra += packed
    head = struct.pack(f"{order}2sHI", b"II" if order == "<" else b"MM", 42, place)
    path.write_bytes(
        head
        + b"".join(data)
        + struct.pack(f"{order}H", len(fields))
        + entries
        + struct.pack(f"{order}I", big_next)
        + extra
    )
    return path


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("pixels", [GREY8, GREY16], ids=["8 bits", "16 bits"])
def test_rows_of_a_tiff_are_those_of_the_file_whatever_its_orientation(tmp_path, pixels, orientation):
    image = read_image(tiff(tmp_path / "a.tif", pixels, tags=[(274, 3, [orientation])]))
    np.testing.assert_array_equal(image.array, pixels)
    assert image.orientation == orientation


@pytest.mark.parametrize("pixels", [GREY8, GREY16], ids=["8 bits", "16 bits"])
def test_zero_may_be_white(tmp_path, pixels):
    path = tiff(tmp_path / "a.tif", pixels, tags=[(262, 3, [0])])
    np.testing.assert_array_equal(read_image(path).array, np.iinfo(pixels.dtype).max - pixels)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("deflate", [False, True])
@pytest.mark.parametrize("tile", [None, 16])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16, np.uint32, np.float16, np.float32, np.float64])
def test_numbers_of_a_grey_tiff(tmp_path, dtype, tile, deflate, order):
    pixels = (GREY16 / 300).astype(dtype)
    path = tiff(tmp_path / "a.tif", pixels, tile=tile, deflate=deflate, order=order)
    np.testing.assert_array_equal(read_image(path).array, pixels.astype(np.float32))


@pytest.mark.parametrize("planes", [False, True])
@pytest.mark.parametrize("tile", [None, 16])
def test_colours_of_a_tiff(tmp_path, tile, planes):
    colours = RNG.integers(0, 256, (40, 56, 3), dtype=np.uint8)
    plain = tmp_path / "plain.png"
    Pillow.fromarray(colours).save(plain)
    path = tiff(tmp_path / "a.tif", colours, tile=tile, planes=planes)
    np.testing.assert_allclose(read_image(path).array, read_image(plain).array, atol=1e-3)


@pytest.mark.parametrize("compression", ["tiff_lzw", "packbits", "tiff_adobe_deflate", None])
@pytest.mark.parametrize("mode", ["L", "I;16", "RGB", "P"])
def test_what_pillow_writes(tmp_path, mode, compression):
    source = {
        "L": Pillow.fromarray(GREY8),
        "I;16": Pillow.fromarray(GREY16),
        "RGB": Pillow.fromarray(RNG.integers(0, 256, (40, 56, 3), dtype=np.uint8)),
    }
    image = source["RGB"].quantize(64) if mode == "P" else source[mode]
    image.save(tmp_path / "a.tif", compression=compression)
    found = read_image(tmp_path / "a.tif", luminance=True).array
    if mode in ("RGB", "P"):
        image.convert("RGB").save(tmp_path / "a.png")
        steps = 256 if mode == "P" else 1  # the colours of a TIFF's palette have 16 bits
        expected = read_image(tmp_path / "a.png", luminance=True).array
        np.testing.assert_allclose(found / steps, expected, atol=1e-3)
    else:
        np.testing.assert_array_equal(found, np.asarray(image))


def test_a_thumbnail_before_the_image_is_passed_over(tmp_path):
    image = Pillow.fromarray(GREY8)
    small = image.resize((14, 10))
    small.save(tmp_path / "a.tif", save_all=True, append_images=[image], tiffinfo={254: 1})
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif").array, GREY8)


def test_a_stack_of_pages_stays_one(tmp_path):
    pages = [Pillow.fromarray(np.roll(GREY8, n, axis=0)) for n in range(3)]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:])
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif", slice_index=2).array, np.roll(GREY8, 2, axis=0))


@pytest.mark.parametrize(
    ("tags", "word"),
    [
        ([(262, 3, [6])], "YCbCr"),
        ([(262, 3, [5])], "CMYK"),
        ([(259, 3, [34712])], "34712"),
        ([(258, 3, [12])], "12 bits"),
        ([(257, 4, [4_000_000])], "holds fewer"),
        ([(256, 4, [0])], "holds fewer"),
    ],
)
def test_other_tiffs_are_refused_by_name(tmp_path, tags, word):
    with pytest.raises(InputError, match=rf"a\.tif.*{word}"):
        read_image(tiff(tmp_path / "a.tif", GREY8, tags=tags))


@pytest.mark.parametrize("following", [8, 2300, 1 << 31])
def test_a_list_of_pages_that_leads_astray_is_refused(tmp_path, following):
    plain = tiff(tmp_path / "plain.tif", GREY8)
    start = struct.unpack("<I", plain.read_bytes()[4:8])[0]
    with pytest.raises(InputError, match=r"a\.tif.*(damaged|more than|differ|no pages)"):
        read_image(tiff(tmp_path / "a.tif", GREY8, big_next=start if following == 8 else following))


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_the_orientation_of_a_camera_is_told_and_not_applied(tmp_path, suffix, orientation):
    exif = Pillow.Exif()
    exif[274] = orientation
    smooth = np.kron(GREY8[:5, :7], np.ones((8, 8), np.uint8))
    for name, pixels in (("a", smooth), ("b", smooth[::-1])):
        Pillow.fromarray(pixels).save(tmp_path / f"{name}{suffix}", exif=exif)
    pair = PairFiles("p", tmp_path / f"a{suffix}", tmp_path / f"b{suffix}").load()
    assert np.abs(pair.moving.array - smooth.astype(int)).max() <= (20 if suffix == ".jpg" else 0)
    told = [note for note in pair.notes if f"orientation {orientation}" in note]
    assert len(told) == (0 if orientation == 1 else 2)


def test_points_of_slicer_on_a_tiff_with_an_orientation_are_refused(tmp_path):
    moving = tiff(tmp_path / "m.tif", GREY8, tags=[(274, 3, [6])])
    fixed = tiff(tmp_path / "f.tif", GREY8)
    points = tmp_path / "m.fcsv"
    points.write_text(
        "# Markups fiducial file version = 5.0\n# CoordinateSystem = LPS\n"
        "# columns = id,x,y,z,ow,ox,oy,oz,vis,sel,lock,label,desc,associatedNodeID\n1,10,10,0,0,0,0,1,1,1,0,A,,\n"
    )
    with pytest.raises(InputError, match=r"m\.fcsv.*orientation"):
        PairFiles("p", moving, fixed, moving_landmarks=points, fixed_landmarks=points).load()


def test_a_picture_that_is_transparent_throughout_is_refused_as_such(tmp_path):
    colours = np.dstack([np.repeat(GREY8[..., None], 3, 2), np.zeros_like(GREY8)])
    Pillow.fromarray(colours, "RGBA").save(tmp_path / "a.png")
    with pytest.raises(InputError, match=r"a\.png.*transparent"):
        read_image(tmp_path / "a.png")


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_the_single_axis_of_a_nifti_may_be_any(tmp_path, axis):
    affine = np.diag([0.3, 0.4, 0.5, 1.0])
    pixels = RNG.random((40, 56)).astype(np.float32)
    nibabel.save(nibabel.Nifti1Image(np.expand_dims(pixels, axis), affine), tmp_path / "a.nii")
    image = read_image(tmp_path / "a.nii")
    np.testing.assert_allclose(image.array, pixels.T, rtol=1e-6)
    steps = np.delete([0.3, 0.4, 0.5], axis)
    np.testing.assert_allclose(image.geometry.spacing, steps[::-1], rtol=1e-6)
    inside = [5, 3]
    world = image.geometry.to_physical(np.array(inside[::-1]))
    voxel = np.insert(np.array(inside, dtype=float), axis, 0)
    np.testing.assert_allclose(world, (affine[:3, :3] @ voxel) * [-1, -1, 1], atol=1e-5)


def _with_chunk(path, name, content):
    """Put a chunk behind the header of a PNG."""
    data = path.read_bytes()
    chunk = struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
    path.write_bytes(data[:33] + chunk + data[33:])


@pytest.mark.parametrize(
    ("pixels", "bits"),
    [
        (GREY8, [4]),
        (GREY16, [12]),
        (np.dstack([GREY8] * 3), [5, 6, 5]),
        (np.dstack([GREY8] * 4), [5, 6, 5, 4]),
        (np.dstack([GREY8] * 2), [4, 4]),
    ],
    ids=["8 bits", "16 bits", "colour", "colour and alpha", "grey and alpha"],
)
def test_significant_bits_of_a_png_change_no_value(tmp_path, pixels, bits):
    path = tmp_path / "a.png"
    Pillow.fromarray(pixels).save(path, dpi=(300, 300))
    plain, labels = read_image(path), read_pixels(path)[0]
    _with_chunk(path, b"sBIT", bytes(bits))
    np.testing.assert_array_equal(read_image(path).array, plain.array)
    np.testing.assert_array_equal(read_pixels(path)[0], labels)
    assert read_image(path).slicer_geometry == plain.slicer_geometry


def test_a_damaged_png_with_significant_bits_is_refused(tmp_path):
    path = tmp_path / "a.png"
    Pillow.fromarray(GREY8).save(path)
    _with_chunk(path, b"sBIT", bytes([4]))
    data = bytearray(path.read_bytes())
    data[200] ^= 255
    path.write_bytes(data)
    with pytest.raises(InputError, match=r"a\.png"):
        read_image(path)


# --- units ---


@pytest.mark.parametrize(
    ("field", "mm"),
    [
        ('space units: "um" "um" "um"', 1e-3),
        ('space units: "\u00b5m" "\u00b5m" "\u00b5m"', 1e-3),
        ('space units: "mm" "mm" "mm"', 1.0),
        ('space units: "m" "m" "m"', 1e3),
        ("", 1.0),
    ],
)
def test_the_unit_of_an_nrrd_counts(tmp_path, field, mm):
    header = "NRRD0004\ntype: uint8\ndimension: 3\nspace: left-posterior-superior\nsizes: 56 40 1\n"
    header += "space directions: (9,0,0) (0,8,0) (0,0,7)\nkinds: domain domain domain\nencoding: raw\n"
    header += "space origin: (100,200,300)\n" + (field + "\n" if field else "") + "\n"
    (tmp_path / "a.nrrd").write_bytes(header.encode("utf-8") + GREY8.tobytes())
    geometry = read_image(tmp_path / "a.nrrd").geometry
    np.testing.assert_allclose(geometry.spacing, np.array([8, 9]) * mm)
    np.testing.assert_allclose(geometry.origin, np.array([100, 200, 300]) * mm)


def test_an_unknown_unit_of_an_nrrd_is_refused(tmp_path):
    sitk.WriteImage(sitk.GetImageFromArray(GREY8), str(tmp_path / "a.nrrd"))
    content = (
        (tmp_path / "a.nrrd").read_bytes().replace(b"\nencoding", b'\nspace units: "furlong" "furlong"\nencoding', 1)
    )
    (tmp_path / "a.nrrd").write_bytes(content)
    with pytest.raises(InputError, match=r"a\.nrrd.*furlong"):
        read_image(tmp_path / "a.nrrd")


def metaimage(path, fields):
    header = (
        f"ObjectType = Image\nNDims = 2\nBinaryData = True\nBinaryDataByteOrderMSB = False\nDimSize = 56 40\n{fields}"
    )
    path.write_bytes(f"{header}ElementType = MET_UCHAR\nElementDataFile = LOCAL\n".encode() + GREY8.tobytes())
    return path


@pytest.mark.parametrize(("unit", "mm"), [("um", 1e-3), ("mm", 1.0), ("cm", 10.0), ("?", 1.0)])
@pytest.mark.parametrize("field", ["ElementSpacing", "ElementSize"])
def test_the_unit_of_a_metaimage_counts(tmp_path, field, unit, mm):
    path = metaimage(tmp_path / "a.mha", f"DistanceUnits = {unit}\nOffset = 100 200\n{field} = 1 1.5\n")
    geometry = read_image(path).geometry
    assert geometry.spacing_known
    np.testing.assert_allclose(geometry.spacing, np.array([1.5, 1]) * mm)
    np.testing.assert_allclose(geometry.origin, np.array([100, 200, 0]) * mm)
    assert read_header(path).geometry == geometry


def test_a_unit_without_a_size_is_no_size(tmp_path):
    path = metaimage(tmp_path / "a.mha", "DistanceUnits = um\n")
    assert not read_image(path).geometry.spacing_known
    assert read_image(metaimage(path, "DistanceUnits = um\nElementSpacing = 1 1\n")).geometry.spacing == (1e-3, 1e-3)


def test_an_unknown_unit_of_a_metaimage_is_refused(tmp_path):
    path = metaimage(tmp_path / "a.mha", "DistanceUnits = furlong\nElementSpacing = 1 2\n")
    for read in (read_image, read_header):
        with pytest.raises(InputError, match=r"a\.mha.*furlong"):
            read(path)


def test_a_negative_step_is_a_direction_for_header_and_pixels(tmp_path):
    path = metaimage(tmp_path / "a.mha", "ElementSpacing = -0.01 0.02\n")
    found = read_image(path).geometry
    assert found.spacing == (0.02, 0.01) and found.direction[0][0] == -1
    assert read_header(path).geometry == found


@pytest.mark.parametrize(("unit", "mm"), [("mm", 1.0), ("micron", 1e-3), ("meter", 1e3)])
def test_the_unit_of_a_nifti_counts(tmp_path, unit, mm):
    image = nibabel.Nifti1Image(GREY8[..., None], np.array([[8, 0, 0, 5], [0, 9, 0, 6], [0, 0, 7, 7], [0, 0, 0, 1.0]]))
    image.header.set_xyzt_units(unit)
    nibabel.save(image, tmp_path / "a.nii.gz")
    geometry = read_image(tmp_path / "a.nii.gz").geometry
    np.testing.assert_allclose(geometry.spacing, np.array([9, 8]) * mm, rtol=1e-5)
    np.testing.assert_allclose(geometry.origin, np.array([-5, -6, 7]) * mm, rtol=1e-5)


def ome(x, unit):
    return (
        f"<OME><Image><Pixels PhysicalSizeX={x} PhysicalSizeXUnit={unit} PhysicalSizeY={x} PhysicalSizeYUnit={unit}/>"
    )


@pytest.mark.parametrize(
    ("description", "um"),
    [
        ('<OME><Image><Pixels PhysicalSizeX="9.4" PhysicalSizeY="9.4"/></Image></OME>', 9.4),
        (ome('"9.4"', '"&#181;m"'), 9.4),
        (ome('"9.4"', '"&#xB5;m"'), 9.4),
        (ome("'9400'", "'nm'"), 9.4),
        (ome('"1"', '"pixel"'), None),
        ("ImageJ=1.53t\nunit=micron\n", 500),
        ("ImageJ=1.53t\nunit=\\u00B5m\n", 500),
        ("ImageJ=1.53t\nunit=inch\n", None),
        ("ImageJ=1.53t\nunit=pixel\n", None),
        ("ImageJ=1.53t\n", None),
    ],
)
def test_units_of_microscopes(tmp_path, description, um):
    Pillow.fromarray(GREY8).save(tmp_path / "a.tif", description=description, x_resolution=0.002, y_resolution=0.002)
    geometry = read_image(tmp_path / "a.tif").geometry
    assert geometry.spacing_known == (um is not None)
    if um is not None:
        np.testing.assert_allclose(1000 * np.array(geometry.spacing), um, rtol=1e-3)


def test_an_unknown_unit_of_imagej_is_refused_unless_the_user_knows(tmp_path):
    for name in ("m.tif", "f.tif"):
        pixels = GREY8 if name == "m.tif" else GREY8[::-1].copy()
        Pillow.fromarray(pixels).save(
            tmp_path / name, description="ImageJ=1.53t\nunit=furlong\n", x_resolution=2, y_resolution=2
        )
    files = PairFiles("p", tmp_path / "m.tif", tmp_path / "f.tif")
    with pytest.raises(InputError, match=r"m\.tif.*furlong"):
        files.load()
    pair = PairFiles("p", files.moving, files.fixed, moving_spacing_um=10, fixed_spacing_um=12).load()
    assert pair.moving.geometry.spacing == (0.01, 0.01) and pair.fixed.geometry.spacing == (0.012, 0.012)


# --- DICOM ---

OPHTHALMIC_TOMOGRAPHY = "1.2.840.10008.5.1.4.1.1.77.1.5.4"
ENFACE = "1.2.840.10008.5.1.4.1.1.77.1.5.7"
PHOTOGRAPHY = "1.2.840.10008.5.1.4.1.1.77.1.5.1"
WIDE_FIELD = "1.2.840.10008.5.1.4.1.1.77.1.5.5"
SECONDARY = "1.2.840.10008.5.1.4.1.1.7"
MULTI_FRAME = "1.2.840.10008.5.1.4.1.1.7.2"
PARAMETRIC_MAP = "1.2.840.10008.5.1.4.1.1.30"
MR = "1.2.840.10008.5.1.4.1.1.4"


def dicom(path, pixels, sop_class, *, syntax=ExplicitVRLittleEndian, **values):
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = syntax
    data.file_meta.MediaStorageSOPClassUID = sop_class
    data.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    data.SOPClassUID, data.SOPInstanceUID = sop_class, data.file_meta.MediaStorageSOPInstanceUID
    data.Rows, data.Columns = pixels.shape[-2:] if pixels.ndim < 4 else pixels.shape[1:3]
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.BitsAllocated = data.BitsStored = pixels.dtype.itemsize * 8
    data.HighBit, data.PixelRepresentation = data.BitsStored - 1, 0
    if pixels.ndim == 3:
        data.NumberOfFrames = len(pixels)
    data.PixelData = pixels.tobytes()
    for name, value in values.items():
        setattr(data, name, value)
    data.save_as(path, enforce_file_format=True)
    return path


@pytest.mark.parametrize("sop_class", [ENFACE, PHOTOGRAPHY, WIDE_FIELD, OPHTHALMIC_TOMOGRAPHY, SECONDARY, MR])
@pytest.mark.parametrize("pixels", [GREY8, GREY16], ids=["8 bits", "16 bits"])
def test_classes_of_dicom_and_their_pixel_size(tmp_path, pixels, sop_class):
    image = read_image(dicom(tmp_path / "a.dcm", pixels, sop_class, PixelSpacing=[0.009, 0.012]))
    np.testing.assert_array_equal(image.array, pixels)
    assert image.geometry.spacing_known
    np.testing.assert_allclose(image.geometry.spacing, (0.009, 0.012))


@pytest.mark.parametrize("values", [{}, {"PixelSpacing": [0, 0]}, {"PixelSpacing": ""}])
@pytest.mark.parametrize("sop_class", [ENFACE, PHOTOGRAPHY, SECONDARY])
def test_dicom_without_a_pixel_size_has_none(tmp_path, sop_class, values):
    assert not read_image(dicom(tmp_path / "a.dcm", GREY8, sop_class, **values)).geometry.spacing_known


def test_a_shape_of_pixels_without_their_size_is_named(tmp_path):
    told = read_image(dicom(tmp_path / "a.dcm", GREY8, SECONDARY, PixelAspectRatio=[2, 1])).notes
    assert "its pixels are 2 : 1 (height : width, PixelAspectRatio), but their size is not stated" in " ".join(told)
    for values in ({"PixelAspectRatio": [1, 1]}, {"PixelAspectRatio": [2, 1], "PixelSpacing": [0.02, 0.01]}):
        assert not read_image(dicom(tmp_path / "a.dcm", GREY8, SECONDARY, **values)).notes


@pytest.mark.parametrize("name", ["ImagerPixelSpacing", "NominalScannedPixelSpacing"])
def test_other_pixel_sizes_of_dicom_count(tmp_path, name):
    geometry = read_image(dicom(tmp_path / "a.dcm", GREY8, SECONDARY, **{name: [0.02, 0.03]})).geometry
    assert geometry.spacing_known
    np.testing.assert_allclose(geometry.spacing, (0.02, 0.03))


def test_functional_groups_of_an_enhanced_image(tmp_path):
    measures, plane, orientation, shared = Dataset(), Dataset(), Dataset(), Dataset()
    measures.PixelSpacing, measures.SliceThickness = [0.01, 0.02], 0.5
    plane.ImagePositionPatient, orientation.ImageOrientationPatient = [1, 2, 3], [0, 1, 0, 0, 0, -1]
    shared.PixelMeasuresSequence, shared.PlanePositionSequence = Sequence([measures]), Sequence([plane])
    shared.PlaneOrientationSequence = Sequence([orientation])
    stack = np.stack([GREY16, GREY16[::-1]])
    path = dicom(tmp_path / "a.dcm", stack, OPHTHALMIC_TOMOGRAPHY, SharedFunctionalGroupsSequence=Sequence([shared]))
    image = read_image(path, slice_index=1)
    np.testing.assert_array_equal(image.array, GREY16[::-1])
    np.testing.assert_allclose(image.geometry.spacing, (0.01, 0.02))
    np.testing.assert_allclose(image.geometry.to_physical([0, 10]) - image.geometry.origin, [0, 0.2, 0], atol=1e-9)
    with pytest.raises(InputError, match="stack of 2 slices"):
        read_image(path)


def _of_frames(name, items):
    """Functional groups of frames; each has one sequence `name` of one item, or none for an empty item."""
    groups = []
    for item in items:
        group, inner = Dataset(), Dataset()
        for key, value in item.items():
            setattr(inner, key, value)
        if item:
            setattr(group, name, Sequence([inner]))
        groups.append(group)
    return Sequence(groups)


def test_each_frame_of_dicom_has_its_own_pixel_size(tmp_path):
    sizes = [{"PixelSpacing": [0.02, 0.03]}, {"PixelSpacing": [0.01, 0.015]}, {}]
    groups = _of_frames("PixelMeasuresSequence", sizes)
    stack = np.stack([GREY16, GREY16[::-1], GREY16])
    path = dicom(tmp_path / "a.dcm", stack, OPHTHALMIC_TOMOGRAPHY, PerFrameFunctionalGroupsSequence=groups)
    found = [read_image(path, slice_index=frame).geometry for frame in range(3)]
    assert [geometry.spacing for geometry in found] == [(0.02, 0.03), (0.01, 0.015), (1.0, 1.0)]
    assert [geometry.spacing_known for geometry in found] == [True, True, False]
    assert read_pixels(path, slice_index=1)[1].spacing == (0.01, 0.015)
    with pytest.raises(InputError, match=r"a\.dcm: .* the pixel sizes of its slices differ"):
        read_volume(path)


def test_frames_of_dicom_with_the_same_pixel_size_are_a_volume(tmp_path):
    groups = _of_frames("PixelMeasuresSequence", [{"PixelSpacing": [0.02, 0.03], "SliceThickness": 0.5}] * 2)
    stack = np.stack([GREY16, GREY16[::-1]])
    path = dicom(tmp_path / "a.dcm", stack, OPHTHALMIC_TOMOGRAPHY, PerFrameFunctionalGroupsSequence=groups)
    assert read_volume(path).spacing == (0.5, 0.02, 0.03)


def test_each_frame_of_dicom_has_its_own_scale(tmp_path):
    scales = [(1, 0), (-1, 255), (2, 10)]
    items = [{"RescaleSlope": slope, "RescaleIntercept": intercept} for slope, intercept in scales]
    groups = _of_frames("PixelValueTransformationSequence", items)
    path = dicom(
        tmp_path / "a.dcm", np.stack([GREY8] * 3), OPHTHALMIC_TOMOGRAPHY, PerFrameFunctionalGroupsSequence=groups
    )
    for frame, (slope, intercept) in enumerate(scales):
        np.testing.assert_array_equal(read_image(path, slice_index=frame).array, GREY8 * float(slope) + intercept)


@pytest.mark.parametrize(
    ("name", "items", "read"),
    [
        ("PixelMeasuresSequence", [{"PixelSpacing": [0.02, 0.03]}, {"PixelSpacing": [0.01, 0.03]}], False),
        ("PixelValueTransformationSequence", [{"RescaleSlope": 1, "RescaleIntercept": 0}] * 2, True),
        ("PixelValueTransformationSequence", [{"RescaleSlope": 2, "RescaleIntercept": 0}] * 2, False),
    ],
    ids=["two sizes", "no scale", "a scale"],
)
def test_gdcm_decodes_frames_only_where_it_reads_them_right(tmp_path, monkeypatch, name, items, read):
    def none_at_hand(data):
        raise NotImplementedError("no decoder")

    stack = np.stack([GREY8, GREY8[::-1]])
    groups = _of_frames(name, items)
    path = dicom(tmp_path / "a.dcm", stack, MULTI_FRAME, PerFrameFunctionalGroupsSequence=groups)
    data = pydicom.dcmread(path)
    data.compress(RLELossless)
    data.save_as(path)
    monkeypatch.setattr(Dataset, "pixel_array", property(none_at_hand))
    if read:
        np.testing.assert_array_equal(read_image(path, slice_index=1).array, GREY8[::-1])
    else:
        with pytest.raises(InputError, match=r"a\.dcm: no decoder for its compression"):
            read_image(path, slice_index=1)


@pytest.mark.parametrize("frames", [1, 2])
def test_big_endian_dicom_is_read(tmp_path, frames):
    stack = np.stack([GREY16, GREY16[::-1]])[:frames]
    path = dicom(tmp_path / "a.dcm", stack, SECONDARY, syntax=ExplicitVRBigEndian, PixelData=stack.byteswap().tobytes())
    np.testing.assert_array_equal(read_image(path, slice_index=frames - 1).array, stack[-1])


@pytest.mark.parametrize(("name", "dtype"), [("FloatPixelData", np.float32), ("DoubleFloatPixelData", np.float64)])
def test_floating_pixels_of_dicom_are_read(tmp_path, name, dtype):
    pixels = (GREY16 / 7).astype(dtype)
    data = pydicom.dcmread(dicom(tmp_path / "a.dcm", pixels, PARAMETRIC_MAP, PixelSpacing=[0.009, 0.012]))
    for without in ("PixelData", "BitsStored", "HighBit", "PixelRepresentation"):
        delattr(data, without)
    setattr(data, name, pixels.tobytes())
    data.save_as(tmp_path / "a.dcm")
    image = read_image(tmp_path / "a.dcm")
    np.testing.assert_array_equal(image.array, pixels.astype(np.float32))
    assert read_header(tmp_path / "a.dcm").geometry == image.geometry


def test_a_classic_slice_is_as_itk_reads_it(tmp_path):
    path = dicom(
        tmp_path / "a.dcm",
        GREY16,
        MR,
        PixelSpacing=[0.5, 0.75],
        ImagePositionPatient=[10, -20, 30],
        ImageOrientationPatient=[0, 1, 0, 0, 0, -1],
        RescaleSlope=2,
        RescaleIntercept=-1000,
        SliceThickness=3,
    )
    expected, image = sitk.ReadImage(str(path)), read_image(path)
    np.testing.assert_allclose(image.array, sitk.GetArrayFromImage(expected)[0])
    np.testing.assert_allclose(image.geometry.spacing, expected.GetSpacing()[1::-1])
    for row, column in ((0, 0), (7, 5)):
        np.testing.assert_allclose(
            image.geometry.to_physical([row, column]),
            expected.TransformIndexToPhysicalPoint((column, row, 0)),
            atol=1e-9,
        )


LOW12 = GREY16 & 0xFFF


@pytest.mark.parametrize("order", [ExplicitVRLittleEndian, ExplicitVRBigEndian], ids=["little", "big"])
def test_dicom_values_at_the_upper_end_of_their_words_are_brought_down(tmp_path, order):
    words = LOW12 << 4
    pixels = words if order is ExplicitVRLittleEndian else words.byteswap()
    path = dicom(tmp_path / "a.dcm", words, MR, syntax=order, PixelData=pixels.tobytes(), BitsStored=12, HighBit=15)
    np.testing.assert_array_equal(read_image(path).array, LOW12)


@pytest.mark.parametrize(
    ("pixels", "declared", "said"),
    [
        (
            LOW12 << 4 | 1,
            {"BitsStored": 12, "HighBit": 15},
            "high bit 15 with 12 stored bits.*The high bit 11 was expected",
        ),
        (LOW12, {"BitsStored": 12, "HighBit": 9}, "high bit 9 with 12 stored bits.*The high bit 11 was expected"),
        (LOW12 | 0x8000, {"BitsStored": 12, "HighBit": 11}, "declares 12 stored bits, which hold 0 to 4095"),
        (
            LOW12.astype(np.int16) - 4096,
            {"BitsStored": 12, "HighBit": 11, "PixelRepresentation": 1},
            "value -40.*which hold -2048 to 2047",
        ),
    ],
    ids=["low bits", "lower", "beyond", "signed"],
)
def test_dicom_values_beyond_the_declared_bits_are_refused(tmp_path, pixels, declared, said):
    with pytest.raises(InputError, match=rf"a\.dcm: (?s:.*){said}"):
        read_image(dicom(tmp_path / "a.dcm", pixels, MR, **declared))


def test_unused_bits_of_dicom_that_say_nothing_are_passed_over(tmp_path):
    declared = {"BitsStored": 12, "HighBit": 11}
    np.testing.assert_array_equal(read_image(dicom(tmp_path / "a.dcm", LOW12, MR, **declared)).array, LOW12)
    signed = LOW12.astype(np.int16) - 2048
    for words in (signed, signed & 0xFFF):  # the sign repeated, and not
        path = dicom(tmp_path / "a.dcm", words, MR, PixelRepresentation=1, **declared)
        np.testing.assert_array_equal(read_image(path).array, signed)
    path = dicom(tmp_path / "a.dcm", LOW12 | 0x8000, MR, **declared)
    data = pydicom.dcmread(path)
    data.add_new((0x6000, 0x0102), "US", 15)  # the bit of an overlay
    data.save_as(path)
    np.testing.assert_array_equal(read_image(path).array, LOW12)


def test_monochrome1_is_turned_to_black_as_zero(tmp_path):
    image = read_image(dicom(tmp_path / "a.dcm", GREY8, SECONDARY, PhotometricInterpretation="MONOCHROME1"))
    np.testing.assert_array_equal(image.array, 255 - GREY8)


def test_colour_dicom(tmp_path):
    colours = RNG.integers(0, 256, (40, 56, 3), dtype=np.uint8)
    Pillow.fromarray(colours).save(tmp_path / "a.png")
    data = dicom(tmp_path / "a.dcm", GREY8, PHOTOGRAPHY)
    read = pydicom.dcmread(data)
    read.SamplesPerPixel, read.PhotometricInterpretation, read.PlanarConfiguration = 3, "RGB", 0
    read.PixelData = colours.tobytes()
    read.save_as(data)
    np.testing.assert_allclose(read_image(data).array, read_image(tmp_path / "a.png").array, atol=1e-3)


def test_dicom_that_is_no_image_or_damaged_is_refused(tmp_path):
    path = dicom(tmp_path / "a.dcm", GREY8, ENFACE)
    whole = path.read_bytes()
    for length in (140, 400, len(whole) - 1000):
        path.write_bytes(whole[:length])
        with pytest.raises(InputError, match=r"a\.dcm"):
            read_image(path)


def test_a_tiff_tag_that_is_no_number_is_refused(tmp_path):
    entries = [(256, 4, 4), (257, 4, 4), (258, 3, 8), (259, 3, 1), (262, 3, 1), (273, 4, 8), (279, 4, 16), (339, 11, 0)]
    page = struct.pack("<H", len(entries))
    for tag, kind, value in entries:
        page += struct.pack("<HHI", tag, kind, 1) + (
            struct.pack("<f", np.nan) if kind == 11 else struct.pack("<I", value)
        )
    (tmp_path / "a.tif").write_bytes(b"II" + struct.pack("<HI", 42, 24) + bytes(range(16)) + page + bytes(4))
    with pytest.raises(InputError, match=r"a\.tif"):
        read_image(tmp_path / "a.tif")


def test_nifti_headers_are_looked_at(tmp_path):
    pixels = np.arange(30, dtype=np.float32).reshape(5, 6, 1)
    nibabel.save(nibabel.Nifti1Image(pixels, np.diag([0.01, 0.02, 1, 1])), tmp_path / "a.nii")
    assert read_image(tmp_path / "a.nii").array.shape == (6, 5)
    good = (tmp_path / "a.nii").read_bytes()
    for code, place, value in (
        ("<h", 42, 0),  # an axis of nothing
        ("<f", 80, np.inf),  # infinite steps, over which the decoder never ends
        ("<f", 280, np.nan),
        ("<i", 0, 349),
    ):
        data = bytearray(good)
        struct.pack_into(code, data, place, value)
        (tmp_path / "b.nii").write_bytes(data)
        with pytest.raises(InputError, match=r"b\.nii"):
            read_image(tmp_path / "b.nii")
    nibabel.save(nibabel.Nifti2Image(pixels, np.eye(4)), tmp_path / "c.nii")
    with pytest.raises(InputError, match=r"c\.nii.*NIfTI-1"):
        read_image(tmp_path / "c.nii")
