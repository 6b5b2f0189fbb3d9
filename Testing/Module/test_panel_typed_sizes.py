"""Pixel sizes that are typed for a pair with landmarks: points and masks stay on their pixels."""

from __future__ import annotations

import csv

import numpy as np
import pytest
import slicer
from panel_helpers import (
    SMALL,
    choose_folder,
    click_row,
    open_panel,
    register,
    register_simply,
    settle,
    small_folder,
    table,
)

from MetaRegistrationLib.mrml import masks
from MetaRegistrationLib.mrml.volumes import ijk_to_ras, volume_geometry


@pytest.fixture
def widget(rig, tmp_path):
    """The panel with a loaded pair of PNG files with landmarks."""
    widget = open_panel(rig, size=SMALL)
    choose_folder(rig, widget, small_folder(tmp_path / "pairs", 1))
    click_row(rig, widget, 0)
    register_simply(widget)
    settle(rig)
    return widget


def type_sizes(rig, widget) -> None:
    """10 um, and 20 um for the moving image."""
    widget.ui.spacingSpinBox.value, widget.ui.movingSpacingSpinBox.value = 10.0, 20.0
    settle(rig)


def volumes(widget) -> tuple:
    parameters = widget.panel.state.parameters
    return parameters.movingVolume, parameters.fixedVolume


def sizes(widget) -> list[float]:
    return [1000 * volume.GetSpacing()[0] for volume in volumes(widget)]


def pixels(points, volume) -> np.ndarray:
    """Own positions of a list as pixels of a volume (column, row, slice)."""
    to_pixels = np.linalg.inv(ijk_to_ras(volume))
    positions = [points.GetNthControlPointPosition(index) for index in range(points.GetNumberOfControlPoints())]
    return np.array([(to_pixels @ (*position, 1.0))[:3] for position in positions])


def all_pixels(widget) -> list[np.ndarray]:
    parameters = widget.panel.state.parameters
    return [
        pixels(*side) for side in zip((parameters.movingPoints, parameters.fixedPoints), volumes(widget), strict=True)
    ]


def landmarks(tmp_path) -> list[np.ndarray]:
    """The moving and the fixed landmarks of the file (column, row, 0)."""
    with (tmp_path / "pairs" / "pairs.csv").open(encoding="utf-8") as stream:
        name = next(csv.DictReader(stream))["landmarks"]
    with (tmp_path / "pairs" / name).open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    return [
        np.array([[float(row[f"{side}_x"]), float(row[f"{side}_y"]), 0] for row in rows])
        for side in ("moving", "fixed")
    ]


def test_points_stay_on_their_pixels_when_sizes_are_typed(rig, widget, tmp_path):
    type_sizes(rig, widget)
    assert sizes(widget) == pytest.approx([20, 10])
    for found, expected in zip(all_pixels(widget), landmarks(tmp_path), strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-6)
    register(rig, widget)
    settle(rig)
    assert widget.panel.register.registered
    assert "20 µm" in table(widget.ui.pairsTable)[0][2] and "µm" in widget.ui.expectedErrorLabel.text
    for row in table(widget.ui.distanceTable):
        assert float(row[4]) == pytest.approx(
            10 * float(row[2]) * volumes(widget)[1].GetImageData().GetDimensions()[0] / 400, abs=1
        )


def test_sizes_that_are_typed_after_a_registration_are_used_by_the_next_and_undone_with_it(rig, widget, tmp_path):
    register(rig, widget)
    settle(rig)
    distances = table(widget.ui.distanceTable)
    type_sizes(rig, widget)
    assert sizes(widget) == [1000, 1000] and not widget.panel.register.registered
    assert {row[4] for row in table(widget.ui.distanceTable)} == {"–"}, "the registration does not know of 20 um"
    register(rig, widget)
    settle(rig)
    assert sizes(widget) == pytest.approx([20, 10]) and widget.panel.register.registered
    for found, expected in zip(all_pixels(widget), landmarks(tmp_path), strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-6)
    fixed = widget.panel.state.parameters.fixedPoints
    fixed.SetNthControlPointPosition(0, *np.array(fixed.GetNthControlPointPosition(0)) - (0.03, 0, 0))  # 3 pixels
    settle(rig)
    widget.ui.undoRegisterButton.click()
    settle(rig)
    assert sizes(widget) == [1000, 1000]
    moved = np.array([[3.0, 0, 0]] + [[0, 0, 0]] * (fixed.GetNumberOfControlPoints() - 1))
    for found, expected in zip(
        all_pixels(widget), (landmarks(tmp_path)[0], landmarks(tmp_path)[1] + moved), strict=True
    ):
        np.testing.assert_allclose(found, expected, atol=1e-6)
    assert table(widget.ui.distanceTable)[-1] == distances[-1], "the last landmark was not moved"


def test_a_label_map_stays_on_the_pixels_of_its_volume(rig, widget):
    type_sizes(rig, widget)
    fixed = volumes(widget)[1]
    geometry = volume_geometry(fixed)
    mask = masks.label_map(np.ones(geometry.size, dtype=bool), geometry, "mask")
    widget.ui.fixedMaskSelector.setCurrentNode(mask)
    widget.ui.overrideSpacingCheckBox.checked = True
    widget.ui.spacingSpinBox.value = 15.0
    settle(rig)
    assert sizes(widget) == pytest.approx([20, 15])
    assert volume_geometry(mask).same_place(volume_geometry(fixed))


def with_sizes_of_their_own(rig, widget) -> None:
    """The pair as from files that state pixels of 20 um."""
    parameters = widget.panel.state.parameters
    for volume, points in zip(volumes(widget), (parameters.movingPoints, parameters.fixedPoints), strict=True):
        volume.SetSpacing(0.02, 0.02, 1.0)
        positions = 0.02 * slicer.util.arrayFromMarkupsControlPoints(points)
        slicer.util.updateMarkupsControlPointsFromArray(points, positions)
    settle(rig)


@pytest.mark.parametrize("known", [True, False], ids=["sizes of their own", "no sizes"])
def test_sizes_that_are_taken_back_leave_the_volumes_as_they_were(rig, widget, tmp_path, known):
    ui = widget.ui
    if known:
        with_sizes_of_their_own(rig, widget)
    own, distances, attributes = sizes(widget), table(ui.distanceTable), volumes(widget)[0].GetAttributeNames()
    type_sizes(rig, widget)
    assert sizes(widget) == pytest.approx([20, 20 if known else 10])
    ui.overrideSpacingCheckBox.checked = True
    settle(rig)
    assert sizes(widget) == pytest.approx([20, 10]) and table(ui.distanceTable) != distances
    ui.overrideSpacingCheckBox.checked, ui.movingSpacingSpinBox.value = False, 0
    settle(rig)
    assert sizes(widget) == pytest.approx(own if known else [10, 10])
    ui.spacingSpinBox.value = 0
    settle(rig)
    assert sizes(widget) == own and table(ui.distanceTable) == distances
    assert volumes(widget)[0].GetAttributeNames() == attributes
    for found, expected in zip(all_pixels(widget), landmarks(tmp_path), strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-6)


def test_a_registration_that_takes_a_size_back_is_undone_with_it(rig, widget):
    with_sizes_of_their_own(rig, widget)
    widget.ui.movingSpacingSpinBox.value = 30.0
    register(rig, widget)
    assert sizes(widget) == pytest.approx([30, 20])
    widget.ui.movingSpacingSpinBox.value = 0
    register(rig, widget)
    assert sizes(widget) == [20, 20]
    widget.ui.undoRegisterButton.click()
    settle(rig)
    assert sizes(widget) == pytest.approx([30, 20]) and widget.ui.movingSpacingSpinBox.value == 0
    slicer.mrmlScene.RemoveNode(widget.panel.state.parameters.transform)
    settle(rig)
    assert sizes(widget) == [20, 20], "there is no registration any more that was made for another size"


def test_the_own_size_of_a_volume_is_saved_with_the_scene(rig, widget, tmp_path):
    with_sizes_of_their_own(rig, widget)
    widget.ui.spacingSpinBox.value, widget.ui.overrideSpacingCheckBox.checked = 10.0, True
    settle(rig)
    assert sizes(widget) == pytest.approx([10, 10])
    assert slicer.util.saveScene(str(tmp_path / "scene.mrb"))
    slicer.mrmlScene.Clear(0)
    settle(rig)
    slicer.util.loadScene(str(tmp_path / "scene.mrb"))
    settle(rig)
    assert sizes(widget) == pytest.approx([10, 10]) and widget.ui.overrideSpacingCheckBox.checked
    widget.ui.overrideSpacingCheckBox.checked = False
    settle(rig)
    assert sizes(widget) == [20, 20]


def test_sizes_of_the_table_of_pairs_are_the_volumes_own(rig, tmp_path):
    folder = small_folder(tmp_path / "pairs", 1)
    with (folder / "pairs.csv").open(encoding="utf-8") as stream:
        rows = [{**row, "moving_spacing_um": "12", "fixed_spacing_um": "15"} for row in csv.DictReader(stream)]
    with (folder / "pairs.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    widget = open_panel(rig, size=SMALL)
    choose_folder(rig, widget, folder)
    click_row(rig, widget, 0)
    register_simply(widget)
    assert sizes(widget) == pytest.approx([12, 15])
    register(rig, widget)
    assert sizes(widget) == pytest.approx([12, 15])


def test_points_of_another_pair_follow_a_size_that_is_taken_back(rig, widget, tmp_path):
    with_sizes_of_their_own(rig, widget)
    parameters = widget.panel.state.parameters
    fixed, moving_points, fixed_points = parameters.fixedVolume, parameters.movingPoints, parameters.fixedPoints
    other = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "other")
    slicer.util.updateVolumeFromArray(other, slicer.util.arrayFromVolume(fixed).copy())
    widget.ui.movingSpacingSpinBox.value = 15.0
    settle(rig)
    widget.ui.fixedVolumeSelector.setCurrentNode(other)
    settle(rig)
    widget.ui.movingSpacingSpinBox.value = 0
    settle(rig)
    assert sizes(widget)[0] == pytest.approx(20)
    widget.ui.fixedVolumeSelector.setCurrentNode(fixed)
    settle(rig)
    widget.ui.movingPointsSelector.setCurrentNode(moving_points)
    widget.ui.fixedPointsSelector.setCurrentNode(fixed_points)
    settle(rig)
    for found, expected in zip(all_pixels(widget), landmarks(tmp_path), strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize("own", ["x y", "0 0", "nan nan"])
def test_an_own_size_that_cannot_be_read_is_not_known(rig, widget, own):
    widget.ui.spacingSpinBox.value = 10.0
    settle(rig)
    for volume in volumes(widget):
        volume.SetAttribute("MetaRegistration.OwnPixelSize", own)
    widget.ui.spacingSpinBox.value = 0
    settle(rig)
    assert sizes(widget) == pytest.approx([10, 10])
