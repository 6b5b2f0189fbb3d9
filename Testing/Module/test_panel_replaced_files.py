"""Neither a file nor a placed point is replaced without a question; one landmark file goes to the image that its name names."""

from __future__ import annotations

import numpy as np
import pytest
import qt
import slicer
from eye_in_scene import chosen_visits, put_results
from panel_helpers import SMALL, noise_volume, open_panel, settle, tooltip
from visit_files import PLACES, visit_folder

YES, NO = qt.QMessageBox.Yes, qt.QMessageBox.No
MINE = "mine"


@pytest.fixture
def widget(rig):
    """The panel with the volumes m0 and f0."""
    opened = open_panel(rig, size=SMALL)
    for selector, name in ((opened.ui.movingVolumeSelector, "m0"), (opened.ui.fixedVolumeSelector, "f0")):
        selector.setCurrentNode(noise_volume(name))
    return opened


@pytest.fixture
def lists(rig, widget):
    """A moving and a fixed list of four points."""
    made = [slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", f"{side} list") for side in "mf"]
    for node in made:
        slicer.util.updateMarkupsControlPointsFromArray(node, np.array([[x, 2.0 * x, 0.0] for x in (3, 5, 8, 12)]))
    widget.ui.movingPointsSelector.setCurrentNode(made[0])
    widget.ui.fixedPointsSelector.setCurrentNode(made[1])
    settle(rig)
    return made


def points(node) -> list:
    return slicer.util.arrayFromMarkupsControlPoints(node).tolist()


def questions(dialogs) -> list[str]:
    return [each.text for each in dialogs.shown if each.kind == "question"]


@pytest.mark.parametrize("suffix", [".mrk.json", ".fcsv"])
def test_landmark_files_of_other_names_than_the_chosen_one_are_asked_about(widget, lists, dialogs, tmp_path, suffix):
    moving, fixed = (tmp_path / f"q_{side}{suffix}" for side in ("moving", "fixed"))
    moving.write_text(MINE, encoding="utf-8")
    dialogs.answer(str(tmp_path / f"q{suffix}"), NO)
    widget.ui.saveLandmarksButton.click()
    (question,) = questions(dialogs)
    assert str(moving) in question and str(fixed) not in question
    assert moving.read_text(encoding="utf-8") == MINE and not fixed.exists()
    assert widget.ui.landmarksStatusLabel.text == "Not saved."
    dialogs.answer(str(tmp_path / f"q{suffix}"), YES)
    widget.ui.saveLandmarksButton.click()
    assert moving.read_text(encoding="utf-8") != MINE and fixed.exists()
    assert widget.ui.landmarksStatusLabel.text == f"Saved {moving}, {fixed}."


def test_a_name_that_says_both_sides_keeps_both_lists(rig, widget, lists, dialogs, tmp_path):
    paths = [tmp_path / f"moving_to_fixed_{side}.mrk.json" for side in ("moving", "fixed")]
    slicer.util.updateMarkupsControlPointsFromArray(lists[1], np.array([[7.0, 9.0, 0.0]] * 4))
    before = [points(node) for node in lists]
    dialogs.answer(str(tmp_path / "moving_to_fixed.mrk.json"))
    widget.ui.saveLandmarksButton.click()
    assert widget.ui.landmarksStatusLabel.text == f"Saved {paths[0]}, {paths[1]}."
    for node in lists:
        node.RemoveAllControlPoints()
    dialogs.answer([str(path) for path in reversed(paths)])
    widget.ui.loadLandmarksButton.click()
    np.testing.assert_allclose([points(node) for node in lists], before, atol=1e-6)


def test_the_file_dialog_alone_asks_about_the_chosen_name(widget, lists, dialogs, tmp_path):
    (tmp_path / "q.csv").write_text(MINE, encoding="utf-8")
    dialogs.answer(str(tmp_path / "q.csv"))
    widget.ui.saveLandmarksButton.click()
    assert questions(dialogs) == [] and (tmp_path / "q.csv").read_text(encoding="utf-8") != MINE


def test_a_report_that_gets_a_suffix_replaces_no_file_without_a_question(rig, widget, dialogs, tmp_path):
    chosen = chosen_visits(widget.logic.visits, visit_folder(tmp_path / "eye", tuple(PLACES)[:2]))
    put_results(widget, chosen, tmp_path / "out")
    widget.panel.state.notify()
    page = tmp_path / "bericht.html"
    page.write_text(MINE, encoding="utf-8")
    dialogs.answer(str(tmp_path / "bericht"), NO)
    widget.ui.saveVisitsReportButton.click()
    settle(rig)
    assert len(questions(dialogs)) == 1 and str(page) in questions(dialogs)[0]
    assert page.read_text(encoding="utf-8") == MINE and widget.ui.changeStatusLabel.text == "Not saved."


def test_loaded_landmarks_replace_placed_points_only_after_a_question(widget, lists, dialogs, tmp_path):
    file, (moving, fixed) = tmp_path / "one.csv", lists
    file.write_text("moving_x,moving_y,fixed_x,fixed_y\n1,2,3,4\n", encoding="utf-8")
    before = points(moving), points(fixed)
    dialogs.answer([str(file)], NO)
    widget.ui.loadLandmarksButton.click()
    (question,) = questions(dialogs)
    assert "4 points of m list" in question and "4 points of f list" in question
    assert (points(moving), points(fixed)) == before
    assert widget.ui.landmarksStatusLabel.text == "Not loaded."
    dialogs.answer([str(file)], YES)
    widget.ui.loadLandmarksButton.click()
    assert len(points(moving)) == len(points(fixed)) == 1
    assert "replace" in tooltip(widget.ui.loadLandmarksButton)


def test_empty_lists_are_filled_without_a_question(widget, lists, dialogs, tmp_path):
    for node in lists:
        node.RemoveAllControlPoints()
    (tmp_path / "one.csv").write_text("moving_x,moving_y,fixed_x,fixed_y\n1,2,3,4\n", encoding="utf-8")
    dialogs.answer([str(tmp_path / "one.csv")])
    widget.ui.loadLandmarksButton.click()
    assert questions(dialogs) == [] and [len(points(node)) for node in lists] == [1, 1]


def test_a_file_with_the_name_of_the_moving_volume_is_the_moving_images(widget, lists, dialogs, tmp_path):
    moving, fixed = lists
    before = points(fixed)
    (tmp_path / "m0_new.csv").write_text("x,y\n1,2\n3,4\n", encoding="utf-8")
    dialogs.answer([str(tmp_path / "m0_new.csv")], YES)
    widget.ui.loadLandmarksButton.click()
    assert "m list" in questions(dialogs)[0] and "f list" not in questions(dialogs)[0]
    assert len(points(moving)) == 2 and points(fixed) == before
    assert widget.ui.landmarksStatusLabel.text.startswith("Loaded 2 moving and 0 fixed landmarks.")
