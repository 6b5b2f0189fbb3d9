"""The side, the centre of the grid and the axial length that visits were measured for, and those that are chosen now."""

from __future__ import annotations

import pytest
from eye_in_scene import SPACING_UM, put_results
from panel_helpers import SMALL, open_panel, register_simply, settle, table
from test_panel_measures import rows
from test_panel_visits import choose, nodes_of, register_all
from test_panel_visits_choice import pick, read
from visit_files import PLACES, visit_folder

from MetaRegistrationLib.eye_length import EyeLength
from MetaRegistrationLib.mrml.change_nodes import centre_of
from MetaRegistrationLib.mrml.measured_grid import measured_centre, moved_centre, other_centre
from MetaRegistrationLib.mrml.volumes import volume_geometry

AGAIN = "Register all measures again."
FOVEA = (100.0, 140.0)  # x and y in pixels of the reference


@pytest.fixture
def widget(rig):
    return open_panel(rig, size=SMALL)


@pytest.fixture
def eye(rig, widget, tmp_path):
    """Two registered visits with measures and a change map, of no known side."""
    choose(rig, widget, visit_folder(tmp_path / "eye", tuple(PLACES)[:2]), tmp_path / "out")
    widget.ui.visitsSpacingSpinBox.value = SPACING_UM
    read(rig, widget)
    nodes = put_results(widget, widget.panel.visits.choice.chosen, tmp_path / "results", measured=True)
    widget.ui.changeMapButton.click()
    return nodes


def move_centre(nodes, xy) -> None:
    x, y = (SPACING_UM / 1000 * value for value in xy)
    nodes["centre"].SetNthControlPointPositionWorld(0, [-x, -y, 0.0])


def notice(widget) -> str:
    return widget.ui.measuresNoticeLabel.text


def regions(widget) -> set[str]:
    return {row[2] for row in table(widget.ui.measureChangesTable)}


def test_a_side_that_is_chosen_later_is_named_beside_the_measures(rig, widget, eye):
    assert notice(widget) == "" and "inner left" in regions(widget)
    pick(rig, widget.ui.changeSideComboBox, 1)
    assert "inner nasal" in {row[0] for row in table(widget.ui.regionsTable)} and "inner left" in regions(widget)
    assert notice(widget) == f"These measures are of an earlier choice of side (unknown: left and right). {AGAIN}"
    pick(rig, widget.ui.changeSideComboBox, 0)
    assert notice(widget) == ""


def test_a_centre_that_is_moved_later_is_named_beside_the_measures(rig, widget, eye):
    move_centre(eye, FOVEA)
    rig.wait_until(lambda: notice(widget) != "", "for the notice")
    assert notice(widget) == f"These measures are of an earlier choice of centre of the grid. {AGAIN}"
    move_centre(eye, measured_centre(eye))
    rig.wait_until(lambda: notice(widget) == "", "for the centre to be back")


def test_an_axial_length_that_is_entered_later_is_named_beside_the_measures(rig, widget, eye):
    widget.ui.axialLengthSpinBox.value = 26.0
    assert notice(widget) == f"These measures are of an earlier choice of axial length (none). {AGAIN}"
    widget.ui.axialLengthSpinBox.value = 0.0
    assert notice(widget) == ""
    for attribute, value in (("AxialLength", "25"), ("DeviceAxialLength", "24")):
        eye.attribute(attribute, value)
    widget.panel.state.notify()
    assert "axial length (25 mm, the device assumes 24 mm)" in notice(widget)


def test_register_all_measures_for_the_present_choice(rig, widget, eye, tmp_path):
    ui = widget.ui
    register_simply(widget)
    pick(rig, ui.changeSideComboBox, 2)
    move_centre(eye, FOVEA)
    ui.axialLengthSpinBox.value = 26.0
    rig.wait_until(lambda: "centre" in notice(widget) and "side" in notice(widget), "for the notice")
    ui.visitsReferenceComboBox.setCurrentIndex(1)
    register_all(rig, widget)
    settle(rig)
    nodes = nodes_of(widget)
    assert notice(widget) == "" and {"inner nasal", "inner temporal"} <= regions(widget)
    assert measured_centre(nodes) == pytest.approx(FOVEA, abs=0.6)
    assert ui.changeSideComboBox.currentText == "left eye" and nodes.eye_length == EyeLength(26.0)
    assert "inner_nasal" in {row["region"] for row in rows(tmp_path / "out" / "measurements.csv")}
    ui.changeMapButton.click()
    assert moved_centre(nodes) == pytest.approx(FOVEA, abs=0.6) and notice(widget) == ""


def test_a_centre_that_nobody_moved_is_suggested_again(rig, widget, eye, tmp_path):
    logic, chosen = widget.logic.visits, widget.panel.visits.choice.chosen
    assert logic.centre_choice(chosen) is None
    move_centre(eye, FOVEA)
    visit, centre = logic.centre_choice(chosen)
    assert visit == "2021" and centre == pytest.approx(FOVEA)
    again = put_results(widget, chosen, tmp_path / "again")
    assert moved_centre(again) == pytest.approx(FOVEA), (
        "that it was moved is known after the visits are registered again"
    )


def test_a_side_against_the_files_is_refused(rig, widget, tmp_path):
    ui = widget.ui
    choose(rig, widget, visit_folder(tmp_path / "OD", tuple(PLACES)[:2]), tmp_path / "out")
    put_results(widget, widget.panel.visits.choice.chosen, tmp_path / "results")
    pick(rig, ui.changeSideComboBox, 2)
    ui.registerVisitsButton.click()
    assert "Side is left eye, but the files of the visits or their names say right eye" in ui.visitsStatusLabel.text
    assert not widget.panel.visits.running


@pytest.mark.parametrize("moved", [False, True])
def test_a_centre_on_another_reference_is_where_the_visits_are_measured(rig, widget, eye, tmp_path, moved):
    if moved:
        move_centre(eye, FOVEA)
    chosen = widget.panel.visits.choice.chosen
    again = put_results(widget, chosen, tmp_path / "again", reference=1, centre_xy=[90.0, 80.0])
    assert again.reference == "2022" and centre_of(again, volume_geometry(again.volume("2022")))[0] == pytest.approx(
        (90, 80)
    )
    assert not other_centre(again) and (moved_centre(again) is not None) == moved
