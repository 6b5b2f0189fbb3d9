"""Another pair is loaded while one is registered, or has suggestions: each has its own."""

from __future__ import annotations

import pytest
from panel_helpers import SMALL, choose_folder, click_row, open_panel, settle, small_folder, table
from test_panel_stages import choose_stages

from MetaRegistrationLib.errors import InputError
from MetaRegistrationLib.panel.register_logic import RegisterLogic
from MetaRegistrationLib.stages import Stages

NAMES = "phantom_001 moving to phantom_001 fixed"


@pytest.fixture
def pair(rig, tmp_path):
    """The panel with two pairs, of which the first is chosen."""
    widget = open_panel(rig, size=SMALL)
    choose_folder(rig, widget, small_folder(tmp_path / "pairs", 2))
    click_row(rig, widget, 0)
    choose_stages(widget, Stages("translation", False, 0))
    return widget


def register_while_another_is_loaded(rig, widget) -> None:
    widget.ui.registerButton.click()
    click_row(rig, widget, 1)
    rig.wait_until(lambda: widget.ui.registerButton.text == "Register", "for the registration")
    settle(rig)


def test_a_result_belongs_to_the_pair_that_was_registered(rig, pair):
    ui, parameters = pair.ui, pair.panel.state.parameters
    register_while_another_is_loaded(rig, pair)
    assert parameters.movingVolume.GetName() == "phantom_002 moving" and parameters.transform is None
    assert parameters.movingVolume.GetTransformNodeID() is None
    assert ui.measuresLabel.text == ui.expectedErrorLabel.text == ui.alignmentWarningLabel.text == ""
    assert not pair.panel.register.registered and {row[2] for row in table(ui.distanceTable)} == {"–"}
    assert ui.registerStatusLabel.text.startswith(f"{NAMES}: Registered in ")
    click_row(rig, pair, 0)
    settle(rig)
    assert parameters.transform.GetName() == NAMES
    assert ui.measuresLabel.text.startswith("Similarity") and pair.panel.register.registered
    assert parameters.movingVolume.GetParentTransformNode() is parameters.transform
    ui.undoRegisterButton.click()
    settle(rig)
    assert parameters.transform is None and ui.measuresLabel.text == ""


def test_settings_that_are_changed_meanwhile_are_not_those_of_the_result(rig, pair):
    pair.ui.registerButton.click()
    choose_stages(pair, Stages("affine", False, 0))
    rig.wait_until(lambda: pair.ui.registerButton.text == "Register", "for the registration")
    assert "translation" in pair.ui.measuresLabel.text and not pair.panel.register.registered


def test_an_error_names_the_pair_that_it_is_of(rig, pair, monkeypatch):
    def refuse(self, request, moving, fixed):
        raise InputError("Nothing found.")

    monkeypatch.setattr(RegisterLogic, "_landmarks", refuse)
    register_while_another_is_loaded(rig, pair)
    assert pair.ui.registerStatusLabel.text == f"{NAMES}: Nothing found."


def test_suggestions_are_accepted_for_their_own_pair_alone(rig, pair):
    ui, parameters = pair.ui, pair.panel.state.parameters
    ui.suggestButton.click()
    settle(rig)
    suggested = pair.panel.landmarks._suggested
    click_row(rig, pair, 1)
    settle(rig)
    count = parameters.movingPoints.GetNumberOfControlPoints()
    assert not ui.acceptSuggestionsButton.enabled and not suggested.GetDisplayVisibility()
    ui.acceptSuggestionsButton.click()
    assert parameters.movingPoints.GetNumberOfControlPoints() == count
    click_row(rig, pair, 0)
    settle(rig)
    assert suggested.GetDisplayVisibility()
    count, more = parameters.movingPoints.GetNumberOfControlPoints(), suggested.GetNumberOfControlPoints()
    ui.acceptSuggestionsButton.click()
    settle(rig)
    assert parameters.movingPoints.GetNumberOfControlPoints() == count + more
