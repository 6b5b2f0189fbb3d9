"""What the section Visits shows belongs to the visits that are chosen: while they are registered, and when the choice changes."""

from __future__ import annotations

import pytest
from eye_in_scene import SPACING_UM, put_results
from fake_logic import FakeJob
from panel_helpers import SMALL, open_panel, register_simply, table
from test_panel_visits import choose, nodes_of, register_all
from visit_files import PLACES, visit_folder

TWO = tuple(PLACES)[:2]
CHOICES = (
    "visitsFolderPathLineEdit",
    "visitsEyeComboBox",
    "visitVolumesSelector",
    "visitsSpacingSpinBox",
    "visitsReferenceComboBox",
    "visitsDatesComboBox",
    "regionsSelector",
    "axialLengthSpinBox",
    "deviceAxialLengthSpinBox",
    "visitsOutputPathLineEdit",
    "changeSideComboBox",
)


@pytest.fixture
def widget(rig):
    return open_panel(rig, size=SMALL)


@pytest.fixture
def jobs(widget, monkeypatch):
    """Jobs that the test ends, in place of child processes."""
    started: list[FakeJob] = []

    def start(request, on_event, on_end):
        started.append(FakeJob(request, on_event, on_end))
        return started[-1]

    monkeypatch.setattr(widget.panel.visits._logic, "start", start)
    return started


def two_eyes(folder):
    for eye in ("OD", "OS"):
        visit_folder(folder / eye, TWO)
    return folder


def read(rig, widget) -> None:
    rig.wait_until(lambda: not widget.panel.visits.running, "for the visits to be read")


def pick(rig, box, index: int) -> None:
    """Pick an entry of a list."""
    box.setCurrentIndex(index)
    box.activated.emit(index)
    rig.process_events()


def locked(ui) -> set[str]:
    return {name for name in CHOICES if not getattr(ui, name).enabled}


def test_the_choice_is_locked_while_its_visits_are_registered(rig, widget, jobs, tmp_path):
    ui = widget.ui
    choose(rig, widget, two_eyes(tmp_path / "eyes"), tmp_path / "out")
    assert locked(ui) == set()
    ui.registerVisitsButton.click()
    assert locked(ui) == set(CHOICES) and ui.registerVisitsButton.enabled
    assert "locked until the registration ends" in ui.visitsBlockedLabel.text
    jobs[-1].end("cancelled", "Cancelled.")
    assert locked(ui) == set() and ui.visitsBlockedLabel.text == "" and ui.registerVisitsButton.enabled
    ui.registerVisitsButton.click()
    widget.panel.close()
    assert locked(ui) == set()


def test_results_of_another_eye_than_the_chosen_one_are_not_shown(rig, widget, jobs, tmp_path):
    ui = widget.ui
    choose(rig, widget, two_eyes(tmp_path / "eyes"), tmp_path / "out")
    ui.registerVisitsButton.click()
    pick(rig, ui.visitsEyeComboBox, 1)  # no user can: the list is locked
    jobs[-1].end("finished", "Finished.")
    read(rig, widget)
    assert nodes_of(widget) is None
    assert f"The results of OD are in {tmp_path / 'out'}" in ui.visitsStatusLabel.text
    assert "2 visits of OS" in ui.visitsStatusLabel.text
    ui.registerVisitsButton.click()
    assert jobs[-1].request.chosen.name == "OS"


def test_results_of_another_folder_than_the_chosen_one_are_not_shown(rig, widget, jobs, tmp_path):
    visit_folder(tmp_path / "Berta", TWO)
    choose(rig, widget, visit_folder(tmp_path / "Anna", TWO), tmp_path / "out")
    widget.ui.registerVisitsButton.click()
    rig.dialogs.answer(tmp_path / "Berta")
    widget.ui.visitsFolderPathLineEdit.browse()
    jobs[-1].end("finished", "Finished.")
    read(rig, widget)
    assert nodes_of(widget) is None and [row[3] for row in table(widget.ui.visitsTable)] == ["–", "–"]
    assert "The results of Anna are in" in widget.ui.visitsStatusLabel.text


def test_a_choice_that_changes_while_results_are_loaded_does_not_get_them(rig, widget, tmp_path):
    register_simply(widget)
    visit_folder(tmp_path / "Berta", TWO)
    choose(rig, widget, visit_folder(tmp_path / "Anna", TWO), tmp_path / "out")
    widget.ui.registerVisitsButton.click()
    rig.wait_until(lambda: widget.panel.visits._job is None, "for the child")
    assert widget.panel.visits.running, "the results are being loaded"
    rig.dialogs.answer(tmp_path / "Berta")
    widget.ui.visitsFolderPathLineEdit.browse()
    read(rig, widget)
    assert nodes_of(widget) is None and locked(widget.ui) == set()
    assert "The results of Anna are in" in widget.ui.visitsStatusLabel.text
    widget.ui.visitsOutputPathLineEdit.currentPath = str(tmp_path / "of Berta")
    register_all(rig, widget)
    assert nodes_of(widget).name == "Berta"


def test_what_was_said_on_one_eye_does_not_stay_under_the_other(rig, widget, tmp_path):
    ui = widget.ui
    choose(rig, widget, two_eyes(tmp_path / "eyes"), tmp_path / "out")
    ui.visitsSpacingSpinBox.value = SPACING_UM
    read(rig, widget)
    put_results(widget, widget.panel.visits._chosen, tmp_path / "results")
    ui.changeMapButton.click()
    ui.drawFazButton.click()
    assert ui.changeStatusLabel.text.startswith("From 2021 to 2022") and ui.measuresStatusLabel.text
    pick(rig, ui.visitsEyeComboBox, 1)
    read(rig, widget)
    assert ui.changeStatusLabel.text == ui.measuresStatusLabel.text == ""
