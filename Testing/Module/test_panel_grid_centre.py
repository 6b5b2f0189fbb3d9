"""The centre of the grid in the panel: what is said of a centre outside of its image goes with it."""

from __future__ import annotations

import pytest
import slicer
from eye_in_scene import chosen_visits, put_results
from panel_helpers import SMALL, open_panel, settle
from visit_files import visit_folder


@pytest.fixture
def widget(rig, tmp_path):
    """The panel with a change map."""
    widget = open_panel(rig, size=SMALL)
    put_results(widget, chosen_visits(widget.logic.visits, visit_folder(tmp_path / "OD")), tmp_path / "results")
    settle(rig)
    widget.ui.changeMapButton.click()
    assert "From 2021 to" in widget.ui.changeStatusLabel.text
    return widget


def move_outside(rig, widget) -> None:
    centre = widget.panel.change.nodes["centre"]
    centre.SetNthControlPointPositionWorld(0, 500.0, 500.0, 0.0)
    rig.wait_until(lambda: "is outside its image" in widget.ui.changeStatusLabel.text, "for the message")


DELETED = {
    "the point": lambda node: node.RemoveNthControlPoint(0),
    "the list": lambda node: slicer.mrmlScene.RemoveNode(node),
}


@pytest.mark.parametrize("what", DELETED)
def test_a_deleted_centre_is_no_longer_called_outside(rig, widget, what):
    ui, before = widget.ui, widget.ui.changeStatusLabel.text
    move_outside(rig, widget)
    DELETED[what](widget.panel.change.nodes["centre"])
    rig.wait_until(lambda: "outside" not in ui.changeStatusLabel.text, "for the message to go")
    assert ui.changeStatusLabel.text == before


def test_a_centre_that_is_moved_back_is_no_longer_called_outside(rig, widget):
    ui, centre = widget.ui, widget.panel.change.nodes["centre"]
    before, place = ui.changeStatusLabel.text, [0.0] * 3
    centre.GetNthControlPointPositionWorld(0, place)
    move_outside(rig, widget)
    centre.SetNthControlPointPositionWorld(0, *place)
    rig.wait_until(lambda: "outside" not in ui.changeStatusLabel.text, "for the message to go")
    assert ui.changeStatusLabel.text == before
