"""What the tests of the panel share: opening the module, a small folder of pairs, reading what the user sees."""

from __future__ import annotations

import csv
import shutil
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import qt
import slicer
from rig import modules

from MetaRegistrationLib.registration.measures import PairMeasures

ROOT = Path(__file__).resolve().parents[2]
MODULE = ROOT / "MetaRegistration" / "MetaRegistration.py"
SAMPLES = ROOT / "Resources" / "SamplePairs"


WIDE, SMALL = (1500, 900), (800, 600)
"""Sizes of the window. Where room and pictures are not the matter, a small one is drawn in a third of the time."""
wide = pytest.mark.parametrize("widget", [WIDE], indirect=True, ids=["wide"])
"""Opens the fixture `widget` of a test in the wide window, for its picture."""


def open_panel(rig, monkeypatch=None, logic=None, size=WIDE):
    """The module's widget, its panel open in the main window; with `logic` in place of the real one."""
    rig.main_window.resize(*size)
    if logic is None:
        return rig.open_module(MODULE)
    loaded = modules.load

    def load_with_logic(path, manager):
        module = loaded(path, manager)
        sys.modules["MetaRegistration"].MetaRegistrationWidget.makeLogic = lambda self: logic
        return module

    monkeypatch.setattr(modules, "load", load_with_logic)
    return rig.open_module(MODULE)


def small_folder(folder: Path, count: int = 3) -> Path:
    """Copies of the first sample pairs, with their landmarks."""
    folder.mkdir(parents=True)
    with (SAMPLES / "pairs.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))[:count]
    for row in rows:
        for column in ("moving", "fixed", "landmarks"):
            target = folder / row[column]
            target.parent.mkdir(exist_ok=True)
            shutil.copyfile(SAMPLES / row[column], target)
    with (folder / "pairs.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return folder


def choose_folder(rig, widget, folder: Path) -> None:
    """Choose a folder with the button beside the line, and wait until it is read."""
    rig.dialogs.answer(folder)
    widget.ui.folderPathLineEdit.browse()
    rig.wait_until(lambda: "..." not in widget.ui.pairsStatusLabel.text, "for the folder to be read")


def register_simply(widget) -> None:
    """Choose the shortest way to register: by a translation alone."""
    box = widget.ui.initialAlignmentComboBox
    box.setCurrentIndex([box.itemText(index) for index in range(box.count)].index("translation"))
    widget.ui.useNetworkCheckBox.checked, widget.ui.refinementStepsSpinBox.value = False, 0


def click_row(rig, widget, row: int) -> None:
    """Click on a pair."""
    widget.ui.pairsTable.cellClicked.emit(row, 0)
    rig.process_events()


def register(rig, widget) -> None:
    """Click on Register, and wait until it is done or has failed, and the distances are shown."""
    widget.ui.registerButton.click()
    rig.wait_until(lambda: widget.ui.registerButton.text == "Register", "for the registration")
    distances = widget.panel.landmarks.display
    rig.wait_until(lambda: distances._waiting is None, "for the distances")


def measured(**changes) -> PairMeasures:
    """Measures of a pair that was registered well."""
    return PairMeasures(**{"ncc_before": 0.25, "ncc_after": 0.75, "folding_percent": 0.5, "seconds": 0.65} | changes)


def noise_volume(name: str, slices: int = 1):
    """A volume of noise, 32 x 32."""
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)
    slicer.util.updateVolumeFromArray(node, np.random.default_rng(0).random((slices, 32, 32)).astype(np.float32))
    return node


def choose_volumes(widget):
    """Choose two volumes of noise, the moving one with three slices."""
    moving, fixed = noise_volume("moving", 3), noise_volume("fixed")
    widget.ui.movingVolumeSelector.setCurrentNode(moving)
    widget.ui.fixedVolumeSelector.setCurrentNode(fixed)
    return moving, fixed


def cancel(rig, section, button) -> None:
    """Click on Cancel, and wait until the child has ended: two seconds later by the timers that its job sets."""
    host, delays = section._job._host, []
    single_shot = host.single_shot

    def noted(milliseconds, function):
        delays.append(milliseconds)
        single_shot(milliseconds, function)

    host.single_shot = noted
    try:
        button.click()
        rig.wait_until(lambda: not section.running, "for what was cancelled")
    finally:
        host.single_shot = single_shot
    assert sum(delays) <= 2000


def settle(rig, seconds: float = 0.15) -> None:
    """Let the delayed updates happen."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        rig.process_events()
        time.sleep(0.005)
    for _ in range(6):  # on a busy machine the time may be over before the delayed updates were begun
        time.sleep(0.02)
        rig.process_events()


def table(widget) -> list[list[str]]:
    """The texts of a QTableWidget."""
    return [[widget.item(row, column).text() for column in range(widget.columnCount)] for row in range(widget.rowCount)]


def node_names() -> set[str]:
    """The nodes of the scene, by name and class."""
    scene = slicer.mrmlScene
    nodes = [scene.GetNthNode(index) for index in range(scene.GetNumberOfNodes())]
    return {f"{node.GetClassName()} {node.GetName()} {node.GetID()}" for node in nodes}


def tooltip(widget) -> str:
    """The tooltip of a widget as the user reads it: Slicer keeps it as HTML."""
    document = qt.QTextDocument()
    document.setHtml(widget.toolTip)
    return document.toPlainText()
