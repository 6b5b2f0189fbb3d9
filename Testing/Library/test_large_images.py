"""Images much larger than the frame: the coarser transform is the same one, and nothing is computed at full size twice."""

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
from scipy import ndimage

from MetaRegistrationLib.core.geometry import Geometry
from MetaRegistrationLib.core.preprocessing import pair_grids, resample_to_grid, stretched_grid
from MetaRegistrationLib.formats.image_writing import write_displacement_field
from MetaRegistrationLib.formats.images import Image
from MetaRegistrationLib.formats.landmarks import Landmarks
from MetaRegistrationLib.registration import registrar as registering
from MetaRegistrationLib.registration.registrar import Registration

TURNED = ((0.0, 0.0, 1.0), (1.0, 0.0, 0.0), (0.0, 1.0, 0.0))


@pytest.fixture
def large():
    """A registration of images of 1500 x 1300 and 900 x 1200 pixels that lie differently in space."""
    rng = np.random.default_rng(3)
    moving = Geometry((1500, 1300), (0.004, 0.005), (3.0, -2.0, 7.0), spacing_known=True)
    fixed = Geometry((900, 1200), (0.0066, 0.0054), (-11.0, 5.0, 2.0), TURNED, spacing_known=True)
    images = [Image(rng.random(g.size, dtype=np.float32), g) for g in (moving, fixed)]
    frames = pair_grids(moving, fixed, 100)
    field = ndimage.gaussian_filter(rng.normal(size=(2, 100, 100)), (0, 8, 8)).astype(np.float32)
    field *= 6 / np.abs(field).max()
    framed = [resample_to_grid(image.array, frame)[0] for image, frame in zip(images, frames, strict=True)]
    names = ("moving", "fixed", "moving_grid", "fixed_grid", "moving_on_grid", "fixed_on_grid")
    parts = dict(zip(names, (*images, *frames, *framed), strict=True))
    return Registration(**parts, displacement_px=field, seconds=0.0)


def test_the_written_transform_is_the_same_and_small(large, tmp_path):
    path = tmp_path / "field.nrrd"
    write_displacement_field(path, *large.transform_grid())
    assert path.stat().st_size < 400_000
    transform = sitk.DisplacementFieldTransform(sitk.ReadImage(str(path), sitk.sitkVectorFloat64))
    expected, geometry = large.displacement_mm(), large.fixed.geometry
    corners = [(0, 0), (0, 1199), (899, 0), (899, 1199)]
    for row, column in [*corners, *np.random.default_rng(0).integers(0, 899, (200, 2))]:
        point = geometry.to_physical(np.array([row, column]))
        moved = np.array(transform.TransformPoint(point.tolist()))
        assert np.abs(moved - point - expected[row, column]).max() < 0.02 * 0.004


def test_landmarks_go_the_same_way_as_on_the_whole_grid(large, monkeypatch):
    points = Landmarks(("",) * 30, np.random.default_rng(1).uniform(200, 1000, (30, 2)))
    coarse, converged = large.carry(points)
    monkeypatch.setattr(registering, "_WHOLE_GRID", 5000)
    whole, _ = large.carry(points)
    assert converged.all()
    np.testing.assert_allclose(coarse.points, whole.points, atol=5e-3)


def test_warping_in_parts_is_what_itk_makes_of_the_transform(large, tmp_path):
    write_displacement_field(tmp_path / "field.nrrd", *large.transform_grid())
    transform = sitk.DisplacementFieldTransform(sitk.ReadImage(str(tmp_path / "field.nrrd"), sitk.sitkVectorFloat64))
    images = []
    for image in (large.moving, large.fixed):
        placed = sitk.GetImageFromArray(image.array[None])
        geometry = image.geometry
        placed.SetSpacing((geometry.spacing[1], geometry.spacing[0], 1.0))
        placed.SetOrigin(geometry.origin)
        placed.SetDirection([value for row in geometry.direction for value in row])
        images.append(placed)
    expected = sitk.GetArrayFromImage(sitk.Resample(images[0], images[1], transform, sitk.sitkLinear, 0.0))[0]
    warped = large.warped()
    apart = np.abs(warped - expected)
    assert np.quantile(apart, 0.999) < 1e-3, "all but the very border"


@pytest.mark.parametrize("shape", [(1300, 1500), (700, 2400)])
def test_blurring_while_sampling_is_blurring_and_sampling(shape):
    image = np.random.default_rng(2).random(shape, dtype=np.float32)
    frame = stretched_grid(shape, 200)
    found, inside = resample_to_grid(image, frame)
    blurred = ndimage.gaussian_filter(image, [0.5 * np.sqrt(step**2 - 1) for step in frame.scale], mode="nearest")
    grid = np.stack(np.meshgrid(*frame.axes(), indexing="ij"))
    expected = ndimage.map_coordinates(blurred, grid, order=1, mode="nearest")
    assert inside.all()
    np.testing.assert_allclose(found, expected, atol=2e-6)
