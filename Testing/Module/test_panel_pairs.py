"""Pairs of a folder one after another through the real panel: each keeps its results, and gets the pixel size."""

from __future__ import annotations

import numpy as np
import pytest
import slicer
from panel_helpers import SMALL, choose_folder, click_row, open_panel, register, settle, small_folder, table


@pytest.fixture
def widget(rig):
    return open_panel(rig, size=SMALL)


def chosen(widget) -> dict:
    """The results that the panel has chosen."""
    parameters = widget.panel.state.parameters
    return {name: getattr(parameters, name) for name in ("transform", "warpedVolume", "distanceTable")}


def register_with_warped(rig, widget) -> None:
    warped = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "warped")
    transform = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLGridTransformNode", "transform")
    widget.ui.warpedVolumeSelector.setCurrentNode(warped)
    widget.ui.transformSelector.setCurrentNode(transform)
    register(rig, widget)
    settle(rig)


def test_results_of_a_pair_come_back_with_it(rig, widget, tmp_path):
    choose_folder(rig, widget, small_folder(tmp_path / "pairs", 2))
    seen = []
    for row in (0, 1):
        click_row(rig, widget, row)
        settle(rig)
        assert chosen(widget)["transform"] is None
        register_with_warped(rig, widget)
        seen.append((chosen(widget), table(widget.ui.distanceTable), widget.ui.measuresLabel.text))
    assert seen[0][1] != seen[1][1] and seen[0][2] != seen[1][2]
    assert seen[0][2].startswith("Similarity (NCC) ") and "Initial alignment: " in seen[0][2]
    for row in (0, 1, 0):
        click_row(rig, widget, row)
        settle(rig)
        assert (chosen(widget), table(widget.ui.distanceTable), widget.ui.measuresLabel.text) == seen[row]
    assert slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLTableNode") == 2


def test_results_of_a_pair_come_back_after_the_scene_was_saved(rig, widget, tmp_path):
    choose_folder(rig, widget, small_folder(tmp_path / "pairs", 2))
    click_row(rig, widget, 0)
    register_with_warped(rig, widget)
    rows, measures = table(widget.ui.distanceTable), widget.ui.measuresLabel.text
    click_row(rig, widget, 1)
    assert widget.ui.measuresLabel.text == ""
    path = str(tmp_path / "scene.mrb")
    assert slicer.util.saveScene(path)
    slicer.mrmlScene.Clear(0)
    slicer.util.loadScene(path)
    rig.wait_until(lambda: widget.panel.state.folder is not None, "for the folder of the scene")
    click_row(rig, widget, 0)
    settle(rig, 0.3)
    assert table(widget.ui.distanceTable) == rows and widget.ui.measuresLabel.text == measures != ""
    assert {name: node.GetName() for name, node in chosen(widget).items() if name != "distanceTable"} == {
        "transform": "transform",
        "warpedVolume": "warped",
    }


def test_registering_into_the_transform_of_another_pair_spares_it(rig, widget, tmp_path):
    choose_folder(rig, widget, small_folder(tmp_path / "pairs", 2))
    click_row(rig, widget, 0)
    register(rig, widget)
    first = chosen(widget)["transform"]
    before = slicer.util.arrayFromGridTransform(first).copy()
    click_row(rig, widget, 1)
    widget.ui.transformSelector.setCurrentNode(first)
    register(rig, widget)
    assert chosen(widget)["transform"] is not first
    np.testing.assert_array_equal(slicer.util.arrayFromGridTransform(first), before)


def test_choosing_the_volumes_of_another_pair_spares_its_table(rig, widget, tmp_path):
    choose_folder(rig, widget, small_folder(tmp_path / "pairs", 2))
    click_row(rig, widget, 0)
    settle(rig)
    first = chosen(widget)["distanceTable"]
    rows = first.GetNumberOfRows()
    parameters = widget.panel.state.parameters
    volumes = parameters.movingVolume, parameters.fixedVolume
    click_row(rig, widget, 1)
    settle(rig)
    widget.ui.movingVolumeSelector.setCurrentNode(volumes[0])
    settle(rig)
    assert chosen(widget)["distanceTable"] is not first and first.GetNumberOfRows() == rows


@pytest.fixture
def without_landmarks(tmp_path):
    """A folder with a pair of PNG files without landmarks."""
    folder = small_folder(tmp_path / "pairs", 2)
    (folder / "pairs.csv").write_text("moving,fixed\nmoving/phantom_001.png,fixed/phantom_001.png\n", encoding="utf-8")
    return folder


def pixel_sizes(widget) -> list[float]:
    """Of the two chosen volumes, mm."""
    selectors = widget.ui.movingVolumeSelector, widget.ui.fixedVolumeSelector
    return [size for selector in selectors for size in selector.currentNode().GetSpacing()[:2]]


def test_pixel_size_of_the_panel_is_that_of_a_loaded_pair(rig, widget, without_landmarks):
    widget.ui.spacingSpinBox.value = 7.5
    choose_folder(rig, widget, without_landmarks)
    click_row(rig, widget, 0)
    assert pixel_sizes(widget) == pytest.approx([0.0075] * 4)
    widget.ui.spacingSpinBox.value = 0.0
    settle(rig)
    click_row(rig, widget, 0)  # the pair with the sizes of its files is another one
    assert pixel_sizes(widget) == [1.0] * 4


def test_pixel_size_reaches_a_pair_that_is_loaded_and_can_be_corrected(rig, widget, without_landmarks):
    choose_folder(rig, widget, without_landmarks)
    click_row(rig, widget, 0)
    assert pixel_sizes(widget) == [1.0] * 4
    for size in (7.5, 8.0):
        widget.ui.spacingSpinBox.value = size
        settle(rig)
        assert pixel_sizes(widget) == pytest.approx([size / 1000] * 4)
    register(rig, widget)
    widget.ui.spacingSpinBox.value = 5.0
    settle(rig)
    assert pixel_sizes(widget) == pytest.approx([0.008] * 4), "the transform is made for the size before"


@pytest.mark.parametrize("registered", [False, True], ids=["before the registration", "after it"])
def test_pixel_size_that_is_typed_after_the_points_fills_their_micrometres(rig, widget, without_landmarks, registered):
    choose_folder(rig, widget, without_landmarks)
    click_row(rig, widget, 0)
    if registered:
        register(rig, widget)
    for selector, place in ((widget.ui.movingPointsSelector, -100), (widget.ui.fixedPointsSelector, -110)):
        node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", "points")
        node.AddControlPointWorld((place, -100.0, 0.0))
        selector.setCurrentNode(node)
    settle(rig)
    label, *before = table(widget.ui.distanceTable)[2]
    assert before[2:] == ["–", "–"]
    for size in (7.5, 8.0):
        widget.ui.spacingSpinBox.value = size
        settle(rig)
        row = table(widget.ui.distanceTable)[2]
        assert row[:3] == [label, *before[:2]] and row[3] == f"{10 * size:.1f}"
        assert (row[4] != "–") == registered
    node = chosen(widget)["distanceTable"].GetTable()
    assert node.GetColumnByName("before (um)").GetValue(0) == pytest.approx(80)
    assert pixel_sizes(widget) == pytest.approx(([1.0] if registered else [0.008]) * 4)


def test_pixel_size_leaves_volumes_alone_that_carry_one(rig, widget):
    for selector, name in ((widget.ui.movingVolumeSelector, "moving"), (widget.ui.fixedVolumeSelector, "fixed")):
        node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)
        slicer.util.updateVolumeFromArray(node, np.random.default_rng(0).random((1, 32, 32)))
        node.SetSpacing(0.01, 0.01, 1.0)
        selector.setCurrentNode(node)
    widget.ui.spacingSpinBox.value = 7.5
    settle(rig)
    assert pixel_sizes(widget) == [0.01] * 4


def test_a_size_of_the_moving_image_alone(rig, widget, without_landmarks):
    """A 3 mm and a 6 mm scan, both as PNG."""
    choose_folder(rig, widget, without_landmarks)
    click_row(rig, widget, 0)
    widget.ui.spacingSpinBox.value = 7.5
    widget.ui.movingSpacingSpinBox.value = 15.0
    settle(rig)
    assert pixel_sizes(widget) == pytest.approx([0.015] * 2 + [0.0075] * 2)
    sizes, shown = (table(widget.ui.pairsTable)[0][column] for column in (1, 2))
    width = int(sizes.split()[0])
    extents = [f"{width * step:.3g} × {width * step:.3g} mm" for step in (0.015, 0.0075)]
    assert shown == f"15 µm, {extents[0]} / 7.5 µm, {extents[1]}"
    click_row(rig, widget, 0)
    assert pixel_sizes(widget) == pytest.approx([0.015] * 2 + [0.0075] * 2)


def test_the_user_has_the_last_word_on_the_pixel_size(rig, widget):
    for selector, name in ((widget.ui.movingVolumeSelector, "moving"), (widget.ui.fixedVolumeSelector, "fixed")):
        node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)
        slicer.util.updateVolumeFromArray(node, np.random.default_rng(0).random((1, 32, 32)))
        node.SetSpacing(0.01, 0.01, 1.0)
        selector.setCurrentNode(node)
    widget.ui.overrideSpacingCheckBox.checked = True
    settle(rig)
    assert pixel_sizes(widget) == [0.01] * 4, "there is no size yet that could count"
    widget.ui.spacingSpinBox.value = 7.5
    settle(rig)
    assert pixel_sizes(widget) == pytest.approx([0.0075] * 4)


def test_columns_in_micrometres_are_there_where_there_are_any(rig, tmp_path):
    widget = open_panel(rig, size=SMALL)
    ui = widget.ui
    choose_folder(rig, widget, small_folder(tmp_path / "pairs"))
    click_row(rig, widget, 0)
    settle(rig)
    assert table(ui.distanceTable)[0][3] == "–"
    assert ui.distanceTable.isColumnHidden(3)
    ui.spacingSpinBox.value = 15.0
    rig.wait_until(lambda: table(ui.distanceTable) and table(ui.distanceTable)[0][3] != "–", "for micrometres")
    assert not ui.distanceTable.isColumnHidden(3)
