"""Point lists and landmarks, and two lists kept in step, in a real MRML scene."""

from __future__ import annotations

import numpy as np
import pytest

slicer = pytest.importorskip("slicer", reason="slicer-core is not installed")
from mrml_pairs import geometry, rotation  # noqa: E402
from mrml_scene import mrml_scene  # noqa: E402

from MetaRegistrationLib.formats.landmarks import Landmarks, read_landmarks, write_landmarks  # noqa: E402

PLACE = geometry((64, 72), (0.015, 0.012), (4, -7, 11), rotation(0, 20) @ rotation(2, 35))
POINTS = np.array([[3.25, 60.5], [40.0, 2.75], [10.0, 11.0]])


@pytest.fixture
def scene(tmp_path):
    with mrml_scene(tmp_path) as parts:
        yield parts.scene


def _landmarks(labels=("a", "b", "c")):
    return Landmarks(tuple(labels), POINTS[: len(labels)])


def test_landmarks_come_back_from_the_scene(scene):
    from MetaRegistrationLib.mrml.markups import landmarks_from_node, node_from_landmarks

    node = node_from_landmarks(_landmarks(("a", "", "c")), PLACE, "list", colour=(1, 0.5, 0))
    again = landmarks_from_node(node, PLACE)
    assert node.GetName() == "list" and again.labels == ("a", "2", "c")
    np.testing.assert_allclose(again.points, POINTS, atol=1e-9)
    assert node.GetDisplayNode().GetSelectedColor() == (1, 0.5, 0)
    assert node_from_landmarks(_landmarks(("z",)), PLACE, "other", node) is node
    assert landmarks_from_node(node, PLACE).labels == ("z",)


def test_positions_are_world_positions(scene):
    from MetaRegistrationLib.mrml.markups import landmarks_from_node, node_from_landmarks

    parent = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    matrix = np.eye(4)
    matrix[:3, 3] = PLACE.to_physical([10.0, 5.0]) - PLACE.to_physical([0.0, 0.0])
    matrix[:2, 3] *= -1  # to RAS
    parent.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(matrix))
    node = node_from_landmarks(_landmarks(), PLACE, "list")
    node.SetAndObserveTransformNodeID(parent.GetID())
    np.testing.assert_allclose(landmarks_from_node(node, PLACE).points, POINTS + np.array([10, 5]), atol=1e-9)
    np.testing.assert_allclose(landmarks_from_node(node, PLACE, world=False).points, POINTS, atol=1e-9)
    np.testing.assert_allclose(landmarks_from_node(node, PLACE, without=parent).points, POINTS, atol=1e-9)
    node_from_landmarks(_landmarks(), PLACE, "list", node)
    np.testing.assert_allclose(landmarks_from_node(node, PLACE).points, POINTS, atol=1e-9)


def test_points_without_a_position_are_skipped(scene):
    from MetaRegistrationLib.mrml.markups import landmarks_from_node, node_from_landmarks

    node = node_from_landmarks(_landmarks(), PLACE, "moving")
    node.UnsetNthControlPointPosition(0)
    again = landmarks_from_node(node, PLACE)
    assert again.labels == ("b", "c")
    np.testing.assert_allclose(again.points, POINTS[1:], atol=1e-9)


def test_files_of_slicer_and_of_the_library_agree(scene, tmp_path):
    from MetaRegistrationLib.mrml.markups import landmarks_from_node, node_from_landmarks

    node = node_from_landmarks(_landmarks(), PLACE, "list")
    storage = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsJsonStorageNode")
    storage.SetFileName(str(tmp_path / "slicer.mrk.json"))
    assert storage.WriteData(node)
    read = read_landmarks(tmp_path / "slicer.mrk.json", PLACE)
    assert read.labels == ("a", "b", "c")
    np.testing.assert_allclose(read.points, POINTS, atol=1e-9)
    write_landmarks(tmp_path / "library.mrk.json", _landmarks(), PLACE)
    loaded = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode")
    storage.SetFileName(str(tmp_path / "library.mrk.json"))
    assert storage.ReadData(loaded)
    np.testing.assert_allclose(landmarks_from_node(loaded, PLACE).points, POINTS, atol=1e-9)


@pytest.fixture
def lists(scene):
    from MetaRegistrationLib.mrml.paired_points import PairedPointLists

    nodes = [slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", name) for name in ("moving", "fixed")]
    changes = []
    pairs = PairedPointLists(*nodes, lambda: changes.append(_labels(nodes[0]) + _labels(nodes[1])))
    pairs.changes = changes
    yield pairs
    pairs.close()


def _labels(node) -> list[str]:
    return [node.GetNthControlPointLabel(index) for index in range(node.GetNumberOfControlPoints())]


def _add_preview(node) -> int:
    """A point that follows the mouse and has not been clicked yet, as the slice views make it."""
    with slicer.util.NodeModify(node):
        index = node.AddControlPoint(0, 0, 0)
        node.SetNthControlPointPosition(index, 0, 0, 0, node.PositionPreview)
    return index


def test_points_are_placed_in_turns(lists):
    moving, fixed = lists.nodes
    for number in range(3):
        assert lists.expected_node is moving
        moving.AddControlPoint(number, 0, 0)
        assert lists.expected_node is fixed
        fixed.AddControlPoint(number, 1, 0)
    assert _labels(moving) == _labels(fixed) == ["1", "2", "3"]
    assert lists.changes[-1] == ["1", "2", "3"] * 2


def test_a_preview_becomes_a_point_with_the_click(lists):
    moving, fixed = lists.nodes
    for number in range(2):
        for node in (moving, fixed):
            before, index = len(lists.changes), _add_preview(node)
            node.SetNthControlPointPosition(index, 3, 3, 0, node.PositionPreview)
            assert lists.expected_node is node and len(lists.changes) == before
            node.SetNthControlPointPosition(index, 7, number, 0)
            assert lists.expected_node is not node and len(lists.changes) == before + 1
    assert _labels(moving) == _labels(fixed) == ["1", "2"]


def test_a_preview_that_is_given_up_leaves_no_trace(lists):
    moving, fixed = lists.nodes
    moving.AddControlPoint(0, 0, 0)
    before = list(lists.changes)
    fixed.RemoveNthControlPoint(_add_preview(fixed))
    assert _labels(moving) == ["1"] and lists.expected_node is fixed and lists.changes == before


def test_a_second_point_in_one_list_waits_its_turn(lists):
    moving, fixed = lists.nodes
    moving.AddControlPoint(0, 0, 0)
    moving.AddControlPoint(1, 0, 0)
    assert _labels(moving) == ["1", "2"] and lists.expected_node is fixed
    fixed.AddControlPoint(0, 1, 0)
    assert _labels(fixed) == ["1"] and lists.expected_node is fixed
    fixed.AddControlPoint(1, 1, 0)
    assert _labels(fixed) == ["1", "2"] and lists.expected_node is moving


def test_a_point_that_is_renamed_renames_its_partner(lists):
    moving, fixed = lists.nodes
    for node in (moving, fixed, moving, fixed):
        node.AddControlPoint(0, 0, 0)
    moving.SetNthControlPointLabel(1, "fovea")
    assert _labels(fixed) == ["1", "fovea"]
    fixed.SetNthControlPointLabel(0, "disc")
    assert _labels(moving) == ["disc", "fovea"]
    assert lists.changes[-1] == ["disc", "fovea"] * 2


def test_a_point_that_is_removed_takes_its_partner_along(lists):
    moving, fixed = lists.nodes
    for _ in range(3):
        moving.AddControlPoint(0, 0, 0)
        fixed.AddControlPoint(0, 0, 0)
    fixed.RemoveNthControlPoint(1)
    assert _labels(moving) == _labels(fixed) == ["1", "3"]
    moving.AddControlPoint(0, 0, 0)
    moving.RemoveNthControlPoint(2)
    assert _labels(moving) == _labels(fixed) == ["1", "3"] and lists.expected_node is moving
    moving.RemoveAllControlPoints()
    assert fixed.GetNumberOfControlPoints() == 0
    moving.AddControlPoint(0, 0, 0)
    assert _labels(moving) == ["1"]


def test_a_point_that_is_moved_is_told(lists):
    moving, _ = lists.nodes
    moving.AddControlPoint(0, 0, 0)
    before = len(lists.changes)
    moving.SetNthControlPointPosition(0, 5, 0, 0)
    assert len(lists.changes) == before + 1
    moving.SetNthControlPointSelected(0, False)
    assert len(lists.changes) == before + 1


def test_points_with_equal_labels_are_pairs_from_the_start(scene):
    from MetaRegistrationLib.mrml.markups import node_from_landmarks
    from MetaRegistrationLib.mrml.paired_points import PairedPointLists

    moving = node_from_landmarks(_landmarks(("a", "b")), PLACE, "moving")
    fixed = node_from_landmarks(_landmarks(("b", "c")), PLACE, "fixed")
    lists = PairedPointLists(moving, fixed)
    moving.RemoveNthControlPoint(1)
    assert _labels(fixed) == ["c"] and _labels(moving) == ["a"]
    lists.close()


def test_lists_are_filled_anew_while_paused(lists):
    from MetaRegistrationLib.mrml.markups import node_from_landmarks

    moving, fixed = lists.nodes
    for number in range(2):
        moving.AddControlPoint(number, 0, 0)
        fixed.AddControlPoint(number, 0, 0)
    before = len(lists.changes)
    with lists.paused():
        node_from_landmarks(_landmarks(("p", "q")), PLACE, "moving", moving)
        node_from_landmarks(_landmarks(("q", "p", "r")), PLACE, "fixed", fixed)
    assert len(lists.changes) == before + 1 and lists.changes[-1] == ["p", "q", "q", "p", "r"]
    fixed.SetNthControlPointLabel(0, "renamed")
    assert _labels(moving) == ["p", "renamed"]
    moving.AddControlPoint(0, 0, 0)
    assert _labels(moving) == ["p", "renamed", "r"]


def test_points_that_are_pasted_together_keep_their_labels(lists):
    moving, fixed = lists.nodes
    for node in (moving, fixed):
        with slicer.util.NodeModify(node):
            for label in ("x", "y"):
                node.AddControlPoint(0, 0, 0, label)
    assert _labels(moving) == _labels(fixed) == ["x", "y"]
    moving.RemoveNthControlPoint(0)
    assert _labels(fixed) == ["y"]


def test_closed_lists_are_on_their_own(lists):
    moving, fixed = lists.nodes
    moving.AddControlPoint(0, 0, 0)
    fixed.AddControlPoint(0, 0, 0)
    before = len(lists.changes)
    lists.close()
    moving.SetNthControlPointLabel(0, "alone")
    fixed.RemoveNthControlPoint(0)
    assert _labels(moving) == ["alone"] and len(lists.changes) == before
    assert not moving.HasObserver(moving.PointRemovedEvent)


def test_the_next_click_goes_to_the_expected_list(lists):
    moving, fixed = lists.nodes
    selection = slicer.mrmlScene.GetNodeByID("vtkMRMLSelectionNodeSingleton")
    interaction = slicer.mrmlScene.GetNodeByID("vtkMRMLInteractionNodeSingleton")
    lists.place()
    assert selection.GetActivePlaceNodeID() == moving.GetID()
    assert interaction.GetCurrentInteractionMode() == interaction.Place
    moving.AddControlPoint(0, 0, 0)
    lists.place()
    assert selection.GetActivePlaceNodeID() == fixed.GetID()
    lists.stop_placing()
    assert interaction.GetCurrentInteractionMode() == interaction.ViewTransform


def test_a_carried_landmark_on_a_fixed_one_leaves_both_in_sight(rig):
    from MetaRegistrationLib.mrml.markups import FIXED_COLOUR, MOVING_COLOUR, node_from_landmarks

    view = rig.slice_view("Red")
    view.node.SetOrientation("Axial")
    view.resize((300, 300))
    place = geometry((100, 100), (1.0, 1.0), (0, 0, 0), np.eye(3))
    point = Landmarks(("1",), np.array([[50.0, 50.0]]))
    nodes = [
        node_from_landmarks(point, place, name, colour=colour)
        for name, colour in (("fixed", FIXED_COLOUR), ("moving", MOVING_COLOUR))
    ]
    slicer.app.processEvents()
    view.node.SetFieldOfView(100, 100, 1)
    view.node.JumpSliceByCentering(*nodes[0].GetNthControlPointPositionWorld(0))
    for node in nodes:
        node.GetDisplayNode().SetPointLabelsVisibility(False)
    drawn = view.render()
    for colour in (FIXED_COLOUR, MOVING_COLOUR):
        near = np.abs(drawn / 255.0 - colour).max(axis=-1) < 0.25
        assert near.sum() >= 8
