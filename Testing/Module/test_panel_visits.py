"""The section Visits: from a folder, or loaded volumes, to average, change map and report; and what stands in its way."""

from __future__ import annotations

import tempfile
import time

import numpy as np
import pytest
import slicer
from panel_helpers import SMALL, cancel, node_names, noise_volume, open_panel, register_simply, settle, table, wide
from visit_files import LOST, PLACES, SIDE, visit, visit_folder

from MetaRegistrationLib.core.geometry import Geometry
from MetaRegistrationLib.formats.image_writing import write_image
from MetaRegistrationLib.formats.images import Image
from MetaRegistrationLib.formats.tables import write_table
from MetaRegistrationLib.mrml import visit_nodes, visit_sequence
from MetaRegistrationLib.mrml.visit_series import series_of
from MetaRegistrationLib.mrml.volumes import volume_from_image

NAMES = list(PLACES)


@pytest.fixture
def widget(rig, request):
    opened = open_panel(rig, size=getattr(request, "param", SMALL))
    for name in ("pairs", "adapt", "register", "landmarks", "visits"):
        getattr(opened.ui, f"{name}CollapsibleButton").collapsed = name != "visits"
    return opened


def choose(rig, widget, folder, output=None) -> None:
    """Choose a folder of visits with the button beside the line, and wait until it is read."""
    rig.dialogs.answer(folder)
    widget.ui.visitsFolderPathLineEdit.browse()
    if output is not None:
        widget.ui.visitsOutputPathLineEdit.currentPath = str(output)
    section = widget.panel.visits
    rig.wait_until(lambda: not section.running, "for the visits to be read")


def register_all(rig, widget) -> None:
    """Click on Register all, and wait until the results are in the scene."""
    assert widget.ui.registerVisitsButton.enabled, widget.ui.registerVisitsButton.toolTip
    widget.ui.registerVisitsButton.click()
    assert widget.ui.registerVisitsButton.text == "Cancel"
    rig.wait_until(lambda: not widget.panel.visits.running, "for the visits")


def nodes_of(widget):
    return widget.panel.visits.nodes


def shown(nodes) -> np.ndarray:
    return slicer.util.arrayFromVolume(nodes["shown"])[0]


def number(text: str) -> float:
    return float(text.split()[0])


@wide
def test_story_from_folder_to_report(rig, dialogs, widget, tmp_path):
    ui = widget.ui
    choose(rig, widget, visit_folder(tmp_path / "Ma clinique", landmarks=True), tmp_path / "results")
    rows = table(ui.visitsTable)
    assert [row[0] for row in rows] == NAMES and rows[0][1] == "2021-05-01" and float(rows[0][2]) > 0
    assert rows[0][3:6] == ["–", "–", "–"] and "3 visits" in ui.visitsStatusLabel.text
    assert not ui.changeMapButton.enabled and not ui.saveVisitsReportButton.enabled
    ui.refinementStepsSpinBox.value = 5
    ui.visitsSpacingSpinBox.value = 20.0
    rig.wait_until(lambda: not widget.panel.visits.running)
    ui.visitsReferenceComboBox.setCurrentIndex(1)

    # Register all.
    register_all(rig, widget)
    nodes = nodes_of(widget)
    assert ui.visitsStatusLabel.text.startswith("3 of 3 visits on 2021."), ui.visitsStatusLabel.text
    rows = table(ui.visitsTable)
    assert rows[0][6] == "reference" and rows[0][4] == "–"
    assert all(number(row[3]) > 70 and float(row[4]) > 0.5 and float(row[5]) < 2.0 for row in rows[1:]), rows
    assert (tmp_path / "results" / "report.html").is_file()
    for name in NAMES[1:]:
        volume = nodes.volumes[name]
        transform = volume.GetParentTransformNode()
        assert transform is nodes.transform(name) and transform.IsA("vtkMRMLGridTransformNode")
        assert transform.GetNodeReference(transform.GetFixedNodeReferenceRole()) is nodes.volumes["2021"]
    assert slicer.util.arrayFromVolume(nodes["average"]).shape == (1, SIDE, SIDE)
    settle(rig)
    rig.screenshot_window("visits_1_registered", (1500, 900))

    # The sequence: one browser, whose play button goes through the visits.
    browser, sequence = nodes["browser"], nodes["sequence"]
    assert sequence.GetIndexName() == "visit" and browser.GetNumberOfItems() == 3
    assert [sequence.GetNthIndexValue(item) for item in range(3)] == NAMES
    first = shown(nodes).copy()
    browser.SelectNextItem()
    second = shown(nodes).copy()
    inside = (slice(40, -40), slice(40, -40))
    assert np.abs(first - second)[inside].max() > 0
    assert np.corrcoef(first[inside].ravel(), second[inside].ravel())[0, 1] > 0.8, "aligned"
    ui.playVisitsButton.click()
    assert browser.GetPlaybackActive() and ui.playVisitsButton.checked
    logic = slicer.modules.sequences.logic()
    before = browser.GetSelectedItemNumber()
    logic.UpdateAllProxyNodes()  # Slicer's timer does it
    time.sleep(0.6)
    logic.UpdateAllProxyNodes()
    assert browser.GetSelectedItemNumber() != before
    ui.playVisitsButton.click()
    assert not browser.GetPlaybackActive()
    ui.visitsTable.cellClicked.emit(0, 0)
    assert np.array_equal(shown(nodes), first)

    # What changed.
    assert (ui.changeEarlierComboBox.currentText, ui.changeLaterComboBox.currentText) == ("2021", "2023 été")
    ui.changeMapButton.click()
    settle(rig)
    assert nodes["change"] is not None, ui.changeStatusLabel.text
    z = slicer.util.arrayFromVolume(nodes["change"])[0]
    rows_of, columns_of = np.indices(z.shape)
    lost = np.hypot(rows_of - (LOST[0] - 30), columns_of - (LOST[1] - 30)) < 12
    assert z[lost].mean() < -2 < np.nanmedian(z[~lost]) and np.isnan(z).any()
    assert "For research" in ui.changeMeaningLabel.text and "no diagnosis" in ui.changeMeaningLabel.text
    assert ui.changeStatusLabel.text.startswith("From 2021 to 2023 été: vessel density decreased on")
    regions = table(ui.regionsTable)
    assert [row[0] for row in regions][::9] == ["centre", "whole image"] and regions[0][1].endswith("mm²")
    assert nodes["regions"].GetTable().GetNumberOfRows() == len(regions)
    display = nodes["change"].GetDisplayNode()
    assert display.GetColorNode() is nodes["colours"] and display.GetApplyThreshold()
    less, none, more = np.zeros(4), np.zeros(4), np.zeros(4)
    for entry, colour in ((0, less), (128, none), (255, more)):
        nodes["colours"].GetColor(entry, colour)
    assert less[2] > less[0] and more[0] > more[2] and (less[3], none[3], more[3]) == (1.0, 1.0, 1.0)
    rig.screenshot_window("visits_2_change", (1500, 900))

    # The centre can be moved, and the regions follow.
    nodes["centre"].SetNthControlPointPositionWorld(0, [-0.02 * (LOST[1] - 30), -0.02 * (LOST[0] - 30), 0.0])
    rig.wait_until(lambda: table(ui.regionsTable) != regions, "for the regions")
    moved = table(ui.regionsTable)
    assert float(moved[0][2]) < -2 and moved[-1] == regions[-1]
    ui.changeSideComboBox.setCurrentIndex(1)
    ui.changeSideComboBox.activated.emit(1)
    assert any(row[0] == "inner nasal" for row in table(ui.regionsTable))

    # Landmarks that are placed or moved are measured at once.
    points = slicer.util.getNode("eye 2022 points")
    assert points.GetParentTransformNode() is nodes.transform("2022")
    points.SetNthControlPointPosition(0, [0.0, 0.0, 0.0])
    rig.wait_until(lambda: float(table(ui.visitsTable)[1][5]) > 10, "for the distances")

    # Report.
    dialogs.answer(tmp_path / "my report.html")
    ui.saveVisitsReportButton.click()
    rig.wait_until(lambda: ui.changeStatusLabel.text.startswith("Saved"), "for the report")
    page = (tmp_path / "my report.html").read_text(encoding="utf-8")
    for part in ("2023 été", "inner nasal", "chosen", "For research", "Circles of 1, 3 and 6 mm"):
        assert part in page, part

    # Save the scene, reload it, and go on.
    before = {box: table(getattr(ui, box)) for box in ("visitsTable", "regionsTable")}
    names = {text.split(" vtkMRML")[0] for text in node_names()}
    path = str(tmp_path / "visits.mrb")
    browser.SelectNextItem()
    kept = shown(nodes).copy()
    assert slicer.util.saveScene(path)
    slicer.mrmlScene.Clear(0)
    settle(rig)
    assert nodes_of(widget) is None and table(ui.visitsTable) == [] and not ui.changeMapButton.enabled
    slicer.util.loadScene(path)
    settle(rig, 0.4)
    rig.wait_until(lambda: not widget.panel.visits.running)
    assert ui.registerVisitsButton.enabled, ui.registerVisitsButton.toolTip
    nodes = nodes_of(widget)
    assert {box: table(getattr(ui, box)) for box in before} == before
    assert {text.split(" vtkMRML")[0] for text in node_names()} >= names - {""}
    assert np.array_equal(shown(nodes), kept)
    assert np.array_equal(slicer.util.arrayFromVolume(nodes["change"])[0], z, equal_nan=True)
    assert (
        nodes["browser"].GetNumberOfItems() == 3 and nodes["browser"].GetProxyNode(nodes["sequence"]) is nodes["shown"]
    )
    assert nodes["change"].GetDisplayNode().GetColorNode() is nodes["colours"]
    ui.visitsTable.cellClicked.emit(0, 0)
    assert np.array_equal(shown(nodes), first)
    assert (ui.changeEarlierComboBox.currentText, ui.changeLaterComboBox.currentText) == ("2021", "2023 été")
    nodes["centre"].SetNthControlPointPositionWorld(0, [-0.02 * 60, -0.02 * 60, 0.0])
    rig.wait_until(lambda: table(ui.regionsTable) != before["regionsTable"], "for the regions of the loaded scene")
    assert table(ui.regionsTable)[-1] == before["regionsTable"][-1]
    ui.showVisitsButton.click()
    settle(rig)
    rig.screenshot_window("visits_3_reloaded", (1500, 900))


def test_what_blocks_registering_is_said_beside_the_button(rig, widget, tmp_path):
    ui = widget.ui
    assert not ui.registerVisitsButton.enabled
    said = ui.visitsBlockedLabel
    assert said.text == "Still missing: a folder of visits, or checked volumes; a folder for the results"
    choose(rig, widget, visit_folder(tmp_path / "one", NAMES[:1]), tmp_path / "results")
    assert "one visit only" in said.text and not ui.registerVisitsButton.enabled and said.visible
    (tmp_path / "empty").mkdir()
    choose(rig, widget, tmp_path / "empty")
    assert "no images were found" in said.text
    (tmp_path / "bad").mkdir()
    for name in ("a.png", "b.png"):
        (tmp_path / "bad" / name).write_bytes(b"no picture")
    choose(rig, widget, tmp_path / "bad")
    assert "a.png" in said.text and not ui.registerVisitsButton.enabled
    choose(rig, widget, visit_folder(tmp_path / "good"))
    assert said.text == "" and not said.visible and ui.registerVisitsButton.enabled
    before = node_names()
    ui.visitsOutputPathLineEdit.currentPath = str(tmp_path / "good")
    ui.registerVisitsButton.click()
    assert "would replace the input" in ui.visitsStatusLabel.text
    assert node_names() == before and ui.registerVisitsButton.text == "Register all"


def test_a_volume_with_slices_is_no_visit(rig, widget, tmp_path):
    ui = widget.ui
    ui.visitsOutputPathLineEdit.currentPath = str(tmp_path / "results")
    flat, deep = noise_volume("flat"), noise_volume("deep", 3)
    ui.visitVolumesSelector.check(flat)
    assert ui.visitsBlockedLabel.text == "Still missing: a second visit of the same eye"
    ui.visitVolumesSelector.check(deep)
    assert "deep: a visit is one 2D image, but this volume has 3 slices" in ui.visitsBlockedLabel.text
    assert not ui.registerVisitsButton.enabled and "deep" in ui.registerVisitsButton.toolTip


def test_eyes_of_a_folder_are_chosen_by_name(rig, widget, tmp_path):
    for eye in ("left", "right"):
        visit_folder(tmp_path / "eyes" / eye, NAMES[:2])
    choose(rig, widget, tmp_path / "eyes", tmp_path / "results")
    box = widget.ui.visitsEyeComboBox
    assert box.visible and [box.itemText(index) for index in range(box.count)] == ["left", "right"]
    box.setCurrentIndex(1)
    box.activated.emit(1)
    rig.wait_until(lambda: "right" in widget.ui.visitsStatusLabel.text)
    assert widget.panel.state.parameters.visitsEye == "right"


def test_cancel_leaves_the_scene_as_it_was(rig, widget, tmp_path):
    choose(rig, widget, visit_folder(tmp_path / "visits"), tmp_path / "results")
    before = node_names()
    widget.ui.registerVisitsButton.click()
    job = widget.panel.visits._job
    rig.wait_until(lambda: job._pid is not None, "for the child")
    assert widget.ui.visitsProgressBar.visible
    cancel(rig, widget.panel.visits, widget.ui.registerVisitsButton)
    assert widget.ui.visitsStatusLabel.text.startswith("Cancelled") and node_names() == before
    assert widget.ui.registerVisitsButton.text == "Register all" and not widget.ui.visitsProgressBar.visible


STAGES = """
import sys
from MetaRegistrationLib import commands
from MetaRegistrationLib.progress import Message, Stage

def run(arguments, progress):
    progress(Message("registering is a word of this message"))
    progress(Stage("register", "b to {a}", 2, 5))
    sys.stdin.read()

commands.series.run = run
sys.exit(commands.main())
"""


def test_progress_comes_from_the_stage_of_the_child_and_from_no_words(rig, widget, tmp_path, monkeypatch):
    from MetaRegistrationLib.jobs import command_lines

    monkeypatch.setattr(command_lines, "_command", lambda name: ["-c", STAGES, name, "--json"])
    choose(rig, widget, visit_folder(tmp_path / "visits"), tmp_path / "results")
    widget.ui.registerVisitsButton.click()
    bar = widget.ui.visitsProgressBar
    rig.wait_until(lambda: bar.maximum == 5, "for the child")
    assert (bar.value, bar.format) == (1, "Registering b to {a} ...")
    assert widget.ui.visitsStatusLabel.text == "registering is a word of this message"
    widget.ui.registerVisitsButton.click()
    rig.wait_until(lambda: not widget.panel.visits.running, "for the cancelled registration")


def test_closing_the_scene_stops_the_child_and_removes_its_inputs(rig, widget, tmp_path, monkeypatch):
    choose(rig, widget, visit_folder(tmp_path / "visits"), tmp_path / "results")
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    widget.ui.registerVisitsButton.click()
    assert widget.panel.visits.running and list(temporary.glob("*/visits.csv"))
    slicer.mrmlScene.Clear(0)
    settle(rig)
    assert not widget.panel.visits.running and widget.ui.visitsStatusLabel.text != ""
    assert table(widget.ui.visitsTable) == [] and not list(temporary.iterdir())


def test_loaded_volumes_are_registered_again_in_place(rig, widget, tmp_path):
    ui = widget.ui
    register_simply(widget)
    place = Geometry((SIDE, SIDE), (0.02, 0.02), spacing_known=True)
    volumes = [volume_from_image(Image(visit(name), place), f"OD {name[:4]}") for name in NAMES[:2]]
    other = noise_volume("unrelated eye")
    for node in (*volumes, other):
        ui.visitVolumesSelector.check(node)
    ui.visitsOutputPathLineEdit.currentPath = str(tmp_path / "results")
    ui.visitsReferenceComboBox.setCurrentIndex(1)
    register_all(rig, widget)
    rows = table(ui.visitsTable)
    assert [row[0] for row in rows] == ["OD 2021", "OD 2022", "unrelated eye"]
    reason = "not aligned with the reference, nor through another visit"
    assert (rows[0][6], rows[2][6]) == ("reference", f"left out: {reason}") and rows[1][6].startswith("expected error ")
    assert "unrelated eye: not aligned" in ui.visitsStatusLabel.text
    nodes = nodes_of(widget)
    assert volumes[1].GetParentTransformNode() is nodes.transform("OD 2022") and other.GetParentTransformNode() is None
    assert nodes["browser"].GetNumberOfItems() == 2
    ui.visitsTable.cellClicked.emit(2, 0)
    assert ui.visitsStatusLabel.text == "unrelated eye could not be aligned, so it cannot be shown here."

    # Landmarks in two visits are measured.
    for row, name in ((0, "OD 2021"), (1, "OD 2022")):
        ui.visitsTable.setCurrentCell(row, 0)
        ui.visitsTable.cellClicked.emit(row, 0)
        ui.visitPointsButton.click()
        assert name in ui.visitsStatusLabel.text
        rig.slice_view("Red").click_at((-2.0, -2.5, 0.0))
        interaction = slicer.mrmlScene.GetNodeByID("vtkMRMLInteractionNodeSingleton")
        interaction.SetCurrentInteractionMode(interaction.ViewTransform)
    rig.wait_until(lambda: table(ui.visitsTable)[1][5] != "–", "for the distance")
    assert float(table(ui.visitsTable)[1][5]) < 0.5, "both were clicked at one place of the aligned images"

    ui.changeMapButton.click()
    settle(rig)
    first = node_names()
    register_all(rig, widget)
    again = node_names()
    assert len(again) < len(first), "the results before are replaced, and the change map of then is gone"
    assert volumes[1].GetParentTransformNode() is nodes_of(widget).transform("OD 2022")
    assert float(table(ui.visitsTable)[1][5]) < 0.5 and nodes_of(widget)["centre"] is not None


def test_some_of_the_volumes_are_registered_again_without_the_others(rig, widget, tmp_path):
    ui = widget.ui
    register_simply(widget)
    volumes = scene_visits(tmp_path / "scans", {"OD 2021": "2021", "OD 2022": "2022", "OD 2023": "2023 été"})
    check_volumes(rig, widget, volumes)
    ui.visitsOutputPathLineEdit.currentPath = str(tmp_path / "three")
    ui.visitsReferenceComboBox.setCurrentIndex(1)
    register_all(rig, widget)
    assert all(node.GetParentTransformNode() is not None for node in volumes[1:])
    ui.visitVolumesSelector.uncheck(volumes[1])
    rig.wait_until(lambda: not widget.panel.visits.running, "for the visits to be read")
    assert [row[0] for row in table(ui.visitsTable)] == ["OD 2021", "OD 2023"], ui.visitsStatusLabel.text
    ui.visitsOutputPathLineEdit.currentPath = str(tmp_path / "two")
    register_all(rig, widget)
    nodes = nodes_of(widget)
    assert volumes[2].GetParentTransformNode() is nodes.transform("OD 2023")
    assert [series.key for series in visit_nodes.series_with(volumes[2])] == [nodes.key], "one series has it"
    assert volumes[1].GetParentTransformNode() is None, "the results that it was in are replaced"
    assert visit_nodes.transform_over(volumes[1]) is None and volumes[1].GetScene() is not None


def test_masks_of_visits_come_into_the_scene_and_count(rig, widget, tmp_path):
    widget.ui.useNetworkCheckBox.checked, widget.ui.refinementStepsSpinBox.value = False, 0
    folder = visit_folder(tmp_path / "visits", NAMES[:2])
    mask = np.full((SIDE, SIDE), 255, np.uint8)
    mask[:, :60] = 0
    (folder / "masks").mkdir()
    write_image(folder / "masks" / "left.png", mask, Geometry((SIDE, SIDE)))
    rows = [(f"{name}.png", name, "masks/left.png") for name in NAMES[:2]]
    write_table(folder / "visits.csv", ("image", "visit", "mask"), rows)
    choose(rig, widget, folder, tmp_path / "results")
    register_all(rig, widget)
    nodes = nodes_of(widget)
    assert len(nodes.aligned) == 2, widget.ui.visitsStatusLabel.text
    assert all(visit_nodes.mask_of(volume) is not None for volume in nodes.volumes.values())
    assert not series_of(nodes).visits[0].warped[1][:, :55].any()
    widget.ui.changeMapButton.click()
    assert np.isnan(slicer.util.arrayFromVolume(nodes["change"])[0][:, :50]).all()
    assert slicer.util.arrayFromVolume(nodes["unknown"])[0][:, :50].any()


def test_the_report_for_a_forum_has_no_names_of_visits(rig, widget, tmp_path):
    choose(rig, widget, visit_folder(tmp_path / "Mueller Hans"))
    widget.panel.state.log = "registering 2023 été to 2021 of Mueller Hans"
    text = widget.panel.report.text()
    assert "registering <name> to <name> of <name>" in text and "Mueller" not in text


def test_without_sequences_it_is_said(rig, widget, tmp_path, monkeypatch):
    monkeypatch.setattr(visit_sequence, "_CLASSES", ("vtkMRMLNoSuchNode",))
    widget.ui.useNetworkCheckBox.checked, widget.ui.refinementStepsSpinBox.value = False, 0
    choose(rig, widget, visit_folder(tmp_path / "visits", NAMES[:2]), tmp_path / "results")
    before = node_names()
    register_all(rig, widget)
    assert "no module Sequences" in widget.ui.visitsStatusLabel.text
    assert node_names() == before and nodes_of(widget) is None


def scene_visits(folder, names):
    """Visits as volumes that were loaded from files, in this order."""
    folder.mkdir()
    for name, of in names.items():
        geometry = Geometry((SIDE, SIDE), spacing=(0.02, 0.02), spacing_known=True)
        write_image(folder / f"{name}.nrrd", visit(of).astype(np.uint8), geometry)
    return [slicer.util.loadVolume(str(folder / f"{name}.nrrd"), {"singleFile": True}) for name in names]


def check_volumes(rig, widget, nodes) -> None:
    for node in nodes:
        widget.ui.visitVolumesSelector.check(node)
    rig.wait_until(lambda: not widget.panel.visits.running, "for the volumes to be read")
    assert widget.panel.visits.choice.problem == "", widget.panel.visits.choice.problem


def test_volumes_are_put_in_the_order_of_time_and_the_change_goes_forward(rig, dialogs, widget, tmp_path):
    ui = widget.ui
    register_simply(widget)
    names = {"OS 2023-05-01": "2023 été", "OS 2022-05-01": "2022", "OS 2021-05-01": "2021"}
    check_volumes(rig, widget, scene_visits(tmp_path / "scans", names))
    assert [row[:2] for row in table(ui.visitsTable)] == [
        [f"OS {date}", date] for date in ("2021-05-01", "2022-05-01", "2023-05-01")
    ]
    assert "Order of dates." in ui.visitsStatusLabel.text
    ui.visitsReferenceComboBox.setCurrentIndex(3)  # the last visit
    ui.visitsOutputPathLineEdit.currentPath = str(tmp_path / "out")
    register_all(rig, widget)
    boxes = ui.changeEarlierComboBox, ui.changeLaterComboBox
    assert [box.currentText for box in boxes] == ["OS 2021-05-01", "OS 2023-05-01"]
    assert ui.changeSideComboBox.currentText == "left eye"
    ui.changeMapButton.click()
    settle(rig)
    assert "From OS 2021-05-01 to OS 2023-05-01" in ui.changeStatusLabel.text
    assert any("nasal" in row[0] for row in table(ui.regionsTable))
    for box, index in zip(boxes, (2, 0), strict=True):
        box.setCurrentIndex(index)
    ui.changeMapButton.click()
    settle(rig)
    assert "choose the earlier visit first" in ui.changeStatusLabel.text


def test_without_dates_the_order_of_names_is_said(rig, widget, tmp_path):
    nodes = scene_visits(tmp_path / "scans", {"visit 10": "2023 été", "visit 2": "2022", "visit 1": "2021"})
    check_volumes(rig, widget, nodes)
    assert [row[0] for row in table(widget.ui.visitsTable)] == ["visit 1", "visit 2", "visit 10"]
    assert "Order of names: dates are not known." in widget.ui.visitsStatusLabel.text


def test_a_date_with_two_meanings_is_asked_about(rig, dialogs, widget, tmp_path):
    folder = tmp_path / "eye"
    folder.mkdir()
    for name, of in (("04.03.2021", "2021"), ("05.02.2021", "2022")):
        write_image(folder / f"{name}.png", visit(of).astype(np.uint8), Geometry((SIDE, SIDE)))
    box = widget.ui.visitsDatesComboBox
    choose(rig, widget, visit_folder(tmp_path / "clear"))
    assert not box.visible
    choose(rig, widget, folder, tmp_path / "out")
    assert box.visible and "day and month, or month and day" in widget.ui.visitsBlockedLabel.text
    assert "Dates" in widget.ui.visitsBlockedLabel.text and "--" not in widget.ui.visitsBlockedLabel.text
    box.setCurrentIndex(1)
    box.activated.emit(1)
    rig.wait_until(lambda: not widget.panel.visits.running, "for the visits to be read")
    assert [row[:2] for row in table(widget.ui.visitsTable)] == [
        ["05.02.2021", "2021-02-05"],
        ["04.03.2021", "2021-03-04"],
    ]


def test_what_cannot_be_used_is_named_and_the_others_are_read(rig, dialogs, widget, tmp_path):
    folder = visit_folder(tmp_path / "eye")
    (folder / "2024.png").write_bytes(b"no image")
    write_image(folder / "2021_mask.png", np.ones((SIDE, SIDE), np.uint8), Geometry((SIDE, SIDE)))
    choose(rig, widget, folder, tmp_path / "out")
    assert [row[0] for row in table(widget.ui.visitsTable)] == NAMES
    said = widget.ui.visitsStatusLabel.text
    assert "2024.png" in said and "2021_mask.png: a mask" in said and said.count("Left out: ") == 2


def test_a_copy_is_left_out_until_the_user_wants_it(rig, dialogs, widget, tmp_path):
    ui = widget.ui
    register_simply(widget)
    folder = visit_folder(tmp_path / "eye", NAMES[:2])
    (folder / "2024.png").write_bytes((folder / "2021.png").read_bytes())
    choose(rig, widget, folder, tmp_path / "out")
    register_all(rig, widget)
    assert any(row[-1].startswith("left out: a copy of 2021") for row in table(ui.visitsTable))
    boxes = ui.changeEarlierComboBox, ui.changeLaterComboBox
    assert [box.currentText for box in boxes] == ["2021", "2022"]
    assert not ui.useVisitButton.enabled
    boxes[1].setCurrentIndex(2)
    assert boxes[1].currentText == "2024"
    ui.changeMapButton.click()
    settle(rig)
    assert "2024 is compared as asked, although it should not be: a copy of 2021." in ui.changeStatusLabel.text
    ui.visitsTable.setCurrentCell(2, 0)
    widget.panel.visits.refresh()
    assert ui.useVisitButton.enabled, ui.useVisitButton.toolTip
    dialogs.answer(True)
    ui.useVisitButton.click()
    rig.wait_until(lambda: not widget.panel.visits.running, "for the visits")
    assert not any("left out" in row[-1] for row in table(ui.visitsTable)), ui.visitsStatusLabel.text
    assert not ui.useVisitButton.enabled
