"""Wrong input through the real panel and logic: one sentence, and scene and files as they were."""

from __future__ import annotations

import os
import signal

import numpy as np
import pytest
import slicer
import torch
from panel_helpers import SMALL, choose_folder, click_row, node_names, open_panel, register, settle, small_folder

from MetaRegistrationLib.core.geometry import Geometry
from MetaRegistrationLib.formats.images import write_image


@pytest.fixture
def widget(rig):
    return open_panel(rig, size=SMALL)


@pytest.fixture
def pair(rig, widget, tmp_path):
    """The panel with a loaded pair."""
    choose_folder(rig, widget, small_folder(tmp_path / "pairs", 1))
    click_row(rig, widget, 0)
    return widget


def refused(rig, widget) -> str:
    """Click on Register; the scene must stay as it was. Returns what the panel says."""
    settle(rig)  # the table of distances comes a moment after the pair
    before = node_names()
    register(rig, widget)
    settle(rig)
    assert node_names() == before
    assert widget.ui.registerButton.enabled
    return widget.ui.registerStatusLabel.text


def test_folder_without_pairs(rig, widget, tmp_path):
    before = node_names()
    choose_folder(rig, widget, tmp_path)
    assert f"{tmp_path}: no image pairs were found" in widget.ui.pairsStatusLabel.text
    assert node_names() == before and not widget.ui.fineTuneButton.enabled


def test_stack_in_a_folder_is_left_out_with_its_reason(rig, widget, tmp_path):
    folder = small_folder(tmp_path / "pairs", 2)
    import SimpleITK as sitk  # noqa: N813

    sitk.WriteImage(sitk.GetImageFromArray(np.zeros((5, 32, 32), np.uint8)), str(folder / "stack.nrrd"))
    with (folder / "pairs.csv").open("a", encoding="utf-8") as stream:
        stream.write("stack.nrrd,fixed/phantom_001.png,,fine_tune,stack\n")
    choose_folder(rig, widget, folder)
    assert widget.ui.pairsTable.rowCount == 2
    told = widget.ui.leftOutList.item(0).text()
    assert told.startswith("stack.nrrd: ") and told.count("stack.nrrd") == 1 and "slice" in told


def test_the_same_volume_twice(rig, pair):
    pair.ui.fixedVolumeSelector.setCurrentNode(pair.ui.movingVolumeSelector.currentNode())
    assert not pair.ui.registerButton.enabled
    assert pair.ui.registerBlockedLabel.text == "Still missing: two different volumes"


def test_equal_volumes(rig, pair):
    moving, fixed = pair.ui.movingVolumeSelector.currentNode(), pair.ui.fixedVolumeSelector.currentNode()
    slicer.util.updateVolumeFromArray(fixed, slicer.util.arrayFromVolume(moving).copy())
    assert "hold the same image" in refused(rig, pair)


def test_foreign_checkpoint(rig, pair, dialogs, tmp_path):
    torch.save({"weights": torch.zeros(3)}, tmp_path / "foreign.pt")
    dialogs.answer(tmp_path / "foreign.pt")
    pair.ui.checkpointFileButton.click()
    said = refused(rig, pair)
    assert "foreign.pt" in said and "\n" not in said


def test_volume_under_a_warp_of_another_program(rig, pair):
    grid = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLGridTransformNode", "other warp")
    grid.SetAndObserveTransformFromParent(slicer.vtkOrientedGridTransform())
    pair.ui.fixedVolumeSelector.currentNode().SetAndObserveTransformNodeID(grid.GetID())
    assert "other warp, which is not linear" in refused(rig, pair)


def test_gpu_out_of_memory(rig, pair, monkeypatch):
    def exhausted(path, device, stages):
        raise torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 40 GiB.")

    monkeypatch.setattr(pair.logic.register, "_registrar", exhausted)
    assert refused(rig, pair).startswith("The memory ran out: close other programs, or choose another device (CPU)")


EXHAUSTED = """
import sys
from MetaRegistrationLib import commands
from MetaRegistrationLib.progress import Saved, Started

class OutOfMemoryError(RuntimeError):
    pass

def run(arguments, progress):
    progress(Started(arguments.command, 40, device="a GPU"))
    progress(Saved(sys.argv[0], "last"))
    raise OutOfMemoryError("CUDA out of memory. Tried to allocate 40 GiB.")

for module in commands.COMMANDS:
    module.run = run
sys.exit(commands.main())
"""


@pytest.fixture
def exhausted_child(monkeypatch):
    """Children start the real command line, in which every command runs out of GPU memory."""
    from MetaRegistrationLib.jobs import command_lines

    monkeypatch.setattr(command_lines, "_command", lambda name: ["-c", EXHAUSTED, name, "--json", "--watch-stdin"])


def test_gpu_out_of_memory_in_a_training(rig, pair, exhausted_child):
    ui = pair.ui
    ui.adaptedNameLineEdit.text = "large"
    ui.fineTuneButton.click()
    assert ui.fineTuneButton.text == "Cancel"
    rig.wait_until(lambda: not pair.panel.adapt.running, "for the child")
    said = ui.adaptStatusLabel.text
    assert said.startswith("Out of memory. Close other programs or choose another device.")
    assert "with Resume continues from there" in said and "--" not in said and "\n" not in said
    assert ui.fineTuneButton.enabled and not ui.adaptProgressBar.visible


def test_gpu_out_of_memory_in_the_registration_of_a_folder(rig, pair, exhausted_child, tmp_path):
    ui = pair.ui
    ui.outputPathLineEdit.currentPath = str(tmp_path / "results")
    ui.registerFolderButton.click()
    rig.wait_until(lambda: not pair.panel.folder.running, "for the child")
    assert ui.registerFolderStatusLabel.text.startswith("Out of memory. Close other programs or choose another device.")
    assert ui.registerFolderButton.enabled and ui.registerFolderButton.text == "Register the whole folder"


REFUSED = """
import sys
from MetaRegistrationLib import commands
from MetaRegistrationLib.errors import InputError
from MetaRegistrationLib.progress import Message

def run(arguments, progress):
    progress(Message.of(InputError("stack.", field="slice", advice="Name one with {field} N."), "left out: a: "))
    raise InputError("Cannot write to /a/{0}/{b}.", field="output", advice="Choose another {field}.")

for module in commands.COMMANDS:
    module.run = run
sys.exit(commands.main())
"""


@pytest.fixture
def refused_child(monkeypatch):
    """Children start the real command line, in which every command leaves a pair out and cannot write its output."""
    from MetaRegistrationLib.jobs import command_lines

    monkeypatch.setattr(command_lines, "_command", lambda name: ["-c", REFUSED, name, "--json", "--watch-stdin"])


def test_what_a_child_says_of_a_field_has_the_name_of_the_panel(rig, pair, refused_child, tmp_path):
    ui = pair.ui
    ui.outputPathLineEdit.currentPath = str(tmp_path / "results")
    ui.registerFolderButton.click()
    rig.wait_until(lambda: not pair.panel.folder.running, "for the child")
    said = ui.registerFolderStatusLabel.text.splitlines()
    assert said[0] == "Cannot write to /a/{0}/{b}. Choose another Results folder."
    assert said[-1] == "left out: a: stack. Name one with slice N." and "--" not in ui.registerFolderStatusLabel.text
    assert "choose another --output" in pair.panel.state.log.lower(), "the log has the command line's words"


def test_a_training_that_cannot_write_names_the_field_of_its_section(rig, pair, refused_child):
    pair.ui.adaptedNameLineEdit.text = "cannot be written"
    pair.ui.fineTuneButton.click()
    rig.wait_until(lambda: not pair.panel.adapt.running, "for the child")
    assert pair.ui.adaptStatusLabel.text == "Cannot write to /a/{0}/{b}. Choose another Name."


def test_names_of_fields_and_advice_are_translated(rig, pair, refused_child, monkeypatch, tmp_path):
    from slicer import i18n

    words = {
        ("panel.texts", "Results folder"): "Ergebnisordner",
        ("MetaRegistrationLib.errors", "Choose another {field}."): "Bitte einen anderen {field} nennen.",
    }
    monkeypatch.setattr(i18n, "translate", lambda context, text: words.get((context, text), text))
    pair.ui.outputPathLineEdit.currentPath = str(tmp_path / "results")
    pair.ui.registerFolderButton.click()
    rig.wait_until(lambda: not pair.panel.folder.running, "for the child")
    assert pair.ui.registerFolderStatusLabel.text.startswith(
        "Cannot write to /a/{0}/{b}. Bitte einen anderen Ergebnisordner nennen."
    )


def test_device_that_is_not_there(rig, pair):
    if torch.cuda.is_available():
        pytest.skip("this computer has a GPU")
    pair.ui.deviceComboBox.addItem("a GPU", "cuda:7")
    pair.ui.deviceComboBox.setCurrentIndex(1)
    said = refused(rig, pair)
    assert said.startswith("Device cuda:7: this PyTorch") and said.endswith("sees no CUDA GPU. Use Device cpu.")


def test_results_folder_that_cannot_be_written_to(rig, pair, tmp_path):
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    pair.ui.outputPathLineEdit.currentPath = str(tmp_path / "file" / "results")
    pair.ui.registerFolderButton.click()
    assert "results" in pair.ui.registerFolderStatusLabel.text
    assert pair.ui.registerFolderStatusLabel.text.endswith("Choose another Results folder.")
    assert pair.ui.registerFolderButton.text == "Register the whole folder"
    assert (tmp_path / "file").read_text(encoding="utf-8") == "in the way"


@pytest.mark.parametrize("name", ["a/b", "CON"])
def test_name_that_cannot_be_a_folder(rig, pair, name):
    pair.ui.adaptedNameLineEdit.text = name
    pair.ui.fineTuneButton.click()
    assert repr(name) in pair.ui.adaptStatusLabel.text
    assert pair.ui.fineTuneButton.text == "Fine-tune"


def test_child_that_dies(rig, pair):
    pair.ui.adaptedNameLineEdit.text = "dies"
    pair.ui.fineTuneButton.click()
    job = pair.panel.adapt._job
    rig.wait_until(lambda: job._pid is not None, "for the child")
    os.kill(job._pid, signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
    rig.wait_until(lambda: not pair.panel.adapt.running)
    assert "ended from outside" in pair.ui.adaptStatusLabel.text
    assert pair.ui.fineTuneButton.enabled


def test_landmark_file_that_is_none(rig, pair, dialogs, tmp_path):
    (tmp_path / "notes.csv").write_text("hello\nworld\n", encoding="utf-8")
    before = [pair.ui.movingPointsSelector.currentNode().GetNumberOfControlPoints(), node_names()]
    dialogs.answer([tmp_path / "notes.csv"])
    pair.ui.loadLandmarksButton.click()
    assert "notes.csv" in pair.ui.landmarksStatusLabel.text
    assert [pair.ui.movingPointsSelector.currentNode().GetNumberOfControlPoints(), node_names()] == before


def test_without_torch_the_real_panel_opens(rig, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "torch", None)
    widget = open_panel(rig, size=SMALL)
    assert widget.ui.dependencyFrame.visible
    widget.ui.installTorchButton.click()
    assert "The PyTorch extension of Slicer is missing" in widget.ui.dependencyLabel.text


def test_images_of_too_different_shape(rig, widget, tmp_path):
    write_image(
        tmp_path / "wide.nrrd", np.random.default_rng(0).random((16, 200)).astype(np.float32), Geometry((16, 200))
    )
    moving = slicer.util.loadVolume(str(tmp_path / "wide.nrrd"))
    fixed = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "tall")
    slicer.util.updateVolumeFromArray(fixed, np.random.default_rng(1).random((1, 200, 16)).astype(np.float32))
    widget.ui.movingVolumeSelector.setCurrentNode(moving)
    widget.ui.fixedVolumeSelector.setCurrentNode(fixed)
    assert refused(rig, widget)
