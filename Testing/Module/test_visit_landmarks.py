"""The landmarks of registered visits: those that were taken out of the transform of their visit are not measured."""

from __future__ import annotations

import pytest
import slicer
from test_visit_error_nodes import scene_of

from MetaRegistrationLib.errors import InputError
from MetaRegistrationLib.jobs.hosts import QtHost
from MetaRegistrationLib.mrml import landmark_nodes, visit_nodes
from MetaRegistrationLib.panel.visits_logic import VisitsLogic


@pytest.fixture
def measured(rig, tmp_path):
    """The logic, the visits, and the landmarks of the second one, a fifth of a pixel beside those of the first."""
    import qt

    nodes = scene_of(tmp_path / "results", None)
    for number, (name, volume) in enumerate(nodes.volumes.items()):
        points = landmark_nodes.new_list(name, (1.0, 0.0, 0.0))
        visit_nodes.note_points(points, volume)
        if number:
            landmark_nodes.follow(points, volume, nodes.transform(name))
        points.AddControlPointWorld([-0.4 - 0.004 * number, -0.4, 0.0], "1")
    logic = VisitsLogic(QtHost(qt))
    logic.update_distances(nodes)
    return logic, nodes, points


def distance(nodes) -> str:
    return nodes.rows[1]["landmark_distance_px"]


def test_hardened_landmarks_of_a_visit_are_not_measured(measured):
    logic, nodes, points = measured
    name, before = nodes.rows[1]["visit"], distance(nodes)
    assert float(before) == pytest.approx(0.2, abs=0.002)
    points.HardenTransform()
    for act in (logic.update_distances, lambda nodes: logic.points(nodes, name)):
        with pytest.raises(
            InputError, match=f"{points.GetName()}: not measured, because .* no longer under the transform"
        ):
            act(nodes)
        assert distance(nodes) == "" and points.GetParentTransformNode() is None
    points.SetAndObserveTransformNodeID(nodes.transform(name).GetID())
    logic.update_distances(nodes)
    assert distance(nodes) == before


def test_landmarks_outside_the_image_of_a_visit_are_not_measured(measured):
    logic, nodes, points = measured
    before, position = distance(nodes), points.GetNthControlPointPosition(0)
    points.SetNthControlPointPosition(0, 0.4, -0.4, 0.0)
    with pytest.raises(InputError, match=f"{points.GetName()}: landmark 1 at x = -.* is outside its image"):
        logic.update_distances(nodes)
    assert distance(nodes) == ""
    points.SetNthControlPointPosition(0, *position)
    logic.update_distances(nodes)
    assert distance(nodes) == before


def test_landmarks_that_are_put_back_are_measured_without_a_move(rig, measured):
    logic, nodes, points = measured
    transform, seen = points.GetParentTransformNode(), []
    watch = logic.watch(nodes, lambda: seen.append(points.GetParentTransformNode()), lambda: None)
    for parent in (None, transform):
        points.SetAndObserveTransformNodeID(None if parent is None else parent.GetID())
        rig.wait_until(lambda parent=parent: seen and seen[-1] is parent, "for the landmarks to be measured")
    watch.close()
    assert slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLMarkupsFiducialNode") == 2
