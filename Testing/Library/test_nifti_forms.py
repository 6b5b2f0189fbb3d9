"""A NIfTI file states sizes in `pixdim` and its sform, and positions in its qform and its sform; nibabel writes the files."""

import gzip
import struct

import nibabel
import numpy as np
import pytest

from MetaRegistrationLib.errors import InputError
from MetaRegistrationLib.formats.headers import read_header
from MetaRegistrationLib.formats.images import read_image, read_pixels, read_volume

PIXELS = np.random.default_rng(2).integers(0, 250, (40, 56)).astype(np.uint8)
SMALL, LARGE = np.diag([-0.005, -0.007, 0.5, 1]), np.diag([-0.01, -0.012, 1, 1])


@pytest.fixture(params=[".nii", ".nii.gz"])
def path(request, tmp_path):
    return tmp_path / f"a{request.param}"


def _written(path, *, steps, qform=None, sform=None, slices=1, change=None):
    """A file with these distances in `pixdim` and these matrices; `change` gets the header."""
    image = nibabel.Nifti1Image(np.repeat(PIXELS.T[:, :, None], slices, 2), None)
    image.set_qform(qform, int(qform is not None))
    image.set_sform(sform, int(sform is not None))
    image.header["pixdim"][1:4] = steps
    if change is not None:
        change(image.header)
    image.to_filename(path)
    return path


def test_sizes_that_differ_are_refused_with_both(path):
    _written(path, steps=(0.01, 0.012, 1), sform=SMALL)
    for read in (read_image, read_header):
        with pytest.raises(InputError, match=r"0\.01 x 0\.012 mm by pixdim and 0\.005 x 0\.007 mm by the sform"):
            read(path)
    known = read_image(path, spacing_um=9, override=True)
    assert known.geometry.spacing == (0.009, 0.009)
    np.testing.assert_array_equal(known.array, PIXELS)
    np.testing.assert_array_equal(read_pixels(path)[0], PIXELS)


def test_sizes_that_differ_are_refused_beside_a_qform_too(path):
    _written(path, steps=(0.01, 0.012, 1), qform=LARGE, sform=SMALL)
    with pytest.raises(InputError, match="two voxel sizes"):
        read_image(path)


@pytest.mark.parametrize(("share", "refused"), [(1.0005, False), (1.002, True)])
def test_a_thousandth_is_no_difference(path, share, refused):
    _written(path, steps=np.array([0.005, 0.007, 0.5]) * share, sform=SMALL)
    if refused:
        with pytest.raises(InputError, match="two voxel sizes"):
            read_image(path)
    else:
        np.testing.assert_allclose(read_image(path).geometry.spacing, np.array([0.007, 0.005]) * share, rtol=1e-6)
        assert not read_image(path).notes


def test_the_thickness_of_a_single_slice_may_differ(path):
    _written(path, steps=(0.005, 0.007, 1), sform=SMALL)
    np.testing.assert_allclose(read_image(path).geometry.spacing, (0.007, 0.005), rtol=1e-6)


def test_the_distance_of_slices_may_not_differ(path):
    _written(path, steps=(0.005, 0.007, 1), sform=SMALL, slices=3)
    with pytest.raises(InputError, match="two voxel sizes"):
        read_image(path, slice_index=1)


@pytest.mark.parametrize(("unit", "mm"), [("mm", 1), ("micron", 1e-3)])
def test_a_size_that_the_sform_alone_states_is_used(path, unit, mm):
    scale = np.diag([1 / mm, 1 / mm, 1 / mm, 1])
    _written(path, steps=(1, 1, 1), sform=SMALL @ scale, change=lambda header: header.set_xyzt_units(unit))
    image = read_image(path)
    assert image.geometry.spacing_known
    np.testing.assert_allclose(image.geometry.spacing, (0.007, 0.005), rtol=1e-6)
    assert image.geometry == read_header(path).geometry
    (note,) = image.notes
    assert path.name in note and "0.005 x 0.007 mm" in note
    corner = image.geometry.to_physical([39, 55])
    np.testing.assert_allclose(corner, (0.005 * 55, 0.007 * 39, 0), rtol=1e-5)


def test_slices_of_a_volume_are_as_far_apart_as_the_sform_says(path):
    _written(path, steps=(1, 1, 1), sform=SMALL, slices=3)
    np.testing.assert_allclose(read_volume(path).spacing, (0.5, 0.007, 0.005), rtol=1e-6)


def _turned(affine, degrees, place=(0, 0, 0)):
    cosine, sine = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    result = np.eye(4)
    result[:3, :3] = np.array([[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1]]) @ affine[:3, :3]
    result[:3, 3] = place
    return result


@pytest.mark.parametrize(
    ("sform", "code", "used"),
    [(_turned(LARGE, 30), 1, "sform"), (_turned(LARGE, 30), 4, "qform"), (_turned(LARGE, 0, (1, 2, 3)), 1, "sform")],
    ids=["turned", "turned to an atlas", "elsewhere"],
)
def test_positions_that_differ_are_noted(path, sform, code, used):
    def coded(header):
        header["sform_code"] = code

    _written(path, steps=(0.01, 0.012, 1), qform=LARGE, sform=sform, change=coded)
    image = read_image(path)
    (note,) = image.notes
    assert path.name in note and f"those of the {used} are used" in note
    expected = (sform if used == "sform" else LARGE) @ [55, 39, 0, 1]
    np.testing.assert_allclose(image.geometry.to_physical([39, 55]), expected[:3] * [-1, -1, 1], atol=1e-4)


@pytest.mark.parametrize("affine", [LARGE, _turned(LARGE, 30, (5, -6, 7)), LARGE @ np.diag([1, -1, 1, 1])])
def test_positions_that_agree_are_not_noted(path, affine):
    _written(path, steps=(0.01, 0.012, 1), qform=affine, sform=affine)
    assert not read_image(path).notes


@pytest.mark.parametrize(
    ("place", "noted"), [((1, 2, 0), True), ((0, 0, 9), False)], ids=["in the plane", "above the plane"]
)
def test_positions_in_the_plane_of_two_axes_that_differ_are_noted(path, place, noted):
    sform = _turned(LARGE, 0, place)
    _written(path, steps=(0.01, 0.012, 1), qform=LARGE, sform=sform)
    _patched(path, 40, "<h", 2)
    image = read_image(path)
    np.testing.assert_allclose(image.geometry.origin, (-place[0], -place[1], 0), atol=1e-6)
    assert [f"{path}: " in note and "those of the sform are used" in note for note in image.notes] == [True] * noted


def test_axes_of_the_sform_at_other_angles_are_refused_with_what_helps(path):
    sheared = SMALL + np.array([[0, 0.004, 0, 0], *[[0] * 4] * 3])
    _written(path, steps=(0.005, np.hypot(0.004, 0.007), 0.5), sform=sheared)
    for read in (read_image, read_header):
        with pytest.raises(InputError, match=r"sform are sheared\. Resample"):
            read(path)


@pytest.mark.parametrize("start", [0, 348, -5])
def test_voxels_that_begin_within_the_header_are_refused(path, start):
    _written(path, steps=(0.005, 0.007, 0.5), sform=SMALL)
    _patched(path, 108, "<f", start)
    for read in (read_image, read_header):
        with pytest.raises(InputError, match=rf"voxels from byte 352 on were expected .*states {start}\."):
            read(path)


@pytest.mark.parametrize("slope", [0.0, np.nan])
def test_a_slope_of_nothing_adds_no_intercept(path, slope):
    _written(path, steps=(0.005, 0.007, 0.5), sform=SMALL)
    _with_scale(path, slope, 5.0)
    image = read_image(path)
    np.testing.assert_array_equal(image.array, PIXELS)
    np.testing.assert_allclose(image.geometry.spacing, (0.007, 0.005), rtol=1e-6)
    assert read_pixels(path)[0].dtype == np.uint8


def test_a_slope_of_one_adds_its_intercept(path):
    _written(path, steps=(0.005, 0.007, 0.5), sform=SMALL)
    _with_scale(path, 1.0, 5.0)
    np.testing.assert_array_equal(read_image(path).array, PIXELS + 5.0)


def _with_scale(path, slope, intercept):
    """Put a scale into the header: nibabel does not write these."""
    _patched(path, 112, "<2f", slope, intercept)


def _patched(path, place, code, *values):
    """Put numbers into the header at a position."""
    packed = path.suffix == ".gz"
    data = bytearray(gzip.decompress(path.read_bytes()) if packed else path.read_bytes())
    struct.pack_into(code, data, place, *values)
    path.write_bytes(gzip.compress(data) if packed else data)


@pytest.mark.parametrize("ends", [(".nii", ".nii.gz"), (".NII", ".NII.GZ")])
@pytest.mark.parametrize("stored", [np.uint8, np.float32])
def test_a_packed_file_has_its_own_pixels_beside_an_unpacked_one(tmp_path, ends, stored):
    beside, path = (tmp_path / f"a{end}" for end in ends)
    nibabel.Nifti1Image(255 - PIXELS.T[..., None], LARGE).to_filename(tmp_path / "plain.nii")
    (tmp_path / "plain.nii").rename(beside)
    nibabel.Nifti1Image(PIXELS.T[..., None].astype(stored), LARGE).to_filename(tmp_path / "packed.nii.gz")
    (tmp_path / "packed.nii.gz").rename(path)
    np.testing.assert_array_equal(read_image(path).array, PIXELS)
    np.testing.assert_array_equal(read_pixels(path)[0], PIXELS)
    np.testing.assert_array_equal(read_image(beside).array, 255 - PIXELS)
    assert read_image(path).geometry == read_header(path).geometry


def test_a_packed_volume_has_its_own_voxels_beside_an_unpacked_one(path):
    _written(path, steps=(1, 1, 1), slices=3)
    other = path.with_name("a.nii" if path.name.endswith(".gz") else "a.nii.gz")
    nibabel.Nifti1Image(np.zeros((56, 40, 3), np.uint8), None).to_filename(other)
    found = read_volume(path).array
    path.rename(path.with_name(f"alone{''.join(path.suffixes)}"))
    np.testing.assert_array_equal(found, read_volume(path.with_name(f"alone{''.join(path.suffixes)}")).array)
    assert found.max() > 0
