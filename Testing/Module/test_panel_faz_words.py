"""What the panel says of the FAZ of a visit that is untouched, moved, kept and deleted; and of a sequence that is deleted."""

from __future__ import annotations

import slicer
from eye_in_scene import chosen_visits, put_results
from panel_helpers import SMALL, open_panel, settle, tooltip
from visit_files import PLACES, visit_folder

from MetaRegistrationLib.mrml import faz_curves


def measured_visits(rig, tmp_path):
    """The panel with two registered and measured visits, the first one shown."""
    opened = open_panel(rig, size=SMALL)
    chosen = chosen_visits(opened.logic.visits, visit_folder(tmp_path / "eye", tuple(PLACES)[:2]))
    put_results(opened, chosen, tmp_path / "out", measured=True)
    opened.panel.state.notify()
    settle(rig)
    return opened


def test_each_state_of_a_faz_has_its_words(rig, tmp_path):
    widget = measured_visits(rig, tmp_path)
    ui, nodes = widget.ui, widget.panel.visits.nodes
    name = widget.logic.visits.measures.shown_visit(nodes)
    curve = nodes.zone(name)
    assert "found by the program" in ui.fazLabel.text
    assert not ui.keepFazButton.enabled and "as the program found it" in tooltip(ui.keepFazButton)

    def move(step: float) -> None:
        position = [0.0, 0.0, 0.0]
        curve.GetNthControlPointPositionWorld(0, position)
        curve.SetNthControlPointPositionWorld(0, position[0] + step, position[1], position[2])
        rig.wait_until(lambda: "not kept yet" in ui.fazLabel.text, "for the FAZ to be measured again")

    move(0.01)
    ui.keepFazButton.click()
    assert ui.measuresStatusLabel.text.startswith("Kept in") and faz_curves.state_of(curve) == faz_curves.KEPT
    move(-0.01)
    assert ui.measuresStatusLabel.text == ""
    slicer.mrmlScene.RemoveNode(curve)
    settle(rig)
    assert ui.fazLabel.text.startswith(f"FAZ of {name}: the scene holds no outline of it.")
    assert not ui.keepFazButton.enabled and ui.drawFazButton.enabled
    ui.drawFazButton.click()
    settle(rig)
    assert ui.fazLabel.text == f"FAZ of {name}: its curve has fewer than three points."

    # A sequence that was deleted cannot be played.
    assert ui.playVisitsButton.enabled
    slicer.mrmlScene.RemoveNode(nodes["sequence"])
    settle(rig)
    assert not ui.playVisitsButton.enabled and "the sequence of visits (it was deleted)" in tooltip(ui.playVisitsButton)
