"""Stacks of which other slices are chosen than those that were registered: the numbers go, and the earlier result stays."""

from __future__ import annotations

import numpy as np
import pytest
import slicer
from panel_helpers import SMALL, choose_folder, click_row, open_panel, register, settle, small_folder, table
from test_panel_stages import choose_stages

from MetaRegistrationLib.stages import Stages


def stack(volume) -> None:
    """Two slices of a volume: its image, and the same with a few rows of it further on."""
    image = slicer.util.arrayFromVolume(volume)
    slicer.util.updateVolumeFromArray(volume, np.concatenate([image, np.roll(image, 3, axis=1)]))


@pytest.fixture
def widget(rig, tmp_path):
    """The panel with a registered pair: slice 0 of two stacks."""
    widget = open_panel(rig, size=SMALL)
    choose_folder(rig, widget, small_folder(tmp_path / "pairs", 1))
    click_row(rig, widget, 0)
    parameters = widget.panel.state.parameters
    for volume in (parameters.movingVolume, parameters.fixedVolume):
        stack(volume)
    choose_stages(widget, Stages("translation", False, 0))
    choose(rig, widget, 0, 0)
    register(rig, widget)
    settle(rig)
    return widget


def choose(rig, widget, moving: int, fixed: int) -> None:
    widget.ui.movingSliceSpinBox.value, widget.ui.fixedSliceSpinBox.value = moving, fixed
    settle(rig)


def numbers(widget) -> tuple:
    ui = widget.ui
    return ui.measuresLabel.text, ui.expectedErrorLabel.text, ui.alignmentWarningLabel.text, table(ui.distanceTable)


def test_numbers_go_with_other_slices_and_come_back(rig, widget):
    before = numbers(widget)
    assert before[0] and before[1] and "–" not in before[3][0][:3] and widget.panel.register.registered
    for slices in ((1, 0), (0, 1), (1, 1)):
        choose(rig, widget, *slices)
        measures, expected, warning, distances = numbers(widget)
        assert measures == expected == "" and not widget.panel.register.registered
        assert (
            warning
            == "The registration belongs to other slices: 0 (moving) and 0 (fixed). Choose these slices, or register again."
        )
        assert {row[2] for row in distances} <= {"–"}, "landmarks of the registered slice are not of this one"
    choose(rig, widget, 0, 0)
    assert numbers(widget) == before


def test_the_expected_error_is_not_shown_over_another_slice(rig, widget):
    box = widget.ui.expectedErrorCheckBox
    box.checked = True
    settle(rig)
    assert box.visible and box.checked
    choose(rig, widget, 0, 1)
    assert not box.visible and not box.checked
    assert not [node for node in slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode") if node.GetLabelVolumeID()]
    choose(rig, widget, 0, 0)
    assert box.visible


def test_the_result_of_other_slices_is_kept_and_can_be_chosen_with_them(rig, widget):
    ui, parameters, before = widget.ui, widget.panel.state.parameters, numbers(widget)
    choose(rig, widget, 0, 1)
    register(rig, widget)
    settle(rig)
    second = parameters.transform
    assert ui.measuresLabel.text and not ui.alignmentWarningLabel.text
    assert not ui.resultsTable.visible, "of these slices there is no other result"
    choose(rig, widget, 0, 0)
    assert ui.alignmentWarningLabel.text.startswith(
        "The registration belongs to other slices: 0 (moving) and 1 (fixed)."
    )
    assert ui.resultsTable.visible and [row[0] for row in table(ui.resultsTable)] == [""]
    ui.resultsTable.cellClicked.emit(0, 0)
    settle(rig)
    assert parameters.transform is not second and numbers(widget) == before
    assert not ui.resultsTable.visible
