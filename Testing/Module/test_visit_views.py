"""Two visits and their change side by side in linked views, and the visits one at a time."""

from __future__ import annotations

import numpy as np
import pytest
import slicer
from panel_helpers import settle
from test_visit_error_nodes import scene_of
from visit_files import SIDE

from MetaRegistrationLib.jobs.hosts import QtHost
from MetaRegistrationLib.mrml import views
from MetaRegistrationLib.mrml.volumes import ijk_to_ras
from MetaRegistrationLib.panel.visits_logic import VisitsLogic


@pytest.fixture
def logic(rig):
    import qt

    views.set_layout(slicer.vtkMRMLLayoutNode.SlicerLayoutSideBySideView)
    rig.main_window.resize(1500, 900)
    rig.main_window.show()
    settle(rig)
    return VisitsLogic(QtHost(qt))


def composite(view: str):
    return slicer.mrmlScene.GetSingletonNode(view, "vtkMRMLSliceCompositeNode")


def background(view: str):
    return slicer.mrmlScene.GetNodeByID(composite(view).GetBackgroundVolumeID() or "")


def links() -> list[bool]:
    return [bool(composite(view).GetLinkedControl()) for view in views.THREE_VIEWS]


def test_earlier_later_and_change_stand_side_by_side(rig, logic, tmp_path):
    nodes = scene_of(tmp_path / "results", None)
    earlier, later = list(nodes.volumes)
    logic.show(nodes)
    assert background("Red") is nodes["shown"] and background("Yellow") is nodes["average"], "before there is a change"
    logic.change(nodes, earlier, later)
    logic.show(nodes)
    settle(rig)
    assert sorted(views.visible_views()) == sorted(views.THREE_VIEWS)
    assert [background(view) for view in views.THREE_VIEWS] == [
        nodes.volumes[earlier],
        nodes.volumes[later],
        nodes["average"],
    ]
    assert composite("Green").GetForegroundVolumeID() == nodes["clusters"].GetID()
    assert composite("Green").GetLabelVolumeID() == nodes["unknown"].GetID()
    assert [composite(view).GetForegroundVolumeID() for view in ("Red", "Yellow")] == [None, None]
    pictures = [rig.slice_view(view).render() for view in views.THREE_VIEWS]
    assert {picture.shape[0] for picture in pictures} == {pictures[0].shape[0]}, "side by side"
    for picture in pictures[:2]:
        assert (picture[..., 0] == picture[..., 1]).mean() > 0.97, "grey, except for the centre"
    for view, picture in zip(views.THREE_VIEWS, pictures, strict=True):
        rows, columns = picture.shape[:2]
        assert rows > 1.5 * columns, "higher than wide"
        for pixel in ((0, 0), (SIDE - 1, SIDE - 1)):
            ras = (ijk_to_ras(nodes.volumes[earlier]) @ [pixel[1], pixel[0], 0, 1])[:3]
            x, y = rig.slice_view(view).to_display(ras)
            assert 0 <= x <= columns and 0 <= y <= rows, "the whole image is seen"
    rig.screenshot_window("visits_side_by_side", (1500, 900))


def test_the_three_views_are_zoomed_and_moved_together_until_others_are_shown(rig, logic, tmp_path):
    nodes = scene_of(tmp_path / "results", None)
    earlier, later = list(nodes.volumes)
    logic.change(nodes, earlier, later)
    logic.show(nodes)
    settle(rig)
    assert links() == [True, True, True]
    red, yellow, green = (slicer.mrmlScene.GetSingletonNode(view, "vtkMRMLSliceNode") for view in views.THREE_VIEWS)
    sliced = rig.slice_view("Red").logic
    sliced.StartSliceNodeInteraction(red.FieldOfViewFlag | red.XYZOriginFlag)
    width, height, depth = red.GetFieldOfView()
    red.SetFieldOfView(width / 2, height / 2, depth)
    red.SetXYZOrigin(0.3, -0.2, 0)
    sliced.EndSliceNodeInteraction()
    for other in (yellow, green):
        assert other.GetFieldOfView()[1] == pytest.approx(height / 2, rel=0.01)
        np.testing.assert_allclose(other.GetXYZOrigin()[:2], (0.3, -0.2), atol=1e-6)
    assert logic.select(nodes, earlier)
    settle(rig)
    assert background("Red") is nodes["shown"] and links()[:2] == [False, False]
    assert composite("Yellow").GetForegroundVolumeID() == nodes["clusters"].GetID()


def test_a_link_of_the_users_own_stays(rig, logic, tmp_path):
    nodes = scene_of(tmp_path / "results", None)
    for view in views.THREE_VIEWS:
        composite(view).SetLinkedControl(True)
    logic.change(nodes, *nodes.volumes)
    logic.show(nodes)
    views.show_pair(*nodes.volumes.values())
    assert links() == [True, True, True]


def test_playing_needs_a_view_with_the_visits(rig, logic, tmp_path):
    nodes = scene_of(tmp_path / "results", None)
    logic.change(nodes, *nodes.volumes)
    logic.show(nodes)
    settle(rig)
    assert not views.all_views_of(nodes["shown"])
    logic.play(nodes, True)
    assert views.all_views_of(nodes["shown"]) == ["Red"] and logic.playing(nodes)
    logic.play(nodes, False)
    assert views.all_views_of(nodes["shown"]) == ["Red"]


def test_a_visit_that_was_deleted_is_not_missed(rig, logic, tmp_path):
    nodes = scene_of(tmp_path / "results", None)
    logic.change(nodes, *nodes.volumes)
    slicer.mrmlScene.RemoveNode(list(nodes.volumes.values())[1])
    logic.show(nodes)
    assert background("Red") is nodes["shown"]
