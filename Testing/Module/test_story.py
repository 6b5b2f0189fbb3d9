"""The whole story as a user does it: real widgets, real scene, real child processes, real torch."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import slicer
from panel_helpers import cancel, choose_folder, click_row, open_panel, register, settle, small_folder, table

from MetaRegistrationLib.checkpoints import load_checkpoint


@pytest.fixture
def widget(rig):
    return open_panel(rig)


def fine_tune(rig, widget, name: str, epochs: int) -> None:
    """Click on Fine-tune and wait for the first step."""
    widget.ui.adaptedNameLineEdit.text = name
    widget.ui.epochsSpinBox.value = epochs
    assert widget.ui.fineTuneButton.enabled, widget.ui.fineTuneButton.toolTip
    widget.ui.fineTuneButton.click()
    assert widget.ui.fineTuneButton.text == "Cancel"
    rig.wait_until(lambda: "left" in widget.ui.adaptProgressBar.format or not widget.panel.adapt.running, "for a step")


def measures(widget) -> tuple[float, float]:
    """NCC before and after as the panel says it."""
    before, after = re.search(r"Similarity \(NCC\) ([\d.-]+) → ([\d.-]+),", widget.ui.measuresLabel.text).groups()
    return float(before), float(after)


def test_whole_story(rig, dialogs, widget, tmp_path):
    ui = widget.ui
    rig.screenshot(widget.parent, "story_1_opened")
    choose_folder(rig, widget, small_folder(tmp_path / "Ma clinique, été", 2))
    assert [row[0] for row in table(ui.pairsTable)] == ["phantom_001", "phantom_002"]
    assert ui.pairsStatusLabel.text.startswith("2 pairs")

    # Fine-tune, and watch it.
    fine_tune(rig, widget, "my eye", 1)
    assert ui.adaptProgressBar.visible and ui.adaptProgressBar.value > 0
    rig.wait_until(lambda: not widget.panel.adapt.running, "for the training")
    assert ui.adaptStatusLabel.text == "Done. The adapted checkpoint my eye is saved and selected for registration."
    charts = slicer.util.getNodesByClass("vtkMRMLPlotChartNode")
    for chart, column in zip(charts, ("loss", "NCC"), strict=True):
        values = chart.GetNthPlotSeriesNode(0).GetTableNode().GetTable()
        assert values.GetNumberOfRows() == 2  # the start is judged too, as epoch 0
        assert values.GetValueByName(0, column).IsValid()
    assert ui.checkpointComboBox.currentText == "my eye"
    adapted = Path(ui.checkpointComboBox.currentData)
    assert [entry["stage"] for entry in load_checkpoint(adapted).history][-1] == "finetune"
    rig.screenshot_window("story_2_fine_tuned", (1500, 900))

    # Cancel another run.
    fine_tune(rig, widget, "too long", 2000)
    rig.screenshot_window("story_3_training", (1500, 900))
    cancel(rig, widget.panel.adapt, ui.fineTuneButton)
    assert ui.adaptStatusLabel.text.startswith("Cancelled. The training so far is saved")
    assert ui.fineTuneButton.text == "Resume"
    assert (adapted.parents[1] / "too long" / "last.pt").is_file()

    # Register.
    click_row(rig, widget, 0)
    rig.screenshot_window("story_4_pair", (1500, 900))
    register(rig, widget)
    before, after = measures(widget)
    assert after > before
    moving, fixed = ui.movingVolumeSelector.currentNode(), ui.fixedVolumeSelector.currentNode()
    transform = ui.transformSelector.currentNode()
    assert moving.GetParentTransformNode() is transform
    assert transform.GetNodeReference(transform.GetMovingNodeReferenceRole()) is moving
    assert transform.GetNodeReference(transform.GetFixedNodeReferenceRole()) is fixed
    assert transform.IsA("vtkMRMLGridTransformNode")
    settle(rig)
    rows = table(ui.distanceTable)
    assert rows[0][0] == "mean" and float(rows[0][2]) < float(rows[0][1]), "what one looks for stands at the top"
    rig.screenshot_window("story_5_overlay", (1500, 900))

    # Landmarks by mouse, in turns.
    ui.movingPointsSelector.setCurrentNode(None)
    ui.fixedPointsSelector.setCurrentNode(None)
    widget.logic.pairs.show(moving, fixed)
    ui.placeButton.click()
    assert ui.nextClickLabel.text == "Next click: moving image, view Red."
    for x, y in ((-100.0, -90.0), (-200.0, -150.0), (-250.0, -220.0)):
        rig.slice_view("Red").click_at((x, y, 0.0))
        assert ui.nextClickLabel.text.startswith("Next click: fixed image, view Yellow. It becomes the partner of ")
        rig.slice_view("Yellow").click_at((x, y - 6.0, 0.0))
    assert ui.nextClickLabel.text == "Next click: moving image, view Red."
    ui.placeButton.click()
    settle(rig)
    rows = table(ui.distanceTable)
    labels = [row[0].removesuffix(" (uncertain)") for row in rows]  # by the predicted error
    assert labels == ["mean", "standard deviation", "1", "2", "3"]
    # The moving image is shown warped, so that a click lies where the carried landmark does: 6 of 320 pixels in 400.
    assert float(rows[0][2]) == pytest.approx(7.5, abs=1.0)
    rig.screenshot_window("story_6_landmarks", (1500, 900))
    rig.screenshot(widget.parent, "story_6_panel")

    # Save the scene, reload it, read the same table.
    path = str(tmp_path / "visite.mrb")
    assert slicer.util.saveScene(path)
    slicer.mrmlScene.Clear(0)
    settle(rig)
    assert table(ui.distanceTable) == [] and not ui.registerButton.enabled
    slicer.util.loadScene(path)
    settle(rig, 0.3)
    assert table(ui.distanceTable) == rows
    assert ui.transformSelector.currentNode() is not None


def test_folder_is_registered_as_the_command_line_does(rig, widget, tmp_path):
    choose_folder(rig, widget, small_folder(tmp_path / "pairs", 2))
    widget.ui.refinementStepsSpinBox.value = 5
    widget.ui.outputPathLineEdit.currentPath = str(tmp_path / "results")
    widget.ui.registerFolderButton.click()
    assert widget.ui.registerFolderButton.text == "Cancel"
    rig.wait_until(lambda: not widget.panel.folder.running, "for the folder")
    assert widget.ui.registerFolderStatusLabel.text == f"Done. The result is in {tmp_path / 'results'}."
    assert (tmp_path / "results" / "metrics.csv").is_file()
    assert (tmp_path / "results" / "phantom_002" / "warped.nrrd").is_file()
