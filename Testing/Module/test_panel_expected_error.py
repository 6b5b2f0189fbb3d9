"""The predicted error of a result in the panel: a line, a translucent map over the views, and uncertain landmarks."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import numpy as np
import pytest
import slicer
from mrml_pairs import FRAME, registration
from panel_helpers import (
    SMALL,
    choose_folder,
    click_row,
    measured,
    node_names,
    open_panel,
    register,
    settle,
    small_folder,
    table,
    wide,
)
from test_panel_stages import choose_stages

from MetaRegistrationLib.error_map.maps import ErrorMap
from MetaRegistrationLib.formats.landmarks import Landmarks
from MetaRegistrationLib.mrml import error_maps
from MetaRegistrationLib.mrml.landmark_nodes import moving_landmarks
from MetaRegistrationLib.mrml.registration_node import RegistrationNode
from MetaRegistrationLib.mrml.volumes import ijk_to_ras
from MetaRegistrationLib.panel.register_logic import RegisterLogic
from MetaRegistrationLib.panel.result_texts import expected_error_in_words
from MetaRegistrationLib.registration.predicted_error import error_image, errors_at
from MetaRegistrationLib.stages import Stages

SHIFT, AFFINE = Stages("translation", False, 0), Stages("affine", False, 0)
CELLS = 50


def error_map(scale: float = 1.0) -> ErrorMap:
    """Errors that grow from left to right, 0 to 10 px times `scale`; the lower quarter is seen by one image alone."""
    mean = np.tile(np.linspace(0, 10 * scale, CELLS, dtype=np.float32), (CELLS, 1))
    shown = np.ones((CELLS, CELLS), np.float32)
    shown[3 * CELLS // 4 :] = 0
    return ErrorMap(0.9 * mean, 2 * mean, mean, shown, FRAME)


@pytest.fixture
def widget(rig, tmp_path, request):
    """The panel with two pairs, of which the first is chosen."""
    widget = open_panel(rig, size=getattr(request, "param", SMALL))
    choose_folder(rig, widget, small_folder(tmp_path / "pairs", 2))
    click_row(rig, widget, 0)
    choose_stages(widget, SHIFT)
    return widget


@pytest.fixture
def predicted(monkeypatch):
    """Registrations without a network; the test may replace the predicted error of the next ones."""
    found = {"error": error_map(), "tissue": None, "registrations": []}

    def registrar(self, path, device, stages):
        def register(moving, fixed, landmarks=None):
            made = replace(
                registration(moving, fixed), error=found["error"], tissue_fixed=found["tissue"], stages=stages
            )
            found["registrations"].append(made)
            return made

        return register

    monkeypatch.setattr(RegisterLogic, "_registrar", registrar)
    return found


def run(rig, widget, stages: Stages = SHIFT) -> None:
    choose_stages(widget, stages)
    register(rig, widget)
    settle(rig)
    assert widget.ui.registerStatusLabel.text.startswith("Registered in"), widget.ui.registerStatusLabel.text


def reload(rig, tmp_path) -> None:
    """Save the scene, close it, and load it."""
    file = str(tmp_path / "scene.mrb")
    assert slicer.util.saveScene(file)
    slicer.mrmlScene.Clear(0)
    settle(rig)
    slicer.util.loadScene(file)
    settle(rig, 0.3)


def composite(view: str = "Red"):
    return slicer.mrmlScene.GetSingletonNode(view, "vtkMRMLSliceCompositeNode")


def label_layer(view: str = "Red"):
    """The node in the layer of label maps of a view."""
    return slicer.mrmlScene.GetNodeByID(composite(view).GetLabelVolumeID() or "")


def layers(view: str = "Red") -> dict:
    """What a view shows."""
    node = composite(view)
    return {
        "background": node.GetBackgroundVolumeID(),
        "foreground": node.GetForegroundVolumeID(),
        "label": node.GetLabelVolumeID(),
        "opacities": (node.GetForegroundOpacity(), node.GetLabelOpacity()),
        "compositing": node.GetCompositing(),
        "outline": slicer.mrmlScene.GetSingletonNode(view, "vtkMRMLSliceNode").GetUseLabelOutline(),
        "notes": set(node.GetAttributeNames()),
    }


def error_volumes() -> list:
    nodes = slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")
    return [node for node in nodes if node.GetName().endswith("expected error")]


def values(node) -> np.ndarray:
    return slicer.util.arrayFromVolume(node)[0]


LINE = (
    "Expected error: 0.4 grid px (95 %: 0.9 grid px); about 6 % of the image is expected to be off by over 2 grid px."
)


def test_the_line_says_the_stored_measures():
    measures = measured(expected_error_px=0.42, error_95_px=0.93, uncertain_percent=5.7)
    assert expected_error_in_words(measures, math.nan) == LINE
    assert expected_error_in_words(measures, 18.75) == LINE.replace("0.4 grid px", "0.4 grid px, 8 µm").replace(
        "0.9 grid px", "0.9 grid px, 17 µm"
    )
    assert expected_error_in_words(measured(), math.nan) == ""


def test_the_line_is_said_after_registering_and_after_loading(rig, widget, predicted, tmp_path):
    ui = widget.ui
    assert not ui.expectedErrorLabel.visible
    run(rig, widget)
    known = predicted["error"]
    text = ui.expectedErrorLabel.text
    assert text.startswith(f"Expected error: {known.expected_px:.1f} grid px (95 %: {known.error_95_px:.1f} grid px); ")
    assert (
        f"; about {known.uncertain_percent:.0f} % of the image is expected to be off by over 2 grid px." in text
        and ui.expectedErrorLabel.visible
    )
    reload(rig, tmp_path)
    assert ui.expectedErrorLabel.text == text
    click_row(rig, widget, 1)
    assert not ui.expectedErrorLabel.visible
    predicted["error"] = None
    run(rig, widget)
    assert not ui.expectedErrorLabel.visible and not ui.expectedErrorCheckBox.visible


def test_micrometres_are_said_where_the_pixel_size_is_known(rig, widget, predicted):
    widget.ui.spacingSpinBox.value = 10.0
    widget.ui.spacingSpinBox.editingFinished.emit()
    settle(rig)
    rig.wait_until(lambda: "..." not in widget.ui.pairsStatusLabel.text, "for the folder to be read")
    click_row(rig, widget, 0)
    run(rig, widget)
    fixed = widget.panel.state.parameters.fixedVolume
    expected = predicted["error"].expected_px
    size = fixed.GetSpacing()[0] * 1000 * fixed.GetImageData().GetDimensions()[0] / FRAME
    assert size == pytest.approx(50), "320 pixels of 10 micrometres on a grid of 64"
    said = re.search(r"Expected error: ([\d.]+) grid px, (\d+) µm", widget.ui.expectedErrorLabel.text).groups()
    assert said == (f"{expected:.1f}", f"{expected * size:.0f}")


def test_the_map_is_that_of_the_library_on_the_fixed_image(rig, widget, predicted):
    box = widget.ui.expectedErrorCheckBox
    predicted["tissue"] = np.arange(320 * 320).reshape(320, 320) % 320 > 20
    assert not box.visible
    run(rig, widget)
    assert box.visible and not box.checked and error_volumes() == [], "it is made on request"
    box.click()
    (node,) = error_volumes()
    parameters = widget.panel.state.parameters
    assert node.GetName() == f"{parameters.movingVolume.GetName()} expected error"
    expected = error_image(predicted["registrations"][-1])
    assert np.isnan(expected).any() and np.isfinite(expected).any()
    np.testing.assert_array_equal(values(node), expected)
    assert values(node).dtype == np.float32
    for which in (node, parameters.fixedVolume):
        assert which.GetParentTransformNode() is None
    assert slicer.util.arrayFromVolume(parameters.fixedVolume).shape == slicer.util.arrayFromVolume(node).shape
    np.testing.assert_allclose(ijk_to_ras(node), ijk_to_ras(parameters.fixedVolume))
    display = node.GetDisplayNode()
    assert (display.GetWindowLevelMin(), display.GetWindowLevelMax()) == (0, 5)


@wide
def test_the_map_lies_translucent_over_the_overlay_and_goes_without_a_trace(rig, widget, predicted):
    ui = widget.ui
    run(rig, widget)
    before, nodes = layers(), node_names()
    plain = rig.slice_view("Red").render().astype(int)
    ui.expectedErrorCheckBox.click()
    assert label_layer() is error_volumes()[0]
    shown = layers()
    assert {key: shown[key] for key in ("background", "foreground", "compositing")} == {
        key: before[key] for key in ("background", "foreground", "compositing")
    }
    covered = rig.slice_view("Red").render().astype(int)
    rig.screenshot_window("expected_error", (1500, 900))
    legend = covered.shape[1] * 85 // 100
    inside = slice(covered.shape[1] // 8, legend)
    changed = np.any(covered != plain, axis=-1)[:, inside]
    beside = np.any(covered != plain, axis=-1)[-covered.shape[0] // 6 :, legend:]
    assert beside.any(), "the legend, in the lower right corner"
    height = changed.shape[0]
    assert changed[height // 4 : height // 2].mean() > 0.9, "where it is known"
    assert changed[-height // 6 :].mean() == 0, "where it is not, there is nothing"
    middle = covered[height // 3, inside]
    width = len(middle)
    low, high = (middle[width * part // 10 : width * (part + 1) // 10].mean(axis=0) for part in (1, 8))
    assert high[0] > low[0] + 40, "yellow where the error is large, blue where it is small"
    half = plain[height // 3, inside] / 2
    assert (middle >= half - 2).all(), "the images are seen through it"
    ui.expectedErrorCheckBox.click()
    assert layers() == before
    np.testing.assert_array_equal(rig.slice_view("Red").render().astype(int), plain)
    added = {name.split()[0] for name in node_names() - nodes}
    assert added == {
        *("vtkMRMLScalarVolumeNode", "vtkMRMLScalarVolumeDisplayNode"),
        *("vtkMRMLColorTableNode", "vtkMRMLColorLegendDisplayNode"),
    }


def test_a_label_map_of_the_users_own_comes_back(rig, widget, predicted, tmp_path):
    box = widget.ui.expectedErrorCheckBox
    run(rig, widget)
    own = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode", "own")
    slicer.util.updateVolumeFromArray(own, np.ones((1, 320, 320), np.uint8))
    own.CreateDefaultDisplayNodes()
    composite().SetLabelVolumeID(own.GetID())
    composite().SetLabelOpacity(0.25)
    before = layers()
    box.click()
    assert label_layer() is not own
    widget.panel.state.notify()
    assert box.checked
    box.click()
    assert layers() == before
    # Also when the scene was saved in between.
    box.click()
    reload(rig, tmp_path)
    assert box.visible and box.checked and label_layer() is error_volumes()[0]
    box.click()
    assert label_layer().GetName() == "own" and composite().GetLabelOpacity() == 0.25
    # What the user chooses meanwhile stays.
    box.click()
    own = slicer.util.getNode("own")
    composite().SetLabelVolumeID(own.GetID())
    widget.panel.state.notify()
    assert not box.checked and label_layer() is own


def test_the_map_stays_while_the_views_change(rig, widget, predicted):
    ui = widget.ui
    run(rig, widget)
    ui.expectedErrorCheckBox.click()
    (node,) = error_volumes()
    for action in (
        lambda: setattr(ui.blendSlider, "value", 0.8),
        lambda: setattr(ui.blendSlider, "value", 0.2),
        ui.showMovingButton.click,
        ui.showFixedButton.click,
        ui.showOverlayButton.click,
        ui.flickerButton.click,
        ui.flickerButton.click,
    ):
        action()
        assert label_layer() is node and ui.expectedErrorCheckBox.checked
    widget.panel.views.show_pair()
    assert [label_layer(view) for view in ("Red", "Yellow", "Green")] == [None, None, node], "over the overlay alone"
    ui.expectedErrorCheckBox.click()
    assert [label_layer(view) for view in ("Red", "Yellow", "Green")] == [None, None, None]


def test_views_without_the_pair_show_the_overlay_first(rig, widget, predicted):
    run(rig, widget)
    other = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "other")
    slicer.util.updateVolumeFromArray(other, np.ones((1, 20, 20), np.float32))
    composite().SetBackgroundVolumeID(other.GetID())
    composite().SetForegroundVolumeID(None)
    widget.ui.expectedErrorCheckBox.click()
    assert label_layer() is error_volumes()[0] and widget.ui.expectedErrorCheckBox.checked
    assert composite().GetBackgroundVolumeID() != other.GetID()


def test_a_new_registration_replaces_the_map_and_undo_brings_it_back(rig, widget, predicted):
    ui = widget.ui
    run(rig, widget)
    ui.expectedErrorCheckBox.click()
    (node,) = error_volumes()
    first = values(node).copy()
    predicted["error"] = error_map(0.5)
    run(rig, widget, AFFINE)
    assert error_volumes() == [node] and label_layer() is node and ui.expectedErrorCheckBox.checked
    np.testing.assert_allclose(values(node), first / 2, rtol=1e-5)
    ui.resultsTable.cellClicked.emit(1, 0)  # the earlier result
    settle(rig)
    np.testing.assert_array_equal(values(node), first)
    ui.resultsTable.cellClicked.emit(0, 0)
    settle(rig)
    np.testing.assert_allclose(values(node), first / 2, rtol=1e-5)
    predicted["error"] = error_map(2.0)
    run(rig, widget, AFFINE)
    np.testing.assert_allclose(values(node), first * 2, rtol=1e-5)
    ui.undoRegisterButton.click()
    settle(rig)
    np.testing.assert_allclose(values(node), first / 2, rtol=1e-5)
    predicted["error"] = None
    run(rig, widget, AFFINE)
    assert error_volumes() == [] and label_layer() is None and not ui.expectedErrorCheckBox.visible
    assert slicer.mrmlScene.GetNodeByID(composite().GetLabelVolumeID() or "") is None
    assert not any("Expected error" in name for name in node_names()), "nor the colours"


def test_undoing_the_first_registration_takes_the_map_away(rig, widget, predicted):
    before = node_names()
    run(rig, widget)
    widget.ui.expectedErrorCheckBox.click()
    widget.ui.undoRegisterButton.click()
    settle(rig)
    left = {name for name in node_names() - before if "Layout" not in name}
    assert not any("error" in name or "ColorTable" in name for name in left), left
    assert label_layer() is None and not widget.ui.expectedErrorCheckBox.visible


def test_every_pair_has_its_own_map(rig, widget, predicted, tmp_path):
    box = widget.ui.expectedErrorCheckBox
    run(rig, widget)
    box.click()
    first = values(error_volumes()[0]).copy()
    click_row(rig, widget, 1)
    settle(rig)
    assert not box.visible and label_layer() is None
    predicted["error"] = error_map(0.25)
    run(rig, widget)
    assert not box.checked
    box.click()
    assert len(error_volumes()) == 2
    click_row(rig, widget, 0)
    settle(rig)
    assert box.visible and not box.checked, "the row shows the pair by itself"
    reload(rig, tmp_path)
    box.click()
    assert len(error_volumes()) == 2
    np.testing.assert_allclose(values(label_layer("Green")), first, rtol=1e-6)


def test_a_scene_saved_without_the_map_still_has_it(rig, widget, predicted, tmp_path):
    run(rig, widget)
    error = RegistrationNode(widget.panel.state.parameters.transform).error
    for part in ("median_px", "bound_px", "mean_px", "shown"):
        np.testing.assert_array_equal(getattr(error, part), getattr(predicted["error"], part))
    expected = error_image(predicted["registrations"][-1])
    reload(rig, tmp_path)
    widget.ui.expectedErrorCheckBox.click()
    np.testing.assert_allclose(values(error_volumes()[0]), expected, rtol=1e-6)


def test_a_warped_volume_alone_has_the_map(rig, widget, predicted):
    ui = widget.ui
    warped = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "warped")
    ui.warpedVolumeSelector.setCurrentNode(warped)
    run(rig, widget)
    assert widget.panel.state.parameters.transform is None and ui.expectedErrorLabel.visible
    ui.expectedErrorCheckBox.click()
    np.testing.assert_array_equal(values(error_volumes()[0]), error_image(predicted["registrations"][-1]))
    assert label_layer() is error_volumes()[0]


@pytest.mark.parametrize("text", ["", "400", "400 50 AAAA", "400 50 %%%", "0 0 eJwDAAAAAAE=", "x 50 eJwDAAAAAAE="])
def test_a_damaged_map_is_none(rig, text):
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLGridTransformNode", "result")
    RegistrationNode(node).note_error(error_map())
    node.SetAttribute("MetaRegistration.ErrorMap", text)
    assert RegistrationNode(node).error is None and not error_maps.has_errors(node, None)


def test_uncertain_landmarks_are_marked(rig, widget, predicted, tmp_path):
    ui = widget.ui
    run(rig, widget)
    parameters = widget.panel.state.parameters
    made = predicted["registrations"][-1]
    rows = table(ui.distanceTable)[2:]
    points = parameters.fixedPoints
    assert len(rows) == points.GetNumberOfControlPoints()
    stored = widget.logic.landmarks.registration(parameters)
    moving = moving_landmarks(parameters, stored)
    carried, _converged = made.carry(Landmarks(moving.labels, moving.points))
    errors = errors_at(made, carried.points)
    assert errors.uncertain.any() and not errors.uncertain.all() and np.isnan(errors.bound_px).any()
    assert [row[0] for row in rows] == [
        f"{label} (uncertain)" if uncertain else label
        for label, uncertain in zip(moving.labels, errors.uncertain, strict=True)
    ]
    first = int(np.flatnonzero(errors.bound_px > 2)[0])
    nowhere = int(np.flatnonzero(np.isnan(errors.bound_px))[0])
    tips = [ui.distanceTable.item(2 + number, 2).toolTip() for number in (first, nowhere)]
    assert f"95 % bound of {errors.bound_px[first]:.1f} grid px" in tips[0]
    assert "only one image shows this position" in tips[1]
    node = parameters.distanceTable.GetTable()
    column = node.GetColumnByName("uncertain")
    said = [column.GetValue(number) for number in range(column.GetNumberOfValues())]
    assert said == [*("yes" if each else "no" for each in errors.uncertain), "", ""]
    reload(rig, tmp_path)
    assert [row[0] for row in table(ui.distanceTable)[2:]] == [row[0] for row in rows]
    predicted["error"] = None
    run(rig, widget, AFFINE)
    assert not any("uncertain" in row[0] for row in table(ui.distanceTable))
    assert widget.panel.state.parameters.distanceTable.GetTable().GetColumnByName("uncertain") is None
