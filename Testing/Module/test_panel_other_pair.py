"""Pairs that the selectors choose one after the other: each has its own results, point lists and masks."""

from __future__ import annotations

import numpy as np
import pytest
import slicer
from panel_helpers import (
    SMALL,
    choose_folder,
    click_row,
    noise_volume,
    open_panel,
    register,
    register_simply,
    settle,
    small_folder,
    table,
)

from MetaRegistrationLib.errors import InputError
from MetaRegistrationLib.mrml import masks
from MetaRegistrationLib.mrml.volumes import volume_geometry


@pytest.fixture
def widget(rig):
    return open_panel(rig, size=SMALL)


def choose(rig, widget, pair) -> None:
    """Choose two volumes by the selectors, one after the other."""
    widget.ui.movingVolumeSelector.setCurrentNode(pair[0])
    widget.ui.fixedVolumeSelector.setCurrentNode(pair[1])
    settle(rig)


def chosen_inputs(widget) -> list:
    parameters = widget.panel.state.parameters
    return [getattr(parameters, name) for name in ("movingPoints", "fixedPoints", "movingMask", "fixedMask")]


def mean_row(widget) -> list[str]:
    return (table(widget.ui.distanceTable) or [[]])[0][1:3]


@pytest.fixture
def pairs(rig, widget, tmp_path):
    """Two registered pairs with their points, the second one chosen; each with what the panel shows of it."""
    choose_folder(rig, widget, small_folder(tmp_path / "pairs", 2))
    register_simply(widget)
    found = []
    for row in (0, 1):
        click_row(rig, widget, row)
        register(rig, widget)
        parameters = widget.panel.state.parameters
        results = parameters.transform, parameters.distanceTable
        volumes = parameters.movingVolume, parameters.fixedVolume
        found.append((volumes, results, chosen_inputs(widget), mean_row(widget), widget.ui.measuresLabel.text))
    return found


def test_a_pair_that_the_selectors_choose_again_has_its_results_and_its_points(rig, widget, pairs):
    for volumes, results, inputs, distances, measures in pairs:
        choose(rig, widget, volumes)
        parameters = widget.panel.state.parameters
        assert (parameters.transform, parameters.distanceTable) == results
        assert chosen_inputs(widget) == inputs and None not in inputs[:2]
        assert mean_row(widget) == distances and widget.ui.measuresLabel.text == measures
    rows = [results[1].GetTable().GetNumberOfRows() for _volumes, results, *_rest in pairs]
    assert min(rows) > 2


def test_a_new_pair_has_nothing_of_another_one(rig, widget, pairs):
    distances = pairs[1][1][1]
    before = distances.GetTable().GetNumberOfRows()
    choose(rig, widget, (noise_volume("a"), noise_volume("b")))
    parameters = widget.panel.state.parameters
    assert chosen_inputs(widget) == [None] * 4
    assert parameters.transform is parameters.distanceTable is None
    assert not table(widget.ui.distanceTable) and not widget.ui.exportTableButton.enabled
    assert distances.GetTable().GetNumberOfRows() == before


def test_points_under_the_registration_of_another_pair_are_not_measured(rig, widget, pairs):
    (first, second), ui = pairs, widget.ui
    choose(rig, widget, first[0])
    ui.movingPointsSelector.setCurrentNode(second[2][0])
    ui.fixedPointsSelector.setCurrentNode(second[2][1])
    settle(rig)
    said = f"{second[2][0].GetName()}: not measured, because these points are under the transform"
    assert said in ui.landmarksStatusLabel.text and first[0][0].GetName() in ui.landmarksStatusLabel.text
    assert not table(ui.distanceTable) and not ui.exportTableButton.enabled
    with pytest.raises(InputError, match="which is not a registration of"):
        widget.logic.landmarks.save(widget.panel.state.parameters, "unused.csv")
    box = ui.initialAlignmentComboBox
    box.setCurrentIndex([box.itemText(index) for index in range(box.count)].index("landmarks"))
    register(rig, widget)
    assert "which is not a registration of" in ui.registerStatusLabel.text


def test_a_mask_is_not_used_for_another_volume_and_comes_back_with_its_own(rig, widget):
    pairs = [(noise_volume(f"m{n}"), noise_volume(f"f{n}")) for n in (0, 1)]
    choose(rig, widget, pairs[1])
    mask = masks.label_map(np.tri(32, dtype=bool), volume_geometry(pairs[1][0]), "mask of m1")
    widget.ui.movingMaskSelector.setCurrentNode(mask)
    settle(rig)
    choose(rig, widget, pairs[0])
    assert widget.ui.movingMaskSelector.currentNode() is None
    assert widget.ui.masksCollapsibleButton.text == "Masks: automatic"
    choose(rig, widget, (pairs[1][0], pairs[0][1]))
    assert widget.ui.movingMaskSelector.currentNode() is mask
    widget.ui.movingMaskSelector.setCurrentNode(None)
    choose(rig, widget, pairs[0])
    choose(rig, widget, pairs[1])
    assert widget.ui.movingMaskSelector.currentNode() is None, "it was deselected"


def test_what_was_chosen_before_any_volume_stays(rig, widget):
    volumes = noise_volume("m"), noise_volume("f")
    points = [slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", name) for name in ("mp", "fp")]
    widget.ui.movingPointsSelector.setCurrentNode(points[0])
    widget.ui.fixedPointsSelector.setCurrentNode(points[1])
    choose(rig, widget, volumes)
    assert chosen_inputs(widget)[:2] == points


def test_a_scene_remembers_the_points_of_each_pair(rig, widget, pairs, tmp_path):
    names = [inputs[0].GetName() for _volumes, _results, inputs, *_rest in pairs]
    volumes = [tuple(node.GetName() for node in each[0]) for each in pairs]
    path = tmp_path / "scene.mrb"
    assert slicer.util.saveScene(str(path))
    slicer.mrmlScene.Clear()
    slicer.util.loadScene(str(path))
    settle(rig)
    for (moving, fixed), name in zip(volumes, names, strict=True):
        choose(rig, widget, (slicer.util.getNode(moving), slicer.util.getNode(fixed)))
        assert widget.ui.movingPointsSelector.currentNode().GetName() == name
