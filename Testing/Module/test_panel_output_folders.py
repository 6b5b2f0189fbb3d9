"""Folders for results in the panel: none that holds the images, and a question before earlier results are replaced."""

from __future__ import annotations

import numpy as np
import pytest
import qt
import slicer
from panel_helpers import SMALL, choose_folder, open_panel, register_simply, settle, small_folder
from visit_files import SIDE, visit

from MetaRegistrationLib.core.geometry import Geometry
from MetaRegistrationLib.formats.image_writing import write_image


@pytest.fixture
def widget(rig):
    opened = open_panel(rig, size=SMALL)
    for name in ("pairs", "adapt", "register", "landmarks", "visits"):
        getattr(opened.ui, f"{name}CollapsibleButton").collapsed = name != "visits"
    register_simply(opened)
    return opened


def content(folder):
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def loaded(folder, **visits):
    """Visits as NRRD files, and their volumes in the scene."""
    folder.mkdir()
    nodes = []
    for name, kind in visits.items():
        path = folder / f"{name}.nrrd"
        write_image(
            path, visit(kind).astype(np.uint8), Geometry((SIDE, SIDE), spacing=(0.02, 0.02), spacing_known=True)
        )
        nodes.append(slicer.util.loadVolume(str(path), {"singleFile": True}))
    return nodes


def questions(dialogs) -> list[str]:
    return [shown.text for shown in dialogs.shown if shown.kind == "question"]


def check(rig, widget, nodes, output) -> None:
    """Check these volumes and no others, as visits to be registered into a folder."""
    for node in widget.ui.visitVolumesSelector.checkedNodes():
        widget.ui.visitVolumesSelector.uncheck(node)
    for node in nodes:
        widget.ui.visitVolumesSelector.check(node)
    widget.ui.visitsOutputPathLineEdit.currentPath = str(output)
    settle(rig)
    rig.wait_until(lambda: not widget.panel.visits.running)


def register(rig, widget) -> str:
    """Click on Register all, wait for the end, and give the status."""
    assert widget.ui.registerVisitsButton.enabled, widget.ui.visitsBlockedLabel.text
    widget.ui.registerVisitsButton.click()
    rig.wait_until(lambda: not widget.panel.visits.running, "for the visits")
    return widget.ui.visitsStatusLabel.text


def test_results_do_not_replace_the_files_of_loaded_volumes(rig, dialogs, widget, tmp_path):
    nodes = loaded(tmp_path / "scans", first="2021", second="2022")
    before = content(tmp_path)
    for output in (tmp_path / "scans", tmp_path):
        check(rig, widget, nodes, output)
        status = register(rig, widget)
        assert "this input is inside Results folder" in status and "first.nrrd" in status
    assert content(tmp_path) == before and not questions(dialogs)


def test_results_of_other_visits_are_replaced_only_after_a_question(rig, dialogs, widget, tmp_path):
    nodes, out = loaded(tmp_path / "scans", overlap="2021", third="2022"), tmp_path / "out"
    check(rig, widget, nodes, out)
    assert register(rig, widget).startswith("2 of 2"), "a volume has the name of a result"
    assert (out / "overlap_2.nrrd").is_file() and (out / "third.nrrd").is_file()

    # The same visits again: no question.
    assert register(rig, widget).startswith("2 of 2") and not questions(dialogs)

    # Other visits.
    check(rig, widget, loaded(tmp_path / "others", fourth="2021", fifth="2022"), out)
    before = content(out)
    dialogs.answer(qt.QMessageBox.No)
    assert "Nothing was started" in register(rig, widget)
    assert (
        "results of series, written on 20" in questions(dialogs)[-1]
        and "Replace the earlier results?" in questions(dialogs)[-1]
    )
    assert content(out) == before
    dialogs.answer(qt.QMessageBox.Yes)
    assert register(rig, widget).startswith("2 of 2")
    assert (out / "fourth.nrrd").is_file() and not (out / "third.nrrd").exists()


def test_a_folder_is_not_registered_into_itself_nor_over_other_results(rig, dialogs, widget, tmp_path):
    pairs, out = small_folder(tmp_path / "pairs", 1), tmp_path / "out"
    choose_folder(rig, widget, pairs)
    before = content(tmp_path)

    def start(output) -> str:
        widget.ui.outputPathLineEdit.currentPath = str(output)
        widget.ui.registerFolderButton.click()
        rig.wait_until(lambda: not widget.panel.folder.running, "for the folder")
        return widget.ui.registerFolderStatusLabel.text

    assert "Results would replace the input" in start(pairs)
    assert content(tmp_path) == before
    out.mkdir()
    (out / "metrics.csv").write_text("mine", encoding="utf-8")
    assert "metrics.csv" in start(out) and not questions(dialogs)
    (out / "metrics.csv").unlink()
    start(out)
    assert (out / "summary.json").is_file()
    start(out)
    assert not questions(dialogs), "the same pairs again"
    choose_folder(rig, widget, small_folder(tmp_path / "others", 2))
    results = content(out)
    dialogs.answer(qt.QMessageBox.No)
    assert "Nothing was started" in start(out) and content(out) == results
