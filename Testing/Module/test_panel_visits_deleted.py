"""Nodes of registered visits that are deleted by hand: the others stay what they are, and the panel says what is missing."""

from __future__ import annotations

import logging

import pytest
import slicer
from eye_in_scene import chosen_visits, put_results
from panel_helpers import SMALL, open_panel, settle, table
from visit_files import PLACES, visit_folder

from MetaRegistrationLib.mrml import visit_nodes
from MetaRegistrationLib.mrml.visit_nodes import VisitNodes

NAMES = list(PLACES)
FORMER = "MetaRegistration.visits.visit"


@pytest.fixture
def widget(rig):
    return open_panel(rig, size=SMALL)


@pytest.fixture
def eye(rig, widget, tmp_path):
    folder = visit_folder(tmp_path / "OD", landmarks=True)
    nodes = put_results(widget, chosen_visits(widget.logic.visits, folder), tmp_path / "results", measured=True)
    widget.panel.visits._say("3 of 3 visits on 2021.")
    settle(rig)
    return nodes


def delete(rig, *nodes) -> None:
    for node in nodes:
        slicer.mrmlScene.RemoveNode(node)
    settle(rig)


def names_of(nodes) -> dict:
    return {name: volume and volume.GetName() for name, volume in nodes.volumes.items()}


def test_deleting_one_visit_leaves_the_others_what_they_are(rig, widget, eye):
    ui = widget.ui
    delete(rig, eye.volumes["2022"])
    assert names_of(eye) == {"2021": "eye 2021", "2022": None, "2023 été": "eye 2023 été"}
    assert ui.visitsNoticeLabel.text == "No longer in the scene: 2022. Register all visits again."
    assert [row[-1].split(";")[0] for row in table(ui.visitsTable)[:2]] == ["reference", "no longer in the scene"]
    assert ui.visitsStatusLabel.text == ""
    ui.visitsTable.setCurrentCell(1, 0)
    widget.panel.visits.refresh()
    ui.visitPointsButton.click()
    assert "2022: the volume of this visit is no longer in the scene" in ui.visitsStatusLabel.text
    slicer.mrmlScene.RemoveNode(eye.volumes["2023 été"])
    rig.wait_until(lambda: "2022, 2023 été" in ui.visitsNoticeLabel.text, "for the notice")


def test_a_deleted_transform_of_a_visit_is_said(rig, widget, eye):
    delete(rig, eye.transform("2022"))
    said = "The transform is no longer in the scene: 2022. Register all visits again."
    assert widget.ui.visitsNoticeLabel.text == said
    delete(rig, eye.volumes["2022"])
    assert widget.ui.visitsNoticeLabel.text == "No longer in the scene: 2022. Register all visits again."


def test_a_deleted_reference_is_said_wherever_it_is_needed(rig, widget, eye, caplog):
    ui = widget.ui
    gone = "2021: the volume of this visit is no longer in the scene. Register the visits again"
    with caplog.at_level(logging.ERROR):
        delete(rig, eye.volumes["2021"])
        assert gone in ui.fazLabel.text and not ui.keepFazButton.enabled
        ui.changeMapButton.click()
        assert gone in ui.changeStatusLabel.text
        ui.drawFazButton.click()
        assert gone in ui.measuresStatusLabel.text
    assert "No longer in the scene: 2021." in ui.visitsNoticeLabel.text and ui.visitsStatusLabel.text == ""
    assert not caplog.records, "nothing unexpected"


def test_a_deleted_table_of_consistency_is_named(rig, widget, eye):
    delete(rig, eye["consistency"])
    widget.ui.changeMapButton.click()
    assert "consistency is no longer in the scene. Register the visits again" in widget.ui.changeStatusLabel.text


def test_a_deleted_sequence_is_the_reason_why_no_faz_can_be_drawn(rig, widget, eye):
    ui = widget.ui
    assert ui.drawFazButton.enabled
    delete(rig, eye["browser"])
    for button in (ui.drawFazButton, ui.playVisitsButton):
        assert not button.enabled and "the sequence of visits (it was deleted)" in button.toolTip
    ui.visitsTable.cellClicked.emit(1, 0)
    assert "the sequence of visits (it was deleted)" in ui.visitsStatusLabel.text


def test_scenes_of_earlier_versions_have_their_visits(rig, widget, eye, tmp_path):
    """In one role, whose gaps MRML closes."""
    for number, volume in enumerate(eye.volumes.values()):
        eye[f"visit{number}"] = None
        eye.table.SetNthNodeReferenceID(FORMER, number, volume.GetID())
    path = str(tmp_path / "former.mrb")
    assert slicer.util.saveScene(path)
    slicer.mrmlScene.Clear(0)
    slicer.util.loadScene(path)
    settle(rig)
    nodes = VisitNodes(widget.panel.state.parameters.visitsTable)
    assert names_of(nodes) == {name: f"eye {name}" for name in NAMES}
    assert visit_nodes.transform_over(nodes.volumes["2022"]) is nodes.transform("2022")
    delete(rig, nodes.volumes["2022"])
    assert set(names_of(nodes).values()) == {None}, "which of them is left cannot be told"


def test_a_refresh_reads_the_table_of_visits_a_few_times(rig, widget, eye, monkeypatch):
    read, count = visit_nodes.table_rows, []
    monkeypatch.setattr(visit_nodes, "table_rows", lambda node: count.append(node is eye.table) or read(node))
    widget.panel.visits.refresh()
    assert 0 < sum(count) <= 8
