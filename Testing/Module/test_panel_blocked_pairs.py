"""What cannot be registered is said before the click: empty volumes, one volume twice, folders that are not where one thinks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import slicer
from fake_logic import FakeJob
from panel_helpers import (
    SMALL,
    choose_folder,
    noise_volume,
    open_panel,
    register,
    register_simply,
    settle,
    small_folder,
)

from MetaRegistrationLib.panel.stage_choices import stages_in_words
from MetaRegistrationLib.stages import Stages


@pytest.fixture
def widget(rig):
    opened = open_panel(rig, size=SMALL)
    register_simply(opened)
    return opened


def choose(rig, widget, moving, fixed) -> str:
    """Choose two volumes; what blocks the registration."""
    widget.ui.movingVolumeSelector.setCurrentNode(moving)
    widget.ui.fixedVolumeSelector.setCurrentNode(fixed)
    settle(rig)
    assert widget.ui.registerButton.enabled == (not widget.ui.registerBlockedLabel.text)
    return widget.ui.registerBlockedLabel.text


def test_an_empty_volume_or_one_volume_twice_is_said_beside_the_button(rig, widget):
    noise, other = noise_volume("noise"), noise_volume("other")
    empty = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "empty")
    assert choose(rig, widget, noise, other) == ""
    assert choose(rig, widget, empty, noise) == "Still missing: an image in the volume empty"
    assert choose(rig, widget, noise, empty) == "Still missing: an image in the volume empty"
    assert choose(rig, widget, noise, noise) == "Still missing: two different volumes"


def test_one_slice_along_another_axis_is_explained(rig, widget):
    image = np.random.default_rng(1).random((32, 32)).astype(np.float32)
    nodes = [noise_volume("moving"), noise_volume("fixed")]
    for axis, name in ((1, "second"), (2, "first")):
        slicer.util.updateVolumeFromArray(nodes[0], np.expand_dims(image, axis))
        choose(rig, widget, *nodes)
        register(rig, widget)
        said = widget.ui.registerStatusLabel.text
        assert "pixels are too few. The slices of a volume lie along its third axis" in said
        assert f"its only slice along the {name} one" in said


def test_a_results_folder_is_whole_and_home_is_expanded(rig, widget, monkeypatch, tmp_path):
    started: list[FakeJob] = []

    def start(request, on_event, on_end):
        started.append(FakeJob(request, on_event, on_end))
        return started[-1]

    monkeypatch.setattr(widget.panel.folder._logic, "start_folder", start)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    choose_folder(rig, widget, small_folder(tmp_path / "pairs", 1))
    line, button, blocked = (
        widget.ui.outputPathLineEdit,
        widget.ui.registerFolderButton,
        widget.ui.registerFolderBlockedLabel,
    )
    for relative in ("out", "./out", "~nobody-of-this-name/out"):
        line.currentPath = relative
        settle(rig)
        assert not button.enabled and f"whole path ({relative} is none)" in blocked.text, relative
        widget.ui.visitsOutputPathLineEdit.currentPath = relative
        settle(rig)
        assert f"whole path ({relative} is none)" in widget.ui.visitsBlockedLabel.text
    line.currentPath = "~/out"
    settle(rig)
    assert button.enabled and blocked.text == ""
    button.click()
    assert [job.request.output for job in started] == [tmp_path / "out"]
    assert not Path("~").exists()
    started[0].end("cancelled", "Cancelled.")


@pytest.mark.parametrize(("steps", "words"), [(30, "refinement (30 steps)"), (5, "refinement (5 steps)")])
def test_results_of_other_numbers_of_steps_have_other_texts(steps, words):
    assert stages_in_words(Stages("none", False, steps), with_steps=True) == words
