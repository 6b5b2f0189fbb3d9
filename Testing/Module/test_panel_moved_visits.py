"""Registered visits that are moved in the scene: nothing is measured from them, and the panel says which were moved."""

from __future__ import annotations

import numpy as np
import pytest
import slicer
from eye_in_scene import chosen_visits, finished, put_results, series_of_files
from panel_helpers import SMALL, open_panel, settle
from visit_files import visit_folder

from MetaRegistrationLib.errors import InputError
from MetaRegistrationLib.jobs.job import Job
from MetaRegistrationLib.mrml.visit_series import series_of
from MetaRegistrationLib.mrml.volumes import volume_from_image
from MetaRegistrationLib.panel.visits_input import VisitsRequest
from MetaRegistrationLib.stages import Stages
from MetaRegistrationLib.visits import average
from MetaRegistrationLib.visits.report import write_series

STEP = 0.04  # mm: two pixels


@pytest.fixture
def widget(rig):
    return open_panel(rig, size=SMALL)


@pytest.fixture
def chosen(widget, tmp_path):
    return chosen_visits(widget.logic.visits, visit_folder(tmp_path / "OD"))


@pytest.fixture
def eye(rig, widget, chosen, tmp_path):
    nodes = put_results(widget, chosen, tmp_path / "results")
    settle(rig)
    return nodes


def parent(*nodes):
    """A linear transform by two pixels above these nodes."""
    transform = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "parent")
    matrix = np.eye(4)
    matrix[0, 3] = STEP
    transform.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(matrix))
    for node in nodes:
        node.SetAndObserveTransformNodeID(transform.GetID())
    return transform


def shift(volume) -> None:
    origin = volume.GetOrigin()
    volume.SetOrigin(origin[0] + STEP, *origin[1:])


def rescale(volume) -> None:
    spacing = volume.GetSpacing()
    volume.SetSpacing(1.02 * spacing[0], 1.02 * spacing[1], spacing[2])


def edit(volume) -> None:
    pixels = slicer.util.arrayFromVolume(volume).copy()
    pixels[0, 20:60, 20:60] = 20
    slicer.util.updateVolumeFromArray(volume, pixels)


MOVED = {
    "the reference": ("2021", lambda eye: shift(eye.volume("2021"))),
    "a visit": ("2022", lambda eye: shift(eye.volume("2022"))),
    "a visit rescaled": ("2022", lambda eye: rescale(eye.volume("2022"))),
    "a visit edited": ("2022", lambda eye: edit(eye.volume("2022"))),
    "the reference edited": ("2021", lambda eye: edit(eye.volume("2021"))),
    "the reference under a transform": ("2021", lambda eye: parent(eye.volume("2021"))),
}


@pytest.mark.parametrize(
    "what",
    [
        "the reference",
        pytest.param("a visit", marks=pytest.mark.long),
        "a visit rescaled",
        "a visit edited",
        *(pytest.param(f"the reference {how}", marks=pytest.mark.long) for how in ("edited", "under a transform")),
    ],
)
def test_a_visit_that_was_moved_is_named_and_no_change_is_mapped(rig, widget, eye, what):
    ui, (name, move) = widget.ui, MOVED[what]
    assert not ui.visitsNoticeLabel.text
    ui.changeMapButton.click()
    assert "% of the" in ui.changeStatusLabel.text
    move(eye)
    settle(rig)
    notice = f"Moved, rescaled or edited since the registration: {name}. Register all visits again."
    assert ui.visitsNoticeLabel.text == notice and ui.visitsNoticeLabel.visible
    ui.changeMapButton.click()
    said = f"{name}: this visit was moved, rescaled or edited after the registration. Register all visits again."
    assert ui.changeStatusLabel.text == said


def test_a_volume_that_is_edited_while_it_is_registered_is_named(rig, widget, chosen, tmp_path, monkeypatch):
    monkeypatch.setattr(Job, "start", lambda self, arguments: None)
    logic, series = widget.logic.visits, series_of_files(chosen)
    volumes = [volume_from_image(entry.visit.image, entry.visit.name) for entry in series.visits]
    of_scene = logic.of_volumes(volumes)
    stages = Stages("translation", network=False, refine=0)
    request = VisitsRequest(of_scene, tmp_path / "out", "2021", None, "cpu", stages)
    logic.start(request, lambda event: None, lambda end: None)
    write_series(tmp_path / "out", series, average(series), {}, None)
    edit(volumes[1])
    assert logic.moved(finished(logic.load(of_scene, tmp_path / "out"))) == ["2022"]


def test_a_transform_of_a_visit_that_was_moved_is_named(rig, widget, eye):
    parent(eye.transform("2022"))
    settle(rig)
    assert "since the registration: 2022." in widget.ui.visitsNoticeLabel.text
    with pytest.raises(InputError, match="2022: the transform of this visit was moved"):
        series_of(eye)


def test_the_notice_goes_when_the_visit_is_moved_back(rig, widget, eye):
    volume = eye.volume("2022")
    origin = volume.GetOrigin()
    shift(volume)
    settle(rig)
    assert widget.ui.visitsNoticeLabel.text
    volume.SetOrigin(*origin)
    settle(rig)
    assert not widget.ui.visitsNoticeLabel.text and len(series_of(eye).visits) == 3


def test_visits_that_are_moved_together_keep_their_results(rig, widget, eye):
    before = series_of(eye).visits[1].positions
    parent(eye.volume("2021"), *filter(None, map(eye.transform, eye.aligned)))
    settle(rig)
    assert not widget.ui.visitsNoticeLabel.text
    assert np.allclose(series_of(eye).visits[1].positions, before, atol=1e-3)


def test_no_report_and_no_regions_are_computed_from_a_moved_visit(rig, widget, eye, tmp_path):
    logic = widget.logic.visits
    logic.change(eye, "2021", "2022")
    assert logic.measure_again(eye) is not None
    shift(eye.volume("2021"))
    with pytest.raises(InputError, match="2021: this visit was moved"):
        logic.measure_again(eye)
    with pytest.raises(InputError, match="2021: this visit was moved"):
        finished(logic.report(eye, tmp_path / "report.html"))


def test_results_of_an_earlier_version_say_not_where_the_visits_were(rig, widget, eye):
    for name in ("2022", "2023 été"):
        for side in ("Moving", "Fixed"):
            eye.transform(name).RemoveAttribute(f"MetaRegistration.{side}Geometry")
    shift(eye.volume("2022"))
    settle(rig)
    assert not widget.ui.visitsNoticeLabel.text and len(series_of(eye).visits) == 3


def test_what_was_said_under_the_map_goes_when_the_visit_is_moved_back(rig, widget, chosen, tmp_path):
    eye = put_results(widget, chosen, tmp_path / "results", measured=True)
    settle(rig)
    volume, ui = eye.volume("2021"), widget.ui
    ui.changeMapButton.click()
    before, spacing = ui.changeStatusLabel.text, volume.GetSpacing()
    rescale(volume)
    settle(rig)
    ui.changeMapButton.click()
    assert "moved, rescaled or edited" in ui.changeStatusLabel.text
    assert "centre" not in ui.measuresNoticeLabel.text, "nobody moved it"
    volume.SetSpacing(spacing)
    settle(rig)
    assert not ui.visitsNoticeLabel.text and ui.changeStatusLabel.text == before


@pytest.mark.parametrize("move", [shift, rescale, parent, edit], ids=["shift", "rescale", "parent", "edit"])
def test_visits_of_files_that_were_moved_or_edited_are_what_their_files_say_once_registered_again(
    rig, widget, chosen, eye, tmp_path, move
):
    before, pixels = series_of(eye).visits[1].positions, slicer.util.arrayFromVolume(eye.volume("2021")).copy()
    move(eye.volume("2021"))
    nodes = put_results(widget, chosen, tmp_path / "again")
    settle(rig)
    assert not widget.ui.visitsNoticeLabel.text
    assert np.allclose(series_of(nodes).visits[1].positions, before, atol=1e-3)
    assert np.array_equal(slicer.util.arrayFromVolume(nodes.volume("2021")), pixels)
