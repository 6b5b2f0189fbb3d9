"""What `mr.register` returns: field, warped images, points, transform and files, against independent references."""

from __future__ import annotations

import csv

import numpy as np
import pytest
import SimpleITK as sitk
from api_images import SIZE, itk_image, known, resampled, shifted, textures
from scipy import ndimage

import MetaRegistrationLib as mr
from MetaRegistrationLib.commands import main

pytestmark = pytest.mark.filterwarnings("error::RuntimeWarning")


@pytest.fixture(scope="module")
def result():
    return known(*textures())


def inner(array, border=24):
    return array[..., border:-border, border:-border]


def test_the_field_is_a_pull_field_on_the_fixed_grid(result):
    moving, _ = textures()
    assert result.displacement_px.dtype == np.float32
    assert result.displacement_px.shape == (2, *SIZE)
    assert np.abs(result.displacement_px).max() > 3
    places = np.indices(SIZE) + result.displacement_px
    expected = ndimage.map_coordinates(moving, places, order=1)
    np.testing.assert_allclose(inner(result.warped()), inner(expected), atol=0.02)


def test_a_known_shift_comes_back_with_its_sign_and_axes():
    moving, fixed = textures()
    result = known(moving, fixed, shifted(8.0, -20.0))  # of 400: 4 of 200 rows, -12 of 240 columns
    np.testing.assert_allclose(result.displacement_px[0], 4, atol=1e-4)
    np.testing.assert_allclose(result.displacement_px[1], -12, atol=1e-4)
    np.testing.assert_allclose(result.carry([[50, 60]]), [[46, 72]], atol=1e-3)
    np.testing.assert_allclose(result.carry_back([[46, 72]]), [[50, 60]], atol=1e-3)
    np.testing.assert_allclose(result.warped()[10, 20], moving[14, 8], atol=1e-3)


def test_the_field_holds_the_scale_between_images_of_different_size():
    moving, fixed = textures(moving_size=(100, 120))
    result = known(moving, fixed, shifted(0.0, 0.0))
    expected = (np.indices(SIZE) + 0.5) / 2 - 0.5 - np.indices(SIZE)
    np.testing.assert_allclose(result.displacement_px, expected, atol=1e-4)


def test_points_go_there_and_back(result):
    points = np.random.default_rng(0).uniform(30, 170, (40, 2))
    np.testing.assert_allclose(result.carry_back(result.carry(points)), points, atol=2e-4)
    np.testing.assert_allclose(result.carry(result.carry_back(points)), points, atol=2e-4)
    assert np.abs(result.carry(points) - points).max() > 2
    assert result.carry(np.empty((0, 2))).shape == (0, 2)


def test_points_of_a_large_image_go_there_and_back():
    result = known(*textures((1200, 1100)))
    points = np.random.default_rng(0).uniform(150, 950, (20, 2))
    np.testing.assert_allclose(result.carry_back(result.carry(points)), points, atol=1e-3)


def test_masked_points_are_refused(result):
    points = np.ma.masked_array([[50.0, 60.0], [0.0, 0.0]], [[False, False], [True, True]])
    for carry in (result.carry, result.carry_back):
        with pytest.raises(mr.InputError, match="points: expected an array without masked values, got 2"):
            carry(points)
    np.testing.assert_array_equal(result.carry(points[:1]), result.carry(points.data[:1]))
    with pytest.raises(mr.InputError, match=r"landmarks \(moving\): expected an array without masked values"):
        mr.register(*textures(), landmarks=(points, points.data), stages=mr.Stages("none", False, 0))


def test_points_that_have_no_place_are_nan():
    result = known(*textures())
    result.details.displacement_px[...] = 0
    result.details.displacement_px[:, :, 200:] = np.nan
    carried = result.carry([[100, 20], [100, 150]])
    np.testing.assert_allclose(carried[0], [100, 20], atol=1e-3)
    assert np.isnan(carried[1]).all()


@pytest.mark.parametrize("placed", [{}, {"spacing": (0.02, 0.01), "origin": (3.0, -4.0)}])
def test_the_transform_is_what_warped_shows(placed):
    moving, fixed = (itk_image(array, **placed) for array in textures())
    result = known(moving, fixed)
    assert result.transform().GetDimension() == 2
    np.testing.assert_allclose(resampled(moving, fixed, result), result.warped(), atol=1e-3)


def test_the_transform_of_arrays_works_in_pixels():
    moving, fixed = textures()
    result = known(moving, fixed, shifted(8.0, -20.0))
    np.testing.assert_allclose(result.transform().TransformPoint((72.0, 46.0)), (60.0, 50.0), atol=1e-3)
    np.testing.assert_allclose(resampled(itk_image(moving), itk_image(fixed), result), result.warped(), atol=1e-3)


def test_the_transform_of_images_in_space_and_of_another_direction():
    moving, fixed = textures(moving_size=(240, 200))
    turned = itk_image(moving, (0.01, 0.01), (7.0, 9.0), (0.0, 1.0, -1.0, 0.0))
    flat = itk_image(fixed, (0.01, 0.012), (-3.0, 1.0))
    result = known(turned, flat)
    np.testing.assert_allclose(resampled(turned, flat, result), result.warped(), atol=1e-3)
    volumes = [sitk.JoinSeries([image], 2.5, 0.3) for image in (turned, flat)]
    result = known(*volumes)
    assert result.transform().GetDimension() == 3
    np.testing.assert_allclose(resampled(*volumes, result)[0], result.warped(), atol=1e-3)
    with pytest.raises(mr.InputError, match="dimension: expected 3"):
        result.transform(dimension=2)


def test_the_transform_of_a_large_image():
    moving, fixed = textures((1100, 1200))
    result = known(moving, fixed, spacing=0.004)
    images = [itk_image(array, (0.004, 0.004)) for array in (moving, fixed)]
    np.testing.assert_allclose(resampled(*images, result), result.warped(), atol=1e-3)


def test_a_label_map_keeps_its_values_and_its_type(result):
    labels = np.random.default_rng(0).integers(0, 4, SIZE).astype(np.uint32) * 1_000_000_007
    warped = result.warp(labels)
    assert warped.dtype == np.uint32
    assert set(np.unique(warped)) <= set(np.unique(labels))
    expected = resampled(itk_image(labels), itk_image(labels), result, sitk.sitkNearestNeighbor)
    assert (inner(warped) != inner(expected)).mean() < 1e-3  # pixels in the very middle between two
    assert result.warp(labels > 0).dtype == bool


def test_images_are_interpolated_as_simpleitk_interpolates(result):
    moving, _ = textures()
    np.testing.assert_allclose(result.warp(moving, "linear"), result.warped(), atol=1e-4)
    cubic = resampled(itk_image(moving), itk_image(moving), result, sitk.sitkBSpline)
    np.testing.assert_allclose(inner(result.warp(moving, "cubic")), inner(cubic), atol=0.5)
    assert np.abs(inner(result.warp(moving, "cubic") - result.warped())).max() > 1
    colours = np.stack([moving, moving / 2, 0 * moving], axis=-1)
    warped = result.warp(colours, "linear")
    assert warped.shape == (*SIZE, 3)
    np.testing.assert_allclose(warped[..., 1], result.warped() / 2, atol=1e-3)


@pytest.mark.parametrize("interpolation", ["linear", "cubic"])
def test_what_is_unknown_stays_unknown(result, interpolation):
    values = textures()[0]
    values[90:110, 100:140] = np.nan
    warped = result.warp(values, interpolation)
    assert np.isnan(warped).any()
    assert np.isfinite(warped).mean() > 0.9


def test_where_the_moving_image_ends():
    result = known(*textures(), shifted(0.0, 100.0))  # 60 of 240 columns
    ones = np.ones(SIZE, np.uint8)
    assert result.warp(ones)[:, :175].all()
    assert not result.warp(ones)[:, 185:].any()
    assert (result.warp(ones, fill=9)[:, 185:] == 9).all()


def test_an_image_on_other_pixels_is_refused(result):
    with pytest.raises(mr.InputError, match=r"image: expected 200 rows x 240 columns.*got 240 rows x 200 columns"):
        result.warp(np.zeros((240, 200)))
    placed = known(*(itk_image(array, (0.01, 0.01)) for array in textures()))
    with pytest.raises(mr.InputError, match="expected the geometry of the image"):
        placed.warp(itk_image(textures()[0], (0.01, 0.01), origin=(5.0, 0.0)))
    with pytest.raises(mr.InputError, match="interpolation: expected one of nearest, linear, cubic, got 'bicubic'"):
        result.warp(np.zeros(SIZE), "bicubic")
    with pytest.raises(mr.InputError, match=r"points: expected points of shape \(N, 2\)"):
        result.carry([1.0, 2.0, 3.0])


def test_save_writes_what_the_command_line_writes(result, tmp_path):
    folder = result.save(tmp_path / "Größe 1")
    names = {path.name for path in folder.iterdir()}
    assert {"moving.nrrd", "fixed.nrrd", "warped.nrrd", "displacement_field.nrrd", "overlay.png"} < names
    assert {"registration.json", "metrics.csv", "summary.json"} < names
    warped = sitk.GetArrayFromImage(sitk.ReadImage(str(folder / "warped.nrrd")))[0]
    np.testing.assert_array_equal(warped, result.warped())
    with (folder / "metrics.csv").open(encoding="utf-8", newline="") as stream:
        row = next(csv.DictReader(stream))
    assert float(row["ncc_after"]) == pytest.approx(result.ncc[1], rel=1e-4)


def test_the_command_warps_as_the_result_does(result, tmp_path):
    folder = result.save(tmp_path / "result")
    labels = np.random.default_rng(0).integers(0, 70_000, SIZE).astype(np.uint32)
    sitk.WriteImage(itk_image(labels), str(tmp_path / "labels.mha"))
    words = ["warp", "--result", str(folder), "--output", str(tmp_path / "warped")]
    assert main([*words, "--images", str(tmp_path / "labels.mha")]) == 0
    written = sitk.ReadImage(str(tmp_path / "warped" / "labels.nrrd"))
    assert written.GetPixelID() == sitk.sitkUInt32
    np.testing.assert_array_equal(sitk.GetArrayFromImage(written)[0], result.warp(labels))
    sitk.WriteImage(itk_image(textures()[0]), str(tmp_path / "deep.mha"))
    assert main([*words, "--images", str(tmp_path / "deep.mha"), "--interpolation", "linear"]) == 0
    deep = sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / "warped" / "deep.nrrd")))[0]
    np.testing.assert_allclose(deep, result.warped(), atol=1e-3)


def test_the_command_refuses_what_does_not_fit(result, tmp_path, capsys):
    folder = result.save(tmp_path / "result")
    sitk.WriteImage(itk_image(np.zeros((20, 30), np.uint8)), str(tmp_path / "small.nrrd"))
    sitk.WriteImage(itk_image(np.zeros(SIZE, np.uint8)), str(tmp_path / "labels.nrrd"))
    words = ["warp", "--output", str(tmp_path), "--images"]
    assert main([*words, str(tmp_path / "small.nrrd"), "--result", str(folder)]) == 2
    before = (tmp_path / "labels.nrrd").read_bytes()
    assert main([*words, str(tmp_path / "labels.nrrd"), "--result", str(folder)]) == 2
    assert "would replace" in capsys.readouterr().err
    assert (tmp_path / "labels.nrrd").read_bytes() == before
    words[2] = str(tmp_path / "warped")
    assert main([*words, str(tmp_path / "labels.nrrd"), "--result", str(tmp_path)]) == 2
    assert "folder of one registered pair was expected" in capsys.readouterr().err
