"""The views in the panel: ways to compare two images, and landmarks in the views of their images."""

from __future__ import annotations

import pytest
import slicer
import test_panel_expected_error as errors
from panel_helpers import SMALL, choose_volumes, click_row, node_names, open_panel, register, settle

from MetaRegistrationLib.mrml import display_volume
from MetaRegistrationLib.mrml.overlay import Compared

widget, predicted, run, reload = errors.widget, errors.predicted, errors.run, errors.reload  # two of them fixtures


def composite(view: str = "Red"):
    return slicer.mrmlScene.GetSingletonNode(view, "vtkMRMLSliceCompositeNode")


def compare(rig, widget, text: str) -> None:
    """Choose a comparison."""
    box = widget.ui.compareComboBox
    index = [box.itemText(number) for number in range(box.count)].index(text)
    box.setCurrentIndex(index)
    box.activated.emit(index)
    rig.process_events()


def shown_now(view: str = "Red") -> Compared:
    kind, value, _slice = composite(view).GetAttribute("MetaRegistration.Compared").split()
    return Compared(kind, float(value))


def test_every_comparison_has_its_slider_and_keeps_its_value(rig):
    widget = open_panel(rig, size=SMALL)
    choose_volumes(widget)
    ui = widget.ui
    ui.showOverlayButton.click()
    slider = ui.blendSlider
    assert shown_now() == Compared("blend", 0.5)
    slider.value = 0.25
    assert shown_now() == Compared("blend", 0.25)
    compare(rig, widget, "Checkerboard")
    assert (slider.minimum, slider.maximum, slider.decimals, slider.value) == (2, 20, 0, 8)
    assert shown_now() == Compared("checkerboard", 8)
    slider.value = 13
    assert shown_now() == Compared("checkerboard", 13)
    compare(rig, widget, "Swipe")
    assert (slider.minimum, slider.maximum, slider.decimals, slider.value) == (0, 1, 2, 0.5)
    compare(rig, widget, "Blink")
    assert (slider.singleStep, slider.value) == (1, 1) and shown_now() == Compared("blink", 1)
    slider.value = 0
    assert shown_now() == Compared("blink", 0)
    compare(rig, widget, "Blend")
    assert slider.value == 0.25 and shown_now() == Compared("blend", 0.25)
    compare(rig, widget, "Checkerboard")
    assert slider.value == 13
    ui.flickerButton.click()
    assert shown_now().kind == "blink"
    compare(rig, widget, "Swipe")
    assert not ui.flickerButton.checked and shown_now() == Compared("swipe", 0.5)
    assert display_volume.is_shown("Red")


def test_a_comparison_is_offered_once_there_are_two_volumes(rig):
    widget = open_panel(rig, size=SMALL)
    ui = widget.ui
    assert not ui.compareComboBox.enabled and not ui.blendSlider.enabled
    choose_volumes(widget)
    assert ui.compareComboBox.enabled and ui.blendSlider.enabled
    compare(rig, widget, "Swipe")
    assert shown_now() == Compared("swipe", 0.5), "the views showed something else"


def test_the_picture_goes_when_the_pair_changes(rig, widget):
    widget.ui.showOverlayButton.click()
    assert display_volume.is_shown("Red")
    moving, _fixed = choose_volumes(widget)
    assert display_volume.display_volume() is None
    widget.ui.showOverlayButton.click()
    assert display_volume.display_volume() is not None
    widget.ui.showMovingButton.click()
    assert display_volume.display_volume() is None and composite().GetBackgroundVolumeID() == moving.GetID()


def test_the_slider_works_in_the_view_below_a_pair(rig, widget):
    assert display_volume.is_shown("Green")
    widget.ui.blendSlider.value = 0.75
    assert shown_now("Green") == Compared("blend", 0.75) and display_volume.is_shown("Green")
    assert composite("Red").GetForegroundVolumeID() is None, "the pair is still side by side"


def test_a_saved_comparison_comes_back(rig, widget, predicted, tmp_path):
    run(rig, widget)
    compare(rig, widget, "Checkerboard")
    widget.ui.blendSlider.value = 5
    before = rig.slice_view("Red").render()
    reload(rig, tmp_path)
    assert widget.ui.compareComboBox.currentText == "Checkerboard" and widget.ui.blendSlider.value == 5
    assert display_volume.is_shown("Red") and shown_now() == Compared("checkerboard", 5)
    difference = abs(rig.slice_view("Red").render().astype(int) - before.astype(int))
    assert difference.mean() < 2
    widget.ui.blendSlider.value = 7
    assert shown_now() == Compared("checkerboard", 7)


def test_closing_the_scene_leaves_nothing(rig, widget, predicted):
    run(rig, widget)
    widget.ui.flickerButton.click()
    slicer.mrmlScene.Clear(0)
    settle(rig)
    assert not [name for name in node_names() if "Vector" in name] and not widget.ui.flickerButton.checked


def shown_in(node) -> set[str]:
    """Names of the views in which a point list is drawn."""
    display = node.GetDisplayNode()
    if not (display.GetVisibility() and display.GetVisibility2D()):
        return set()
    views = {name: slicer.mrmlScene.GetSingletonNode(name, "vtkMRMLSliceNode") for name in ("Red", "Yellow", "Green")}
    return {name for name, view in views.items() if display.IsDisplayableInView(view.GetID())}


def lists(widget):
    parameters = widget.panel.state.parameters
    return parameters.movingPoints, parameters.fixedPoints


def test_each_list_is_in_the_views_of_its_image(rig, widget, predicted):
    moving, fixed = lists(widget)
    assert (shown_in(moving), shown_in(fixed)) == ({"Red"}, {"Yellow", "Green"})
    widget.ui.showOverlayButton.click()
    assert (shown_in(moving), shown_in(fixed)) == ({"Red"}, {"Red"}), "both positions, before a registration"
    labels = [node.GetDisplayNode().GetPointLabelsVisibility() for node in (moving, fixed)]
    assert labels == [False, True], "one label a point"
    run(rig, widget)
    assert (shown_in(moving), shown_in(fixed)) == (set(), {"Red"})
    widget.ui.showMovingButton.click()
    assert (shown_in(moving), shown_in(fixed)) == ({"Red"}, set())
    assert moving.GetDisplayNode().GetPointLabelsVisibility()
    widget.panel.views.show_pair()
    assert (shown_in(moving), shown_in(fixed)) == ({"Red"}, {"Yellow", "Green"})


def test_landmarks_are_seen_and_hidden_in_the_views(rig, widget, predicted):
    run(rig, widget)
    ui = widget.ui
    view = rig.slice_view("Red")
    with_points = view.render()
    ui.landmarksCheckBox.click()
    without = view.render()
    changed = (with_points != without).any(axis=-1)
    assert 0.001 < changed.mean() < 0.03, "small glyphs and labels"
    assert [shown_in(node) for node in lists(widget)] == [set(), set()]
    click_row(rig, widget, 1)
    assert [shown_in(node) for node in lists(widget)] == [set(), set()], "nor those of the next pair"
    click_row(rig, widget, 0)
    ui.landmarksCheckBox.click()
    assert [bool(shown_in(node)) for node in lists(widget)] == [True, True]


def test_placing_shows_the_landmarks_where_the_next_click_is(rig, widget, predicted):
    run(rig, widget)
    ui = widget.ui
    ui.landmarksCheckBox.click()
    ui.placeButton.checked = True
    assert ui.landmarksCheckBox.checked
    moving, fixed = lists(widget)
    assert "view Red" in ui.nextClickLabel.text and shown_in(moving) == {"Red"} == shown_in(fixed)
    ui.placeButton.checked = False
    assert shown_in(moving) == set()


def test_suggestions_are_in_the_views_of_their_images(rig, widget, predicted):
    widget.panel.views.show_pair()
    run(rig, widget)
    widget.panel.views.show_pair()
    widget.ui.suggestButton.click()
    suggested, proposed = widget.panel.landmarks._suggested, widget.panel.landmarks._proposed
    assert (shown_in(suggested), shown_in(proposed)) == ({"Red"}, {"Yellow", "Green"})


@pytest.mark.parametrize("text", ["Blend", "Swipe", "Checkerboard"])
def test_a_new_registration_is_shown_in_the_chosen_way(rig, widget, predicted, text):
    compare(rig, widget, text)
    register(rig, widget)
    settle(rig)
    assert shown_now().kind == text.lower() and display_volume.is_shown("Red")
