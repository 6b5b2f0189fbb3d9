"""An image whose grey levels float32 would lose is refused by name, however it comes."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
from known_networks import texture

import MetaRegistrationLib as mr  # noqa: N813
from MetaRegistrationLib.formats.grey_levels import as_float32
from MetaRegistrationLib.formats.images import read_volume

STAGES = mr.Stages("none", network=False, refine=0)
GREY = np.round(texture((64, 64))).astype(np.int64)
LOST = {
    "float64 and 1e8": GREY + 1e8,
    "float64 and -1e9": GREY - 1e9,
    "int32 and 1e8": (GREY + 10**8).astype(np.int32),
    "int64 and 2**40": GREY + 2**40,
    "int64 near its end": GREY + (2**63 - 1000),
    "with NaN": np.where(GREY > 100, GREY + 1e8, np.nan),
}
KEPT = {
    "float64": GREY * 0.1,
    "float64 and 1e4": GREY + 1e4,
    "int32 and 1e6": (GREY + 10**6).astype(np.int32),
    "multiples": GREY * 2.0**60 + 2.0**70,
    "one far pixel": np.where(np.arange(64 * 64).reshape(64, 64) == 7, 1e9, GREY),
    "constant": np.full((64, 64), 1e9 + 1),
    "constant with rounding noise": 100 + 1e-14 * (GREY % 3 - 1),
    "nothing finite": np.full((64, 64), np.nan),
    "beyond float32": np.full((64, 64), 1e300),
}


@pytest.mark.parametrize("kind", LOST)
def test_an_array_is_refused(kind):
    with pytest.raises(mr.InputError, match=r"^moving: the values are between .* multiples of .* Subtract"):
        mr.register(LOST[kind], GREY, stages=STAGES)


@pytest.mark.parametrize("kind", KEPT)
def test_other_numbers_are_as_numpy_rounds_them(kind):
    with np.errstate(over="ignore"):
        expected = KEPT[kind].astype(np.float32)
    with np.errstate(all="raise"):
        np.testing.assert_array_equal(as_float32(KEPT[kind], "image"), expected)


def test_float32_is_exact_and_copied():
    image = texture((8, 8)) + np.float32(1e8)
    found = as_float32(image, "image")
    np.testing.assert_array_equal(found, image)
    assert not np.shares_memory(found, image)


@pytest.mark.parametrize("kind", [np.float64, np.int32])
def test_a_file_and_an_image_of_simpleitk_are_refused(kind, tmp_path):
    image = sitk.GetImageFromArray((GREY + 10**8).astype(kind))
    sitk.WriteImage(image, str(tmp_path / "eye.nrrd"))
    with pytest.raises(mr.InputError, match=r"eye\.nrrd: the values are between 1000000\d\d and 1000002\d\d\."):
        mr.read_image(tmp_path / "eye.nrrd")
    with pytest.raises(mr.InputError, match=r"^fixed: the values are between"):
        mr.register(GREY, image, stages=STAGES)


def test_a_volume_is_refused(tmp_path):
    sitk.WriteImage(sitk.GetImageFromArray(np.stack([GREY, GREY]) + 1e8), str(tmp_path / "brain.nrrd"))
    with pytest.raises(mr.InputError, match=r"brain\.nrrd: the values are between"):
        read_volume(tmp_path / "brain.nrrd")
