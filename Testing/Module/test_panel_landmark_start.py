"""The initial alignment from landmarks, in the panel."""

from __future__ import annotations

import numpy as np
import pytest
import slicer
from panel_helpers import SMALL, choose_folder, click_row, open_panel, register, settle, small_folder, table


@pytest.fixture
def widget(rig):
    return open_panel(rig, size=SMALL)


def choose(widget, label: str) -> None:
    box = widget.ui.initialAlignmentComboBox
    box.setCurrentIndex([box.itemText(index) for index in range(box.count)].index(label))


def register_by_landmarks(rig, widget, tmp_path) -> None:
    """Register a pair by its landmarks alone."""
    choose_folder(rig, widget, small_folder(tmp_path / "pairs", 1))
    click_row(rig, widget, 0)
    choose(widget, "landmarks")
    widget.ui.useNetworkCheckBox.checked = False
    widget.ui.refinementStepsSpinBox.value = 0
    register(rig, widget)


def test_three_pairs_of_landmarks_align_what_was_asked_for(rig, widget, tmp_path):
    register_by_landmarks(rig, widget, tmp_path)
    parameters = widget.panel.state.parameters
    assert parameters.movingPoints.GetNumberOfControlPoints() >= 3
    rows = table(widget.ui.distanceTable)
    assert float(rows[0][2]) < float(rows[0][1])
    assert "landmarks" in widget.ui.measuresLabel.text
    said = "The initial alignment is by landmarks: computed from these landmarks, so their distances are no independent measure."
    assert widget.ui.alignmentWarningLabel.text == f"{said} Check the overlay."
    assert widget.ui.nextStepLabel.text.startswith("Next step: Export table"), "not to register again"
    fitted = parameters.transform
    again = float(rows[0][2])
    register(rig, widget)  # the points lie under the transform now, and count where they were placed
    assert parameters.transform is fitted
    assert float(table(widget.ui.distanceTable)[0][2]) == pytest.approx(again, abs=0.02)


def test_fixed_points_under_the_transform_count_where_they_are_shown(rig, widget, tmp_path):
    register_by_landmarks(rig, widget, tmp_path)
    parameters, seen = widget.panel.state.parameters, []
    parameters.fixedPoints.SetAndObserveTransformNodeID(parameters.transform.GetID())
    shown = slicer.util.arrayFromMarkupsControlPoints(parameters.fixedPoints, world=True)
    read = widget.logic.register._landmarks
    widget.logic.register._landmarks = lambda *given: seen.append((given[2], read(*given))) or seen[-1][1]
    register(rig, widget)
    ((image, (_moving, fixed)),) = seen
    np.testing.assert_allclose(fixed, image.geometry.to_pixels(shown * [-1, -1, 1]), atol=1e-6)


def test_too_few_landmarks_are_told(rig, widget, tmp_path):
    choose_folder(rig, widget, small_folder(tmp_path / "pairs", 1))
    click_row(rig, widget, 0)
    choose(widget, "landmarks")
    settle(rig)
    parameters = widget.panel.state.parameters
    for node in (parameters.movingPoints, parameters.fixedPoints):
        while node.GetNumberOfControlPoints() > 2:
            node.RemoveNthControlPoint(2)
    register(rig, widget)
    assert "at least 3 pairs" in widget.ui.registerStatusLabel.text
    for selector in (widget.ui.movingPointsSelector, widget.ui.fixedPointsSelector):
        selector.setCurrentNode(None)
    register(rig, widget)
    assert "needs a list of moving and one of fixed points" in widget.ui.registerStatusLabel.text
    assert slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLGridTransformNode") == 0
    assert np.isfinite(slicer.util.arrayFromVolume(parameters.movingVolume)).all()
