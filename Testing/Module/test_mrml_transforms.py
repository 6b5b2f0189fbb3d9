"""The registration as a grid transform in a real MRML scene: signs, places, depth, parents, saving and reloading."""

from __future__ import annotations

import numpy as np
import pytest

slicer = pytest.importorskip("slicer", reason="slicer-core is not installed")
import vtk  # noqa: E402
from mrml_pairs import blob, geometry, registration, rotation  # noqa: E402
from mrml_scene import mrml_scene  # noqa: E402

from MetaRegistrationLib.core.metrics import landmark_distances  # noqa: E402
from MetaRegistrationLib.errors import InputError  # noqa: E402
from MetaRegistrationLib.formats.images import Image  # noqa: E402
from MetaRegistrationLib.formats.landmarks import Landmarks  # noqa: E402

SHARE = np.array([0.46, 0.54])
FIXED = geometry((64, 72), (0.015, 0.012), (4, -7, 11), rotation(0, 20) @ rotation(2, 35))
MOVING = {
    "same place": FIXED,
    "elsewhere": geometry((160, 75), (0.02, 0.013), (9, 2, -4), rotation(0, 20) @ rotation(2, 35)),
    "in plane": geometry((80, 75), (0.011, 0.013), (9, 2, -4), rotation(0, 20) @ rotation(2, -50)),
    "tilted": geometry((80, 75), (0.011, 0.013), (9, 2, -4), rotation(1, 30) @ rotation(0, -60)),
    "at right angles": geometry((80, 75), (0.011, 0.013), (9, 2, -4), rotation(0, 110) @ rotation(2, 35)),
}
LPS = np.array([-1, -1, 1])


@pytest.fixture
def scene(tmp_path):
    with mrml_scene(tmp_path) as parts:
        yield parts


def _spot(place) -> np.ndarray:
    return SHARE * place.size


def _pair(place):
    """A registered pair with a spot in the moving image, and its volume nodes."""
    from MetaRegistrationLib.mrml.volumes import volume_from_image

    moving, fixed = Image(blob(place.size, _spot(place)), place), Image(blob(FIXED.size, (20, 20)), FIXED)
    nodes = volume_from_image(moving, "moving"), volume_from_image(fixed, "fixed")
    return registration(moving, fixed), *nodes


def _resampled(volume, place) -> np.ndarray:
    """The volume as Slicer shows it on the pixels of `place`, through its parent transforms."""
    transform = vtk.vtkGeneralTransform()
    if volume.GetParentTransformNode():
        slicer.vtkMRMLTransformNode.GetTransformBetweenNodes(None, volume.GetParentTransformNode(), transform)
    ras_to_ijk = vtk.vtkMatrix4x4()
    volume.GetRASToIJKMatrix(ras_to_ijk)
    array = slicer.util.arrayFromVolume(volume)
    from scipy import ndimage

    grid = np.stack(np.indices(place.size), axis=-1).reshape(-1, 2)
    points = [transform.TransformPoint(p) for p in place.to_physical(grid) * LPS]
    ijk = slicer.util.arrayFromVTKMatrix(ras_to_ijk) @ np.c_[points, np.ones(len(points))].T
    values = ndimage.map_coordinates(array, [np.round(ijk[2]), ijk[1], ijk[0]], order=1)
    return values.reshape(place.size)


def _centre(image: np.ndarray) -> np.ndarray:
    weights = image.astype(float) ** 8  # the tip of the spot: its skirts are bent by the field
    return np.array([(axis * weights).sum() for axis in np.indices(image.shape)]) / weights.sum()


def _point_list(points, place, name="points"):
    from MetaRegistrationLib.mrml.markups import node_from_landmarks

    labels = tuple(str(number) for number in range(1, len(points) + 1))
    return node_from_landmarks(Landmarks(labels, np.asarray(points, float)), place, name)


def _some_points(place, count=12) -> np.ndarray:
    share = np.random.default_rng(1).uniform(0.25, 0.75, (count, 2))
    return share * np.asarray(place.size)


@pytest.mark.parametrize("place", MOVING.values(), ids=MOVING)
def test_a_spot_and_its_landmark_land_together_on_the_warped_image(scene, place):
    from MetaRegistrationLib.mrml.markups import landmarks_from_node
    from MetaRegistrationLib.mrml.transforms import apply_transform, grid_transform

    result, moving, _ = _pair(place)
    points = _point_list([_spot(place)], place)
    node = grid_transform(result, "pair")
    for item in (moving, points):
        apply_transform(item, node)
    landmark = landmarks_from_node(points, FIXED).points[0]
    shown = _resampled(moving, FIXED)
    np.testing.assert_allclose(shown, result.warped(), atol=2e-3)
    assert np.linalg.norm(_centre(shown) - landmark) < 0.05
    assert np.linalg.norm(landmark - result.unmoved(Landmarks(("",), np.array([_spot(place)]))).points[0]) > 2


@pytest.mark.parametrize("place", MOVING.values(), ids=MOVING)
def test_points_under_the_node_are_carried_as_the_library_carries_them(scene, place):
    from MetaRegistrationLib.mrml.markups import landmarks_from_node
    from MetaRegistrationLib.mrml.transforms import apply_transform, grid_transform

    result, *_ = _pair(place)
    landmarks = Landmarks(("",) * 12, _some_points(place))
    points = _point_list(landmarks.points, place)
    apply_transform(points, grid_transform(result, "pair"))
    carried, converged = result.carry(landmarks)
    assert converged.all()
    assert landmark_distances(landmarks_from_node(points, FIXED).points, carried.points).max() < 0.03


def test_fixed_points_go_to_the_moving_image_exactly(scene):
    from MetaRegistrationLib.mrml.transforms import grid_transform

    place = MOVING["tilted"]
    result, *_ = _pair(place)
    transform = grid_transform(result, "pair").GetTransformFromParent()
    for pixel in ((3, 5), (40, 60), (63, 0)):
        position = transform.TransformPoint(FIXED.to_physical(np.array(pixel)) * LPS)
        expected = result.moving_positions()[pixel]
        np.testing.assert_allclose(place.to_pixels(np.array(position) * LPS), expected, atol=0.01)


@pytest.mark.parametrize("place", MOVING.values(), ids=MOVING)
def test_every_slice_of_the_volume_moves_in_plane(scene, place):
    """Points before and behind the image are displaced as the one in it; depth stays depth when the images are tilted."""
    from MetaRegistrationLib.mrml.transforms import grid_transform
    from MetaRegistrationLib.mrml.volumes import image_from_volume

    result, _, fixed = _pair(place)
    stack = slicer.util.addVolumeFromArray(np.stack([blob(place.size, _spot(place))] * 5), name="moving stack")
    matrix = np.eye(4)
    axes = np.asarray(place.direction) * LPS[:, None]
    matrix[:3, :3] = axes * (place.spacing[1], place.spacing[0], place.slice_spacing)
    matrix[:3, 3] = np.asarray(place.origin) * LPS - 2 * place.slice_spacing * axes[:, 2]
    stack.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(matrix))
    np.testing.assert_allclose(image_from_volume(stack, 2).geometry.origin, place.origin, atol=1e-9)
    node = grid_transform(result, "pair", moving_node=stack, fixed_node=fixed)
    normal, moving_normal = (np.asarray(item.direction)[:, 2] for item in (FIXED, place))
    for pixel in ((20, 30), (40, 55)):
        inside = FIXED.to_physical(np.array(pixel))
        partner = place.to_physical(result.moving_positions()[pixel])
        for depth in np.array([-2, -1, 1, 2]) * place.slice_spacing:
            got = node.GetTransformFromParent().TransformPoint((inside + depth * normal) * LPS) * LPS
            np.testing.assert_allclose(got, partner + depth * moving_normal, atol=0.01 * place.spacing[0])
            back = node.GetTransformToParent().TransformPoint((partner + depth * moving_normal) * LPS) * LPS
            np.testing.assert_allclose(back, inside + depth * normal, atol=0.03 * place.spacing[0])


def test_roles_name_the_pair(scene):
    from MetaRegistrationLib.mrml.transforms import grid_transform

    result, moving, fixed = _pair(FIXED)
    node = grid_transform(result, "pair", moving_node=moving, fixed_node=fixed)
    assert node.GetNodeReference("spatialRegistrationMoving") is moving
    assert node.GetNodeReference("spatialRegistrationFixed") is fixed
    grid_transform(result, "pair", node)
    assert node.GetNodeReference("spatialRegistrationMoving") is None


def test_an_update_keeps_the_node_and_leaves_the_old_grid_to_undo(scene):
    from MetaRegistrationLib.mrml.transforms import grid_transform

    result, *_ = _pair(FIXED)
    node = grid_transform(result, "pair")
    node.SetUndoEnabled(True)
    point = FIXED.to_physical(np.array([20, 30])) * LPS
    before = node.GetTransformFromParent().TransformPoint(point)
    scene.scene.SetUndoOn()
    scene.scene.SaveStateForUndo()
    node.SetAndObserveTransformNodeID(_parent("stray", np.diag([2.0, 2, 2, 1])).GetID())
    other, *_ = _pair(MOVING["in plane"])
    assert grid_transform(other, "ignored", node) is node and node.GetName() == "pair"
    assert np.linalg.norm(np.subtract(node.GetTransformFromParent().TransformPoint(point), before)) > 1
    assert node.GetParentTransformNode() is None
    scene.scene.Undo()
    restored = slicer.util.getNode("pair").GetTransformFromParent().TransformPoint(point)
    np.testing.assert_allclose(restored, before, atol=1e-9)


def test_another_kind_of_transform_is_no_output(scene):
    from MetaRegistrationLib.mrml.transforms import grid_transform

    linear = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "hand made")
    with pytest.raises(InputError, match="hand made: a grid transform is needed"):
        grid_transform(_pair(FIXED)[0], "pair", linear)
    assert linear.IsLinear()


def _parent(name, matrix):
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode", name)
    node.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(matrix))
    return node


def test_a_moving_volume_under_a_transform_lands_on_the_fixed_image_too(scene):
    from MetaRegistrationLib.mrml.markups import landmarks_from_node
    from MetaRegistrationLib.mrml.transforms import apply_transform, grid_transform, remove_transform
    from MetaRegistrationLib.mrml.volumes import image_from_volume

    _, moving, fixed = _pair(MOVING["in plane"])
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = rotation(1, 50), (3, -20, 8)
    shared = _parent("visit", matrix)
    points = _point_list([_spot(MOVING["in plane"])], MOVING["in plane"])
    for item in (moving, points, fixed):
        item.SetAndObserveTransformNodeID(shared.GetID())
    place, target = image_from_volume(moving), image_from_volume(fixed)
    result = registration(place, target)
    node = grid_transform(result, "pair", moving_node=moving, fixed_node=fixed)
    for item in (moving, points):
        apply_transform(item, node)
        apply_transform(item, node)
    assert fixed.GetParentTransformNode() is shared and shared.GetParentTransformNode() is None
    assert moving.GetParentTransformNode() is points.GetParentTransformNode()
    shown = _resampled(moving, target.geometry)
    np.testing.assert_allclose(shown, result.warped(), atol=2e-3)
    landmark = landmarks_from_node(points, target.geometry).points[0]
    assert np.linalg.norm(_centre(shown) - landmark) < 0.05

    again = image_from_volume(moving, without=node)
    np.testing.assert_allclose(again.geometry.origin, place.geometry.origin, atol=1e-9)
    unmoved = landmarks_from_node(points, again.geometry, without=node).points[0]
    np.testing.assert_allclose(unmoved, _spot(MOVING["in plane"]), atol=1e-3)

    for item in (moving, points):
        remove_transform(item, node)
        assert item.GetParentTransformNode() is shared
    assert not [node for node in slicer.util.getNodesByClass("vtkMRMLTransformNode") if "position" in node.GetName()]


def test_a_volume_under_another_registration_must_be_hardened_first(scene):
    from MetaRegistrationLib.mrml.transforms import apply_transform, grid_transform, remove_transform
    from MetaRegistrationLib.mrml.volumes import image_from_volume

    result, moving, _ = _pair(FIXED)
    first, second = grid_transform(result, "first"), grid_transform(result, "second")
    apply_transform(moving, first)
    with pytest.raises(InputError, match=r"moving: the volume is under the transform first, .* Harden it"):
        image_from_volume(moving)
    with pytest.raises(InputError, match="under the transform first"):
        apply_transform(moving, second)
    assert moving.GetParentTransformNode() is first
    assert image_from_volume(moving, without=first).geometry.origin == pytest.approx(FIXED.origin)
    remove_transform(moving, second)
    assert moving.GetParentTransformNode() is first
    remove_transform(moving, first)
    assert moving.GetParentTransformNode() is None


@pytest.mark.parametrize("suffix", [".mrml", ".mrb"])
@pytest.mark.parametrize("place", ["elsewhere", "in plane", "tilted"])
def test_a_saved_scene_has_the_same_transform_and_distances(scene, tmp_path, suffix, place):
    from MetaRegistrationLib.mrml.markups import landmarks_from_node
    from MetaRegistrationLib.mrml.registration_node import RegistrationNode
    from MetaRegistrationLib.mrml.transform_checksum import transform_checksum
    from MetaRegistrationLib.mrml.transforms import apply_transform, grid_transform, restore_tolerances

    place = MOVING[place]
    result, moving, fixed = _pair(place)
    points = _point_list(_some_points(place), place, "moving points")
    _point_list(result.carry(Landmarks(("",) * 12, _some_points(place)))[0].points + 0.7, FIXED, "fixed points")
    node = grid_transform(result, "pair", moving_node=moving, fixed_node=fixed)
    for item in (moving, points):
        apply_transform(item, node)

    def state():
        lists = [slicer.util.getNode(name) for name in ("moving points", "fixed points")]
        distances = landmark_distances(*(landmarks_from_node(item, FIXED).points for item in lists))
        transform = slicer.util.getNode("pair").GetTransformFromParent()
        grid = FIXED.to_physical(np.argwhere(np.ones(FIXED.size))[::37]) * LPS
        return distances, np.array([transform.TransformPoint(point) for point in grid])

    distances, mapped = state()
    _save_and_reload(scene, tmp_path / f"saved é{suffix}")
    assert restore_tolerances(scene.scene) == 1
    reloaded, mapped_again = state()
    np.testing.assert_allclose(mapped_again, mapped, atol=1e-7)
    np.testing.assert_allclose(reloaded, distances, atol=1e-3)
    again = slicer.util.getNode("pair")
    assert transform_checksum(again) == RegistrationNode(again).transform_checksum
    again.Inverse()
    assert transform_checksum(again) != RegistrationNode(again).transform_checksum
    again.Inverse()
    assert transform_checksum(again) == RegistrationNode(again).transform_checksum
    assert slicer.util.getNode("moving").GetParentTransformNode() is again
    assert again.GetNodeReference("spatialRegistrationFixed").GetName() == "fixed"


def _save_and_reload(rig, path):
    if path.suffix == ".mrb":
        assert rig.scene.WriteToMRB(str(path))
    else:
        path.parent.mkdir(exist_ok=True)
        for node in slicer.util.getNodesByClass("vtkMRMLStorableNode"):
            if node.GetSaveWithScene() and not node.IsA("vtkMRMLColorNode"):
                node.AddDefaultStorageNode()
                storage = node.GetStorageNode()
                if storage is not None:
                    extension = storage.GetDefaultWriteFileExtension()
                    storage.SetFileName(str(path.parent / f"{node.GetID()}.{extension}"))
                    assert storage.WriteData(node)
        rig.scene.SetURL(str(path))
        rig.scene.SetRootDirectory(str(path.parent))
        assert rig.scene.Commit(str(path))
    rig.scene.Clear(0)
    if path.suffix == ".mrb":
        (path.parent / "unpacked").mkdir()
        assert rig.application_logic.OpenSlicerDataBundle(str(path), str(path.parent / "unpacked"))
    else:
        rig.scene.SetURL(str(path))
        assert rig.scene.Import()


def test_without_restored_tolerance_points_are_off(scene):
    """Why `restore_tolerances` exists: the tolerance of 0.01 mm that a reloaded scene has is most of a pixel."""
    from MetaRegistrationLib.mrml.markups import landmarks_from_node
    from MetaRegistrationLib.mrml.transforms import apply_transform, grid_transform, restore_tolerances

    result, *_ = _pair(FIXED)
    landmarks = Landmarks(("",) * 12, _some_points(FIXED))
    points = _point_list(landmarks.points, FIXED)
    node = grid_transform(result, "pair")
    apply_transform(points, node)
    node.GetTransformFromParentAs("vtkOrientedGridTransform", False, True).SetInverseTolerance(0.01)
    expected = result.carry(landmarks)[0].points
    off = landmark_distances(landmarks_from_node(points, FIXED).points, expected).max()
    assert restore_tolerances(scene.scene) == 1
    restored = landmark_distances(landmarks_from_node(points, FIXED).points, expected).max()
    assert off > 0.1 and restored < 0.03


@pytest.mark.parametrize("flipped", [(True, False), (False, True)], ids=["rows", "columns"])
def test_a_volume_that_is_stored_mirrored_has_the_positions_of_its_registration(scene, flipped):
    from MetaRegistrationLib.mrml.stored_registration import stored_positions
    from MetaRegistrationLib.mrml.transforms import grid_transform
    from MetaRegistrationLib.mrml.volumes import image_from_volume, volume_from_image
    from MetaRegistrationLib.preparation.stored_axes import StoredAxes
    from MetaRegistrationLib.registration.registrar import Registrar
    from MetaRegistrationLib.simulation import draw_phantom
    from MetaRegistrationLib.stages import Stages

    eye = 200 * draw_phantom(np.random.default_rng(4), size=260).image
    place = geometry((220, 230), (0.02, 0.02), (1, 2, 3))
    fixed = Image(eye[20:240, 20:250].astype(np.float32), place)
    mirrored = StoredAxes(place.size, (0, 1), flipped).image(Image(eye[14:234, 25:255].astype(np.float32), place))
    nodes = volume_from_image(mirrored, "moving"), volume_from_image(fixed, "fixed")
    result = Registrar(None, "cpu", Stages(network=False, refine=0))(*map(image_from_volume, nodes))
    assert result.moving_axes is not None and result.confident
    node = grid_transform(result, "pair", moving_node=nodes[0], fixed_node=nodes[1])
    found = stored_positions(*nodes, node)
    np.testing.assert_allclose(found, result.moving_positions(), atol=0.05)
    here = result.moving_positions()[100, 100]
    there = np.where(flipped, np.array(place.size) - 1 - here, here)  # as stored before it was mirrored
    np.testing.assert_allclose(there, (106, 95), atol=0.5)
