"""Pictures for people: small, whole or not at all, and near enough to what was drawn."""

import errno

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813

from MetaRegistrationLib.errors import InputError
from MetaRegistrationLib.formats import pictures
from MetaRegistrationLib.formats.pictures import LARGEST_BYTES, write_picture
from MetaRegistrationLib.registration.overlays import overlay, side_by_side


def read(path):
    return sitk.GetArrayFromImage(sitk.ReadImage(str(path)))


def noisy_overlay():
    """The overlay of two scans with as much speckle as a scan has, before and after."""
    rng = np.random.default_rng(0)
    moving, fixed = (rng.gamma(2.0, 30.0, (320, 320)) for _ in range(2))
    points = rng.uniform(20, 300, (12, 2))
    return side_by_side(overlay(moving, fixed, points + 4, points), overlay(moving, fixed, points, points))


def test_an_overlay_of_two_noisy_scans_is_small_and_looks_as_it_did(tmp_path):
    picture = noisy_overlay()
    write_picture(tmp_path / "o.png", picture)
    assert (tmp_path / "o.png").stat().st_size <= LARGEST_BYTES == 500_000
    found = read(tmp_path / "o.png")
    assert found.shape == picture.shape
    away = np.abs(found.astype(int) - picture)
    assert away.mean() < 16 and np.percentile(away, 99) < 64
    assert (found[:, 800:812] > 250).all(), "white stays white"


def test_a_picture_of_few_colours_stays_as_it_is(tmp_path):
    picture = np.zeros((50, 60, 3), np.uint8)
    picture[10:20, 10:20], picture[30:40, 30:40, 1] = (255, 255, 0), np.arange(100).reshape(10, 10)
    write_picture(tmp_path / "o.png", picture)
    assert np.array_equal(read(tmp_path / "o.png"), picture)


def test_a_folder_that_is_not_there_and_a_full_disk_are_told(tmp_path, monkeypatch):
    picture = np.zeros((5, 6, 3), np.uint8)
    with pytest.raises(InputError, match="the picture cannot be written"):
        write_picture(tmp_path / "none" / "o.png", picture)

    def full(picture):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(pictures, "_small_png", full)
    with pytest.raises(OSError, match="No space left") as caught:
        write_picture(tmp_path / "o.png", picture)
    assert caught.value.filename == str(tmp_path / "o.png") and not any(tmp_path.iterdir())
