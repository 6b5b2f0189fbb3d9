"""What the section Visits shows belongs to the visits that are chosen: while they are registered, and when the choice changes."""

from __future__ import annotations

import shutil
from dataclasses import replace

import numpy as np
import pytest
import slicer
from eye_in_scene import SPACING_UM, put_results, series_of_files
from fake_logic import FakeJob
from panel_helpers import SMALL, open_panel, register_simply, settle, table
from test_panel_visits import choose, nodes_of, register_all
from visit_files import PLACES, SIDE, visit, visit_folder

from MetaRegistrationLib.core.geometry import Geometry
from MetaRegistrationLib.formats.image_writing import write_image
from MetaRegistrationLib.formats.tables import write_table
from MetaRegistrationLib.visits import average
from MetaRegistrationLib.visits.report import write_series
from MetaRegistrationLib.visits.trust import Exclusion, Reason
from MetaRegistrationLib.workflows.visit_messages import report_series

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


def test_a_side_that_is_chosen_before_the_registration_is_registered_with(rig, widget, jobs, tmp_path):
    choose(rig, widget, two_eyes(tmp_path / "eyes"), tmp_path / "out")
    pick(rig, widget.ui.changeSideComboBox, 1)
    widget.panel.state.notify()
    assert widget.ui.changeSideComboBox.currentText == "right eye"
    widget.ui.registerVisitsButton.click()
    (job,) = jobs
    assert job.request.side == "right" and widget.ui.changeSideComboBox.currentText == "right eye"
    job.end("cancelled", "Cancelled.")
    read(rig, widget)
    pick(rig, widget.ui.visitsReferenceComboBox, 1)
    pick(rig, widget.ui.visitsEyeComboBox, 0)
    read(rig, widget)
    assert widget.ui.changeSideComboBox.currentText == "right eye", "the same eye once more"
    assert widget.panel.state.parameters.visitsReference
    pick(rig, widget.ui.visitsEyeComboBox, 1)
    read(rig, widget)
    assert not widget.panel.state.parameters.visitsReference
    assert widget.ui.changeSideComboBox.currentText == "unknown: left and right", "that was the other eye"


def test_visits_that_are_left_out_are_counted_and_the_button_that_uses_them_is_named(rig, widget, jobs, tmp_path):
    choose(rig, widget, visit_folder(tmp_path / "eye", TWO), tmp_path / "out")
    widget.ui.registerVisitsButton.click()
    series = series_of_files(jobs[0].request.chosen)
    series = replace(series, excluded={"2022": Exclusion(Reason.LOW_QUALITY)})
    write_series(tmp_path / "out", series, average(series), {}, None)
    told: list = []
    report_series(series, told.append)
    for message in told:
        jobs[0].on_event(message.to_dict())
    jobs[0].end("finished", "Done.")
    read(rig, widget)
    said = widget.ui.visitsStatusLabel.text
    assert "2 of 2 visits on 2021." in said and "Left out of average and change: 1." in said
    assert "(“Use all the same” for 2022 uses it)" in said


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
    put_results(widget, widget.panel.visits.choice.chosen, tmp_path / "results")
    ui.changeMapButton.click()
    ui.drawFazButton.click()
    assert ui.changeStatusLabel.text.startswith("From 2021 to 2022") and ui.measuresStatusLabel.text
    pick(rig, ui.visitsEyeComboBox, 1)
    read(rig, widget)
    assert ui.changeStatusLabel.text == ui.measuresStatusLabel.text == ""


def dated(folder):
    """Two visits with dates of two meanings: the first is of March or of April, the second of February or of May."""
    folder.mkdir()
    for name, of in zip(("04.03.2021", "05.02.2021"), TWO, strict=True):
        write_image(folder / f"{name}.png", visit(of).astype(np.uint8), Geometry((SIDE, SIDE)))
    return folder


def test_dates_that_are_corrected_reach_the_table_and_the_order(rig, widget, tmp_path):
    ui = widget.ui
    choose(rig, widget, dated(tmp_path / "eye"), tmp_path / "out")
    register_simply(widget)
    pick(rig, ui.visitsDatesComboBox, 1)
    read(rig, widget)
    register_all(rig, widget)
    registered = [["05.02.2021", "2021-02-05"], ["04.03.2021", "2021-03-04"]]
    assert [row[:2] for row in table(ui.visitsTable)] == registered and ui.visitsNoticeLabel.text == ""
    pick(rig, ui.visitsDatesComboBox, 2)
    read(rig, widget)
    assert [row[:2] for row in table(ui.visitsTable)] == [["04.03.2021", "2021-04-03"], ["05.02.2021", "2021-05-02"]]
    assert nodes_of(widget) is None and not ui.changeMapButton.enabled
    text = "with other visits or dates: 05.02.2021 (2021-02-05), 04.03.2021 (2021-03-04). Register all visits again."
    assert ui.visitsNoticeLabel.text.endswith(text)
    pick(rig, ui.visitsDatesComboBox, 1)
    read(rig, widget)
    assert [row[:2] for row in table(ui.visitsTable)] == registered and ui.visitsNoticeLabel.text == ""


def test_a_new_visit_of_the_folder_reaches_the_table(rig, widget, tmp_path):
    ui, folder = widget.ui, visit_folder(tmp_path / "eye", TWO)
    choose(rig, widget, folder, tmp_path / "out")
    put_results(widget, widget.panel.visits.choice.chosen, tmp_path / "results")
    shutil.copyfile(folder / "2022.png", folder / "2024.png")
    ui.visitsFolderPathLineEdit.currentPath = ""
    choose(rig, widget, folder)
    assert [row[0] for row in table(ui.visitsTable)] == ["2021", "2022", "2024"]
    assert ui.visitsNoticeLabel.text.startswith("Registered before with other visits or dates: 2021, 2022.")
    (folder / "2024.png").unlink()
    ui.visitsFolderPathLineEdit.currentPath = ""
    choose(rig, widget, folder)
    assert nodes_of(widget) is not None and ui.visitsNoticeLabel.text == ""


@pytest.mark.parametrize("corrected", [False, True])
def test_a_saved_scene_whose_folder_has_changed_says_so(rig, widget, tmp_path, corrected):
    """Its results stay as long as the dates of their visits are those of the folder."""
    folder, path = visit_folder(tmp_path / "eye", TWO), str(tmp_path / "eye.mrb")
    choose(rig, widget, folder, tmp_path / "out")
    put_results(widget, widget.panel.visits.choice.chosen, tmp_path / "results")
    assert slicer.util.saveScene(path)
    slicer.mrmlScene.Clear(0)
    dates = [["2021.png", "2021", "2021-05-01"], ["2022.png", "2022", "2022-05-01"]]
    if corrected:
        write_table(folder / "visits.csv", ("image", "visit", "date"), dates)
    else:
        shutil.copyfile(folder / "2022.png", folder / "2024.png")
    slicer.util.loadScene(path)
    settle(rig)
    read(rig, widget)
    assert (nodes_of(widget) is None) == corrected
    if not corrected:
        assert [row[0] for row in table(widget.ui.visitsTable)] == list(TWO)
        assert "other visits or dates: 2021, 2022." in widget.ui.visitsNoticeLabel.text
