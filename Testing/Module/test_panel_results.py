"""Registering again with other stages keeps both results: a table to compare them, a click to choose one."""

from __future__ import annotations

import numpy as np
import pytest
import slicer
from panel_helpers import SMALL, choose_folder, click_row, open_panel, register, settle, small_folder, table
from test_panel_stages import choose_stages

from MetaRegistrationLib.registration import measures
from MetaRegistrationLib.registration.schema import COMPARED, GRID_PX, SCENE, Measure
from MetaRegistrationLib.stages import Stages


@pytest.fixture
def widget(rig, tmp_path):
    widget = open_panel(rig, size=SMALL)
    choose_folder(rig, widget, small_folder(tmp_path / "pairs", 2))
    click_row(rig, widget, 0)
    return widget


def run(rig, widget, stages: Stages) -> None:
    choose_stages(widget, stages)
    register(rig, widget)
    settle(rig)


def moved(widget) -> list[float]:
    """Where the transform that the moving volume lies under takes a point."""
    transform = widget.panel.state.parameters.movingVolume.GetParentTransformNode()
    return np.round(transform.GetTransformFromParent().TransformPoint(-50.0, -60.0, 0.0), 6).tolist()


SHIFT, AFFINE = Stages("translation", False, 0), Stages("affine", False, 0)


def heads(table) -> list[str]:
    """The heads of a table's columns."""
    return [table.horizontalHeaderItem(column).text() for column in range(table.columnCount)]


def test_two_ways_of_registering_stand_side_by_side(rig, widget, monkeypatch):
    ui, parameters = widget.ui, widget.panel.state.parameters
    run(rig, widget, SHIFT)
    assert not ui.resultsTable.visible, "one result needs no table"
    first, distance = moved(widget), table(ui.distanceTable)[0]
    run(rig, widget, AFFINE)
    second = moved(widget)
    rows = table(ui.resultsTable)
    assert [row[:3] for row in rows] == [["●", "affine alignment", "–"], ["", "translation alignment", "–"]]
    assert rows[1][4].startswith(distance[2]) and rows[0][4] != rows[1][4] and "of " in rows[0][4]
    assert second != first
    ui.resultsTable.cellClicked.emit(1, 0)
    settle(rig)
    assert moved(widget) == first and [row[0] for row in table(ui.resultsTable)] == ["", "●"]
    assert parameters.movingPoints.GetTransformNodeID() == parameters.transform.GetID()
    assert table(ui.distanceTable)[0] == distance and "translation" in ui.measuresLabel.text
    ui.resultsTable.cellClicked.emit(0, 0)
    settle(rig)
    assert moved(widget) == second
    assert heads(ui.resultsTable) == ["shown", "stages", "checkpoint", "similarity (NCC)", "landmarks"]
    more = Measure("new", "new thing", len, unit=GRID_PX, shown_in=frozenset({SCENE, COMPARED}))
    monkeypatch.setattr(measures, "MEASURES", (*measures.MEASURES, more))
    widget.panel.state.notify()
    assert heads(ui.resultsTable)[3:] == ["similarity (NCC)", "new thing, grid px", "landmarks"]
    assert [row[4] for row in table(ui.resultsTable)] == ["–", "–"], (
        "they were measured before there was such a measure"
    )


def test_the_same_way_again_takes_the_place_of_the_former(rig, widget):
    run(rig, widget, AFFINE)
    run(rig, widget, AFFINE)
    assert not widget.ui.resultsTable.visible
    assert slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLGridTransformNode") == 1


def test_the_result_that_is_left_can_be_chosen_when_the_shown_one_is_deleted(rig, widget):
    run(rig, widget, SHIFT)
    first, measures = moved(widget), widget.ui.measuresLabel.text
    run(rig, widget, AFFINE)
    slicer.mrmlScene.RemoveNode(widget.panel.state.parameters.transform)
    settle(rig)
    assert widget.ui.resultsTable.visible and [row[0] for row in table(widget.ui.resultsTable)] == [""]
    widget.ui.resultsTable.cellClicked.emit(0, 0)
    settle(rig)
    assert moved(widget) == first and widget.ui.measuresLabel.text == measures
    assert not widget.ui.resultsTable.visible


def test_undo_takes_the_second_result_back_and_leaves_the_first(rig, widget):
    run(rig, widget, SHIFT)
    first = moved(widget)
    run(rig, widget, AFFINE)
    widget.ui.undoRegisterButton.click()
    settle(rig)
    assert moved(widget) == first and not widget.ui.resultsTable.visible
    assert slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLGridTransformNode") == 1


def test_results_come_back_with_the_pair_and_with_the_scene(rig, widget, tmp_path):
    run(rig, widget, SHIFT)
    first = moved(widget)
    run(rig, widget, AFFINE)
    second = moved(widget)
    click_row(rig, widget, 1)
    assert not widget.ui.resultsTable.visible
    click_row(rig, widget, 0)
    settle(rig)
    assert widget.ui.resultsTable.visible and moved(widget) == second, "the one in use, not the saved one"
    file = tmp_path / "scene.mrb"
    assert slicer.util.saveScene(str(file))
    slicer.mrmlScene.Clear(0)
    rig.process_events()
    slicer.util.loadScene(str(file))
    settle(rig)
    assert len(table(widget.ui.resultsTable)) == 2
    widget.ui.resultsTable.cellClicked.emit(1, 0)
    settle(rig)
    assert np.allclose(moved(widget), first, atol=1e-3)


@pytest.mark.parametrize("how", ["deleted", "deselected"])
def test_without_its_transform_there_is_no_result(rig, widget, how):
    ui, parameters = widget.ui, widget.panel.state.parameters
    run(rig, widget, SHIFT)
    assert ui.measuresLabel.text and ui.expectedErrorLabel.text
    if how == "deleted":
        slicer.mrmlScene.RemoveNode(parameters.transform)
    else:
        ui.transformSelector.setCurrentNode(None)
    settle(rig)
    assert ui.measuresLabel.text == ui.expectedErrorLabel.text == ui.landmarksStatusLabel.text == ""
    assert not widget.panel.register.registered
    rows = table(ui.distanceTable)
    assert rows and {row[2] for row in rows} == {"–"}


def test_points_are_those_of_the_image_also_while_no_transform_is_chosen(rig, widget):
    """The volume stays under the registration, which is no part of where its points are."""
    ui, parameters = widget.ui, widget.panel.state.parameters
    settle(rig)
    before = table(ui.distanceTable)
    run(rig, widget, SHIFT)
    transform = parameters.transform
    assert [row[1] for row in table(ui.distanceTable)] == [row[1] for row in before]
    ui.transformSelector.setCurrentNode(None)
    settle(rig)
    assert table(ui.distanceTable) == before
    ui.suggestButton.click()
    count = parameters.movingPoints.GetNumberOfControlPoints()
    more = widget.panel.landmarks._suggested.GetNumberOfControlPoints()
    ui.acceptSuggestionsButton.click()
    settle(rig)
    assert parameters.movingPoints.GetNumberOfControlPoints() == count + more
    assert (
        parameters.movingPoints.GetParentTransformNode()
        is transform
        is parameters.movingVolume.GetParentTransformNode()
    )
