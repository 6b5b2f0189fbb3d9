"""The list of checkpoints in the panel: which come first, what they are called, and for which images they say they are."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import qt
from panel_helpers import SMALL, choose_folder, open_panel, small_folder

from MetaRegistrationLib import resources
from MetaRegistrationLib.checkpoints import file_sha256
from MetaRegistrationLib.resources import default_checkpoint, error_predictor, shipped_checkpoints
from MetaRegistrationLib.workflows.registrars import RegistrarOptions, make_registrar


@pytest.fixture
def shipped(tmp_path, monkeypatch) -> Path:
    """A folder with the shipped checkpoints, without the one for OCTA."""
    folder = tmp_path / "Resources" / "Checkpoints"
    folder.mkdir(parents=True)
    for path in (*shipped_checkpoints(), error_predictor()):
        if path.stem != "coarse_to_fine_octa":
            shutil.copyfile(path, folder / path.name)
    default = folder / default_checkpoint().name
    monkeypatch.setattr(resources, "default_checkpoint", lambda: default)
    return folder


@pytest.fixture
def with_octa(shipped) -> Path:
    """The checkpoint for OCTA, which ships too; the weights of another one do here."""
    return Path(shutil.copyfile(shipped / "coarse_to_fine_pretrained.pt", shipped / "coarse_to_fine_octa.pt"))


def listed(widget) -> list[tuple[str, Path, str]]:
    """Text, file and tooltip of each entry."""
    box = widget.ui.checkpointComboBox
    return [
        (box.itemText(index), Path(box.itemData(index)), box.itemData(index, qt.Qt.ToolTipRole))
        for index in range(box.count)
    ]


def test_every_shipped_checkpoint_can_be_chosen_by_a_readable_name(rig):
    entries = listed(open_panel(rig, size=SMALL))
    assert [path for _label, path, _purpose in entries] == shipped_checkpoints()
    assert default_checkpoint() in shipped_checkpoints()[:2]
    assert len({file_sha256(path) for _label, path, _purpose in entries}) == len(entries)
    labels = [label for label, _path, _purpose in entries]
    assert {"Any images, meta-learned (shipped)", "VoxelMorph of the paper (shipped)"} <= set(labels)
    assert all(label.endswith("(shipped)") and "_" not in label for label in labels)


def test_weights_for_octa_come_second_and_can_be_chosen(rig, with_octa, tmp_path, monkeypatch):
    from MetaRegistrationLib.jobs import job as job_module

    started = []
    monkeypatch.setattr(job_module.Job, "start", lambda self, arguments: started.append(arguments))
    widget = open_panel(rig, size=SMALL)
    labels = [label for label, _path, _purpose in listed(widget)]
    assert labels[:2] == ["Any images, meta-learned (shipped)", "Superficial OCTA, adapted (shipped)"]
    assert widget.ui.checkpointComboBox.currentText == labels[0]
    widget.ui.checkpointComboBox.setCurrentIndex(1)
    assert widget.panel.state.checkpoint == with_octa
    choose_folder(rig, widget, small_folder(tmp_path / "pairs", 1))
    widget.ui.fineTuneButton.click()
    assert started[0][started[0].index("--checkpoint") + 1] == str(with_octa)


def test_panel_and_command_line_have_the_same_default(rig, shipped):
    widget = open_panel(rig, size=SMALL)
    assert widget.ui.checkpointComboBox.currentText == "Any images, meta-learned (shipped)"
    assert widget.panel.state.checkpoint == shipped / "coarse_to_fine_any.pt"
    assert not any("Superficial" in label for label, _path, _purpose in listed(widget))
    _registrar, record = make_registrar(RegistrarOptions(device="cpu"))
    assert record["checkpoint"].name == "coarse_to_fine_any.pt"


def test_each_says_for_which_images_it_is(rig, with_octa):
    widget = open_panel(rig, size=SMALL)
    purposes = {path.stem: purpose for _label, path, purpose in listed(widget)}
    assert all(text.endswith(".") and "\n" not in text for text in purposes.values())
    assert len(set(purposes.values())) == len(purposes)
    assert "superficial" in purposes["coarse_to_fine_octa"]
    assert "best start for fine-tuning" in purposes["coarse_to_fine_any"]
    assert purposes["coarse_to_fine_any"] in widget.ui.checkpointComboBox.toolTip
    widget.ui.checkpointComboBox.setCurrentIndex(1)
    assert purposes["coarse_to_fine_octa"] in widget.ui.checkpointComboBox.toolTip


def test_own_ones_and_files_say_what_they_are(rig, dialogs, tmp_path):
    widget = open_panel(rig, size=SMALL)
    source = default_checkpoint()
    widget.logic.adapt.store.keep("mine", source, {"pairs": 5})
    dialogs.answer(shutil.copyfile(source, tmp_path / "coarse_to_fine_octa.pt"))
    widget.ui.checkpointFileButton.click()
    purposes = {label: purpose for label, _path, purpose in listed(widget)}
    assert purposes["mine"] == "Adapted earlier on 5 pairs, for images like those."
    assert purposes["coarse_to_fine_octa.pt"] == f"The file {tmp_path / 'coarse_to_fine_octa.pt'}."


def labels(widget) -> list[str]:
    return [label for label, _path, _purpose in listed(widget)]


def test_a_checkpoint_that_is_deleted_on_disk_leaves_the_list(rig, dialogs, tmp_path):
    widget = open_panel(rig, size=SMALL)
    path = widget.logic.adapt.store.keep("gone", default_checkpoint(), {"pairs": 5})
    file = Path(shutil.copyfile(default_checkpoint(), tmp_path / "of a file.pt"))
    dialogs.answer(file)
    widget.ui.checkpointFileButton.click()
    widget.ui.checkpointComboBox.setCurrentIndex(labels(widget).index("gone"))
    assert widget.panel.state.checkpoint == path
    shutil.rmtree(path.parent)
    file.unlink()
    widget.panel.state.notify()  # as after every registration, and after the scene was closed
    assert not {"gone", "of a file.pt"} & set(labels(widget))
    assert widget.panel.state.checkpoint == default_checkpoint()
    assert not widget.ui.deleteCheckpointButton.enabled


def test_a_checkpoint_that_came_on_disk_is_listed_when_the_user_comes_back(rig):
    widget = open_panel(rig, size=SMALL)
    widget.logic.adapt.store.keep("came", default_checkpoint(), {"pairs": 5})
    assert "came" not in labels(widget)
    widget.enter()
    assert "came" in labels(widget)


def test_a_stopped_training_can_be_used_and_deleted(rig, dialogs):
    widget = open_panel(rig, size=SMALL)
    folder = widget.logic.adapt.store.new_run("paused")
    for name in ("last.pt", "best.pt"):
        shutil.copyfile(default_checkpoint(), folder / name)
    nothing_yet = widget.logic.adapt.store.new_run("blank")
    shutil.copyfile(default_checkpoint(), nothing_yet / "last.pt")
    widget.enter()
    assert labels(widget)[-1] == "paused (unfinished)" and not any("blank" in label for label in labels(widget))
    assert widget.panel.state.checkpoint == default_checkpoint()
    widget.ui.checkpointComboBox.setCurrentIndex(len(labels(widget)) - 1)
    assert widget.panel.state.checkpoint == folder / "best.pt" and widget.ui.deleteCheckpointButton.enabled
    dialogs.answer(qt.QMessageBox.Yes)
    widget.ui.deleteCheckpointButton.click()
    assert not folder.exists() and "paused (unfinished)" not in labels(widget)
