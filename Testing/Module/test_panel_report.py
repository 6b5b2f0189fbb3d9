"""The report for a support forum: what it says, and what it must not say."""

from __future__ import annotations

from pathlib import Path

import pytest
import qt
from panel_helpers import SMALL, choose_folder, click_row, open_panel, register, settle, small_folder

from MetaRegistrationLib.panel.report_section import without_names


@pytest.fixture
def widget(rig):
    return open_panel(rig, size=SMALL)


def test_the_report_has_what_is_asked_for_and_no_names(rig, widget, tmp_path):
    folder = small_folder(tmp_path / "Mueller Hans 1961", 2)
    choose_folder(rig, widget, folder)
    click_row(rig, widget, 0)
    register(rig, widget)
    widget.panel.state.log = f"read {folder / 'moving' / 'phantom_001.png'}\nphantom_001.png: too dark"
    qt.QApplication.clipboard().setText("")
    widget.ui.copyReportButton.click()
    settle(rig)
    text = qt.QApplication.clipboard().text()
    for part in (
        "MetaRegistration ",
        "Python ",
        "torch ",
        "Slicer ",
        "'initial': 'affine'",
        "device: cpu",
        "320",
        "too dark",
    ):
        assert part in text, part
    for name in ("Mueller", "1961", "phantom_001", str(tmp_path), tmp_path.name, Path.home().as_posix() + "/"):
        assert name not in text, name
    assert "no names" in widget.ui.reportLabel.text


@pytest.mark.parametrize("name", ["pairs", "images", "moving", "Pairs", "test pairs", "visits", "step"])
def test_a_folder_with_an_ordinary_name_garbles_no_other_line(rig, widget, tmp_path, name):
    """Its name says nothing of a patient, and the report is about pairs, images and steps."""
    choose_folder(rig, widget, small_folder(tmp_path / name, 1))
    widget.panel.state.log = f"PythonSlicer finetune --pairs {tmp_path / name}\n1 step of 3 pairs, moving images"
    text = widget.panel.report.text()
    assert "<name>" not in text.replace("Adapted <name>", "")
    assert "--pairs <path>" in text and "1 step of 3 pairs, moving images" in text and "pairs: 1," in text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mueller was read, but not Emuellerin", "<name> was read, but not Emuellerin"),
        ("mueller_1961 and mueller2", "<name>_1961 and <name>2"),
        ("10 pairs of images", "10 pairs of images"),
        ("age and image", "<name> and image"),
        ("pairs 7", "<name>"),
    ],
)
def test_what_counts_as_a_name(text, expected):
    assert without_names(text, {"mueller", "pairs", "images", "age", "pairs 7"}) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("C:\\Users\\Ana\\scan 1.png is damaged", "<path> <file> is damaged"),
        ("/home/ana/x.nrrd: expected", "<path>: expected"),
        ("\\\\server\\share\\a.tif", "<path>"),
        ("~/x/y", "<path>"),
        ("OD_1.dcm and OD_1", "<file> and <name>"),
        ("3/4 done, 1 px/um", "3/4 done, 1 px/um"),
    ],
)
def test_names_and_paths_are_left_out(text, expected):
    assert without_names(text, {"OD_1"}).replace("<name>.dcm", "<file>") == expected
