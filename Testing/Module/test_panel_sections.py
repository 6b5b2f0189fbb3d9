"""The panel alone, with a logic that only answers: what is shown, enabled, asked and said."""

from __future__ import annotations

from pathlib import Path

import pytest
import slicer
from fake_logic import FakeLogic
from panel_helpers import (
    SMALL,
    choose_folder,
    choose_volumes,
    measured,
    noise_volume,
    open_panel,
    settle,
    table,
    tooltip,
)

from MetaRegistrationLib.errors import InputError
from MetaRegistrationLib.mrml.registration_node import Outcome
from MetaRegistrationLib.pairs.folders import LeftOut
from MetaRegistrationLib.panel.requests import PairResult


@pytest.fixture
def logic(tmp_path):
    return FakeLogic(tmp_path / "Checkpoints")


@pytest.fixture
def widget(rig, logic, monkeypatch):
    return open_panel(rig, monkeypatch, logic, size=SMALL)


def test_every_widget_has_a_tooltip(rig, widget):
    plain = {"QLabel", "QWidget", "QFrame"}
    without = [
        name
        for name, child in vars(widget.ui).items()
        if hasattr(child, "toolTip")
        and not child.toolTip
        and child.className() not in plain
        and name[0] != "_"
        and name not in ("Slider", "SpinBox")  # parts of a ctkSliderWidget, over which Qt shows its tooltip
    ]
    assert [name for name in without if not name.startswith(("qt_", "Layout"))] == ["MetaRegistration"]


def test_buttons_say_what_is_missing(rig, widget):
    ui = widget.ui
    assert not ui.fineTuneButton.enabled
    assert tooltip(ui.fineTuneButton) == "Still missing: a folder with image pairs; a name for the adapted checkpoint"
    assert not ui.registerButton.enabled
    assert tooltip(ui.registerButton) == "Still missing: a moving volume; a fixed volume"
    assert not ui.registerFolderButton.enabled
    assert "a folder for the results" in ui.registerFolderButton.toolTip


def test_what_is_missing_stands_beside_the_button_until_it_is_there(rig, widget):
    ui = widget.ui
    for button, beside in (
        (ui.fineTuneButton, ui.fineTuneBlockedLabel),
        (ui.registerButton, ui.registerBlockedLabel),
        (ui.registerFolderButton, ui.registerFolderBlockedLabel),
    ):
        assert beside.text == tooltip(button)
        assert not beside.isHidden()
    choose_volumes(widget)
    settle(rig)
    assert ui.registerButton.enabled
    assert ui.registerBlockedLabel.text == ""
    assert ui.registerBlockedLabel.isHidden()
    ui.fixedVolumeSelector.setCurrentNode(None)
    settle(rig)
    assert ui.registerBlockedLabel.text == "Still missing: a fixed volume"


def test_pairs_are_listed_and_the_reasons_for_those_left_out(rig, widget, logic, tmp_path):
    logic.pairs.folders[str(tmp_path)] = 2
    logic.pairs.left_out = (LeftOut(("eye.png",), InputError("no partner")),)
    choose_folder(rig, widget, tmp_path)
    assert [row[0] for row in table(widget.ui.pairsTable)] == ["pair 1", "pair 2"]
    assert widget.ui.leftOutList.visible
    assert widget.ui.leftOutList.item(0).text() == "eye.png: no partner"
    assert "1 left out" in widget.ui.pairsStatusLabel.text
    assert widget.ui.adaptedNameLineEdit.text == tmp_path.name


def test_last_column_of_the_pairs_fills_the_width(rig, widget, logic, tmp_path):
    logic.pairs.folders[str(tmp_path)] = 2
    choose_folder(rig, widget, tmp_path)
    settle(rig)
    box = widget.ui.pairsTable
    widths = [box.columnWidth(column) for column in range(box.columnCount)]
    assert sum(widths) == box.viewport().width
    assert widths[-1] > widths[-2]


def test_folder_without_pairs_is_one_sentence(rig, widget, logic, tmp_path):
    logic.pairs.folders[str(tmp_path)] = InputError("No pairs here: choose another folder.")
    choose_folder(rig, widget, tmp_path)
    assert widget.ui.pairsStatusLabel.text == "No pairs here: choose another folder."
    assert table(widget.ui.pairsTable) == []
    assert not widget.ui.leftOutList.visible


def test_spacing_reads_the_folder_again(rig, widget, logic, tmp_path):
    logic.pairs.folders[str(tmp_path)] = 1
    choose_folder(rig, widget, tmp_path)
    assert table(widget.ui.pairsTable)[0][2] == "unknown"
    widget.ui.spacingSpinBox.value = 7.5
    rig.wait_until(lambda: widget.ui.pairsTable.rowCount == 1 and "..." not in widget.ui.pairsStatusLabel.text)
    assert table(widget.ui.pairsTable)[0][2] == "7.5"


def test_row_that_cannot_be_loaded_is_one_sentence(rig, widget, logic, tmp_path):
    logic.pairs.folders[str(tmp_path)] = 1
    choose_folder(rig, widget, tmp_path)
    widget.ui.pairsTable.cellClicked.emit(0, 0)
    assert logic.pairs.loaded == ["pair 1"]
    assert "could not be read" in widget.ui.pairsStatusLabel.text


def test_only_the_chosen_point_lists_are_shown(rig, widget):
    choose_volumes(widget)
    first, second = (
        slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", name) for name in ("first", "second")
    )
    widget.ui.movingPointsSelector.setCurrentNode(first)
    assert first.GetDisplayVisibility()
    widget.ui.movingPointsSelector.setCurrentNode(second)
    assert second.GetDisplayVisibility() and not first.GetDisplayVisibility()
    widget.ui.movingPointsSelector.setCurrentNode(first)
    assert first.GetDisplayVisibility() and not second.GetDisplayVisibility()


@pytest.mark.parametrize(("preset", "epochs"), [(0, 10), (1, 600), (2, 2000)])
def test_presets_set_the_epochs(rig, widget, preset, epochs):
    widget.ui.epochsSpinBox.value = 3
    assert widget.ui.presetComboBox.currentText == "Custom"
    widget.ui.presetComboBox.setCurrentIndex(preset)
    widget.ui.presetComboBox.activated.emit(preset)
    assert widget.ui.epochsSpinBox.value == epochs
    assert widget.ui.presetComboBox.currentIndex == preset


def test_gpu_is_named_and_comes_first_and_time_is_estimated(rig, widget, logic, tmp_path):
    box = widget.ui.deviceComboBox
    assert [box.itemText(index) for index in range(box.count)] == ["Test GPU 9000", "CPU (slow)"]
    logic.pairs.folders[str(tmp_path)] = 1
    choose_folder(rig, widget, tmp_path)
    assert widget.ui.estimateLabel.text == "About 10 s (rough estimate)"
    box.setCurrentIndex(1)
    assert widget.ui.estimateLabel.text == "About 10 min (rough estimate)"


def start_training(rig, widget, logic, tmp_path):
    logic.pairs.folders[str(tmp_path)] = 4
    choose_folder(rig, widget, tmp_path)
    widget.ui.adaptedNameLineEdit.text = "mine"
    widget.ui.fineTuneButton.click()
    return logic.adapt.jobs[-1]


def test_training_shows_progress_and_chart_and_turns_the_button(rig, widget, logic, tmp_path):
    ui = widget.ui
    job = start_training(rig, widget, logic, tmp_path)
    request = job.request
    assert (request.folder, request.name, request.epochs, request.device) == (tmp_path, "mine", 10, "cuda:0")
    assert request.checkpoint == Path("/shipped/meta.pt")
    assert ui.fineTuneButton.text == "Cancel"
    assert logic.charts[0].shown
    assert ui.adaptProgressBar.format == "Starting ... About 10 s (rough estimate)"
    assert ui.estimateLabel.isHidden(), "the bar has the time"
    job.on_event({"event": "started", "first_step": 0, "total_steps": 40, "device": "Test GPU 9000"})
    chart = logic.charts[0]
    job.on_event({"event": "step", "step": 20, "total_steps": 40, "loss": 2.0, "similarity": 0.25, "seconds_left": 90})
    assert chart.points == [(20, 2.0, 0.5)] and chart.labels == ("step", "loss, each step", "local NCC, each step")
    assert (ui.adaptProgressBar.value, ui.adaptProgressBar.maximum) == (20, 40)
    assert ui.adaptProgressBar.text == "50 %, 2 min left"
    job.on_event(
        {"event": "step", "step": 20, "total_steps": 40, "loss": 2.0, "similarity": 0.25, "seconds_left": None}
    )
    assert ui.adaptProgressBar.text == "Starting ... About 10 s (rough estimate)"
    logic.charts[0].points.pop()
    job.on_event({"event": "epoch", "epoch": 5, "total_epochs": 10, "loss": 0.4, "values": {}})
    assert chart.points == [(5, 0.4, 0.5)] and chart.labels == (
        "epoch",
        "loss, training pairs",
        "local NCC, training pairs",
    )
    assert ui.adaptStatusLabel.text == "Epoch 5 of 10: loss 0.4000, local NCC 0.500"
    job.on_event({"event": "epoch", "epoch": 6, "total_epochs": 10, "loss": None, "values": {"loss": 0.3, "ncc": 0.7}})
    assert chart.points == [(5, 0.4, 0.5), (6, 0.3, 0.7)]
    assert chart.labels == ("epoch", "loss, held-out pairs", "NCC, held-out pairs")
    assert ui.adaptStatusLabel.text == "Epoch 6 of 10: loss 0.3000, NCC 0.700"
    made = logic.adapt.store.folder / "mine" / "best.pt"
    logic.adapt.choices.append(("mine", made))
    job.end("finished", "Done.", str(made))
    assert ui.fineTuneButton.text == "Fine-tune"
    assert ui.checkpointComboBox.currentText == "mine"
    assert not ui.adaptProgressBar.visible
    assert not ui.estimateLabel.isHidden()


@pytest.mark.parametrize(("status", "shown"), [("finished", True), ("failed", False)])
def test_the_warnings_of_a_training_stand_below_its_end(status, shown, rig, widget, logic, tmp_path):
    job = start_training(rig, widget, logic, tmp_path)
    job.on_event({"event": "message", "level": "warning", "text": "left out: p3.png: damaged"})
    job.on_event({"event": "message", "level": "info", "text": "The pairs look like OCTA."})
    job.end(status, "It ended.")
    warning = "\nCheck this before you use the results:\nleft out: p3.png: damaged"
    assert widget.ui.adaptStatusLabel.text == "It ended." + (warning if shown else "")


def test_cancel_asks_the_job_and_offers_to_resume(rig, widget, logic, tmp_path):
    job = start_training(rig, widget, logic, tmp_path)
    widget.ui.fineTuneButton.click()
    assert job.cancelled
    assert not widget.ui.fineTuneButton.enabled
    logic.adapt.stopped_names.add("mine")
    job.end("cancelled", "Cancelled: it is saved.")
    assert widget.ui.adaptStatusLabel.text == "Cancelled: it is saved."
    assert (widget.ui.fineTuneButton.text, widget.ui.fineTuneButton.enabled) == ("Resume", True)


def test_training_that_cannot_start_is_one_sentence(rig, widget, logic, tmp_path):
    logic.adapt.error = InputError("The name 'mine' is taken: choose another one.")
    with pytest.raises(IndexError):
        start_training(rig, widget, logic, tmp_path)
    assert widget.ui.adaptStatusLabel.text == "The name 'mine' is taken: choose another one."
    assert widget.ui.fineTuneButton.text == "Fine-tune"


def test_closing_the_scene_and_the_module_stop_the_work(rig, widget, logic, tmp_path):
    start_training(rig, widget, logic, tmp_path)
    slicer.mrmlScene.Clear(0)
    assert logic.adapt.closed == 1
    assert widget.ui.fineTuneButton.text == "Fine-tune"
    rig.close_module("MetaRegistration")
    assert logic.closed == 1


def test_adapted_checkpoint_is_deleted_after_a_question(rig, widget, logic, dialogs):
    import qt

    path = logic.adapt.store.folder / "old" / "best.pt"
    logic.adapt.choices.append(("old", path))
    widget.panel.adapt.choices.fill_checkpoints()
    assert not widget.ui.deleteCheckpointButton.enabled
    widget.ui.checkpointComboBox.setCurrentIndex(1)
    assert widget.ui.deleteCheckpointButton.enabled
    dialogs.answer(qt.QMessageBox.No)
    widget.ui.deleteCheckpointButton.click()
    assert logic.adapt.deleted == []
    dialogs.answer(qt.QMessageBox.Yes)
    widget.ui.deleteCheckpointButton.click()
    assert logic.adapt.deleted == [path]
    assert widget.ui.checkpointComboBox.currentText == "meta-learned (shipped)"


def test_checkpoint_from_a_file(rig, widget, dialogs, tmp_path):
    (tmp_path / "other.pt").write_bytes(b"")
    dialogs.answer(tmp_path / "other.pt")
    widget.ui.checkpointFileButton.click()
    assert widget.ui.checkpointComboBox.currentText == "other.pt"
    assert widget.panel.state.checkpoint == tmp_path / "other.pt"


def test_slices_can_be_picked_of_volumes_with_several(rig, widget):
    choose_volumes(widget)
    assert widget.ui.movingSliceSpinBox.enabled and widget.ui.movingSliceSpinBox.maximum == 2
    assert not widget.ui.fixedSliceSpinBox.enabled
    assert widget.ui.registerButton.enabled


def test_registration_shows_measures(rig, widget, logic):
    choose_volumes(widget)
    logic.register.result = PairResult(Outcome(measured()), None, None)
    widget.ui.registerButton.click()
    assert widget.ui.registerButton.text == "Cancel"
    rig.wait_until(lambda: widget.ui.registerButton.text == "Register")
    assert widget.ui.measuresLabel.text == "Similarity (NCC) 0.25 → 0.75, folding 0.500 %."


def test_registration_is_cancelled_between_steps(rig, widget, logic):
    choose_volumes(widget)
    logic.register.result = AssertionError("it went on")
    widget.ui.registerButton.click()
    widget.ui.registerButton.click()
    settle(rig)
    assert widget.ui.registerStatusLabel.text == "Cancelled. The scene is unchanged."
    assert widget.ui.registerButton.text == "Register"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (InputError("Choose two volumes."), "Choose two volumes."),
        (RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"), "The memory ran out: close other programs"),
        (PermissionError(13, "Permission denied"), "A file could not be read or written"),
        (KeyError("surprise"), "Unexpected error (KeyError: 'surprise')"),
    ],
)
def test_errors_of_a_registration_are_one_sentence(rig, widget, logic, error, said):
    choose_volumes(widget)
    logic.register.result = error
    widget.ui.registerButton.click()
    rig.wait_until(lambda: widget.ui.registerButton.text == "Register")
    assert widget.ui.registerStatusLabel.text.startswith(said)
    assert widget.ui.registerButton.enabled


def test_folder_registration_counts_pairs_and_is_cancelled(rig, widget, logic, tmp_path):
    logic.pairs.folders[str(tmp_path)] = 3
    choose_folder(rig, widget, tmp_path)
    widget.ui.outputPathLineEdit.currentPath = str(tmp_path / "out")
    widget.ui.registerFolderButton.click()
    job = logic.register.jobs[0]
    job.on_event({"event": "item", "index": 2, "total": 3, "name": "pair 2"})
    assert widget.ui.registerProgressBar.text == "2 of 3: pair 2"
    widget.ui.registerFolderButton.click()
    assert job.cancelled
    job.end("cancelled", "Cancelled at pair 2 of 3.")
    assert widget.ui.registerFolderStatusLabel.text == "Cancelled at pair 2 of 3."
    assert widget.ui.registerFolderButton.text == "Register the whole folder"


def test_flicker_shows_both_in_turns_and_blend_stops_it(rig, widget):
    moving, fixed = choose_volumes(widget)
    widget.ui.showOverlayButton.click()
    composite = slicer.mrmlScene.GetSingletonNode("Red", "vtkMRMLSliceCompositeNode")
    assert {composite.GetBackgroundVolumeID(), composite.GetForegroundVolumeID()} == {moving.GetID(), fixed.GetID()}
    widget.ui.flickerButton.click()
    seen = set()
    rig.wait_until(lambda: seen.add(composite.GetForegroundOpacity()) or len(seen) == 2)
    assert seen == {0.0, 1.0} and composite.GetForegroundVolumeID() == moving.GetID()
    widget.ui.flickerButton.click()
    widget.ui.blendSlider.value = 0.25
    assert (composite.GetBackgroundVolumeID(), composite.GetForegroundOpacity()) == (fixed.GetID(), 0.25)
    widget.ui.showMovingButton.click()
    assert composite.GetBackgroundVolumeID() == moving.GetID()


def test_blend_and_flicker_are_those_of_the_chosen_volumes(rig, widget):
    choose_volumes(widget)
    widget.ui.showOverlayButton.click()
    widget.ui.flickerButton.click()
    moving, fixed = choose_volumes(widget)
    assert not widget.ui.flickerButton.checked
    settle(rig)
    widget.ui.showMovingButton.click()
    widget.ui.blendSlider.value = 0.25
    composite = slicer.mrmlScene.GetSingletonNode("Red", "vtkMRMLSliceCompositeNode")
    assert (composite.GetBackgroundVolumeID(), composite.GetForegroundVolumeID()) == (fixed.GetID(), moving.GetID())


def test_overlay_of_single_images_goes_with_them(rig, widget):
    selectors = widget.ui.movingVolumeSelector, widget.ui.fixedVolumeSelector
    for _ in range(2):
        nodes = [noise_volume("single") for _ in selectors]
        for selector, node in zip(selectors, nodes, strict=True):
            selector.setCurrentNode(node)
        widget.ui.blendSlider.value += 0.125
        composite = slicer.mrmlScene.GetSingletonNode("Red", "vtkMRMLSliceCompositeNode")
        shown = {composite.GetBackgroundVolumeID(), composite.GetForegroundVolumeID()}
        assert shown == {node.GetID() for node in nodes}


def test_without_torch_the_panel_says_so_and_one_click_installs(rig, monkeypatch, tmp_path):
    logic = FakeLogic(tmp_path)
    logic.dependency.there = False
    ui = open_panel(rig, monkeypatch, logic, size=SMALL).ui
    assert ui.dependencyFrame.visible and ui.dependencyLabel.text.startswith("PyTorch is missing.")
    assert "PyTorch" in ui.fineTuneButton.toolTip and "PyTorch" in ui.registerButton.toolTip
    logic.dependency.error = InputError("The PyTorch extension of Slicer is missing.")
    ui.installTorchButton.click()
    assert ui.dependencyLabel.text == "The PyTorch extension of Slicer is missing."
    logic.dependency.error = None
    ui.installTorchButton.click()
    assert not ui.dependencyFrame.visible
    assert "PyTorch" not in ui.registerButton.toolTip


def test_the_folders_of_last_time_work_again(rig, widget, logic, tmp_path, monkeypatch):
    results = tmp_path / "results"
    results.mkdir()
    logic.pairs.folders[str(tmp_path)] = 2
    choose_folder(rig, widget, tmp_path)
    widget.ui.outputPathLineEdit.currentPath = str(results)
    widget.ui.outputPathLineEdit.addCurrentPathToHistory()
    rig.close_module("MetaRegistration")
    rig.scene.Clear(0)
    again = open_panel(rig, monkeypatch, logic, size=SMALL)
    rig.wait_until(lambda: again.ui.pairsTable.rowCount == 2, "for the folder to be read")
    assert again.ui.folderPathLineEdit.currentPath == str(tmp_path)
    assert again.ui.outputPathLineEdit.currentPath == str(results)
    assert again.ui.registerFolderButton.enabled


def test_a_folder_of_last_time_that_is_gone_is_not_shown(rig, widget, logic, tmp_path, monkeypatch):
    gone = tmp_path / "gone"
    gone.mkdir()
    logic.pairs.folders[str(gone)] = 1
    choose_folder(rig, widget, gone)
    gone.rmdir()
    rig.close_module("MetaRegistration")
    rig.scene.Clear(0)
    again = open_panel(rig, monkeypatch, logic, size=SMALL)
    settle(rig)
    assert again.ui.folderPathLineEdit.currentPath == ""
    assert "Choose a folder" in again.ui.pairsStatusLabel.text
