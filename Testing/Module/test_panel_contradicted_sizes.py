"""Pixel sizes that a registration contradicts: the panel warns of them, also after the scene was saved and opened."""

from __future__ import annotations

import pytest
import slicer
from panel_helpers import SMALL, choose_folder, click_row, open_panel, register, settle, small_folder
from test_panel_stages import choose_stages

from MetaRegistrationLib.stages import Stages

SAID = (
    "The registration contradicts the pixel sizes {} µm (moving) and 20 µm (fixed). With these sizes, the same tissue would"
    " be {} times as large in the moving image as in the fixed one. Check the pixel sizes."
)


@pytest.fixture
def registered(rig, tmp_path):
    """Registers a pair with these pixel sizes, µm, and gives the panel."""

    def run(moving_um: float):
        widget = open_panel(rig, size=SMALL)
        choose_folder(rig, widget, small_folder(tmp_path / "pairs", 1))
        click_row(rig, widget, 0)
        parameters = widget.panel.state.parameters
        for name in ("movingPoints", "fixedPoints"):
            slicer.mrmlScene.RemoveNode(getattr(parameters, name))
        for volume, size in ((parameters.movingVolume, moving_um), (parameters.fixedVolume, 20.0)):
            volume.SetSpacing(size / 1000, size / 1000, 1.0)
        choose_stages(widget, Stages("affine", False, 0))
        register(rig, widget)
        settle(rig)
        return widget

    return run


def warning(widget) -> str:
    assert widget.ui.alignmentWarningLabel.visible == bool(widget.ui.alignmentWarningLabel.text)
    return widget.ui.alignmentWarningLabel.text


def test_sizes_that_agree_give_no_warning(registered):
    widget = registered(20.0)
    assert widget.panel.register.registered and warning(widget) == ""


def test_sizes_that_are_contradicted_are_said_and_stay_with_the_scene(rig, registered, tmp_path):
    widget = registered(22.0)
    start, end = SAID.split("{} times")
    text = warning(widget)
    assert text.startswith(start.format(22)) and text.endswith(end)
    assert float(text.removeprefix(start.format(22)).split()[0]) == pytest.approx(1.1, abs=0.02)
    file = str(tmp_path / "scene.mrb")
    assert slicer.util.saveScene(file)
    slicer.mrmlScene.Clear(0)
    settle(rig)
    assert warning(widget) == ""
    slicer.util.loadScene(file)
    settle(rig, 0.3)
    assert warning(widget) == text
    widget.panel.state.parameters.movingVolume.SetSpacing(0.02, 0.02, 1.0)
    settle(rig)
    assert warning(widget) == "The moving volume has changed since the registration. Register again."
