"""Sections that are done fold once a pair is registered; what the user folded or opened stays."""

from __future__ import annotations

import numpy as np
import pytest
from panel_helpers import SMALL, choose_folder, click_row, open_panel, register, settle, small_folder
from test_panel_stages import choose_stages

from MetaRegistrationLib.stages import Stages


@pytest.fixture
def widget(rig, tmp_path):
    widget = open_panel(rig, size=SMALL)
    choose_folder(rig, widget, small_folder(tmp_path / "pairs", 1))
    click_row(rig, widget, 0)
    choose_stages(widget, Stages("translation", False, 0))
    return widget


def collapsed(widget) -> dict[str, bool]:
    names = ("pairs", "adapt", "register", "landmarks", "visits")
    return {name: getattr(widget.ui, f"{name}CollapsibleButton").collapsed for name in names}


def test_after_a_registration_what_is_done_folds_and_landmarks_are_open(rig, widget):
    before = collapsed(widget)
    assert not before["pairs"] and before["adapt"] and before["landmarks"]
    register(rig, widget)
    settle(rig)
    assert collapsed(widget) == before | {"pairs": True, "adapt": True, "register": False, "landmarks": False}


def test_a_section_that_the_user_touched_stays(rig, widget):
    register(rig, widget)
    settle(rig)
    widget.ui.pairsCollapsibleButton.collapsed = False  # by hand
    widget.ui.landmarksCollapsibleButton.collapsed = True
    register(rig, widget)
    settle(rig)
    now = collapsed(widget)
    assert not now["pairs"] and now["landmarks"] and now["adapt"]


def test_a_registration_that_fails_folds_nothing(rig, widget):
    before = collapsed(widget)
    volume = widget.panel.state.parameters.movingVolume
    rig.slicer.util.updateVolumeFromArray(volume, np.full((1, 160, 160), np.nan, np.float32))
    register(rig, widget)
    settle(rig)
    assert collapsed(widget) == before and widget.ui.registerStatusLabel.text
