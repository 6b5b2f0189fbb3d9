"""A volume under the result of other volumes: it is not registered as if it were elsewhere than the views show it."""

from __future__ import annotations

import pytest
import slicer
from panel_helpers import (
    SMALL,
    choose_folder,
    click_row,
    node_names,
    noise_volume,
    open_panel,
    register,
    settle,
    small_folder,
)
from test_panel_stages import choose_stages

from MetaRegistrationLib.stages import Stages


@pytest.fixture
def registered(rig, tmp_path):
    """The panel with a registered pair."""
    widget = open_panel(rig, size=SMALL)
    choose_folder(rig, widget, small_folder(tmp_path / "pairs", 1))
    click_row(rig, widget, 0)
    choose_stages(widget, Stages("translation", False, 0))
    for name in ("movingPoints", "fixedPoints"):
        slicer.mrmlScene.RemoveNode(getattr(widget.panel.state.parameters, name))
    register(rig, widget)
    settle(rig)
    return widget


def choose(rig, widget, moving, fixed) -> None:
    widget.ui.movingVolumeSelector.setCurrentNode(moving)
    widget.ui.fixedVolumeSelector.setCurrentNode(fixed)
    settle(rig)


def refused(volume, transform) -> str:
    return f"{volume.GetName()}: the volume is under the transform {transform.GetName()}, which is not linear."


def test_a_swapped_pair_is_refused_while_the_new_fixed_volume_is_under_the_result(rig, registered):
    ui, parameters = registered.ui, registered.panel.state.parameters
    moving, fixed, transform = parameters.movingVolume, parameters.fixedVolume, parameters.transform
    choose(rig, registered, fixed, moving)
    nodes = node_names()
    register(rig, registered)
    assert refused(moving, transform) in ui.registerStatusLabel.text and not registered.panel.register.registered
    assert node_names() == nodes and moving.GetParentTransformNode() is transform
    moving.SetAndObserveTransformNodeID(None)
    register(rig, registered)
    assert ui.registerStatusLabel.text.startswith("Registered")
    assert fixed.GetParentTransformNode() is parameters.transform is not transform
    assert moving.GetParentTransformNode() is None


def test_a_moving_volume_under_the_result_of_another_fixed_one_is_refused_at_once(rig, registered):
    parameters = registered.panel.state.parameters
    moving, transform = parameters.movingVolume, parameters.transform
    other = noise_volume("other")
    choose(rig, registered, moving, other)
    registered.ui.transformSelector.setCurrentNode(transform)
    settle(rig)
    register(rig, registered)
    assert refused(moving, transform) in registered.ui.registerStatusLabel.text


def test_a_moving_volume_under_its_own_result_is_registered_again(rig, registered):
    parameters = registered.panel.state.parameters
    transform = parameters.transform
    register(rig, registered)
    assert registered.ui.registerStatusLabel.text.startswith("Registered") and parameters.transform is transform
