"""Geometries and masks that Python code gives: each is used as it is stated, or refused by name."""

import numpy as np
import pytest
import SimpleITK as sitk
from api_images import itk_image, known, textures

import MetaRegistrationLib as mr
from MetaRegistrationLib.formats.headers import read_header

SHAPE = (200, 240)
KNOWN = (0.01, 0.02)
DOUBLE = ((2.0, 0.0, 0.0), (0.0, 2.0, 0.0), (0.0, 0.0, 1.0))

IMPOSSIBLE = {
    "origin without a number": ({"origin": (np.nan, 0, 0)}, r"an origin of three numbers in mm; got \(nan, 0, 0\)"),
    "origin of two": ({"origin": (0, 0)}, "an origin of three numbers"),
    "directions of 2": ({"direction": DOUBLE}, "each column of length 1; got lengths of 2, 2, 1"),
    "directions of 0": ({"direction": ((0, 0, 0),) * 3}, "got lengths of 0, 0, 0"),
    "directions in a plane": ({"direction": ((1, 0, 1), (0, 1, 0), (0, 0, 0))}, "in one plane"),
    "two directions": ({"direction": ((1, 0), (0, 1))}, "a 3 x 3 matrix"),
    "pixel of 1e-9 mm": ({"spacing": (1e-9, 1e-9)}, "at least 0.01 um"),
    "negative spacing": ({"spacing": (-0.01, 0.01)}, r"above 0; got -0\.01 x 0\.01"),
    "spacing of 0": ({"spacing": (0.0, 0.01)}, "above 0"),
    "spacing without a number": ({"spacing": (np.nan, 0.01)}, "above 0; got"),
    "slices of 0": ({"spacing": KNOWN, "slice_spacing": 0.0}, "a slice spacing in mm, above 0; got 0"),
    "no size": ({"size": (SHAPE[0], SHAPE[1], 1)}, r"a size of \(rows, columns\)"),
}


@pytest.mark.parametrize("role", ["moving", "fixed"])
@pytest.mark.parametrize("kind", IMPOSSIBLE)
def test_an_impossible_geometry_is_refused_by_name(kind, role):
    options, words = IMPOSSIBLE[kind]
    images = dict(zip(("moving", "fixed"), textures(), strict=True))
    images[role] = mr.Image(images[role], mr.Geometry(**{"size": SHAPE, **options}))
    with pytest.raises(mr.InputError, match=f"{role}: .*{words}"):
        known(images["moving"], images["fixed"])


def test_an_impossible_geometry_of_simpleitk_or_a_file_is_refused(tmp_path):
    moving, fixed = textures()
    with pytest.raises(mr.InputError, match=r"moving: .*each column of length 1"):
        known(itk_image(moving, KNOWN, direction=(2, 0, 0, 2)), fixed)
    with pytest.raises(mr.InputError, match=r"moving: .*an origin of"):
        known(itk_image(moving, KNOWN, origin=(np.nan, 0)), fixed)
    path = tmp_path / "a.mha"
    sitk.WriteImage(itk_image(moving, KNOWN), str(path))
    content = path.read_bytes().replace(b"TransformMatrix = 1 0 0 1", b"TransformMatrix = 2 0 0 2", 1)
    path.write_bytes(content)
    with pytest.raises(mr.InputError, match=r"a\.mha: .*each column of length 1"):
        read_header(path)
    with pytest.raises(mr.InputError, match=r"each column of length 1"):
        known(path, fixed)


def test_lists_and_arrays_serve_as_tuples():
    moving, fixed = textures()
    given = mr.Geometry(list(SHAPE), np.array(KNOWN), np.zeros(3), np.eye(3))
    result = known(mr.Image(moving, given), mr.Image(fixed, given))
    expected = known(moving, fixed, spacing=KNOWN)
    assert result.details.fixed.geometry == mr.Geometry(SHAPE, KNOWN) == expected.details.fixed.geometry
    np.testing.assert_array_equal(result.error_um, expected.error_um)
    assert result.transform().TransformPoint((0.5, 0.5)) == expected.transform().TransformPoint((0.5, 0.5))


def test_a_stated_spacing_is_a_pixel_size():
    assert mr.Geometry(SHAPE, KNOWN).spacing_known
    assert not mr.Geometry(SHAPE).spacing_known
    assert not mr.Geometry(SHAPE, KNOWN, spacing_known=False).spacing_known


def test_the_mask_of_an_image_is_read_as_any_mask():
    moving, fixed = textures()
    mask = np.where(np.indices(SHAPE)[0] < 120, 1.0, np.nan)
    image = mr.Image(moving, mr.Geometry(SHAPE), mask=mask)
    np.testing.assert_array_equal(known(image, fixed).details.moving.mask, np.isfinite(mask))
    for empty in (np.zeros(SHAPE), np.full(SHAPE, np.nan)):
        with pytest.raises(mr.InputError, match=r"moving \(mask\): expected some pixels that are not zero"):
            known(mr.Image(moving, mr.Geometry(SHAPE), mask=empty), fixed)
    with pytest.raises(mr.InputError, match=r"moving \(mask\): expected 200 rows x 240 columns"):
        known(mr.Image(moving, mr.Geometry(SHAPE), mask=mask[1:]), fixed)
