"""The point lists that are chosen in the panel: which are put under the transform, and which are measured."""

from __future__ import annotations

import numpy as np
import pytest
import qt
import slicer
from panel_helpers import SMALL, choose_folder, click_row, open_panel, register, settle, small_folder, table
from test_panel_stages import choose_stages

from MetaRegistrationLib.mrml.registration_node import RegistrationNode
from MetaRegistrationLib.mrml.volumes import volume_geometry
from MetaRegistrationLib.stages import Stages

OF_POSITIONS = [
    f"MetaRegistration.{name}"
    for name in ("MovingGeometry", "FixedGeometry", "MovingPixels", "FixedPixels", "TransformContent")
]
SAME = "The same list is chosen as moving and as fixed points. Choose two lists."


@pytest.fixture
def registered(rig, tmp_path):
    """The panel with a registered pair and its landmarks."""
    widget = open_panel(rig, size=SMALL)
    choose_folder(rig, widget, small_folder(tmp_path / "pairs", 1))
    click_row(rig, widget, 0)
    choose_stages(widget, Stages("affine", False, 0))
    register(rig, widget)
    settle(rig)
    return widget


def lists(widget):
    parameters = widget.panel.state.parameters
    return parameters.movingPoints, parameters.fixedPoints


def mean(widget) -> list[str]:
    rows = table(widget.ui.distanceTable)
    return rows[0] if rows else []


def kept(widget) -> tuple:
    """Rows of the table node, and the mean distance that the registration notes."""
    parameters = widget.panel.state.parameters
    return parameters.distanceTable.GetTable().GetNumberOfRows(), RegistrationNode(parameters.transform).mean_distance


def choose(rig, widget, moving=None, fixed=None) -> None:
    if moving is not None:
        widget.ui.movingPointsSelector.setCurrentNode(moving)
    if fixed is not None:
        widget.ui.fixedPointsSelector.setCurrentNode(fixed)
    settle(rig)


def world(node) -> np.ndarray:
    return slicer.util.arrayFromMarkupsControlPoints(node, world=True)


def test_a_wrong_choice_of_moving_points_can_be_corrected(rig, registered):
    moving, fixed = lists(registered)
    before, transform = mean(registered), moving.GetParentTransformNode()
    choose(rig, registered, moving=fixed)
    assert registered.ui.landmarksStatusLabel.text == SAME and not mean(registered)
    choose(rig, registered, moving=moving)
    assert mean(registered) == before and registered.ui.landmarksStatusLabel.text == ""
    assert fixed.GetParentTransformNode() is None and moving.GetParentTransformNode() is transform


def test_a_list_that_was_chosen_by_mistake_is_taken_out_again(rig, registered):
    moving, fixed = lists(registered)
    before, transform = mean(registered), moving.GetParentTransformNode()
    by_hand = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", "by hand")
    by_hand.SetAndObserveTransformNodeID(transform.GetID())
    choose(rig, registered, fixed=moving)
    for other in (fixed, by_hand, moving):
        choose(rig, registered, moving=other)
        assert other.GetParentTransformNode() is transform or other is moving
    choose(rig, registered, fixed=fixed)
    assert mean(registered) == before
    assert fixed.GetParentTransformNode() is None and by_hand.GetParentTransformNode() is transform


def test_points_of_another_pair_stay_under_its_transform(rig, tmp_path):
    widget = open_panel(rig, size=SMALL)
    choose_folder(rig, widget, small_folder(tmp_path / "pairs", 2))
    click_row(rig, widget, 0)
    choose_stages(widget, Stages("affine", False, 0))
    register(rig, widget)
    moving = lists(widget)[0]
    transform = moving.GetParentTransformNode()
    assert transform is not None
    click_row(rig, widget, 1)
    settle(rig)
    assert lists(widget)[0] is not moving and moving.GetParentTransformNode() is transform


def test_one_list_as_moving_and_fixed_is_not_measured(rig, registered, tmp_path):
    moving, fixed = lists(registered)
    choose(rig, registered, fixed=moving)
    assert not mean(registered) and registered.ui.landmarksStatusLabel.text == SAME
    assert kept(registered) == (0, None)
    rig.dialogs.answer(str(tmp_path / "saved.csv"))
    registered.ui.saveLandmarksButton.click()
    assert registered.ui.landmarksStatusLabel.text == SAME and not (tmp_path / "saved.csv").exists()
    choose_stages(registered, Stages("landmarks", False, 0))
    register(rig, registered)
    assert registered.ui.registerStatusLabel.text == SAME
    choose(rig, registered, fixed=fixed)
    assert mean(registered) and registered.ui.landmarksStatusLabel.text == ""


def test_hardened_moving_points_stay_and_are_not_measured(rig, registered):
    moving, _ = lists(registered)
    positions = world(moving)
    moving.HardenTransform()
    settle(rig)
    assert moving.GetParentTransformNode() is None and np.allclose(world(moving), positions)
    assert not mean(registered)
    assert "no longer under the transform" in registered.ui.landmarksStatusLabel.text
    register(rig, registered)
    assert moving.GetParentTransformNode() is None and np.allclose(world(moving), positions)
    while moving.GetNumberOfControlPoints():
        moving.RemoveNthControlPoint(0)
    registered.ui.placeButton.click()  # it can be filled again
    assert moving.GetParentTransformNode() is registered.panel.state.parameters.transform


def hardened_volume(rig, widget):
    """The moving volume, hardened without its points, and the world positions of these."""
    moving, volume = lists(widget)[0], widget.panel.state.parameters.movingVolume
    positions = world(moving)
    volume.HardenTransform()
    settle(rig)
    return volume, positions


def test_points_that_a_hardened_volume_left_are_neither_measured_nor_moved(rig, registered):
    (moving, _), after = lists(registered), float(mean(registered)[2])
    transform = moving.GetParentTransformNode()
    _volume, positions = hardened_volume(rig, registered)
    said = f"{moving.GetName()}: these points are under the transform {transform.GetName()}, but "
    assert not mean(registered) and registered.ui.landmarksStatusLabel.text.startswith(said)
    other = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", "other")
    for chosen in (moving, other):  # one that is not chosen would be moved too
        choose(rig, registered, moving=chosen)
        register(rig, registered)
        assert registered.ui.registerStatusLabel.text.startswith(said)
        assert moving.GetParentTransformNode() is transform and np.allclose(world(moving), positions)
    moving.HardenTransform()
    choose(rig, registered, moving=moving)
    register(rig, registered)
    assert mean(registered) and float(mean(registered)[2]) < after + 0.5


def test_a_list_that_a_hardened_volume_left_can_be_filled_again(rig, registered, tmp_path):
    (moving, _), (volume, _) = lists(registered), hardened_volume(rig, registered)
    path = tmp_path / "moving.csv"
    path.write_text("x,y\n30,40\n50,60\n", encoding="utf-8")
    rig.dialogs.answer([str(path)], qt.QMessageBox.Yes)
    registered.ui.loadLandmarksButton.click()
    settle(rig)
    assert moving.GetParentTransformNode() is None and moving.GetNumberOfControlPoints() == 2
    expected = volume_geometry(volume).to_physical(np.array([[40.0, 30.0], [60.0, 50.0]])) * (-1, -1, 1)
    np.testing.assert_allclose(world(moving), expected, atol=1e-6)


def test_points_are_measured_where_they_were_while_the_volume_is_taken_out(rig, registered):
    """Whatever transform is chosen, the result that the points are under is no part of their positions."""
    before, parameters = mean(registered), registered.panel.state.parameters
    transform = parameters.transform
    parameters.movingVolume.SetAndObserveTransformNodeID(None)
    settle(rig)
    assert mean(registered) == before
    registered.ui.transformSelector.setCurrentNode(None)
    settle(rig)
    assert mean(registered)[:3] == [*before[:2], "–"]
    registered.ui.transformSelector.setCurrentNode(transform)
    register(rig, registered)
    assert mean(registered) == before


def test_points_that_an_edited_volume_left_are_refused_and_an_empty_list_follows_it(rig, registered):
    (moving, _), parameters = lists(registered), registered.panel.state.parameters
    transform, volume = parameters.transform, parameters.movingVolume
    volume.SetAndObserveTransformNodeID(None)
    slicer.util.arrayFromVolume(volume)[0, 10:20] = 0
    slicer.util.arrayFromVolumeModified(volume)
    settle(rig)
    assert not mean(registered) and "has changed since it was registered" in registered.ui.landmarksStatusLabel.text
    assert moving.GetParentTransformNode() is transform
    moving.RemoveAllControlPoints()
    registered.ui.placeButton.click()
    assert moving.GetParentTransformNode() is None


def test_an_older_result_is_measured_while_its_volume_is_taken_out(rig, registered):
    """It does not say where and what its volumes were: nothing tells that they have changed."""
    before, parameters = mean(registered), registered.panel.state.parameters
    for name in OF_POSITIONS:
        assert parameters.transform.GetAttribute(name)
        parameters.transform.SetAttribute(name, None)
    parameters.movingVolume.SetAndObserveTransformNodeID(None)
    settle(rig)
    assert mean(registered) == before and registered.ui.landmarksStatusLabel.text == ""
    register(rig, registered)
    assert mean(registered) == before and registered.ui.registerStatusLabel.text.startswith("Registered")


def test_points_under_a_result_with_unreadable_positions_are_refused_while_its_volume_is_out(rig, registered):
    parameters = registered.panel.state.parameters
    parameters.transform.SetAttribute("MetaRegistration.MovingGeometry", "of a newer version")
    parameters.movingVolume.SetAndObserveTransformNodeID(None)
    settle(rig)
    said = registered.ui.landmarksStatusLabel.text
    assert "cannot be read" in said and "has changed" not in said and not mean(registered)


def test_moving_points_that_are_put_back_are_measured_again(rig, registered):
    moving, _ = lists(registered)
    before, transform = mean(registered), moving.GetParentTransformNode()
    moving.SetAndObserveTransformNodeID(None)
    settle(rig)
    assert not mean(registered) and moving.GetParentTransformNode() is None
    moving.SetAndObserveTransformNodeID(transform.GetID())
    settle(rig)
    assert mean(registered) == before and registered.ui.landmarksStatusLabel.text == ""


def test_points_and_volume_that_are_out_together_are_registered_together(rig, registered):
    moving, _ = lists(registered)
    before, volume = mean(registered), registered.panel.state.parameters.movingVolume
    for node in (volume, moving):
        node.SetAndObserveTransformNodeID(None)
    settle(rig)
    assert mean(registered) == before
    register(rig, registered)
    assert mean(registered) == before and moving.GetParentTransformNode() is volume.GetParentTransformNode()


@pytest.mark.parametrize("hardened", [False, True])
def test_another_result_carries_the_points_unless_they_were_hardened(rig, registered, hardened):
    choose_stages(registered, Stages("translation", False, 0))
    register(rig, registered)
    settle(rig)
    moving, _ = lists(registered)
    if hardened:
        moving.HardenTransform()
        settle(rig)
    positions = world(moving)
    registered.ui.resultsTable.cellClicked.emit(1, 0)
    settle(rig)
    assert (moving.GetParentTransformNode() is None) == hardened == np.allclose(world(moving), positions)
    assert bool(mean(registered)) != hardened


def named_as_slicer_names_them(widget) -> None:
    for node, name in zip(lists(widget), ("F", "F_1"), strict=True):
        with slicer.util.NodeModify(node), widget.panel.landmarks.placing.paused():
            for index in range(node.GetNumberOfControlPoints()):
                node.SetNthControlPointLabel(index, f"{name}-{index + 1}")


@pytest.mark.parametrize("why", ["one more moving point", "taken out of the transform"])
def test_numbers_that_can_no_longer_be_measured_are_kept_nowhere(rig, registered, why):
    export = registered.ui.exportTableButton
    moving, fixed = lists(registered)
    before = kept(registered)
    assert before[0] and before[1] is not None and export.enabled
    if why == "taken out of the transform":
        moving.HardenTransform()
    else:
        named_as_slicer_names_them(registered)
        moving.AddControlPoint([0.0, 0.0, 0.0])
    settle(rig)
    assert kept(registered) == (0, None) and not export.enabled
    if why == "one more moving point":
        fixed.AddControlPoint([0.0, 0.0, 0.0])
        settle(rig)
        assert (
            kept(registered)[0] == before[0] + 1 and kept(registered)[1].count == before[1].count + 1 and export.enabled
        )


def test_a_table_that_is_empty_says_why(rig, registered):
    named_as_slicer_names_them(registered)
    settle(rig)
    count = len(table(registered.ui.distanceTable))
    moving, fixed = lists(registered)
    moving.AddControlPoint([0.0, 0.0, 0.0])
    settle(rig)
    said = registered.ui.landmarksStatusLabel
    assert not mean(registered) and "only some numbers occur in both lists" in said.text
    fixed.AddControlPoint([0.0, 0.0, 0.0])
    settle(rig)
    assert len(table(registered.ui.distanceTable)) == count + 1 and said.text == ""
    registered.ui.suggestButton.click()
    registered.ui.acceptSuggestionsButton.click()
    settle(rig)
    assert len(table(registered.ui.distanceTable)) > count + 1


def test_a_list_whose_number_of_points_is_locked_is_not_filled(rig, registered, tmp_path):
    said, (moving, fixed) = registered.ui.landmarksStatusLabel, lists(registered)
    before = world(moving), world(fixed)
    path = tmp_path / "landmarks.csv"
    path.write_text("moving_x,moving_y,fixed_x,fixed_y\n1,2,3,4\n", encoding="utf-8")
    registered.ui.suggestButton.click()
    for locked in (moving, fixed):
        locked.SetFixedNumberOfControlPoints(True)
        rig.dialogs.answer([str(path)])
        for button in ("loadLandmarksButton", "acceptSuggestionsButton", "placeButton"):
            getattr(registered.ui, button).click()
            assert said.text.startswith(f"{locked.GetName()}: the number of its points is locked."), button
            assert np.array_equal(world(moving), before[0]) and np.array_equal(world(fixed), before[1])
        locked.SetFixedNumberOfControlPoints(False)


def test_a_partner_that_cannot_be_deleted_is_named(rig, registered):
    moving, fixed = lists(registered)
    count = fixed.GetNumberOfControlPoints()
    fixed.SetFixedNumberOfControlPoints(True)
    moving.RemoveNthControlPoint(0)
    settle(rig)
    said = f"The partner of the deleted point stays: the number of points of {fixed.GetName()} is locked."
    assert registered.ui.landmarksStatusLabel.text == said and fixed.GetNumberOfControlPoints() == count
    assert len(table(registered.ui.distanceTable)) == count + 1
