"""Images from volumes and back, in a real MRML scene."""

from __future__ import annotations

import numpy as np
import pytest

slicer = pytest.importorskip("slicer", reason="slicer-core is not installed")
import vtk  # noqa: E402
from mrml_pairs import geometry, rotation  # noqa: E402
from mrml_scene import mrml_scene  # noqa: E402

from MetaRegistrationLib.core.geometry import Geometry  # noqa: E402
from MetaRegistrationLib.errors import InputError  # noqa: E402
from MetaRegistrationLib.formats.images import Image, read_image, write_image  # noqa: E402

OBLIQUE = rotation(0, 25) @ rotation(2, -40)


@pytest.fixture
def scene(tmp_path):
    with mrml_scene(tmp_path) as parts:
        yield parts.scene


@pytest.fixture
def picture() -> np.ndarray:
    return np.random.default_rng(3).random((20, 31)).astype(np.float32)


def _volume(array, spacing=(0.015, 0.02, 0.5), name="stack", kind="vtkMRMLScalarVolumeNode"):
    matrix = np.diag([-spacing[1], -spacing[0], spacing[2], 1.0])
    matrix[:3, 3] = 3, -4, 5
    return slicer.util.addVolumeFromArray(array, matrix, name, kind)


def _linear(matrix: np.ndarray, name="placed"):
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode", name)
    node.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(matrix))
    return node


def test_an_image_comes_back_as_it_went_in(scene, picture):
    from MetaRegistrationLib.mrml.volumes import image_from_volume, volume_from_image, volume_slices

    place = geometry(picture.shape, (0.015, 0.011), (1.5, -2, 30), OBLIQUE)
    node = volume_from_image(Image(picture, place), "oblique")
    again = image_from_volume(node)
    assert volume_slices(node) == 1
    np.testing.assert_array_equal(again.array, picture)
    assert again.geometry.size == place.size and again.geometry.spacing_known
    for name in ("spacing", "origin", "direction", "slice_spacing"):
        np.testing.assert_allclose(getattr(again.geometry, name), getattr(place, name), atol=1e-12)


def test_a_pixel_lies_where_slicer_says(scene, picture):
    from MetaRegistrationLib.mrml.volumes import volume_from_image

    place = geometry(picture.shape, (0.015, 0.011), (1.5, -2, 30), OBLIQUE)
    node = volume_from_image(Image(picture, place), "oblique")
    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    x, y, z, _ = matrix.MultiplyPoint((7, 12, 0, 1))
    np.testing.assert_allclose(place.to_physical(np.array([12, 7])), (-x, -y, z), atol=1e-12)


def test_a_volume_that_slicer_saves_is_the_image_that_the_library_reads(scene, picture, tmp_path):
    from MetaRegistrationLib.mrml.volumes import image_from_volume, volume_from_image

    place = geometry(picture.shape, (0.015, 0.011), (1.5, -2, 30), OBLIQUE)
    node = volume_from_image(Image(picture, place), "oblique")
    storage = node.CreateDefaultStorageNode()
    storage.SetFileName(str(tmp_path / "saved.nrrd"))
    assert storage.WriteData(node)
    read = read_image(tmp_path / "saved.nrrd").geometry
    own = image_from_volume(node).geometry
    for name in ("spacing", "origin", "direction"):
        np.testing.assert_allclose(getattr(read, name), getattr(own, name), atol=1e-9)


def test_a_file_of_the_library_is_the_same_volume_in_slicer(scene, picture, tmp_path):
    from MetaRegistrationLib.mrml.volumes import image_from_volume

    place = geometry(picture.shape, (0.015, 0.011), (1.5, -2, 30), OBLIQUE)
    write_image(tmp_path / "image.nrrd", picture, place)
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode")
    storage = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLVolumeArchetypeStorageNode")
    storage.SetFileName(str(tmp_path / "image.nrrd"))
    assert storage.ReadData(node)
    image = image_from_volume(node)
    np.testing.assert_array_equal(image.array, picture)
    np.testing.assert_allclose(image.geometry.origin, place.origin, atol=1e-9)
    np.testing.assert_allclose(image.geometry.direction, place.direction, atol=1e-9)


def test_a_slice_of_a_stack_lies_at_its_depth(scene):
    from MetaRegistrationLib.mrml.volumes import image_from_volume, volume_slices

    array = np.random.default_rng(0).random((4, 20, 31)).astype(np.float32)
    node = _volume(array)
    image = image_from_volume(node, 2)
    assert volume_slices(node) == 4
    np.testing.assert_array_equal(image.array, array[2])
    np.testing.assert_allclose(image.geometry.origin, (-3, 4, 5 + 2 * 0.5))
    assert image.geometry.spacing == pytest.approx((0.015, 0.02))
    assert image.geometry.slice_spacing == pytest.approx(0.5)


def test_a_parent_transform_moves_the_geometry(scene, picture):
    from MetaRegistrationLib.mrml.volumes import image_from_volume

    node = _volume(picture[None])
    outer, inner = np.eye(4), np.eye(4)
    outer[:3, :3], inner[:3, 3] = OBLIQUE, (10, 20, 30)
    parent, child = _linear(outer, "outer"), _linear(inner, "inner")
    child.SetAndObserveTransformNodeID(parent.GetID())
    node.SetAndObserveTransformNodeID(child.GetID())
    position = image_from_volume(node).geometry.to_physical(np.array([12, 7])) * (-1, -1, 1)
    local = np.array([3 - 7 * 0.02, -4 - 12 * 0.015, 5])
    np.testing.assert_allclose(position, OBLIQUE @ (local + inner[:3, 3]), atol=1e-9)


def test_a_volume_that_a_transform_shears_is_refused(scene, picture):
    from MetaRegistrationLib.mrml.volumes import image_from_volume

    node = _volume(picture[None])
    sheared = np.eye(4)
    sheared[0, 1] = 0.2
    node.SetAndObserveTransformNodeID(_linear(sheared, "affine").GetID())
    with pytest.raises(InputError, match=r"an angle of .* degrees.* take it out of the transform"):
        image_from_volume(node)
    node.SetAndObserveTransformNodeID(None)
    image_from_volume(node)


def test_colour_becomes_luminance(scene):
    from MetaRegistrationLib.mrml.volumes import image_from_volume

    colours = np.random.default_rng(0).integers(0, 256, (1, 20, 31, 3), dtype=np.uint8)
    node = _volume(colours, kind="vtkMRMLVectorVolumeNode")
    expected = colours[0] @ np.array([0.299, 0.587, 0.114])
    np.testing.assert_allclose(image_from_volume(node).array, expected, rtol=1e-6)


def test_transparent_pixels_lie_over_black(scene):
    from MetaRegistrationLib.mrml.volumes import image_from_volume

    colours = np.full((1, 20, 31, 4), 200, dtype=np.uint8)
    colours[0, :10, :, 3] = 0
    colours[0, 10:, :, 3] = 255
    image = image_from_volume(_volume(colours, kind="vtkMRMLVectorVolumeNode"))
    assert image.array[:10].max() == 0 and image.array[10:].min() == pytest.approx(200)


def _nan(picture):
    picture = picture.copy()
    picture[picture > np.percentile(picture, 5)] = np.nan
    return picture[None]


@pytest.mark.parametrize(
    ("make", "slice_index", "words"),
    [
        (lambda picture: np.stack([picture] * 3), None, ("stack", "3 slices", "0 to 2")),
        (lambda picture: np.stack([picture] * 3), 3, ("stack", "no slice 3", "0 to 2")),
        (lambda picture: np.stack([picture] * 3), -1, ("stack", "no slice -1")),
        (_nan, None, ("stack", "pixels of", "are NaN")),
        (lambda picture: np.ones_like(picture)[None], None, ("stack", "constant")),
        (lambda picture: np.round(picture)[None].astype(np.float64) + 1e9, None, ("stack", "multiples of 64")),
        (lambda picture: picture[None, :8], None, ("stack", "31 x 8")),
        (lambda picture: np.stack([picture] * 3, axis=-1)[None], None, ("stack", "3 components of float32")),
    ],
)
def test_unusable_volumes_are_refused(scene, picture, make, slice_index, words):
    from MetaRegistrationLib.mrml.volumes import image_from_volume

    array = make(picture)
    kind = "vtkMRMLVectorVolumeNode" if array.ndim == 4 else "vtkMRMLScalarVolumeNode"
    with pytest.raises(InputError) as error:
        image_from_volume(_volume(array, kind=kind), slice_index)
    assert all(word in str(error.value) for word in words)


def test_an_empty_volume_is_refused(scene):
    from MetaRegistrationLib.mrml.volumes import image_from_volume

    with pytest.raises(InputError, match="empty: the volume holds no image"):
        image_from_volume(slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "empty"))


def test_the_pixel_size_of_a_picture_is_unknown_until_the_user_gives_it(scene, picture):
    from MetaRegistrationLib.mrml.given_sizes import set_pixel_size
    from MetaRegistrationLib.mrml.volumes import image_from_volume, volume_from_image

    node = volume_from_image(Image(picture, Geometry(picture.shape)), "png")
    assert not image_from_volume(node).geometry.spacing_known
    assert set_pixel_size(node, 9.4)
    known = image_from_volume(node).geometry
    assert known.spacing_known and known.spacing == pytest.approx((0.0094, 0.0094))
    assert not set_pixel_size(node, 9.4) and set_pixel_size(node, 20)  # corrected
    node.SetSpacing(0.0094, 0.0094, 1.0)  # by somebody else
    assert not set_pixel_size(node, 20)
    assert image_from_volume(node).geometry.spacing == pytest.approx((0.0094, 0.0094))
    with pytest.raises(InputError, match="it is -1 um"):
        set_pixel_size(node, -1)


def test_the_window_spans_the_percentiles_and_stays_as_the_user_sets_it(scene, picture):
    from MetaRegistrationLib.mrml.volumes import update_volume, volume_from_image

    place = Geometry(picture.shape)
    node = volume_from_image(Image(picture, place), "windowed")
    display = node.GetDisplayNode()
    low, high = np.percentile(picture, (1, 99))
    assert (display.GetWindowLevelMin(), display.GetWindowLevelMax()) == pytest.approx((low, high))
    display.SetWindowLevelMinMax(0.2, 0.4)
    update_volume(node, picture * 2, place)
    assert (display.GetWindowLevelMin(), display.GetWindowLevelMax()) == pytest.approx((0.2, 0.4))
    np.testing.assert_array_equal(slicer.util.arrayFromVolume(node)[0], picture * 2)


def test_an_update_leaves_the_earlier_image_to_undo(scene, picture):
    from MetaRegistrationLib.mrml.volumes import update_volume, volume_from_image

    place = Geometry(picture.shape)
    node = volume_from_image(Image(picture, place), "undone")
    node.SetUndoEnabled(True)
    scene.SetUndoOn()
    scene.SaveStateForUndo()
    update_volume(node, np.zeros_like(picture), place)
    scene.Undo()
    restored = slicer.util.getNode("undone")
    np.testing.assert_array_equal(slicer.util.arrayFromVolume(restored)[0], picture)


def test_pixel_types(scene, picture):
    from MetaRegistrationLib.mrml.volumes import update_volume, volume_from_image

    node = volume_from_image(Image(picture, Geometry(picture.shape)), "typed")
    assert slicer.util.arrayFromVolume(node).dtype == np.float32
    update_volume(node, (picture * 255).astype(np.uint8), Geometry(picture.shape))
    assert slicer.util.arrayFromVolume(node).dtype == np.uint8
    with pytest.raises(ValueError, match=r"\(20, 30\)"):
        update_volume(node, picture[:, :-1], Geometry(picture.shape))
